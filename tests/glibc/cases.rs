//! The comparison.

use crate::differences;
use crate::dns::{Bound, Builder, Server, rcode};
use crate::generate::{Case, case, zones};
use crate::lookups::{Outcome, glibc, ours};
use crate::support::nss;
use crate::support::world::{self, inside};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;

/// A query as a server sees it: which server, name in lower case, type.
type Asked = BTreeSet<(usize, String, u16)>;

/// The servers at 127.0.0.1 to 127.0.0.3.
struct Servers([Server; 3]);

impl Servers {
    fn start() -> Self {
        Self([1, 2, 3].map(|last| {
            let address: SocketAddr = format!("127.0.0.{last}:53").parse().unwrap();
            let builder = zones().into_iter().fold(Server::builder(), Builder::zone);
            builder.outside(rcode::NXDOMAIN).start_on(Bound::at(address).unwrap())
        }))
    }

    fn behave(&self, case: &Case) {
        for (server, behaviour) in self.0.iter().zip(case.servers) {
            server.change(|config| config.script = behaviour.script());
            server.clear();
        }
    }

    fn asked(&self) -> Asked {
        let mut asked = Asked::new();
        for (index, server) in self.0.iter().enumerate() {
            for query in server.queries() {
                asked.insert((index, query.name.to_ascii_lowercase(), query.qtype));
            }
        }
        asked
    }

    fn clear(&self) {
        self.0.iter().for_each(Server::clear);
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |value| value.parse().unwrap())
}

#[test]
fn the_helper_finds_what_getaddrinfo_finds() {
    if !inside("cases::the_helper_finds_what_getaddrinfo_finds") {
        return;
    }
    compare(number("GLIBC_CASES", 2000));
}

/// Without an IPv6 address glibc knows no subnet either, and orders IPv4 addresses otherwise.
#[test]
fn the_helper_finds_what_getaddrinfo_finds_without_ipv6() {
    if !inside("cases::the_helper_finds_what_getaddrinfo_finds_without_ipv6") {
        return;
    }
    fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
    compare(number("GLIBC_CASES", 2000) / 4);
}

/// What both found.
struct Looked {
    mine: Outcome,
    theirs: Outcome,
    /// What only we asked for.
    extra: Vec<(usize, String, u16)>,
}

impl Looked {
    fn differ(&self) -> bool {
        self.mine != self.theirs || !self.extra.is_empty()
    }

    fn reason(&self, case: &Case) -> Option<&'static str> {
        differences::reason(case, &self.mine, &self.theirs, &self.extra)
    }
}

fn look_up(servers: &Servers, case: &Case) -> Looked {
    servers.behave(case);
    let theirs = glibc(&case.name, case.family).each_once();
    let allowed = servers.asked();
    servers.clear();
    let mine = ours(&case.name, case.family);
    let extra = servers.asked().difference(&allowed).cloned().collect();
    Looked { mine, theirs, extra }
}

fn compare(count: u64) {
    if !nss::install() {
        return;
    }
    let first = number("GLIBC_SEED", 1);
    let mut excused: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wrong = 0;
    let mut found = 0;
    let mut again = 0;
    let servers = Servers::start();
    for seed in first..first + count {
        let case = case(seed);
        world::write("hosts", case.hosts.as_deref());
        world::write("host.conf", case.host_conf.as_deref());
        world::write("resolv.conf", case.resolv_conf.as_deref());
        world::write("nsswitch.conf", case.nsswitch.as_deref());
        world::write("gai.conf", case.gai_conf.as_deref());
        for (module, says) in [nss::SINGLE, nss::DUAL].into_iter().zip(case.modules) {
            nss::says(module, says);
        }
        let mut looked = look_up(&servers, &case);
        for _ in 0..2 {
            if !looked.differ() || looked.reason(&case).is_some() {
                break;
            }
            // On a busy machine, an answer is late now and then, so that the next server is asked.
            again += 1;
            looked = look_up(&servers, &case);
        }
        found += u32::from(matches!(looked.theirs, Outcome::Addresses(_)));
        if !looked.differ() {
            continue;
        }
        if let Some(reason) = looked.reason(&case) {
            *excused.entry(reason).or_default() += 1;
            continue;
        }
        wrong += 1;
        let Looked { mine, theirs, extra } = looked;
        if wrong <= 25 {
            println!(
                "seed {seed}: {case:#?}\nours:  {mine}\nglibc: {theirs}\nasked, and glibc did not: {extra:?}\n"
            );
        }
    }
    println!(
        "{count} cases from seed {first}: {found} found by glibc, {wrong} different; {again} looked up again"
    );
    for (reason, number) in &excused {
        println!("{number:6} deliberately different: {reason}");
    }
    assert_eq!(wrong, 0, "lookups that differ from glibc's");
    assert!(again <= count / 50, "too many differ at first");
    assert!(u64::from(found) > count / 4, "the generator makes too few names that exist");
}
