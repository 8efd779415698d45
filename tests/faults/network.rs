//! A network that says what is wrong with it, and servers that answer one question more than once.

use crate::dns::{Action, Message, Query, Record, Script, Zone};
use crate::outcome::{Group, Report, judge, nobody_left};
use crate::scenes::SCENES;
use crate::serving::{ADDRESS, OTHER, hosts, server};
use crate::support::machine::{HELPER, Machine};
use std::time::Duration;

pub fn run(machine: &mut Machine, report: &mut Report) {
    machine.use_our_request_key();
    report.group("two answers to one question", |group| races(machine, group));
    report.group("errors by ICMP", |group| icmp(machine, group));
}

/// An answer with another address.
fn other(query: &Query) -> Message {
    Message::new().answer(Record::a(query.name().as_str(), [198, 51, 100, 66], 300))
}

/// A script whose first datagrams are forged, and whose last one is right. Over TCP nobody can forge anything.
fn forged_first(forge: impl Fn(Action) -> Action + Send + Sync + 'static) -> Script {
    Script::new().with(move |query, _, _| {
        let late = Action::delay(Duration::from_millis(30), Action::Zone);
        let first = forge(Action::Answer(other(query)));
        Action::per_transport(Action::many([first, late]), Action::Zone)
    })
}

fn races(machine: &mut Machine, group: &mut Group) {
    let scene = &SCENES[0];
    // The name in the question, behind the header.
    let lower = |answer: &mut Vec<u8>| {
        let name = &mut answer[12..=12 + scene.description.len()];
        // Of some four thousand queries, one has all letters small.
        if name.iter().any(u8::is_ascii_uppercase) {
            name.make_ascii_lowercase();
        } else {
            name.make_ascii_uppercase();
        }
    };
    let source = "127.53.0.9:53".parse().unwrap();
    for (what, script) in [
        ("another id first", forged_first(Action::wrong_id)),
        ("another question first", forged_first(Action::wrong_question)),
        ("other letters first", forged_first(Action::wrong_case)),
        ("all letters small first", forged_first(move |answer| Action::edit(lower, answer))),
        ("another port first", forged_first(Action::wrong_source)),
        ("another server first", forged_first(move |answer| Action::from_addr(source, answer))),
        (
            "five other ids first",
            forged_first(|answer| Action::many((0..5).map(|_| Action::wrong_id(answer.clone())))),
        ),
        ("the right one twice", Script::new().on_all(Action::many([Action::Zone, Action::Zone]))),
        (
            "an error after it",
            Script::new().on_all(Action::many([Action::Zone, Action::SERVFAIL, Action::NXDOMAIN])),
        ),
    ] {
        let before = group.held();
        for _ in 0..10 {
            drop(scene.set_up(machine));
            let _server = server(ADDRESS).zone(hosts()).script(script.clone()).start();
            group.case(what, judge(&scene.ask(""), b"192.0.2.1", &[]));
        }
        println!("    {what}: {} of 10", group.held() - before);
    }
    // Both servers answer, the first one after the second was asked: it is either's answer.
    for milliseconds in [900, 1000, 1100, 1200] {
        drop(scene.set_up(machine));
        machine.name_servers(&[ADDRESS, OTHER]);
        let late = Action::delay(Duration::from_millis(milliseconds), Action::Zone);
        let _first = server(ADDRESS).zone(hosts()).script(Script::new().on_all(late)).start();
        let late = Action::delay(Duration::from_millis(milliseconds - 900), Action::Zone);
        let zone = Zone::new("example.test").a("v4", [192, 0, 2, 1], 300);
        let _second = server(OTHER).zone(zone).script(Script::new().on_all(late)).start();
        group.case("two servers at the same time", judge(&scene.ask(""), b"192.0.2.1", &[]));
    }
    group.case("processes after them", nobody_left());
}

/// The helper is in a network of its own, behind a router that refuses.
fn icmp(machine: &mut Machine, group: &mut Group) {
    let scene = &SCENES[0];
    let mark = machine.mark();
    let _servers = scene.set_up(machine);
    machine.command(
        "ip netns add key-dns-a && ip netns add key-dns-b && \
         ip link add kd-a netns key-dns-a type veth peer name kd-b netns key-dns-b && \
         ip -n key-dns-a address add 198.51.100.2/24 dev kd-a && ip -n key-dns-b address add 198.51.100.1/24 dev kd-b && \
         for side in a b; do ip -n key-dns-$side link set lo up && ip -n key-dns-$side link set kd-$side up; done && \
         ip -n key-dns-a route add default via 198.51.100.1 && \
         ip netns exec key-dns-b sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 && \
         ip -n key-dns-b route add unreachable 203.0.113.1 && ip -n key-dns-b route add prohibit 203.0.113.2 && \
         ip -n key-dns-b route add blackhole 203.0.113.3",
        "ip netns del key-dns-a; ip netns del key-dns-b",
    );
    machine.rule(&format!("create dns_resolver * * /usr/sbin/ip netns exec key-dns-a {HELPER} %k"));
    for (what, servers) in [
        ("host unreachable", vec!["203.0.113.1"]),
        ("prohibited", vec!["203.0.113.2"]),
        ("port unreachable", vec!["198.51.100.1"]),
        ("no route", vec!["203.0.113.4"]),
        ("no answer", vec!["203.0.113.3"]),
        ("all of them", vec!["203.0.113.1", "203.0.113.2", "198.51.100.1"]),
    ] {
        machine.name_servers(&servers);
        let seen = scene.ask("");
        println!("    {what}: {:?} after {:?}", seen.payload.as_ref().unwrap_err(), seen.took);
        group.case(what, judge(&seen, b"192.0.2.1", &[]));
    }
    // Another server behind those that refuse is asked at once.
    let server = std::process::Command::new("ip")
        .args([
            "netns",
            "exec",
            "key-dns-a",
            "dnsmasq",
            "--listen-address=127.0.0.1",
            "--address=/v4.example.test/192.0.2.1",
        ])
        .args(crate::support::DNSMASQ)
        .spawn();
    match server {
        Ok(mut server) => {
            machine.name_servers(&["203.0.113.1", "203.0.113.2", "198.51.100.1"]);
            std::thread::sleep(Duration::from_millis(500));
            // The router sends one error a second of some kinds.
            std::thread::sleep(Duration::from_secs(5));
            for first in ["203.0.113.1", "203.0.113.2", "198.51.100.1", "203.0.113.3"] {
                machine.name_servers(&[first, "127.0.0.1"]);
                let seen = scene.ask("");
                println!("    {first} and then a good one: {:?}", seen.took);
                let outcome = if seen.payload.as_deref() == Ok(b"192.0.2.1") {
                    Ok(())
                } else {
                    Err(format!("{:?}", seen.payload))
                };
                group.case(&format!("{first} and then a good one"), outcome);
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        Err(error) => crate::support::skip(&format!("ip: {error}")),
    }
    machine.rewind(mark);
    group.case("processes after them", nobody_left());
}
