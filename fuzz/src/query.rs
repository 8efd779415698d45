use crate::kernel::{Key, instantiate};
use crate::lookup::{ALIASES, Case, TRIES, check_text};
use crate::script::{Acts, asked_names};
use arbitrary::{Arbitrary, Unstructured};
use hickory_resolver::proto::rr::Name;
use key::{Failure, Family, LookupStatus, MAX_SERVERS, Preference, Query, ServerList};
use names::config::cells::{Cell, DatabaseServer};
use names::config::nsswitch;
use names::message::{Rdata, Record, Response};
use names::script::{Script, block_on};
use names::{Answer, Content, Host, Trace, answer, literal};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::time::Instant;

/// The whole life of a request, from the key's description to its payload, with servers that follow the input.
pub fn query(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let Ok(asked) = Asked::arbitrary(&mut input) else { return };
    let Ok(acts) = Acts::new(&mut input) else { return };
    block_on(asked.run(Script::new(acts)));
}

#[derive(Arbitrary, Debug)]
struct Asked {
    name: u8,
    callout: u8,
    order: u8,
    database: u8,
    case: Case,
}

const NAMES: [&str; 12] = [
    "mon1",
    "afsdb:example.org",
    "mon1.example.org",
    "afsdb:test",
    "a:mon1",
    "AFSDB:one.example.",
    "aaaa:mon1.example.org",
    "afsdb:a",
    "a.localhost",
    "x.invalid",
    "127.1.1.1.1",
    "afsdb:x.y.z.w.v.u.t.s.r.q.p.o.n.m.l.k.j.i.h.g.f.e.d.c.b.a.example.net",
];
const CALLOUTS: [&str; 8] =
    ["", "srv=1", "list", "srv=1 ipv4", "ipv6", "srv=0", "ipv4,ipv6,list", "srv=2 ipv6"];
const ORDERS: [&str; 4] = [
    "hosts: files dns",
    "hosts: dns",
    "hosts: dns [NOTFOUND=return] dns",
    "hosts: resolve [!UNAVAIL=return] dns",
];

impl Asked {
    async fn run(&self, script: Script<Acts>) {
        let pick = |all: &[&'static str], number: u8| all[usize::from(number) % all.len()];
        let settings = self.case.settings();
        let conf = self.case.conf();
        let description = pick(&NAMES, self.name);
        let callout = pick(&CALLOUTS, self.callout);
        let default = [Preference::First(Family::Ipv4), Preference::First(Family::Ipv6), Preference::Any];
        let default = default[usize::from(self.database) % 3];
        let Ok(parsed) = Query::parse(description.as_bytes(), callout.as_bytes(), default) else { return };
        let trace = Trace::default();
        let (order, _) = nsswitch::parse(pick(&ORDERS, self.order).as_bytes());
        let sources = order.len();
        let database = self.database();
        let rounds = conf.attempts.max(1) as usize * conf.servers.len().max(2);
        let candidates = conf.search.iter().flatten().count() + 2;
        let host = Host::with_files(order, conf, Some(database.clone()), &settings.lookup, &trace, script);
        let start = Instant::now();
        let outcome = answer(&parsed.query, &host).await;
        let limit = Duration::from_secs(settings.lookup.deadline.into());
        assert!(start.elapsed() <= limit + Duration::from_millis(1), "{:?}", start.elapsed());
        let names = match parsed.query {
            Query::Host(_) => candidates,
            // Two types of record, and the servers that each type, and a database, name.
            Query::Cell(_) => 2 + 3 * MAX_SERVERS * candidates,
        };
        let most = names * sources * 2 * (ALIASES + 1) * rounds * TRIES;
        let queries = host.transport().asked().len();
        assert!(queries <= most, "{queries} queries of {most}");
        let name = description.split_once(':').map_or(description, |(_, name)| name);
        let known = Known::new(name, &database, host.transport());
        if let Ok(Answer { content, .. }) = &outcome {
            known.check(content);
        }
        check_text(&trace.to_string());
        check_reply(&outcome, &upcall::Reply::new(&outcome, &settings));
    }

    fn database(&self) -> Cell {
        let server = |name: &str, addresses: &[&str]| DatabaseServer {
            name: name.to_owned(),
            addresses: addresses.iter().map(|text| (text.parse().expect("an address"), None)).collect(),
        };
        Cell {
            use_dns: [None, Some(true), Some(false), None][usize::from(self.database >> 2 & 3)],
            servers: match self.database >> 4 & 3 {
                0 => vec![server("db1.test", &[]), server("db2.test", &["198.51.100.1", "2001:db8:9::1"])],
                1 => vec![server("db1.test", &[])],
                _ => Vec::new(),
            },
        }
    }
}

/// What may be queried and trusted.
struct Known {
    /// The addresses of the name asked for, and of those that aliases and records of servers lead to.
    addresses: HashSet<IpAddr>,
    /// Addresses that nobody need be asked for.
    given: Vec<IpAddr>,
}

impl Known {
    fn new(name: &str, database: &Cell, script: &Script<Acts>) -> Self {
        let replies: Vec<Response> = script.replies();
        let answers: Vec<&Record> = replies.iter().flat_map(|reply| &reply.answers).collect();
        let asked = asked_names(script);
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut names: Vec<Name> = Vec::new();
        for one in &asked {
            // The name that is asked for, and those of the database, are completed by the search list.
            let text = one.to_ascii().to_ascii_lowercase();
            let text = text.strip_prefix("_afs3-vlserver._udp.").unwrap_or(&text);
            let begins = |name: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
            let of_database = database.servers.iter().any(|server| begins(&server.name));
            if of_database || begins(&name) {
                names.push(one.clone());
            }
        }
        let mut known: HashSet<Name> = names.iter().cloned().collect();
        let mut of_owner: HashMap<&Name, Vec<&Record>> = HashMap::new();
        answers.iter().for_each(|record| of_owner.entry(&record.owner).or_default().push(record));
        let mut place = 0;
        while let Some(name) = names.get(place).cloned() {
            for record in of_owner.get(&name).into_iter().flatten() {
                if let Rdata::Cname(target) | Rdata::Srv { target, .. } | Rdata::Afsdb { host: target, .. } =
                    &record.data
                    && known.insert(target.clone())
                {
                    names.push(target.clone());
                }
            }
            place += 1;
        }
        for asked in &asked {
            assert!(known.contains(asked), "{asked} is asked for, and nothing leads there");
        }
        let literals = names.iter().filter_map(|name| literal::parse(name.to_ascii().trim_end_matches('.')));
        let mut given: Vec<IpAddr> = literals.map(|literal| literal.address).collect();
        given.extend(database.servers.iter().flat_map(|server| server.addresses.iter().map(|(ip, _)| *ip)));
        given.extend([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        let glue = replies.iter().flat_map(|reply| &reply.glue);
        let records = answers.into_iter().chain(glue).filter(|record| known.contains(&record.owner));
        let addresses = records.filter_map(|record| match record.data {
            Rdata::A(address) => Some(IpAddr::V4(address)),
            Rdata::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        });
        Self { addresses: addresses.collect(), given }
    }

    fn check(&self, content: &Content) {
        match content {
            Content::Addresses(addresses) => {
                addresses.iter().for_each(|address| self.check_address(address.ip));
            }
            Content::Servers(list) | Content::Endpoints(list) => self.check_list(list),
        }
    }

    fn check_list(&self, list: &ServerList) {
        assert!(matches!(list.status, LookupStatus::Good | LookupStatus::GoodWithBad), "{:?}", list.status);
        assert!(list.servers.iter().any(|server| !server.addresses.is_empty()));
        assert!(list.servers.len() <= MAX_SERVERS);
        for server in &list.servers {
            assert!(server.port != 0 && !server.name.is_empty());
            server.addresses.iter().for_each(|address| self.check_address(*address));
        }
    }

    fn check_address(&self, ip: IpAddr) {
        let found = self.addresses.contains(&ip);
        assert!(found || self.given.contains(&ip), "{ip} is in no record of a name that was asked for");
    }
}

/// What the key is handed.
fn check_reply(outcome: &Result<Answer, Failure>, reply: &upcall::Reply) {
    if let Err(failure) = outcome {
        check_text(&failure.to_string());
    }
    assert!((1..=86400).contains(&reply.expiry.as_secs()));
    match (instantiate(&reply.payload.encode()), outcome) {
        (Key::Addresses(addresses), Ok(_)) => assert!(!addresses.is_empty()),
        (Key::Servers(list), Ok(_)) => {
            assert!(list.servers.iter().any(|server| !server.addresses.is_empty()));
        }
        (Key::Error(number), Err(failure)) => assert_eq!(number, failure.verdict().0.number()),
        (key, outcome) => panic!("{key:?} for {outcome:?}"),
    }
}
