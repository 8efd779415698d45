//! The two steps of a lookup, against real sockets: a server on the loopback interface.

use super::*;
use crate::config::nsswitch;
use crate::config::resolv::ResolvConf;
use crate::dns::Network;
use crate::message::RecordType;
use crate::modules::NssModules;
use crate::options::{DomainServers, LookupOptions};
use crate::script::ReplyWriter;
use crate::test_host::FakeModules;
use crate::trace::Trace;
use key::{Family, Preference};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

/// Looks something up on a host with this order of sources, whose server and modules are these.
fn host_with(
    order: &str,
    conf: &str,
    asked: (Option<SocketAddr>, Option<&dyn NssModules>),
    look_up: impl FnOnce(&Host<'_, Network>),
) {
    let (server, modules) = asked;
    let servers = server.map(|server| DomainServers::parse("", &server.to_string()).unwrap());
    let options = LookupOptions { name_servers: servers.into_iter().collect(), ..LookupOptions::default() };
    let trace = Trace::default();
    let (order, _) = nsswitch::parse(format!("hosts: {order}").as_bytes());
    let (conf, _) = ResolvConf::parse(conf.as_bytes());
    let mut host = Host::with_files(order, conf, None, &options, &trace, Network);
    if let Some(modules) = modules {
        host.ask_modules_by(modules);
    }
    look_up(&host);
}

/// The answer to a question for an address, which is 192.0.2.7 or 2001:db8::7.
fn reply_to(query: &[u8]) -> Vec<u8> {
    let mut reply = ReplyWriter::new(query, 0x8180);
    let asked = reply.asked_type();
    reply.asked_name();
    reply.record(asked, 1, 60, |reply| {
        if asked == RecordType::A.into() {
            reply.bytes.extend([192, 0, 2, 7]);
        } else {
            reply.bytes.extend((0x2001_0db8_u128 << 96 | 7).to_be_bytes());
        }
    });
    reply.finish([1, 0, 0])
}

/// The bytes that wait in the buffers of UDP sockets connected to a port (proc(5)).
fn unread(port: u16) -> Vec<u64> {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let remote = format!(":{port:04X}");
    let rows = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next().filter(|address| address.ends_with(&remote))?;
        let (_, waiting) = fields.nth(1)?.split_once(':')?;
        u64::from_str_radix(waiting, 16).ok()
    });
    rows.collect()
}

#[test]
fn start_sends_the_queries_and_finish_reads_the_answers() {
    if !skip::has_loopback() {
        return;
    }
    for (callout, questions, expected) in [
        ("", 1, "192.0.2.7 from dns: mon1.test. ttl 60"),
        ("ipv6", 1, "2001:db8::7 from dns: mon1.test. ttl 60"),
        ("list", 2, "2001:db8::7 from dns: mon1.test. ttl 60, 192.0.2.7 from dns: mon1.test. ttl 60"),
    ] {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let address = server.local_addr().unwrap();
        host_with("dns", "", (Some(address), None), |host| {
            let query = Query::parse(b"mon1.test", callout.as_bytes(), Preference::First(Family::Ipv4));
            let query = query.unwrap().query;
            let mut lookup = Lookup::open(&query, host).unwrap();
            assert_eq!(lookup.start(), None);
            // The questions are there, and answered.
            let mut buffer = [0; 512];
            for _ in 0..questions {
                let (length, client) = server.recv_from(&mut buffer).unwrap();
                server.send_to(&reply_to(&buffer[..length]), client).unwrap();
            }
            let all_wait = || {
                let waiting = unread(address.port());
                waiting.len() == questions && waiting.iter().all(|bytes| *bytes > 0)
            };
            // What was sent may be under way.
            let arrived = (0..500).any(|_| {
                let all = all_wait();
                if !all {
                    thread::sleep(Duration::from_millis(10));
                }
                all
            });
            assert!(arrived, "{:?}", unread(address.port()));
            // However often it is started, the answers stay where they are.
            for _ in 0..3 {
                assert_eq!(lookup.start(), None);
            }
            assert!(all_wait(), "{:?}", unread(address.port()));
            let answer = lookup.finish().unwrap();
            assert_eq!(answer.origins().join(", "), expected, "{callout}");
        });
    }
}

#[test]
fn start_over_tcp_reads_no_answer() {
    if !skip::has_loopback() {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    host_with("dns", "options use-vc", (Some(address), None), |host| {
        let query = Query::parse(b"mon1.test", b"ipv4", Preference::Any).unwrap().query;
        let mut lookup = Lookup::open(&query, host).unwrap();
        assert_eq!(lookup.start(), None);
        let answering = thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let mut length = [0; 2];
            connection.read_exact(&mut length).unwrap();
            let mut query = vec![0; u16::from_be_bytes(length).into()];
            connection.read_exact(&mut query).unwrap();
            let reply = reply_to(&query);
            connection.write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes()).unwrap();
            connection.write_all(&reply).unwrap();
        });
        assert_eq!(lookup.start(), None);
        assert_eq!(lookup.finish().unwrap().origins(), ["192.0.2.7 from dns: mon1.test. ttl 60"]);
        answering.join().unwrap();
    });
}

#[test]
fn names_that_need_no_query_are_answered_by_start() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    nobody.set_nonblocking(true).unwrap();
    let address = nobody.local_addr().unwrap();
    for (name, expected) in [
        (&b"a.localhost"[..], Ok("127.0.0.1 from RFC 6761")),
        (b"x.invalid", Err("no such name")),
        (b"a b", Err("\"a b\" can't be resolved")),
        (b"afsdb:-", Err("\"-\" can't be resolved")),
    ] {
        host_with("dns", "", (Some(address), None), |host| {
            let query = Query::parse(name, b"", Preference::First(Family::Ipv4)).unwrap().query;
            let mut lookup = Lookup::open(&query, host).unwrap();
            let outcome = lookup.start().expect("an answer at once");
            match (outcome, expected) {
                (Ok(answer), Ok(expected)) => assert_eq!(answer.origins(), [expected]),
                (Err(failure), Err(expected)) => assert!(failure.to_string().starts_with(expected)),
                (outcome, _) => panic!("{outcome:?}"),
            }
        });
    }
    assert!(nobody.recv(&mut [0; 512]).is_err());
}

#[test]
fn a_missing_server_is_reported_by_finish() {
    if !skip::has_loopback() {
        return;
    }
    // Nothing listens on a port that was just given back.
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    host_with("dns", "options attempts:1", (Some(address), None), |host| {
        let query = Query::parse(b"mon1.test", b"ipv4", Preference::Any).unwrap().query;
        let mut lookup = Lookup::open(&query, host).unwrap();
        assert_eq!(lookup.start(), None);
        let refused = Failure::Refused(format!("{address}: connection refused over UDP"));
        assert_eq!(lookup.finish(), Err(refused));
    });
}

#[test]
fn modules_are_queried_by_start() {
    let modules = FakeModules { answers: &[("sss", "mon1", "203.0.113.7")], ..FakeModules::default() };
    host_with("sss", "", (None, Some(&modules)), |host| {
        let query = Query::parse(b"mon1", b"ipv4", Preference::Any).unwrap().query;
        let mut lookup = Lookup::open(&query, host).unwrap();
        assert_eq!(format!("{lookup:?}"), "Lookup { .. }");
        assert_eq!(lookup.start().unwrap().unwrap().origins(), ["203.0.113.7 from sss, by getent"]);
        assert_eq!(*modules.asked.borrow(), ["sss: mon1 (IPv4)"]);
    });
}
