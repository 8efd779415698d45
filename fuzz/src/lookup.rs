use crate::kernel::{Key, instantiate};
use crate::script::{Acts, asked_names};
use arbitrary::{Arbitrary, Unstructured};
use hickory_resolver::proto::rr::Name;
use key::{Failure, Family, Ttl};
use names::config::resolv::ResolvConf;
use names::dns::{Answered, Dns, QueryOptions};
use names::message::{Rdata, Record};
use names::script::{Script, block_on};
use names::{AddressSet, Answer, Content, Families, Trace};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use upcall::{Reply, Settings};

/// A name looked up in DNS, with servers that do what the input says.
pub fn lookup(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(case) = Case::arbitrary(&mut input) else { return };
    let Ok(acts) = Acts::new(&mut input) else { return };
    block_on(case.look_up(Script::new(acts)));
}

/// The most aliases that are followed from a name.
pub(crate) const ALIASES: usize = 16;
/// Queries in one turn of a server: with EDNS and in mixed case, in plain, and by TCP.
pub(crate) const TRIES: usize = 3;

#[derive(Arbitrary, Debug)]
pub(crate) struct Case {
    name: u8,
    families: u8,
    options: Options,
    search: u8,
    ndots: u8,
    servers: u8,
    attempts: u8,
    timeout: u8,
    hedge: u8,
    deadline: u8,
}

#[derive(Arbitrary, Debug)]
struct Options {
    use_vc: bool,
    no_aaaa: bool,
    no_tld_query: bool,
    single_request: bool,
    sortlist: bool,
    special: bool,
}

const NAMES: [&str; 6] = ["mon1", "mon1.example.org", "a.b", "mon1.", "-bad", "x.y.z.example.net."];
/// Mostly few: many try nothing that few don't, and take their time.
const ATTEMPTS: [u8; 8] = [2, 1, 2, 1, 1, 3, 0, 1];
const DOMAINS: [&str; 5] = ["example.org", "test", ".", "bad..domain", "h.example.org"];

impl Case {
    async fn look_up(&self, script: Script<Acts>) {
        let settings = self.settings();
        let conf = self.conf();
        let trace = Trace::default();
        let families = match self.families % 3 {
            0 => Families::Only(Family::Ipv4),
            1 => Families::Only(Family::Ipv6),
            _ => Families::Both,
        };
        let servers: Vec<SocketAddr> =
            conf.servers.iter().map(|server| SocketAddr::new(server.address, 53)).collect();
        let search = conf.search.clone().unwrap_or_default();
        let dns = Dns {
            transport: script,
            servers,
            queries: QueryOptions {
                timeout: conf.timeout,
                attempts: conf.attempts,
                hedge: settings.lookup.hedge,
                use_vc: conf.use_vc,
                mixed_case: settings.lookup.mixed_case,
            },
            options: &settings.lookup,
            search: search.clone(),
            ndots: conf.ndots,
            no_tld_query: conf.no_tld_query,
            no_aaaa: conf.no_aaaa,
            single_request: conf.single_request,
            sortlist: &conf.sortlist,
            glue: &[],
            answered: Answered::default(),
            patient_until: None,
            trace: &trace,
        };
        let name = NAMES[usize::from(self.name) % NAMES.len()];
        let start = Instant::now();
        let limit = Duration::from_secs(settings.lookup.deadline.into());
        let outcome = match timeout(limit, dns.lookup(name, families)).await {
            Ok(outcome) => outcome.map_err(|(_, failure)| failure),
            Err(_) => Err(Failure::Deadline(settings.lookup.deadline)),
        };
        assert!(start.elapsed() <= limit + Duration::from_millis(1), "{:?}", start.elapsed());
        let candidates = search.len() + 2;
        let both = if families == Families::Both { 2 } else { 1 };
        let rounds = conf.attempts.max(1) as usize * dns.servers.len();
        let most = candidates * both * (ALIASES + 1) * rounds * TRIES;
        let queries = dns.transport.asked().len();
        assert!(queries <= most, "{queries} queries of {most}");
        let known = Known::new(name, &dns.transport);
        if let Ok(found) = &outcome {
            known.check(found, families);
        }
        check_reply(outcome, &settings);
        check_text(&trace.to_string());
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut text =
            format!("hedge = {}\ndeadline = {}\n", 10 + 10 * u16::from(self.hedge), 1 + self.deadline % 30);
        if self.options.special {
            text.push_str("nameserver[org] = 192.0.2.53, 192.0.2.54\nnameserver[test] = 192.0.2.55");
        }
        let (settings, warnings) = Settings::parse(text.as_bytes());
        assert_eq!(warnings, []);
        settings
    }

    pub(crate) fn conf(&self) -> ResolvConf {
        let Self { ndots, attempts, timeout, .. } = self;
        let mut text: String =
            (0..=self.servers % 3).map(|number| format!("nameserver 127.0.0.{}\n", number + 1)).collect();
        text.push_str("search");
        for (bit, domain) in DOMAINS.iter().enumerate() {
            if self.search & self.search >> 3 & 1 << bit != 0 {
                text.push(' ');
                text.push_str(domain);
            }
        }
        text.push_str(&format!(
            "\noptions ndots:{} timeout:{timeout} attempts:{}",
            ndots % 4,
            ATTEMPTS[usize::from(attempts % 8)]
        ));
        for (set, option) in [
            (self.options.use_vc, "use-vc"),
            (self.options.no_aaaa, "no-aaaa"),
            (self.options.no_tld_query, "no-tld-query"),
            (self.options.single_request, "single-request"),
        ] {
            if set {
                text.push(' ');
                text.push_str(option);
            }
        }
        if self.options.sortlist {
            text.push_str("\nsortlist 192.0.2.0/255.255.255.0 10.0.0.0");
        }
        ResolvConf::parse(text.as_bytes()).0
    }
}

/// What the servers' answers can be believed about.
struct Known {
    /// The names asked for, and those that they are aliases of.
    names: Vec<Name>,
    records: Vec<Record>,
}

impl Known {
    /// The name as it is and within any domain, and all that its aliases lead to; no other name may have been
    /// asked for.
    fn new(name: &str, script: &Script<Acts>) -> Self {
        let records: Vec<Record> = script.replies().into_iter().flat_map(|reply| reply.answers).collect();
        let asked = asked_names(script);
        let own = |asked: &&Name| {
            let asked = asked.to_ascii().to_ascii_lowercase();
            let name = name.trim_end_matches('.');
            asked.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        let mut names: Vec<Name> = asked.iter().filter(own).cloned().collect();
        let mut place = 0;
        while let Some(name) = names.get(place).cloned() {
            for record in records.iter().filter(|record| record.owner == name) {
                if let Rdata::Cname(target) = &record.data
                    && !names.contains(target)
                {
                    names.push(target.clone());
                }
            }
            place += 1;
        }
        for asked in &asked {
            assert!(names.contains(asked), "{asked} is asked for, and nobody's alias");
        }
        Self { names, records }
    }

    /// Each address is that of a record of one of the names, and lasts no longer.
    fn check(&self, found: &AddressSet, families: Families) {
        assert!(!found.addresses.is_empty());
        for address in &found.addresses {
            let ip = address.ip;
            match families {
                Families::Only(Family::Ipv4) => assert!(ip.is_ipv4()),
                Families::Only(Family::Ipv6) => assert!(ip.is_ipv6()),
                Families::Both => {}
            }
            let mut records = self.records.iter().filter(|record| {
                let same = match record.data {
                    Rdata::A(one) => IpAddr::V4(one) == ip,
                    Rdata::Aaaa(one) => IpAddr::V6(one) == ip,
                    _ => false,
                };
                same && self.names.contains(&record.owner)
            });
            let lasts = found.ttl.expect("all of DNS has a TTL");
            assert!(records.any(|record| record.ttl >= lasts), "{ip} is in no record of the name");
        }
    }
}

/// What the key is handed.
fn check_reply(outcome: Result<AddressSet, Failure>, settings: &Settings) {
    if let Err(failure) = &outcome {
        check_text(&failure.to_string());
    }
    let answer = outcome.map(|found| Answer { content: Content::Addresses(found.addresses), ttl: found.ttl });
    let reply = Reply::new(&answer, settings);
    assert!(reply.expiry >= Ttl::MIN);
    match (instantiate(&reply.payload.encode()), answer) {
        (Key::Addresses(addresses), Ok(_)) => {
            assert!(!addresses.is_empty() && addresses.iter().all(|(_, port)| port.is_none()));
            assert!(reply.expiry <= settings.max_ttl);
        }
        (Key::Error(number), Err(failure)) => {
            assert_eq!(number, failure.verdict().0.number());
            assert!(reply.expiry.as_secs() <= 60);
        }
        (key, answer) => panic!("{key:?} for {answer:?}"),
    }
}

/// A line of the log holds nothing but text.
pub(crate) fn check_text(text: &str) {
    assert!(text.chars().all(|character| !character.is_control()), "{text:?}");
}
