//! What each server is queried for, and the expected result.

use crate::capture::Captures;
use crate::program::{Program, Running};
use crate::programs::{PROGRAMS, RESOLVED};
use crate::support::debian::{self, Needed};
use crate::support::world::{inside, write};
use crate::support::{executable, skip};
use crate::table::Table;
use crate::zone::MANY;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// A question, and the usual result.
struct Case {
    name: &'static str,
    /// The key's description and its callout.
    key: (&'static str, &'static str),
    payload: Payload,
    /// The longest that the answer may be kept.
    ttl: u32,
}

enum Payload {
    Is(&'static str),
    /// As many addresses.
    Addresses(u8),
    /// Any number of times, one after the other.
    Each(u32, &'static str),
}

/// Longer than any case takes with a server that is understood at once.
const SLOW: Duration = Duration::from_secs(3);
/// ENODATA and ECONNREFUSED.
const NOTHING: Payload = Payload::Is("#dnserror=61");
const REFUSED: Payload = Payload::Is("#dnserror=111");

const CASES: [Case; 17] = [
    case("A", ("mon.example.test", ""), Payload::Is("192.0.2.1"), 50),
    case("AAAA", ("aaaa:mon.example.test", ""), Payload::Is("2001:db8::1"), 40),
    case("both", ("mon.example.test", "list"), Payload::Is("2001:db8::1,192.0.2.1"), 40),
    case("v6 only", ("v6.example.test", ""), Payload::Is("2001:db8::6"), 45),
    case("letters", ("MON.Example.TEST.", ""), Payload::Is("192.0.2.1"), 50),
    case("alias", ("alias.example.test", ""), Payload::Is("192.0.2.1"), 15),
    case("wildcard", ("any.thing.wild.example.test", ""), Payload::Is("192.0.2.33"), 33),
    case("NXDOMAIN", ("nosuch.example.test", ""), NOTHING, 25),
    case("NODATA", ("text.example.test", ""), NOTHING, 25),
    case("no A", ("a:v6.example.test", ""), NOTHING, 25),
    case("dangling", ("gone.example.test", ""), NOTHING, 25),
    case("by TCP", ("many.example.test", "list"), Payload::Addresses(MANY), 30),
    case("SRV", ("afsdb:cell.example.test", "ipv4"), Payload::Is("192.0.2.21+7003,192.0.2.22+7003"), 33),
    case("AFSDB", ("afsdb:old.example.test", "ipv4"), Payload::Is("192.0.2.21+7003"), 25),
    // It can't say that there is no service, as an SRV record can; there just is no server.
    case("AFSDB of the root", ("afsdb:none.example.test", "ipv4"), NOTHING, 25),
    case("refusal", ("host.elsewhere.test", ""), REFUSED, 10),
    case("often", ("often.wild.example.test", ""), Payload::Each(30, "192.0.2.33"), 33),
];

const fn case(name: &'static str, key: (&'static str, &'static str), payload: Payload, ttl: u32) -> Case {
    Case { name, key, payload, ttl }
}

#[test]
fn real_servers_are_understood() {
    debian::unpack(&[RESOLVED], RESOLVED, Needed::Nothing);
    if !inside("cases::real_servers_are_understood") {
        return;
    }
    let mut table =
        Table::new(["server"].into_iter().chain(CASES.map(|case| case.name)).map(str::to_owned).collect());
    let (mut wrong, mut missing) = (Vec::new(), Vec::new());
    // All run to the end: some ask others.
    let mut running: Vec<(&Program, Running)> = Vec::new();
    for program in PROGRAMS {
        if program.is_installed() {
            running.push((program, program.start()));
        } else {
            missing.push(program.package);
        }
    }
    let mut captures = Captures::from_environment();
    for (program, server) in &running {
        write("resolv.conf", Some(&format!("search .\nnameserver {}\noptions timeout:1\n", server.address)));
        let mut row = vec![program.name.to_owned()];
        for case in &CASES {
            let other = program.otherwise.iter().find(|(name, ..)| *name == case.name);
            let kept_since = program.keeps.then_some(server.since);
            let look = || {
                let (before, start) = (connections(), Instant::now());
                let (seen, log) = result(case, kept_since);
                (seen, log, start.elapsed(), connections() > before)
            };
            let mut looked = look();
            if looked.2 > SLOW {
                // Which a busy machine may be now and then, too.
                looked = look();
            }
            let (mut seen, log, took, connected) = looked;
            if took > SLOW {
                seen = format!("{seen} in {took:?}");
            }
            let by_tcp = match case.payload {
                Payload::Addresses(_) => true,
                Payload::Each(..) => program.limits,
                Payload::Is(_) => false,
            };
            if seen == "ok" && by_tcp && !connected {
                "not by TCP".clone_into(&mut seen);
            }
            let expected = other.map_or("ok", |(_, expected, _)| expected);
            if seen != expected {
                wrong.push(format!("{}, {}: {seen}, not {expected}\n{log}", program.name, case.name));
            }
            row.push(seen);
        }
        table.add(row);
        if let Some(captures) = &mut captures {
            captures.take(program.name, &server.address);
        }
    }
    table.print();
    for program in PROGRAMS {
        for (case, result, why) in program.otherwise {
            println!("{}, {case}: {result}, since {why}", program.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    missing.dedup();
    if !missing.is_empty() {
        skip(&format!("not installed: {}", missing.join(", ")));
    }
    assert!(!running.is_empty() || !missing.is_empty());
}

/// How many connections there have been in this network namespace (proc(5), net/snmp, ActiveOpens).
fn connections() -> u64 {
    let counters = fs::read_to_string("/proc/net/snmp").unwrap();
    let lines: Vec<&str> = counters.lines().filter_map(|line| line.strip_prefix("Tcp: ")).collect();
    let column = lines[0].split(' ').position(|name| name == "ActiveOpens").unwrap();
    lines[1].split(' ').nth(column).unwrap().parse().unwrap()
}

/// What comes of a case: `ok`, the kind of failure, or what was found instead; and the log. The server may have kept the
/// records since it was started then.
fn result(case: &Case, kept_since: Option<Instant>) -> (String, String) {
    let (payload, ttl, log) = look_up(case.key);
    let is_right = match case.payload {
        Payload::Is(expected) => payload == expected,
        Payload::Addresses(number) => payload.split(',').count() == usize::from(number),
        Payload::Each(times, expected) => {
            payload == expected && (1..times).all(|_| look_up(case.key).0 == expected)
        }
    };
    let most_over = kept_since.map_or(0, |since| since.elapsed().as_secs()) + 1;
    let is_its_ttl = (1..=case.ttl).contains(&ttl) && u64::from(case.ttl - ttl) <= most_over;
    let seen = match payload.as_str() {
        _ if is_right && !is_its_ttl => {
            format!("ttl {ttl}")
        }
        _ if is_right => "ok".to_owned(),
        "#dnserror=11" => "passing".to_owned(),
        "#dnserror=61" => "nothing".to_owned(),
        "#dnserror=111" => "refused".to_owned(),
        _ if matches!(case.payload, Payload::Addresses(_)) => {
            format!("{} of them", payload.split(',').count())
        }
        other => other.to_owned(),
    };
    (seen, log)
}

fn look_up((name, callout): (&str, &str)) -> (String, u32, String) {
    let output = Command::new(executable())
        .args(["key.dns_resolver", "-D", "-v", "--", name, callout])
        .output()
        .unwrap();
    let (text, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let line = |word| text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
    (line("payload ").to_owned(), line("expiry ").parse().unwrap_or_default(), log)
}
