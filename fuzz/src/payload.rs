use crate::kernel::{Key, decode, instantiate};
use arbitrary::{Arbitrary, Result, Unstructured};
use key::{
    Errno, LookupStatus, MAX_PAYLOAD, MAX_SERVER_NAME, MAX_SERVERS, Payload, RecordSource, Server, ServerList,
};
use std::collections::HashSet;
use std::net::IpAddr;

/// Payloads of all kinds, as the kernel and kAFS read them.
pub fn payload(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(mut payload) = payload_of(&mut input) else { return };
    let Ok(most) = room(&mut input) else { return };
    let left_out = fit(&mut payload, most);
    if payload == Payload::Addresses(Vec::new()) || payload.to_string() == "payload " {
        // There was no room for anything.
        assert!(left_out > 0);
        return;
    }
    let bytes = payload.encode();
    let key = instantiate(&bytes);
    shown(&payload, &bytes);
    // What fits once is whole.
    let mut again = payload.clone();
    assert_eq!((fit(&mut again, most), again.encode()), (0, bytes));
    match payload {
        Payload::Error(errno) => assert_eq!(key, Key::Error(errno.number())),
        Payload::Addresses(addresses) => {
            assert_eq!(key, Key::Addresses(addresses.into_iter().map(|ip| (ip, None)).collect()));
        }
        Payload::Endpoints(list) => {
            let mut endpoints = Vec::new();
            let mut seen = HashSet::new();
            for server in &list.servers {
                let all = server.addresses.iter().map(|address| (*address, Some(server.port)));
                endpoints.extend(all.filter(|endpoint| seen.insert(*endpoint)));
            }
            assert_eq!(key, Key::Addresses(endpoints));
        }
        Payload::Servers(list) => {
            assert!(left_out == 0 || list.status != LookupStatus::Good);
            assert_eq!(key, Key::Servers(expected(&list)));
        }
    }
}

/// As debug mode prints it.
fn shown(payload: &Payload, bytes: &[u8]) {
    let shown = payload.to_string();
    let read = if let Some(text) = shown.strip_prefix("payload ") {
        [text.as_bytes(), b"\0"].concat()
    } else {
        let digits = shown.strip_prefix("payload-v1 ").expect("one of two forms").as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit");
        let byte = |two: &[u8]| u8::try_from(digit(two[0]) << 4 | digit(two[1])).expect("a byte");
        digits.chunks(2).map(byte).collect()
    };
    assert_eq!(read, bytes);
}

fn expected(list: &ServerList) -> decode::List {
    let servers = list.servers.iter().take(MAX_SERVERS).map(|server| decode::Server {
        name: server.name.get(..MAX_SERVER_NAME).unwrap_or(&server.name).to_owned(),
        priority: server.priority,
        weight: server.weight,
        port: server.port,
        source: server.source as u8,
        status: server.status as u8,
        protocol: decode::number::UDP,
        addresses: server.addresses.iter().take(MAX_SERVERS).copied().collect(),
    });
    decode::List { source: list.source as u8, status: list.status as u8, servers: servers.collect() }
}

fn payload_of(input: &mut Unstructured<'_>) -> Result<Payload> {
    Ok(match input.int_in_range(0..=3)? {
        0 => Payload::Error(*input.choose(&[
            Errno::ENODATA,
            Errno::EAGAIN,
            Errno::ECONNREFUSED,
            Errno::EINVAL,
        ])?),
        1 => {
            let mut addresses = many(input)?;
            if addresses.is_empty() {
                addresses.push(IpAddr::arbitrary(input)?);
            }
            Payload::Addresses(addresses)
        }
        2 => Payload::Servers(list(input)?),
        _ => {
            let mut list = list(input)?;
            let address = IpAddr::arbitrary(input)?;
            match list.servers.first_mut() {
                Some(server) => server.addresses.insert(0, address),
                None => list.servers.push(Server { addresses: vec![address], ..server(input)? }),
            }
            Payload::Endpoints(list)
        }
    })
}

/// Makes a payload fit. There may be less room than in a key, so that it need not take thousands of addresses to go
/// beyond it.
fn fit(payload: &mut Payload, most: usize) -> usize {
    let left_out = payload.fit_into(most);
    assert!(matches!(payload, Payload::Error(_)) || payload.encode().len() <= most);
    left_out
}

fn room(input: &mut Unstructured<'_>) -> Result<usize> {
    Ok(if bool::arbitrary(input)? { MAX_PAYLOAD } else { 16 + usize::from(u8::arbitrary(input)?) })
}

/// The addresses of a host.
fn many(input: &mut Unstructured<'_>) -> Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = Vec::arbitrary(input)?;
    if input.ratio(1, 256)? {
        let first = u128::arbitrary(input)?;
        let more = u128::from(u8::arbitrary(input)? % 64);
        addresses.extend((0..more).map(|number| IpAddr::from(first.wrapping_add(number).to_be_bytes())));
    }
    Ok(addresses)
}

fn list(input: &mut Unstructured<'_>) -> Result<ServerList> {
    let mut list = ServerList { source: source(input)?, status: status(input)?, servers: Vec::new() };
    while bool::arbitrary(input)? {
        let server = server(input)?;
        if input.ratio(1, 256)? {
            // More than a list can count.
            list.servers
                .extend((0..=MAX_SERVERS).map(|_| Server { addresses: Vec::new(), ..server.clone() }));
        }
        list.servers.push(server);
    }
    Ok(list)
}

fn server(input: &mut Unstructured<'_>) -> Result<Server> {
    let length = usize::from(u16::arbitrary(input)? % 300);
    let letter = b'a' + u8::arbitrary(input)? % 26;
    Ok(Server {
        name: char::from(letter).to_string().repeat(length),
        priority: u16::arbitrary(input)?,
        weight: u16::arbitrary(input)?,
        port: u16::arbitrary(input)?,
        source: source(input)?,
        status: status(input)?,
        addresses: Vec::arbitrary(input)?,
    })
}

fn source(input: &mut Unstructured<'_>) -> Result<RecordSource> {
    input
        .choose(&[RecordSource::Config, RecordSource::Afsdb, RecordSource::Srv, RecordSource::NameService])
        .copied()
}

fn status(input: &mut Unstructured<'_>) -> Result<LookupStatus> {
    let all = [
        LookupStatus::NotDone,
        LookupStatus::Good,
        LookupStatus::GoodWithBad,
        LookupStatus::NotFound,
        LookupStatus::LocalFailure,
        LookupStatus::TemporaryFailure,
        LookupStatus::NameServerFailure,
    ];
    input.choose(&all).copied()
}
