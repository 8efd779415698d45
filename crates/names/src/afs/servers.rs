//! From server names to addresses.

use crate::address::{Address, AddressSet, Families, Origin};
use crate::config::cells::Cell;
use crate::dns::Transport;
use crate::host::{Host, NameKind};
use crate::literal;
use futures_util::future::join_all;
use key::{Failure, Family, LookupStatus, MAX_SERVERS, RecordSource, Server, Ttl, VL_PORT};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// A server whose addresses are not known yet, or come from a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    /// The addresses, if they need not be looked up.
    pub(super) known: Option<Vec<IpAddr>>,
}

impl Default for Candidate {
    fn default() -> Self {
        Self { name: String::new(), priority: 0, weight: 0, port: VL_PORT, known: None }
    }
}

impl Candidate {
    fn server(self, source: RecordSource, status: LookupStatus, addresses: Vec<IpAddr>) -> Server {
        let Self { name, priority, weight, port, .. } = self;
        Server { name, priority, weight, port, source, status, addresses }
    }
}

/// Servers with their addresses, or without.
#[derive(Debug, Default)]
pub(super) struct ServerAddresses {
    pub(super) servers: Vec<Server>,
    /// Why servers have no addresses.
    pub(super) failures: Vec<Failure>,
    /// The smallest TTL of the addresses.
    pub(super) ttl: Option<Ttl>,
}

/// The servers of a database, in its order. A server whose addresses have different ports becomes several.
pub(super) fn configured(cell: &Cell, families: Families) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for server in &cell.servers {
        let named = || Candidate { name: server.name.clone(), ..Candidate::default() };
        if server.addresses.is_empty() {
            candidates.push(named());
            continue;
        }
        let first = candidates.len();
        for &(ip, port) in server.addresses.iter().filter(|(ip, _)| wanted(*ip, families)) {
            let port = port.unwrap_or(VL_PORT);
            let place = candidates.iter().skip(first).position(|one| one.port == port);
            let place = place.map_or(candidates.len(), |place| first + place);
            if place == candidates.len() {
                candidates.push(Candidate { port, known: Some(Vec::new()), ..named() });
            }
            if let Some(known) = candidates.get_mut(place).and_then(|one| one.known.as_mut()) {
                push_once(known, ip);
            }
        }
        if candidates.len() == first {
            candidates.push(Candidate { known: Some(Vec::new()), ..named() });
        }
    }
    candidates
}

fn wanted(ip: IpAddr, families: Families) -> bool {
    match families {
        Families::Both => true,
        Families::Only(Family::Ipv4) => ip.is_ipv4(),
        Families::Only(Family::Ipv6) => ip.is_ipv6(),
    }
}

fn push_once(addresses: &mut Vec<IpAddr>, ip: IpAddr) {
    if !addresses.contains(&ip) {
        addresses.push(ip);
    }
}

/// Servers with only the addresses that a database has.
pub(super) fn as_they_are(candidates: Vec<Candidate>) -> ServerAddresses {
    let servers = candidates.into_iter().take(MAX_SERVERS).map(|mut candidate| {
        let known = candidate.known.take();
        let status = match &known {
            Some(addresses) if addresses.is_empty() => LookupStatus::NotFound,
            Some(_) => LookupStatus::Good,
            None => LookupStatus::NotDone,
        };
        candidate.server(RecordSource::Config, status, known.unwrap_or_default())
    });
    ServerAddresses { servers: servers.collect(), ..ServerAddresses::default() }
}

/// Servers with the addresses of their names, looked up in parallel, each name once. A server whose addresses are not
/// known at `until` has a temporary failure.
pub(super) async fn resolve<T: Transport>(
    candidates: Vec<Candidate>,
    kind: NameKind<'_>,
    host: &Host<'_, T>,
    families: Families,
    until: Instant,
) -> ServerAddresses {
    let candidates: Vec<Candidate> = candidates.into_iter().take(MAX_SERVERS).collect();
    let mut names: Vec<String> = Vec::new();
    for candidate in candidates.iter().filter(|candidate| candidate.known.is_none()) {
        names.push(candidate.name.to_ascii_lowercase());
    }
    names.sort();
    names.dedup();
    let lookups = names.iter().enumerate().map(|(number, name)| async move {
        sleep(start_of(number)).await;
        match timeout_at(until, lookup(name, kind, host, families)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Temporary(format!("no address of {name} in time"))),
        }
    });
    let outcomes = join_all(lookups).await;
    let outcomes: HashMap<&String, Result<AddressSet, Failure>> = names.iter().zip(outcomes).collect();
    let mut found = ServerAddresses::default();
    for mut candidate in candidates {
        if let Some(addresses) = candidate.known.take() {
            let status = if addresses.is_empty() { LookupStatus::NotFound } else { LookupStatus::Good };
            found.servers.push(candidate.server(RecordSource::Config, status, addresses));
            continue;
        }
        let outcome = outcomes.get(&candidate.name.to_ascii_lowercase());
        let (status, addresses) = match outcome {
            Some(Ok(addresses)) => {
                found.ttl = found.ttl.into_iter().chain(addresses.ttl).min();
                (LookupStatus::Good, once(addresses))
            }
            Some(Err(failure)) => {
                found.failures.push(failure.clone());
                (status(failure), Vec::new())
            }
            None => (LookupStatus::NotDone, Vec::new()),
        };
        found.servers.push(candidate.server(RecordSource::NameService, status, addresses));
    }
    found
}

/// When the lookup with this number begins.
///
/// Five hundred queries at once exceed the receive buffer of a name server's socket (net.core.rmem_default), and what
/// it drops is repeated only after seconds. A typical cell waits for nothing.
fn start_of(number: usize) -> Duration {
    const VOLLEY: usize = 32;
    const PAUSE: Duration = Duration::from_millis(5);
    PAUSE * u32::try_from(number / VOLLEY).unwrap_or_default()
}

async fn lookup<T: Transport>(
    name: &str,
    kind: NameKind<'_>,
    host: &Host<'_, T>,
    families: Families,
) -> Result<AddressSet, Failure> {
    // Some zones have an address where a name belongs; getaddrinfo() accepts that too.
    if let Some(literal) = literal::parse(name) {
        let address = Address { ip: literal.address, origin: Origin::Literal };
        return if wanted(literal.address, families) {
            Ok(AddressSet { addresses: vec![address], ttl: None, incomplete: None })
        } else {
            Err(Failure::NoAddress { ttl: None })
        };
    }
    host.lookup(name, kind, families).await
}

fn once(found: &AddressSet) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for address in &found.addresses {
        push_once(&mut addresses, address.ip);
    }
    addresses
}

/// The status that the kernel gets for a server without addresses.
fn status(failure: &Failure) -> LookupStatus {
    match failure {
        Failure::NoSuchName { .. } | Failure::NoAddress { .. } | Failure::NoServer { .. } => {
            LookupStatus::NotFound
        }
        Failure::Temporary(_) | Failure::Deadline(_) => LookupStatus::TemporaryFailure,
        Failure::Refused(_) => LookupStatus::NameServerFailure,
        Failure::BadName { .. }
        | Failure::UnknownType(_)
        | Failure::BadOption(_)
        | Failure::Usage(_)
        | Failure::Internal(_) => LookupStatus::LocalFailure,
    }
}
