//! An off-path attacker who knows the port of every query, which any local user can read in `/proc/net/udp`, and tries
//! all IDs, but can't see the letter case.

use crate::dns::{Action, Script, Server, TcpMode};
use crate::lookups::{Outcome, helper};
use crate::rows::zone;
use crate::support::world::{inside, write};
use crate::turn;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// With many letters, as the domain of a storage network has them.
const NAME: &str = "monitor-of-the-cluster.zoo.test";
/// The address that the attacker would have.
const FORGED: &str = "203.0.113.66";
const TRIALS: usize = 6;

/// The ports of UDP sockets that are connected to the server, and not its own.
fn ports() -> Vec<u16> {
    let table = fs::read_to_string("/proc/net/udp").unwrap();
    let remote = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (local, remote) = (words.next()?, words.next()?);
        // 127.0.0.1, port 53
        (remote == "0100007F:0035").then(|| u16::from_str_radix(local.rsplit(':').next()?, 16).ok())?
    };
    table.lines().filter_map(remote).collect()
}

/// An answer to the A question of the name, as everybody writes it.
fn forged_answer() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    for label in NAME.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
    bytes.extend(FORGED.parse::<Ipv4Addr>().unwrap().octets());
    bytes
}

/// Sends answers with all IDs to whatever socket waits for one, from the server's own address and port, until told to
/// stop. Returns how many were sent.
fn attack(server: &Server, stop: &AtomicBool, sent: &AtomicU64) {
    let mut answer = forged_answer();
    // An attacker who can forge the source address of a packet can send as this socket does.
    let socket = server.udp();
    let mut id = 0_u16;
    while !stop.load(Ordering::Relaxed) {
        for port in ports() {
            for _ in 0..4096 {
                answer[..2].copy_from_slice(&id.to_be_bytes());
                let _ = socket.send_to(&answer, (Ipv4Addr::LOCALHOST, port));
                id = id.wrapping_add(1);
            }
            sent.fetch_add(4096, Ordering::Relaxed);
        }
    }
}

#[test]
fn an_attacker_who_knows_the_port_and_tries_all_ids_fails() {
    let _turn = turn();
    if !inside("spoofing::an_attacker_who_knows_the_port_and_tries_all_ids_fails") {
        return;
    }
    write("nsswitch.conf", Some("hosts: dns\n"));
    write("resolv.conf", Some("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"));
    // The server takes its time, and is silent for one query in five.
    let script = |denies: bool| {
        Script::new().rule(move |query, _, _| {
            let answer = if denies && query.edns.is_some() { Action::NXDOMAIN } else { Action::Zone };
            (query.id % 5 != 0)
                .then(|| Action::delay(Duration::from_millis(100), answer))
                .or(Some(Action::Silence))
        })
    };
    let mut all = 0;
    for (tcp, denies) in
        [(TcpMode::Serve, false), (TcpMode::Refuse, false), (TcpMode::Serve, true), (TcpMode::Refuse, true)]
    {
        let zone = zone().a("monitor-of-the-cluster", [192, 0, 2, 9], 60);
        let server = Server::builder().zone(zone).at("127.0.0.1:53").script(script(denies)).tcp(tcp).start();
        let server = Arc::new(server);
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let attacker = {
            let (server, stop, sent) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&sent));
            thread::spawn(move || attack(&server, &stop, &sent))
        };
        let mut outcomes = Vec::new();
        for _ in 0..TRIALS {
            outcomes.push(helper(NAME, "ipv4"));
        }
        stop.store(true, Ordering::Relaxed);
        attacker.join().unwrap();
        let is = |address: &str| {
            let addresses = Outcome::Addresses(vec![address.parse().unwrap()]);
            outcomes.iter().filter(|outcome| **outcome == addresses).count()
        };
        println!(
            "TCP {tcp:?}, denies with EDNS {denies}: {} forged answers sent; {} of {TRIALS} believed, {} right, {} without an answer",
            sent.load(Ordering::Relaxed),
            is(FORGED),
            is("192.0.2.9"),
            TRIALS - is(FORGED) - is("192.0.2.9"),
        );
        assert_eq!(is(FORGED), 0, "{outcomes:?}");
        all += sent.load(Ordering::Relaxed);
    }
    assert!(all > 4 * 65_536, "the attacker did not get to try all ids");
}

/// Else the test above would show nothing.
#[test]
fn the_same_attacker_succeeds_against_a_check_of_ids_only() {
    let _turn = turn();
    if !inside("spoofing::the_same_attacker_succeeds_against_a_check_of_ids_only") {
        return;
    }
    let server = Server::builder().at("127.0.0.1:53").script(Script::new().on_all(Action::Silence)).start();
    let server = Arc::new(server);
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let attacker = {
        let (server, stop, sent) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&sent));
        thread::spawn(move || attack(&server, &stop, &sent))
    };
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect("127.0.0.1:53").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut query = forged_answer();
    query.truncate(query.len() - 16);
    query[..8].copy_from_slice(&[0xab, 0xcd, 1, 0, 0, 1, 0, 0]);
    client.send(&query).unwrap();
    let mut buffer = [0; 512];
    let believed = std::iter::repeat_with(|| client.recv(&mut buffer).map(|_| buffer[..2] == query[..2]));
    let believed = believed.take(10_000_000).find(|received| !matches!(received, Ok(false)));
    stop.store(true, Ordering::Relaxed);
    attacker.join().unwrap();
    assert!(matches!(believed, Some(Ok(true))), "{} sent, {believed:?}", sent.load(Ordering::Relaxed));
}
