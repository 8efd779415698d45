//! The encoder against the independent decoder.

use crate::decode;
use key::{LookupStatus, RecordSource, Server, ServerList};
use proptest::prelude::*;
use std::net::IpAddr;

fn source() -> impl Strategy<Value = (RecordSource, u8)> {
    prop::sample::select(vec![
        (RecordSource::Config, 1),
        (RecordSource::Afsdb, 3),
        (RecordSource::Srv, 4),
        (RecordSource::NameService, 5),
    ])
}

fn status() -> impl Strategy<Value = (LookupStatus, u8)> {
    prop::sample::select(vec![
        (LookupStatus::NotDone, 0),
        (LookupStatus::Good, 1),
        (LookupStatus::GoodWithBad, 2),
        (LookupStatus::NotFound, 4),
        (LookupStatus::LocalFailure, 5),
        (LookupStatus::TemporaryFailure, 6),
        (LookupStatus::NameServerFailure, 7),
    ])
}

prop_compose! {
    fn server(most: usize)(
        name in "[a-z0-9.-]{0,255}", numbers: (u16, u16, u16), source in source(), status in status(),
        addresses in prop::collection::vec(any::<IpAddr>(), 0..=most),
    ) -> (Server, decode::Server) {
        let (priority, weight, port) = numbers;
        let ours = Server {
            name: name.clone(), priority, weight, port, source: source.0, status: status.0,
            addresses: addresses.clone(),
        };
        let read = decode::Server {
            name, priority, weight, port, source: source.1, status: status.1, protocol: 1, addresses,
        };
        (ours, read)
    }
}

proptest! {
    #[test]
    fn every_list_round_trips(
        source in source(), status in status(), servers in prop::collection::vec(server(5), 0..=255),
    ) {
        let (servers, read): (Vec<_>, Vec<_>) = servers.into_iter().unzip();
        let bytes = ServerList { source: source.0, status: status.0, servers }.encode();
        let expected = decode::List { source: source.1, status: status.1, servers: read };
        prop_assert_eq!(decode::list(&bytes), Ok(expected));
    }

    #[test]
    fn every_server_with_many_addresses_round_trips((server, read) in server(255)) {
        let bytes = ServerList { source: RecordSource::Srv, status: LookupStatus::Good, servers: vec![server] }.encode();
        prop_assert_eq!(decode::list(&bytes).unwrap().servers, vec![read]);
    }

    #[test]
    fn the_decoder_refuses_a_truncated_or_longer_list(
        servers in prop::collection::vec(server(3), 1..5), at: prop::sample::Index,
    ) {
        let servers = servers.into_iter().map(|(server, _)| server).collect();
        let bytes = ServerList { source: RecordSource::Srv, status: LookupStatus::Good, servers }.encode();
        prop_assert!(decode::list(&bytes[..at.index(bytes.len())]).is_err());
        prop_assert!(decode::list(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn the_decoder_does_not_panic_on_arbitrary_bytes(bytes: Vec<u8>) {
        let _ = decode::list(&bytes);
    }
}
