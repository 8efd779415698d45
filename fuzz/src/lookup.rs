use crate::kernel::{Key, instantiate};
use crate::script::{Script, Seen};
use arbitrary::{Arbitrary, Unstructured};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::serialize::binary::{BinDecodable, BinDecoder};
use key_dns::config::resolv::ResolvConf;
use key_dns::config::settings::Settings;
use key_dns::failure::Failure;
use key_dns::key::query::Family;
use key_dns::resolve::dns::Dns;
use key_dns::resolve::dns::client::Manner;
use key_dns::resolve::dns::message::{Rdata, Record};
use key_dns::resolve::sources::{Families, Found};
use key_dns::resolve::trace::Trace;
use key_dns::resolve::{Answer, Content};
use key_dns::upcall;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout};

/// A name looked up in DNS, with servers that do what the input says.
pub fn lookup(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(case) = Case::arbitrary(&mut input) else { return };
    let Ok(script) = Script::new(&mut input) else { return };
    block_on(case.look_up(script));
}

/// Runs a lookup on a clock that does not wait.
pub(crate) fn block_on(lookup: impl Future<Output = ()>) {
    thread_local! {
        static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(lookup));
}

/// The most aliases that are followed from a name.
pub(crate) const ALIASES: usize = 16;
/// Queries in one turn of a server: in mixed case, by TCP and as usual where the letters differ, without EDNS, and by
/// TCP where the answer is cut off.
pub(crate) const TRIES: usize = 5;

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
    async fn look_up(&self, script: Script) {
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
            manner: Manner {
                timeout: conf.timeout,
                attempts: conf.attempts,
                hedge: settings.hedge,
                use_vc: conf.use_vc,
                mixed_case: settings.mixed_case,
            },
            settings: &settings,
            search: search.clone(),
            ndots: conf.ndots,
            no_tld_query: conf.no_tld_query,
            no_aaaa: conf.no_aaaa,
            single_request: conf.single_request,
            sortlist: &conf.sortlist,
            glue: None,
            trace: &trace,
        };
        let name = NAMES[usize::from(self.name) % NAMES.len()];
        let start = Instant::now();
        let limit = Duration::from_secs(settings.deadline.into());
        let outcome = match timeout(limit, dns.lookup(name, families)).await {
            Ok(outcome) => outcome.map_err(|(_, failure)| failure),
            Err(_) => Err(Failure::Deadline(settings.deadline)),
        };
        assert!(start.elapsed() <= limit + Duration::from_millis(1), "{:?}", start.elapsed());
        let seen = dns.transport.seen();
        let candidates = search.len() + 2;
        let both = if families == Families::Both { 2 } else { 1 };
        let rounds = conf.attempts.max(1) as usize * dns.servers.len();
        let most = candidates * both * (ALIASES + 1) * rounds * TRIES;
        assert!(seen.queries.len() <= most, "{} queries of {most}", seen.queries.len());
        let known = Known::new(name, &seen);
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
    fn new(name: &str, seen: &Seen) -> Self {
        let records: Vec<Record> = seen.replies().flat_map(|reply| reply.answers).collect();
        let mut queries: Vec<&[u8]> = seen.queries.iter().map(|query| &query[12..]).collect();
        queries.sort_unstable();
        queries.dedup();
        let asked: Vec<Name> = queries.iter().map(|query| question(query)).collect();
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
    fn check(&self, found: &Found, families: Families) {
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

/// The name that a query asks for, its header taken off.
pub(crate) fn question(query: &[u8]) -> Name {
    Name::read(&mut BinDecoder::new(query)).expect("our own message")
}

/// What the key is handed.
fn check_reply(outcome: Result<Found, Failure>, settings: &Settings) {
    if let Err(failure) = &outcome {
        check_text(&failure.to_string());
    }
    let answer = outcome.map(|found| Answer { content: Content::Addresses(found.addresses), ttl: found.ttl });
    let reply = upcall::Reply::new(&answer, settings);
    assert!(reply.expiry >= key_dns::ttl::Ttl::MIN);
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
