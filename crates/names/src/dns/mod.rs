//! The `dns` source: a host's addresses from DNS, as glibc's `nss_dns` finds them.

mod client;
mod search;
mod servers;
mod transport;
mod turn;

pub use crate::protocol::Protocol;
pub use client::NoAnswer;
pub use search::{Search, Verdict};
pub use servers::{Answered, Client, QueryOptions};
pub use transport::{Network, Transport};

use crate::address::{Address, AddressSet, Families, Origin};
use crate::config::nsswitch::NssStatus;
use crate::config::sortlist::Sortlist;
use crate::message::{Question, Rdata, Record, Response, rcode};
use crate::name;
use crate::obstacle::Obstacle;
use crate::options::LookupOptions;
use crate::trace::{Event, Trace};
use futures_util::future::{Either, select};
use hickory_resolver::proto::rr::{Name, RecordType};
use key::{Failure, Family, Ttl};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use tokio::time::{Instant, timeout_at};

/// How many aliases to follow from one name to its addresses, over all messages.
const LONGEST_CHAIN: usize = 16;

/// The `dns` source, set up for one lookup.
#[derive(Debug)]
pub struct Dns<'a, T> {
    /// The transport to the servers.
    pub transport: T,
    /// The servers, in the order in which they are queried.
    pub servers: Vec<SocketAddr>,
    /// How to query servers.
    pub queries: QueryOptions,
    /// The servers for single domains.
    pub options: &'a LookupOptions,
    /// The domains that complete a name.
    pub search: Vec<String>,
    /// Names with at least this many dots are first tried unchanged.
    pub ndots: u32,
    /// A name without a dot is never queried unchanged.
    pub no_tld_query: bool,
    /// AAAA records are never queried.
    pub no_aaaa: bool,
    /// A and AAAA are queried one after the other.
    pub single_request: bool,
    /// The networks whose addresses come first, if only IPv4 is requested.
    pub sortlist: &'a Sortlist,
    /// Addresses that are already known, and need no query.
    pub glue: &'a [Record],
    /// What servers have answered so far.
    pub answered: Answered,
    /// How long the addresses of one family wait for the other family; `None` for as long as it takes.
    pub patient_until: Option<Instant>,
    /// Where each turn is recorded.
    pub trace: &'a Trace,
}

/// Records of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The records of the name, or of the name that it is an alias of. May be empty if others were unreadable.
    pub records: Vec<Record>,
    /// Number of records that could not be read.
    pub unreadable: u16,
    /// The additional addresses.
    pub glue: Vec<Record>,
    /// The smallest TTL of the aliases and the records.
    pub ttl: Option<Ttl>,
}

/// The result for one name in one family.
enum FamilyOutcome {
    /// Addresses.
    Found(AddressSet),
    /// An answer with records, but no address among them: an alias that leads nowhere.
    Barren(Failure),
    /// The name, or the name that it is an alias of, has no such record.
    Nothing(Failure),
    /// No server answered.
    Unanswered(NoAnswer),
}

impl<T: Transport> Dns<'_, T> {
    /// The addresses of `name` in `families`, IPv4 first, in the order of the answers.
    ///
    /// # Errors
    /// The failure that glibc's search would end with, and the status for `nsswitch.conf`; [`Failure::BadName`] if the
    /// name is not a valid host name.
    pub async fn lookup(&self, name: &str, families: Families) -> Result<AddressSet, (NssStatus, Failure)> {
        if let Some(reason) = name::flaw(name.as_bytes()) {
            return Err((NssStatus::NotFound, Failure::bad_name(name.as_bytes(), reason)));
        }
        let mut search = Search::new(name, &self.search, self.ndots, self.no_tld_query);
        while let Some(candidate) = search.next_candidate() {
            // A domain that does not make a valid name with this one is skipped.
            let Some(absolute) = absolute(&candidate) else {
                self.trace.decide(|| format!("{candidate} is not a valid name; skipped"));
                continue;
            };
            self.trace.decide(|| format!("looking up {} ({families})", absolute.to_ascii()));
            match self.candidate(&absolute, families).await {
                Ok(result) => return result.map_err(|failure| (NssStatus::NotFound, failure)),
                Err((verdict, failure)) => search.report(verdict, failure),
            }
        }
        Err(search.failure())
    }

    /// The records of any type that an absolute name has, directly or through an alias.
    ///
    /// # Errors
    /// [`Failure::NoSuchName`] and [`Failure::NoAddress`] if there are none.
    pub async fn records(&self, question: &Question) -> Result<Records, Failure> {
        let Question { name, record_type } = question;
        let mut chain = Chain::new(name.clone(), *record_type);
        loop {
            let question = Question { name: chain.end.clone(), record_type: *record_type };
            let reply = self.ask(&question).await.map_err(|unanswered| unanswered.failure())?;
            let Response { unreadable, .. } = reply;
            match chain.follow(&reply) {
                ChainStep::Records(records) => {
                    return Ok(Records { records, unreadable, glue: reply.glue, ttl: chain.ttl });
                }
                ChainStep::Alias => {}
                ChainStep::Barren(_) | ChainStep::Nothing(_) if unreadable > 0 => {
                    return Ok(Records { unreadable, ttl: chain.ttl, ..Records::default() });
                }
                ChainStep::Barren(failure) | ChainStep::Nothing(failure) => return Err(failure),
            }
        }
    }

    /// One absolute name in the requested families. `Err` lets the search continue.
    async fn candidate(
        &self,
        name: &Name,
        families: Families,
    ) -> Result<Result<AddressSet, Failure>, (Verdict, Failure)> {
        let families = match families {
            Families::Both if self.no_aaaa => Families::Only(Family::Ipv4),
            other => other,
        };
        match families {
            Families::Only(family) => match self.family(name, family).await {
                FamilyOutcome::Found(mut found) => {
                    // Its networks are IPv4 only, and it leaves other addresses where they are.
                    self.sortlist.apply(&mut found.addresses, |address| address.ip);
                    Ok(Ok(found))
                }
                FamilyOutcome::Barren(failure) => Ok(Err(failure)),
                FamilyOutcome::Nothing(failure) => Err((verdict_of(&failure), failure)),
                FamilyOutcome::Unanswered(unanswered) => Err(verdict(&unanswered)),
            },
            Families::Both => {
                let (ipv4, ipv6) = self.both(name).await;
                combine(ipv4, ipv6, self.options.default_ttl)
            }
        }
    }

    async fn both(&self, name: &Name) -> (FamilyOutcome, FamilyOutcome) {
        let ipv4 = pin!(self.family(name, Family::Ipv4));
        let ipv6 = pin!(self.family(name, Family::Ipv6));
        if self.single_request {
            let ipv4 = ipv4.await;
            let ipv6 = self.after(&ipv4, ipv6).await;
            return (ipv4, ipv6);
        }
        match select(ipv4, ipv6).await {
            Either::Left((ipv4, ipv6)) => {
                let ipv6 = self.after(&ipv4, ipv6).await;
                (ipv4, ipv6)
            }
            Either::Right((ipv6, ipv4)) => (self.after(&ipv6, ipv4).await, ipv6),
        }
    }

    /// The second family, after the first one. If that has addresses, they are not lost at the deadline.
    async fn after(
        &self,
        first: &FamilyOutcome,
        second: impl Future<Output = FamilyOutcome>,
    ) -> FamilyOutcome {
        let (FamilyOutcome::Found(_), Some(until)) = (first, self.patient_until) else {
            return second.await;
        };
        timeout_at(until, second).await.unwrap_or_else(|_| {
            let silent = |server: &SocketAddr| (*server, Obstacle::TimedOut.over(Protocol::Udp));
            let errors = self.servers.iter().map(silent).collect();
            FamilyOutcome::Unanswered(NoAnswer { errors, partial: None })
        })
    }

    /// One absolute name in one family, following aliases even across messages.
    async fn family(&self, name: &Name, family: Family) -> FamilyOutcome {
        let record_type = match family {
            Family::Ipv4 => RecordType::A,
            Family::Ipv6 if self.no_aaaa => {
                return FamilyOutcome::Nothing(Failure::NoAddress { ttl: None });
            }
            Family::Ipv6 => RecordType::AAAA,
        };
        let mut chain = Chain::new(name.clone(), record_type);
        loop {
            let question = Question { name: chain.end.clone(), record_type };
            let (reply, unanswered) = match self.ask(&question).await {
                Ok(reply) => (reply, None),
                Err(mut unanswered) => match unanswered.partial.take() {
                    Some(partial) => (partial, Some(unanswered)),
                    None => return FamilyOutcome::Unanswered(unanswered),
                },
            };
            match (chain.follow(&reply), unanswered) {
                (ChainStep::Records(records), unanswered) => {
                    let addresses = records.into_iter().filter_map(|record| address(record, reply.server));
                    let addresses: Vec<Address> =
                        addresses.filter(|address| !self.rejects(&question, address)).collect();
                    if addresses.is_empty() {
                        return FamilyOutcome::Barren(Failure::NoAddress { ttl: chain.ttl });
                    }
                    let incomplete = unanswered.map(|unanswered| unanswered.failure());
                    return FamilyOutcome::Found(AddressSet { addresses, ttl: chain.ttl, incomplete });
                }
                // The records that did arrive may lead to one that was cut off.
                (_, Some(unanswered)) => return FamilyOutcome::Unanswered(unanswered),
                (ChainStep::Alias, None) => {}
                (ChainStep::Barren(failure), None) => return FamilyOutcome::Barren(failure),
                (ChainStep::Nothing(failure), None) => return FamilyOutcome::Nothing(failure),
            }
        }
    }

    /// Whether the settings reject an address, which is recorded.
    fn rejects(&self, question: &Question, address: &Address) -> bool {
        let kind = self.options.reject.reason(address.ip);
        if let Some(kind) = kind {
            self.trace.add(Event::Rejected { question: question.clone(), address: address.ip, kind });
        }
        kind.is_some()
    }

    async fn ask(&self, question: &Question) -> Result<Response, NoAnswer> {
        if let Some(reply) = self.glued(question) {
            return Ok(reply);
        }
        let special = self.options.name_servers_for(&question.name.to_ascii());
        if let Some(domain) = special {
            let of = || if domain.domain.is_empty() { "." } else { &domain.domain };
            self.trace.decide(|| format!("{question}: servers from nameserver[{}]", of()));
        }
        let client = Client {
            transport: &self.transport,
            servers: special.map_or(&self.servers, |domain| &domain.servers),
            options: &self.queries,
            answered: &self.answered,
            trace: self.trace,
        };
        client.ask(question).await
    }

    /// The answer from the glue, if there is one. What the glue lacks may exist nevertheless.
    fn glued(&self, question: &Question) -> Option<Response> {
        let fits = |record: &&Record| {
            record.owner == question.name && record.data.record_type() == question.record_type
        };
        let answers: Vec<Record> = self.glue.iter().filter(fits).cloned().collect();
        if answers.is_empty() {
            return None;
        }
        self.trace.add(Event::Glue { question: question.clone(), records: answers.len() });
        Some(Response { answers, ..Response::default() })
    }
}

/// `candidate` as an absolute name; `None` if it is not a valid host name.
#[must_use]
pub fn absolute(candidate: &str) -> Option<Name> {
    if name::flaw(candidate.as_bytes()).is_some() {
        return None;
    }
    // Not Name::from_ascii, which rejects labels that begin with a hyphen.
    Name::from_labels(candidate.trim_end_matches('.').split('.').map(str::as_bytes)).ok()
}

/// Following a chain of aliases.
struct Chain {
    end: Name,
    wanted: RecordType,
    seen: Vec<Name>,
    ttl: Option<Ttl>,
}

enum ChainStep {
    Records(Vec<Record>),
    Alias,
    /// There are records, but none that leads to those wanted.
    Barren(Failure),
    /// There are none.
    Nothing(Failure),
}

impl Chain {
    fn new(name: Name, wanted: RecordType) -> Self {
        Self { end: name, wanted, seen: Vec::new(), ttl: None }
    }

    /// Follows the aliases in one answer from the current position.
    ///
    /// Records of names off the chain are ignored, so nobody can slip in an address that was not queried (RFC 5452 §6),
    /// and the records' order does not matter.
    fn follow(&mut self, reply: &Response) -> ChainStep {
        let start = self.end.clone();
        loop {
            let wanted = |record: &&Record| record.data.record_type() == self.wanted;
            let records: Vec<Record> = of_owner(reply, &self.end).filter(wanted).cloned().collect();
            if let Some(ttl) = records.iter().map(|record| record.ttl).min() {
                self.ttl = Some(ttl.or_shorter(self.ttl));
                return ChainStep::Records(records);
            }
            let alias = of_owner(reply, &self.end).find_map(|record| match &record.data {
                Rdata::Cname(target) => Some((target.clone(), record.ttl)),
                _ => None,
            });
            let Some((target, ttl)) = alias else { break };
            self.ttl = Some(ttl.or_shorter(self.ttl));
            self.seen.push(std::mem::replace(&mut self.end, target));
            if self.seen.len() > LONGEST_CHAIN || self.seen.contains(&self.end) {
                return ChainStep::Barren(Failure::NoAddress { ttl: self.ttl });
            }
        }
        let moved = start != self.end;
        if moved && reply.rcode == rcode::NOERROR && reply.negative_ttl.is_none() {
            // The server stopped half-way without denying the rest: query it.
            return ChainStep::Alias;
        }
        let ttl = match (self.ttl, reply.negative_ttl) {
            (Some(chain), Some(negative)) => Some(chain.min(negative)),
            (one, other) => one.or(other),
        };
        match reply.rcode {
            // glibc ends its search at any answer with records in it.
            rcode::NOERROR if !reply.answers.is_empty() => ChainStep::Barren(Failure::NoAddress { ttl }),
            rcode::NXDOMAIN => ChainStep::Nothing(Failure::NoSuchName { ttl }),
            _ => ChainStep::Nothing(Failure::NoAddress { ttl }),
        }
    }
}

/// The address in a record.
fn address(record: Record, server: Option<SocketAddr>) -> Option<Address> {
    let ip = match record.data {
        Rdata::A(address) => IpAddr::V4(address),
        Rdata::Aaaa(address) => IpAddr::V6(address),
        _ => return None,
    };
    Some(Address { ip, origin: Origin::Dns { owner: record.owner, ttl: record.ttl, server } })
}

fn of_owner<'r>(reply: &'r Response, owner: &Name) -> impl Iterator<Item = &'r Record> {
    reply.answers.iter().filter(move |record| record.owner == *owner)
}

fn verdict(unanswered: &NoAnswer) -> (Verdict, Failure) {
    let verdict = if unanswered.nobody_there() {
        Verdict::NobodyThere
    } else if unanswered.servfail() {
        Verdict::ServFail
    } else {
        Verdict::Other
    };
    (verdict, unanswered.failure())
}

fn verdict_of(failure: &Failure) -> Verdict {
    match failure {
        Failure::NoSuchName { .. } => Verdict::NoSuchName,
        _ => Verdict::NoData,
    }
}

/// What both families together mean for the search (resolv/res_query.c, `__res_context_query()`): what either has is
/// the answer, even if the other is unavailable, but then for no longer than `limit`.
fn combine(
    ipv4: FamilyOutcome,
    ipv6: FamilyOutcome,
    limit: Ttl,
) -> Result<Result<AddressSet, Failure>, (Verdict, Failure)> {
    match (ipv4, ipv6) {
        (FamilyOutcome::Found(mut found), FamilyOutcome::Found(other)) => {
            found.ttl = match (found.ttl, other.ttl) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            };
            found.addresses.extend(other.addresses);
            found.incomplete = found.incomplete.or(other.incomplete);
            Ok(Ok(found))
        }
        (FamilyOutcome::Found(found), FamilyOutcome::Unanswered(other))
        | (FamilyOutcome::Unanswered(other), FamilyOutcome::Found(found)) => {
            Ok(Ok(found.without(&other.failure(), limit)))
        }
        (FamilyOutcome::Found(found), _) | (_, FamilyOutcome::Found(found)) => Ok(Ok(found)),
        (FamilyOutcome::Barren(failure), other) | (other, FamilyOutcome::Barren(failure)) => {
            Ok(Err(match other {
                FamilyOutcome::Unanswered(unanswered) => failure.or_weightier(unanswered.failure()),
                _ => failure,
            }))
        }
        (FamilyOutcome::Nothing(one), FamilyOutcome::Nothing(two)) => {
            // NXDOMAIN holds for both record types (RFC 8020), whatever the other answer says.
            let verdict = match (verdict_of(&one), verdict_of(&two)) {
                (Verdict::NoData, Verdict::NoData) => Verdict::NoData,
                _ => Verdict::NoSuchName,
            };
            Err((verdict, one.or_weightier(two)))
        }
        (FamilyOutcome::Nothing(nothing), FamilyOutcome::Unanswered(unanswered))
        | (FamilyOutcome::Unanswered(unanswered), FamilyOutcome::Nothing(nothing)) => {
            Err((verdict_of(&nothing), nothing.or_weightier(unanswered.failure())))
        }
        (FamilyOutcome::Unanswered(one), FamilyOutcome::Unanswered(two)) => {
            let (verdict, failure) = verdict(&one);
            Err((verdict, failure.or_weightier(two.failure())))
        }
    }
}

#[cfg(test)]
mod tests;
