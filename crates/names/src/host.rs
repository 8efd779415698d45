//! This host's name service: its files, and the sources in their order.

use crate::address::{Address, AddressSet, Families};
use crate::config;
use crate::config::cells::Cell;
use crate::config::gai;
use crate::config::nsswitch::{NssStatus, Service};
use crate::config::resolv::ResolvConf;
use crate::dns::{Answered, Dns, Network, QueryOptions, Transport};
use crate::host_files::{CellDatabases, HostFiles, Warnings};
use crate::message::Record;
use crate::modules::{ModuleAnswer, NssModules};
use crate::options::LookupOptions;
use crate::plan::{self, HostFacts, Plan};
use crate::trace::{Event, Trace};
use crate::{hosts, literal, order, special};
use key::{Failure, Family, Query};
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::time::Instant;

/// The name service of this host, as its files describe it.
#[derive(Debug)]
pub struct Host<'a, T = Network> {
    pub(crate) options: &'a LookupOptions,
    pub(crate) trace: &'a Trace,
    warnings: Warnings,
    pub(crate) files: HostFiles,
    modules: Option<&'a dyn NssModules>,
    /// When to continue with the addresses that are known, once a lookup with a deadline has begun.
    patient_until: std::cell::Cell<Option<Instant>>,
    transport: T,
}

/// The kind of a name.
#[derive(Clone, Copy, Debug)]
pub enum NameKind<'a> {
    /// A host name as people write it: the search list applies.
    Host,
    /// The target of a DNS record: absolute, and the addresses in the glue are not queried again.
    Target(&'a [Record]),
}

/// Why a source has no addresses.
enum Miss {
    /// It has nothing, or was skipped because it would say so.
    Skipped(NssStatus),
    /// It could not be queried.
    Unavailable(String),
    /// Its file does not exist. Small systems have none, which is not a mistake.
    NoFile(String),
    /// It was queried.
    Failed(NssStatus, Failure),
}

impl<'a> Host<'a> {
    /// This host, with all files open that `query`, or without one any query for a host, may need. NSS modules are not
    /// queried.
    ///
    /// Steps of the lookup are recorded in `trace`.
    #[must_use]
    pub fn open(query: Option<&Query>, options: &'a LookupOptions, trace: &'a Trace) -> Self {
        let warnings = Warnings::default();
        let files = HostFiles::new(query, &warnings);
        Self {
            options,
            trace,
            warnings,
            files,
            modules: None,
            patient_until: <_>::default(),
            transport: Network,
        }
    }
}

impl<'a, T: Transport> Host<'a, T> {
    /// A host with these files and no others, whose name servers are reached through `transport`.
    #[must_use]
    pub fn with_files(
        order: Vec<Service>,
        resolv: ResolvConf,
        cell: Option<Cell>,
        options: &'a LookupOptions,
        trace: &'a Trace,
        transport: T,
    ) -> Self {
        let files = HostFiles::with_files(order, resolv, cell);
        let (warnings, patient_until) = <_>::default();
        Self { options, trace, warnings, files, modules: None, patient_until, transport }
    }

    /// Adds a way to query NSS modules.
    pub fn ask_modules_by(&mut self, modules: &'a dyn NssModules) {
        self.modules = Some(modules);
    }

    /// The transport to its name servers.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Whether this query may need an NSS module.
    #[must_use]
    pub fn may_ask_modules(&self, query: &Query) -> bool {
        let mut sources = self.files.order.iter().map(|entry| entry.name.as_str());
        match query {
            Query::Host(query) => query
                .name
                .as_str()
                .is_some_and(|name| sources.any(|source| plan::plan(source, name, self) == Plan::Module)),
            Query::Cell(_) => sources.any(|source| plan::may_ask_modules(source, self)),
        }
    }

    /// The names of the sources of `nsswitch.conf`, in their order.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.files.order.iter().map(|entry| entry.name.as_str())
    }

    /// The ports of all name servers that may be queried, each once, in ascending order.
    #[must_use]
    pub fn name_server_ports(&self) -> Vec<u16> {
        let special = self.options.name_servers.iter().flat_map(|domain| &domain.servers);
        let mut ports: Vec<u16> = self.files.servers.iter().chain(special).map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// What the databases say about the requested cell.
    pub(crate) fn cell_files(&self) -> Option<&CellDatabases> {
        self.files.cell.as_ref()
    }

    /// The mistakes found so far in files, each with its place.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.list()
    }

    /// The deadline of a lookup begins.
    pub(crate) fn begin(&self) {
        self.patient_until.set(Some(Instant::now() + self.options.patience()));
    }

    /// When to continue with the addresses that are known; `None` if there is no deadline.
    pub(crate) fn patient_until(&self) -> Option<Instant> {
        self.patient_until.get()
    }

    /// The addresses of `name` in `families`, from the first source that has any, in the order and with the actions of
    /// `nsswitch.conf`.
    ///
    /// # Errors
    /// The most important failure of all sources.
    pub async fn lookup(
        &self,
        name: &str,
        kind: NameKind<'_>,
        families: Families,
    ) -> Result<AddressSet, Failure> {
        if families == Families::Only(Family::Ipv4) && literal::looks_numeric(name) {
            return Err(Failure::NoSuchName { ttl: None });
        }
        let mut found = None;
        let mut failure: Option<Failure> = None;
        let mut unavailable = String::new();
        for entry in &self.files.order {
            let status = match self.source(&entry.name, name, kind, families).await {
                Ok(addresses) => {
                    let number = addresses.addresses.len();
                    self.decide(|| format!("{}: {number} addresses for {name}", entry.name));
                    found = Some(addresses);
                    NssStatus::Success
                }
                Err(Miss::Failed(status, other)) => {
                    self.decide(|| format!("{}: {other}", entry.name));
                    failure = Some(match failure {
                        Some(failure) => failure.or_weightier(other),
                        None => other,
                    });
                    status
                }
                Err(Miss::Skipped(status)) => {
                    self.decide(|| format!("{}: nothing for {name} ({status:?})", entry.name));
                    status
                }
                Err(Miss::Unavailable(why)) => {
                    self.trace.add(Event::Unavailable {
                        name: name.to_owned(),
                        source: entry.name.clone(),
                        why: why.clone(),
                    });
                    unavailable = format!("{}: {why}", entry.name);
                    NssStatus::Unavail
                }
                Err(Miss::NoFile(why)) => {
                    self.decide(|| why.clone());
                    unavailable = why;
                    NssStatus::Unavail
                }
            };
            if entry.actions.ends_at(status) {
                self.decide(|| format!("{} is the last source: {status:?} ends the search", entry.name));
                break;
            }
        }
        match (found, failure) {
            (Some(found), _) => Ok(found),
            (None, Some(failure)) => Err(failure),
            (None, None) if unavailable.is_empty() => Err(Failure::NoSuchName { ttl: None }),
            (None, None) => Err(Failure::Temporary(unavailable)),
        }
    }

    /// Records why the lookup continues as it does.
    fn decide(&self, text: impl FnOnce() -> String) {
        self.trace.decide(text);
    }

    /// The result of one source.
    async fn source(
        &self,
        source: &str,
        name: &str,
        kind: NameKind<'_>,
        families: Families,
    ) -> Result<AddressSet, Miss> {
        // If a source without TTLs does not have the name, there is no lifetime to tell the kernel.
        let not_found = || Miss::Skipped(NssStatus::NotFound);
        match plan::plan(source, name, self) {
            Plan::Skip(status) => Err(Miss::Skipped(status)),
            Plan::Localhost => match special::lookup("localhost", families) {
                Some(Ok(found)) => Ok(found),
                _ => Err(not_found()),
            },
            Plan::Files => {
                match self.files.files.as_ref().map_or(Ok(None), |files| hosts::lookup(files, name, families))
                {
                    Ok(found) => found.ok_or_else(not_found),
                    Err(error) => {
                        let why = format!("{}: {error}", config::HOSTS);
                        if error.kind() == io::ErrorKind::NotFound {
                            return Err(Miss::NoFile(why));
                        }
                        // Nobody knows what it has, so "no such name" from the others is not the whole truth.
                        self.warn(why.clone());
                        Err(Miss::Failed(NssStatus::Unavail, Failure::Temporary(why)))
                    }
                }
            }
            Plan::Dns => {
                if let Some(special) = special::lookup(name, families) {
                    return special.map_err(|failure| Miss::Failed(NssStatus::NotFound, failure));
                }
                let looked_up = self.dns(kind).lookup(name, families).await;
                looked_up.map_err(|(status, failure)| Miss::Failed(status, failure))
            }
            Plan::Module => {
                let Some(modules) = self.modules else {
                    return Err(Miss::Unavailable("NSS modules are not queried here".to_owned()));
                };
                Err(match modules.lookup(source, name, families).await {
                    ModuleAnswer::Found(found) => return Ok(found),
                    ModuleAnswer::NotFound => not_found(),
                    ModuleAnswer::NotAsked => Miss::Skipped(NssStatus::Unavail),
                    ModuleAnswer::Unavailable(why) => Miss::Unavailable(why),
                    ModuleAnswer::TryAgain(why) => {
                        Miss::Failed(NssStatus::TryAgain, Failure::Temporary(format!("{source}: {why}")))
                    }
                })
            }
        }
    }

    /// Sorts addresses as `getaddrinfo()` would.
    pub fn sort(&self, addresses: &mut [Address]) {
        let mut order: Vec<IpAddr> = addresses.iter().map(|address| address.ip).collect();
        self.sort_each([order.as_mut_slice()].into_iter());
        addresses.sort_by_cached_key(|address| order.iter().position(|ip| *ip == address.ip));
    }

    /// The same for the addresses of several names, each separately.
    pub fn sort_each<'l>(&self, lists: impl Iterator<Item = &'l mut [IpAddr]>) {
        // A single address needs neither gai.conf nor the interfaces.
        let mut lists = lists.filter(|list| list.len() > 1).peekable();
        if lists.peek().is_none() {
            return;
        }
        let file = &self.files.gai;
        let (policy, warnings) = gai::parse(&self.warnings.bytes(file.read()));
        self.warnings.of(&warnings, file.path());
        lists.for_each(|list| order::sort(list, &policy, &self.files.addresses));
    }

    /// Whether there is a route to any of these addresses.
    pub(crate) fn reaches_any(&self, addresses: &[Address]) -> bool {
        addresses.iter().any(|address| self.files.addresses.reaches(address.ip))
    }

    /// How this host queries DNS.
    #[must_use]
    pub fn dns<'l>(&'l self, kind: NameKind<'l>) -> Dns<'l, &'l T> {
        let conf = &self.files.resolv;
        let mut servers = self.files.servers.clone();
        if conf.rotate && !servers.is_empty() {
            let start = getrandom::u32().map_or(0, |number| usize::try_from(number).unwrap_or_default());
            let start = start % servers.len();
            servers.rotate_left(start);
        }
        Dns {
            transport: &self.transport,
            servers,
            queries: QueryOptions {
                timeout: conf.timeout,
                attempts: conf.attempts,
                hedge: self.options.hedge,
                use_vc: conf.use_vc,
                mixed_case: self.options.mixed_case,
            },
            options: self.options,
            search: match kind {
                NameKind::Target(_) => Vec::new(),
                NameKind::Host => conf.search.clone().unwrap_or_else(|| own_domain(&self.files.name)),
            },
            ndots: conf.ndots,
            no_tld_query: conf.no_tld_query,
            no_aaaa: conf.no_aaaa,
            single_request: conf.single_request,
            sortlist: &conf.sortlist,
            glue: match kind {
                NameKind::Host => &[],
                NameKind::Target(glue) => glue,
            },
            answered: Answered::default(),
            patient_until: self.patient_until(),
            trace: self.trace,
        }
    }

    /// The sources of names, as `nsswitch.conf` has them.
    #[must_use]
    pub fn order(&self) -> &[Service] {
        &self.files.order
    }

    /// Records a mistake in a file, once.
    pub(crate) fn warn(&self, message: String) {
        self.warnings.add(message);
    }
}

impl<T> HostFacts for Host<'_, T> {
    fn host_name(&self) -> String {
        self.files.name.clone()
    }

    fn stub_resolver(&self) -> bool {
        let stubs = [IpAddr::from([127, 0, 0, 53]), IpAddr::from([127, 0, 0, 54])];
        self.files.resolv.servers.iter().any(|server| stubs.contains(&server.address))
    }

    fn own_servers(&self, name: &str) -> bool {
        self.options.name_servers_for(name).is_some()
    }

    fn exists(&self, path: &str) -> bool {
        self.files.present.iter().any(|present| present == path)
    }
}

/// The search list of a host whose resolv.conf has none: the part of its own name after the first dot.
fn own_domain(name: &str) -> Vec<String> {
    name.split_once('.').map(|(_, domain)| domain.to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests;
