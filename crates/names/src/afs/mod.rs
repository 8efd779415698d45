//! The servers of an AFS cell: from DNS, and from the cell database if DNS has none or is disabled for the cell.
//!
//! SRV records come first (RFC 5864 §3), then AFSDB records (RFC 1183 §1), then kafs-client's files, then
//! OpenAFS's. The first source with a server that has an address is the answer.

mod dns;
mod servers;

use crate::address::Families;
use crate::config::cells::{self, Cell, Opened};
use crate::dns::Transport;
use crate::host::{Host, NameKind};
use crate::name;
use key::{CellQuery, Failure, Lasting, LookupStatus, Preference, RecordSource, ServerList, Ttl};
use servers::{Candidate, ServerAddresses};
use std::time::Duration;
use tokio::time::Instant;

/// The lookup of one cell.
struct CellLookup<'a, T> {
    cell: &'a str,
    families: Families,
    host: &'a Host<'a, T>,
    /// When to continue with the records that are known.
    records_until: Instant,
    /// When to continue with the addresses that are known.
    addresses_until: Instant,
}

/// The result of one source of servers.
enum SourceOutcome {
    /// Servers, at least one of which has an address.
    Found(ServerList),
    /// Nothing usable: the next source is tried.
    Nothing(Failure),
    /// It is known that there are none: no other source is tried.
    NoService(Failure),
}

/// The servers of a cell.
///
/// Half of the deadline is for the cell's records, and nine tenths for those and the servers' addresses. After that,
/// the answer contains what is known.
///
/// # Errors
/// The most important failure of all sources.
pub(crate) async fn servers<T: Transport>(
    query: &CellQuery,
    host: &Host<'_, T>,
) -> Result<(ServerList, Option<Ttl>), Failure> {
    let bytes = query.cell.as_bytes();
    let Some(cell) = query.cell.as_str().filter(|_| name::flaw(bytes).is_none()) else {
        return Err(Failure::bad_name(bytes, name::flaw(bytes).unwrap_or("it is not text")));
    };
    let start = Instant::now();
    let deadline = Duration::from_secs(host.options.deadline.into());
    let lookup = CellLookup {
        cell: cell.strip_suffix('.').unwrap_or(cell),
        families: match query.preference {
            Preference::Only(family) => Families::Only(family),
            Preference::First(_) | Preference::Any => Families::Both,
        },
        host,
        records_until: start + deadline / 2,
        addresses_until: start + host.options.patience(),
    };
    let mut min_ttl = MinTtl::default();
    let list = lookup.list(&mut min_ttl).await.map_err(|failure| min_ttl.limit(failure))?;
    Ok((list, min_ttl.0))
}

impl<T: Transport> CellLookup<'_, T> {
    async fn list(&self, min_ttl: &mut MinTtl) -> Result<ServerList, Failure> {
        let none = Cell::default();
        let files = self.host.cell_files();
        let configured = files.map_or(&none, |files| &files.kafs);
        let failure = if configured.asks_dns() {
            match self.by_dns(min_ttl).await {
                SourceOutcome::Found(list) => return Ok(list),
                SourceOutcome::NoService(failure) => return Err(failure),
                SourceOutcome::Nothing(failure) => failure,
            }
        } else {
            let reason = "DNS is disabled for this cell (use_dns), and no database has a server for it";
            Failure::NoServer { reason, ttl: None }
        };
        let failure = match self.by_database(configured, min_ttl).await {
            SourceOutcome::Found(list) => return Ok(list),
            SourceOutcome::Nothing(other) | SourceOutcome::NoService(other) => failure.or_weightier(other),
        };
        let openafs = Opened {
            files: files.map_or(&[], |files| &files.openafs),
            warn: |message| self.host.warn(message),
        };
        let openafs = Cell { use_dns: configured.use_dns, servers: cells::in_openafs(self.cell, &openafs) };
        match self.by_database(&openafs, min_ttl).await {
            SourceOutcome::Found(list) => Ok(list),
            SourceOutcome::Nothing(_) | SourceOutcome::NoService(_) => Err(failure),
        }
    }

    /// From SRV records, or from AFSDB records if those bring nothing.
    async fn by_dns(&self, min_ttl: &mut MinTtl) -> SourceOutcome {
        let mut questions = dns::Questions::new(self.cell, self.host, self.records_until);
        let failure = match self.advertised(RecordSource::Srv, questions.srv().await, min_ttl).await {
            SourceOutcome::Nothing(failure) => failure,
            outcome => return outcome,
        };
        match self.advertised(RecordSource::Afsdb, questions.afsdb().await, min_ttl).await {
            SourceOutcome::Nothing(other) => SourceOutcome::Nothing(failure.or_weightier(other)),
            outcome => outcome,
        }
    }

    /// The servers that records of one type lead to.
    async fn advertised(
        &self,
        source: RecordSource,
        advertised: Result<dns::Advertised, Failure>,
        min_ttl: &mut MinTtl,
    ) -> SourceOutcome {
        let advertised = match advertised {
            Ok(advertised) => advertised,
            Err(failure) => return self.nothing(failure, min_ttl),
        };
        min_ttl.shorten(advertised.ttl);
        if advertised.no_service {
            let reason = "the cell's SRV record says that it has no server";
            return SourceOutcome::NoService(Failure::NoServer { reason, ttl: None });
        }
        let status = if advertised.bad == 0 { LookupStatus::Good } else { LookupStatus::GoodWithBad };
        if advertised.candidates.is_empty() {
            let text = format!("none of the {} records could be read", advertised.bad);
            return self.nothing(Failure::Temporary(text), min_ttl);
        }
        let found = self.addresses(advertised.candidates, NameKind::Target(&advertised.glue)).await;
        self.list_of(source, status, found, min_ttl)
    }

    /// The servers of a database.
    async fn by_database(&self, cell: &Cell, min_ttl: &mut MinTtl) -> SourceOutcome {
        let candidates = servers::configured(cell, self.families);
        let found = if cell.use_dns == Some(false) {
            servers::as_they_are(candidates)
        } else {
            self.addresses(candidates, NameKind::Host).await
        };
        self.list_of(RecordSource::Config, LookupStatus::Good, found, min_ttl)
    }

    async fn addresses(&self, candidates: Vec<Candidate>, kind: NameKind<'_>) -> ServerAddresses {
        servers::resolve(candidates, kind, self.host, self.families, self.addresses_until).await
    }

    /// The list, if any of its servers has an address; otherwise why there is none.
    fn list_of(
        &self,
        source: RecordSource,
        status: LookupStatus,
        found: ServerAddresses,
        min_ttl: &mut MinTtl,
    ) -> SourceOutcome {
        min_ttl.shorten(found.ttl);
        for failure in &found.failures {
            min_ttl.shorten(Some(self.lasts(failure)));
        }
        if found.servers.iter().any(|server| !server.addresses.is_empty()) {
            let mut servers = found.servers;
            self.host.sort_each(servers.iter_mut().map(|server| server.addresses.as_mut_slice()));
            return SourceOutcome::Found(ServerList { source, status, servers });
        }
        let reason = "no server of the cell has an address of the family asked for";
        let nothing = Failure::NoServer { reason, ttl: None };
        SourceOutcome::Nothing(found.failures.into_iter().fold(nothing, Failure::or_weightier))
    }

    fn nothing(&self, failure: Failure, min_ttl: &mut MinTtl) -> SourceOutcome {
        min_ttl.shorten(Some(self.lasts(&failure)));
        SourceOutcome::Nothing(match failure {
            Failure::NoSuchName { ttl } | Failure::NoAddress { ttl } => {
                Failure::NoServer { reason: "neither DNS nor a database has a server for the cell", ttl }
            }
            other => other,
        })
    }

    /// How long to keep an answer that was found in spite of this failure: as long as what is missing is known to be
    /// missing, or if it may come back at any time, as long as "no such name".
    fn lasts(&self, failure: &Failure) -> Ttl {
        match failure.verdict().1 {
            Lasting::Negative(Some(ttl)) => ttl,
            Lasting::Negative(None) | Lasting::For(_) => self.host.options.negative_ttl,
        }
    }
}

/// The smallest TTL of everything that was used.
#[derive(Default)]
struct MinTtl(Option<Ttl>);

impl MinTtl {
    fn shorten(&mut self, ttl: Option<Ttl>) {
        self.0 = match (self.0, ttl) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }

    /// A failure that means "nothing there" holds as long as everything that says so.
    fn limit(&self, failure: Failure) -> Failure {
        match failure {
            Failure::NoServer { reason, .. } => Failure::NoServer { reason, ttl: self.0 },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
