//! What DNS says about a cell: its SRV and AFSDB records.

use crate::afs::servers::Candidate;
use crate::dns::{Records, Transport, absolute};
use crate::host::{Host, NameKind};
use crate::message::{AFSDB, Question, Rdata, Record};
use crate::name;
use futures_util::future::{Either, MaybeDone, maybe_done, pending, select};
use hickory_resolver::proto::rr::{Name, RecordType};
use key::{Failure, Ttl, VL_PORT};
use std::pin::{Pin, pin};
use tokio::time::{Instant, timeout_at};

/// The service and protocol of volume location servers (RFC 5864 §5).
const SERVICE: &str = "_afs3-vlserver._udp";

/// The subtype of AFSDB records for AFS (RFC 1183 §1).
const AFS: u16 = 1;

/// The servers that a cell's records name.
#[derive(Debug, Default)]
pub(super) struct Advertised {
    pub(super) candidates: Vec<Candidate>,
    /// Number of invalid records.
    pub(super) bad: usize,
    /// The only record says that there is no such service (RFC 2782, "Target").
    pub(super) no_service: bool,
    /// The addresses of servers within the cell's own domain.
    pub(super) glue: Vec<Record>,
    pub(super) ttl: Option<Ttl>,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Advertised, Failure>> + 'a>>;

/// The two queries for a cell.
pub(super) struct Questions<'a, T> {
    cell: &'a str,
    host: &'a Host<'a, T>,
    /// When to continue with the records that are known.
    until: Instant,
    afsdb: Pin<Box<MaybeDone<Asking<'a>>>>,
}

impl<'a, T: Transport> Questions<'a, T> {
    pub(super) fn new(cell: &'a str, host: &'a Host<'a, T>, until: Instant) -> Self {
        let afsdb: Asking<'a> = Box::pin(ask(cell, cell.to_owned(), AFSDB, host, until));
        Self { cell, host, until, afsdb: Box::pin(maybe_done(afsdb)) }
    }

    /// The servers from the SRV records.
    ///
    /// The AFSDB records are queried at the same time: most cells have only those, and a server that drops one query
    /// does not use up the time of the other.
    pub(super) async fn srv(&mut self) -> Result<Advertised, Failure> {
        let name = format!("{SERVICE}.{}", self.cell);
        let srv = pin!(ask(self.cell, name, RecordType::SRV, self.host, self.until));
        let meanwhile = pin!(async {
            self.afsdb.as_mut().await;
            pending::<()>().await;
        });
        match select(srv, meanwhile).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), srv)) => srv.await,
        }
    }

    /// The servers from the AFSDB records.
    pub(super) async fn afsdb(&mut self) -> Result<Advertised, Failure> {
        self.afsdb.as_mut().await;
        self.afsdb.as_mut().take_output().unwrap_or(Err(Failure::NoSuchName { ttl: None }))
    }
}

async fn ask<T: Transport>(
    cell: &str,
    name: String,
    record_type: RecordType,
    host: &Host<'_, T>,
    until: Instant,
) -> Result<Advertised, Failure> {
    // A cell's name may be too long to put a service in front of it.
    let Some(name) = absolute(&name) else {
        return Err(Failure::NoSuchName { ttl: None });
    };
    let question = Question { name, record_type };
    let dns = host.dns(NameKind::Target(&[]));
    let answer = timeout_at(until, dns.records(&question)).await;
    let late = |_| Failure::Temporary(format!("no answer for {question} in time"));
    let records = answer.map_err(late)??;
    let bailiwick = absolute(cell).unwrap_or_default();
    Advertised::new(records, &bailiwick)
}

impl Advertised {
    /// Evaluates the records of one type. Glue for names outside the `bailiwick` is dropped: the cell's name servers
    /// have no authority there.
    pub(super) fn new(records: Records, bailiwick: &Name) -> Result<Self, Failure> {
        let Records { records, unreadable, mut glue, ttl } = records;
        glue.retain(|record| bailiwick.zone_of(&record.owner));
        let mut advertised = Self { bad: unreadable.into(), glue, ttl, ..Self::default() };
        // The targets that are the root, and whether one of them is that of an SRV record.
        let (mut roots, mut no_service) = (0, false);
        for record in records {
            let is_srv = matches!(record.data, Rdata::Srv { .. });
            let (candidate, target) = match record.data {
                Rdata::Srv { priority, weight, port, target } => {
                    // kAFS reads 0 as the default port, and so do we for text.
                    let port = if port == 0 { VL_PORT } else { port };
                    (Candidate { priority, weight, port, ..Candidate::default() }, target)
                }
                Rdata::Afsdb { subtype: AFS, host } => (Candidate::default(), host),
                _ => continue,
            };
            if target.is_root() {
                roots += 1;
                no_service |= is_srv;
                continue;
            }
            let target = target.to_ascii();
            let name = target.trim_end_matches('.');
            if name::flaw(name.as_bytes()).is_some() {
                advertised.bad += 1;
                continue;
            }
            advertised.candidates.push(Candidate { name: name.to_owned(), ..candidate });
        }
        if advertised.candidates.is_empty() && advertised.bad == 0 {
            // For AFSDB the root is not a host, and says nothing about other sources.
            if !no_service {
                return Err(Failure::NoAddress { ttl });
            }
            advertised.no_service = true;
        } else {
            advertised.bad += roots;
        }
        advertised.sort();
        Ok(advertised)
    }

    /// Sorted by priority, then by weight, the greatest first, as kAFS sorts too (`afs_extract_vlserver_list()`); equal
    /// ones by name and port, in whatever order the records came. Each server once.
    fn sort(&mut self) {
        let rank = |one: &Candidate| {
            let weight = u16::MAX - one.weight;
            (one.priority, weight, one.name.to_ascii_lowercase(), one.port)
        };
        self.candidates.sort_by_cached_key(rank);
        let mut seen = std::collections::HashSet::new();
        self.candidates.retain(|one| seen.insert((one.name.to_ascii_lowercase(), one.port)));
    }
}
