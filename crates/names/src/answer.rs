//! From a query to its answer: address families and their preference.

use crate::address::{Address, AddressSet, Families, Origin};
use crate::dns::Transport;
use crate::host::{Host, NameKind};
use crate::{afs, literal, name};
use futures_util::future::{Either, select};
use key::{
    Failure, Family, HostQuery, Preference, Query, Selection, Server, ServerList, ServerListForm, Ttl,
};
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{timeout, timeout_at};

/// How long to look up only the preferred family: the resolution delay of RFC 8305 §8.
const HEAD_START: Duration = Duration::from_millis(50);

/// The result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The addresses or servers.
    pub content: Content,
    /// The smallest TTL of everything that led to them; `None` if nothing had one.
    pub ttl: Option<Ttl>,
}

/// The content of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The addresses of a host, in order, without duplicates; at least one.
    Addresses(Vec<Address>),
    /// The servers of a cell, at least one of which has an address.
    Servers(ServerList),
    /// The same, but only their addresses and ports are wanted.
    Endpoints(ServerList),
}

impl Answer {
    /// Each address and its source, for people.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        match &self.content {
            Content::Addresses(found) => {
                found.iter().map(|Address { ip, origin }| format!("{ip} from {origin}")).collect()
            }
            Content::Servers(list) | Content::Endpoints(list) => list.servers.iter().map(describe).collect(),
        }
    }
}

fn describe(server: &Server) -> String {
    let Server { name, priority, weight, port, status, addresses, .. } = server;
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let addresses = addresses.join(", ");
    format!("{name} port {port}, priority {priority}, weight {weight}: {addresses} ({status:?})")
}

/// Answers a query within the deadline in the options.
///
/// An address that is known after nine tenths of it is not given up for one that would be preferred.
///
/// # Errors
/// The failure to report to the kernel.
pub async fn answer<T: Transport>(query: &Query, host: &Host<'_, T>) -> Result<Answer, Failure> {
    let deadline = host.options.deadline;
    host.begin();
    let lookup = async {
        match query {
            Query::Host(query) => by_preference(query, host).await,
            Query::Cell(query) => {
                let (list, ttl) = afs::servers(query, host).await?;
                let content = match query.form {
                    ServerListForm::V1 => Content::Servers(list),
                    ServerListForm::Text => Content::Endpoints(list),
                };
                Ok(Answer { content, ttl })
            }
        }
    };
    timeout(Duration::from_secs(deadline.into()), lookup).await.unwrap_or(Err(Failure::Deadline(deadline)))
}

/// The answer for a name that is itself an address, which needs no lookup.
#[must_use]
pub fn literal_answer(query: &Query) -> Option<Result<Answer, Failure>> {
    let Query::Host(query) = query else { return None };
    let found = literal::parse(query.name.as_str()?)?;
    if found.scoped {
        return Some(Err(Failure::bad_name(
            query.name.as_bytes(),
            "an address with a scope can't be passed to the kernel",
        )));
    }
    let address = match (found.address, query.preference) {
        // If IPv4 is requested, a mapped address is an IPv4 address, as in getaddrinfo(3).
        (IpAddr::V6(address), Preference::Only(Family::Ipv4)) => {
            address.to_ipv4_mapped().map_or(found.address, IpAddr::V4)
        }
        (address, _) => address,
    };
    Some(match query.preference {
        Preference::Only(wanted) if wanted != family_of(address) => Err(Failure::NoAddress { ttl: None }),
        _ => Ok(Answer {
            content: Content::Addresses(vec![Address { ip: address, origin: Origin::Literal }]),
            ttl: None,
        }),
    })
}

async fn by_preference<T: Transport>(query: &HostQuery, host: &Host<'_, T>) -> Result<Answer, Failure> {
    let Some(name) = query.name.as_str() else {
        let reason = name::flaw(query.name.as_bytes()).unwrap_or("it is not text");
        return Err(Failure::bad_name(query.name.as_bytes(), reason));
    };
    let found = match query.preference {
        Preference::Only(family) => host.lookup(name, NameKind::Host, Families::Only(family)).await,
        Preference::Any => host.lookup(name, NameKind::Host, Families::Both).await,
        Preference::First(family) => reachable(name, family, host).await,
    }?;
    match found.incomplete {
        // A list that lacks some addresses would be taken as complete.
        Some(failure) if query.selection == Selection::All => Err(failure),
        _ => Ok(selected(found, query.selection, host)),
    }
}

/// The addresses of one family, or if there are none, of the other; a family without a route on this host comes last.
async fn reachable<T: Transport>(
    name: &str,
    family: Family,
    host: &Host<'_, T>,
) -> Result<AddressSet, Failure> {
    let found = first_of(name, family, host).await?;
    let is_preferred = found.addresses.iter().any(|address| family_of(address.ip) == family);
    if !is_preferred || host.reaches_any(&found.addresses) {
        return Ok(found);
    }
    let other = other_than(family);
    host.trace.decide(|| {
        format!("no route to an {} address: looking up {}", Families::Only(family), Families::Only(other))
    });
    match in_time(host.lookup(name, NameKind::Host, Families::Only(other)), other, host).await {
        Ok(others) if host.reaches_any(&others.addresses) => Ok(others),
        Ok(_) => Ok(found),
        Err(failure) => Ok(found.without(&failure, host.options.default_ttl)),
    }
}

/// The result of a lookup of one family where the other one's addresses are known: it fails while there is still time
/// to return those.
async fn in_time<T: Transport>(
    lookup: impl Future<Output = Result<AddressSet, Failure>>,
    family: Family,
    host: &Host<'_, T>,
) -> Result<AddressSet, Failure> {
    let Some(until) = host.patient_until() else { return lookup.await };
    timeout_at(until, lookup).await.unwrap_or_else(|_| {
        host.trace.decide(|| format!("no {} answer in time", Families::Only(family)));
        Err(Failure::Deadline(host.options.deadline))
    })
}

fn family_of(ip: IpAddr) -> Family {
    if ip.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
}

fn other_than(family: Family) -> Family {
    match family {
        Family::Ipv4 => Family::Ipv6,
        Family::Ipv6 => Family::Ipv4,
    }
}

/// The addresses of one family, or if there are none, of the other.
///
/// Each family gets a complete lookup, through all sources and the search list, so wherever keyutils, which here only
/// knows IPv4, has an answer, this is the same one. The two run in parallel, except for a head start: an answer that
/// comes at once, as nearly all do, saves the name servers the second query.
async fn first_of<T: Transport>(
    name: &str,
    family: Family,
    host: &Host<'_, T>,
) -> Result<AddressSet, Failure> {
    let other = other_than(family);
    let mut preferred = pin!(host.lookup(name, NameKind::Host, Families::Only(family)));
    let early = timeout(HEAD_START, preferred.as_mut()).await.ok();
    if !matches!(early, Some(Ok(_))) {
        host.trace.decide(|| match early {
            None => format!(
                "no answer within {} ms: looking up {} too",
                HEAD_START.as_millis(),
                Families::Only(other)
            ),
            Some(_) => format!("no {} address: looking up {}", Families::Only(family), Families::Only(other)),
        });
    }
    let fallback = pin!(host.lookup(name, NameKind::Host, Families::Only(other)));
    let (preferred, fallback) = match early {
        Some(Ok(found)) => return Ok(found),
        Some(Err(failure)) => (Err(failure), fallback.await),
        None => match select(preferred, fallback).await {
            Either::Left((Ok(found), _)) => return Ok(found),
            Either::Left((Err(failure), fallback)) => (Err(failure), fallback.await),
            Either::Right((Ok(found), preferred)) => (in_time(preferred, family, host).await, Ok(found)),
            Either::Right((Err(failure), preferred)) => (preferred.await, Err(failure)),
        },
    };
    match (preferred, fallback) {
        (Ok(found), _) => Ok(found),
        (Err(failure), Ok(found)) => Ok(found.without(&failure, host.options.default_ttl)),
        (Err(one), Err(two)) => Err(one.or_weightier(two)),
    }
}

fn selected<T: Transport>(found: AddressSet, selection: Selection, host: &Host<'_, T>) -> Answer {
    let mut addresses: Vec<Address> = Vec::with_capacity(found.addresses.len());
    for address in found.addresses {
        if !addresses.iter().any(|earlier| earlier.ip == address.ip) {
            addresses.push(address);
        }
    }
    host.sort(&mut addresses);
    if selection == Selection::One {
        addresses.truncate(1);
    }
    Answer { content: Content::Addresses(addresses), ttl: found.ttl }
}

#[cfg(test)]
mod tests;
