//! This host's name service: its files, and the sources in their order.

use super::dns::Dns;
use super::dns::client::Manner;
use super::dns::message::Record;
use super::dns::transport::{Network, Transport};
use super::opened::{CellFiles, Opened, Warnings};
use super::sources::modules::Modules;
use super::sources::{self, Address, Facts, Families, Found, Plan, child, files};
use super::trace::{Event, Trace};
use super::{literal, order, special};
use crate::config::cells::Cell;
use crate::config::gai;
use crate::config::nsswitch::{Entry, Status};
use crate::config::resolv::ResolvConf;
use crate::config::settings::Settings;
use crate::confine::{Confinement, Lacking, Needs};
use crate::failure::Failure;
use crate::key::KeySerial;
use crate::key::query::{Family, Query};
use crate::random::random;
use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// The name service of this host, as its files describe it.
#[derive(Debug)]
pub struct Host<'a, T = Network> {
    /// The helper's settings.
    pub settings: &'a Settings,
    /// Where the steps of a lookup are noted.
    pub trace: &'a Trace,
    warnings: Warnings,
    opened: Opened,
    modules: Option<Modules>,
    confinement: Confinement,
    transport: T,
    glue: RefCell<Option<Rc<[Record]>>>,
}

/// Why a source has no addresses.
enum Miss {
    /// It has nothing, or was not asked since it would say so.
    Skipped(Status),
    /// It could not be asked.
    Unavailable(String),
    /// It was asked.
    Failed(Status, Failure),
}

impl<'a> Host<'a> {
    /// This host, with all open that `query` may need.
    #[must_use]
    pub fn open(query: &Query, settings: &'a Settings, trace: &'a Trace) -> Self {
        let mut host = Self::of_files(Some(query), settings, trace);
        if host.may_ask_modules(query) {
            match Modules::start() {
                Ok(modules) => host.modules = Some(modules),
                Err(error) => host.warn(format!("can't start a process to ask NSS modules: {error}")),
            }
        }
        host
    }

    /// Has the process confined before the first byte that a name server or an NSS module sends is read: to what is
    /// open, its name servers, and `key`. What only this host's files are needed for goes without.
    pub fn confine_before_reading(&mut self, key: Option<KeySerial>) {
        self.confinement = Confinement::new(Needs { key, ports: self.name_server_ports() });
        self.transport.confinement = self.confinement.clone();
    }

    /// This host as its files describe it; NSS modules can't be asked.
    #[must_use]
    pub fn of_files(query: Option<&Query>, settings: &'a Settings, trace: &'a Trace) -> Self {
        let warnings = Warnings::default();
        let opened = Opened::new(query, &warnings);
        Self {
            settings,
            trace,
            warnings,
            opened,
            modules: None,
            confinement: Confinement::default(),
            transport: Network::default(),
            glue: RefCell::default(),
        }
    }
}

impl<'a, T: Transport> Host<'a, T> {
    /// A host with these files and no others, whose name servers are reached by way of `transport`.
    #[must_use]
    pub fn with_files(
        order: Vec<Entry>,
        resolv: ResolvConf,
        cell: Option<Cell>,
        settings: &'a Settings,
        trace: &'a Trace,
        transport: T,
    ) -> Self {
        Self {
            settings,
            trace,
            warnings: Warnings::default(),
            opened: Opened::with_files(order, resolv, cell),
            modules: None,
            confinement: Confinement::default(),
            transport,
            glue: RefCell::default(),
        }
    }

    /// The way to its name servers.
    #[must_use]
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Whether a source that this query leads to may be an NSS module.
    fn may_ask_modules(&self, query: &Query) -> bool {
        let mut sources = self.opened.order.iter().map(|entry| entry.source.as_str());
        match query {
            Query::Host(query) => query
                .name
                .as_str()
                .is_some_and(|name| sources.any(|source| sources::plan(source, name, self) == Plan::Child)),
            Query::Cell(_) => sources.any(|source| sources::may_ask_modules(source, self)),
        }
    }

    /// What could not be had of the confinement, as far as it came to that.
    #[must_use]
    pub fn lacking(&self) -> &[Lacking] {
        self.confinement.lacking()
    }

    /// The ports of all name servers that may be asked.
    fn name_server_ports(&self) -> Vec<u16> {
        let special = self.settings.name_servers.iter().flat_map(|domain| &domain.servers);
        let mut ports: Vec<u16> = self.opened.servers.iter().chain(special).map(SocketAddr::port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// What the databases say about the cell that is asked for.
    pub(super) fn cell_files(&self) -> Option<&CellFiles> {
        self.opened.cell.as_ref()
    }

    /// From now on the names looked up are targets of DNS records: absolute, whatever the search list says,
    /// and the addresses in `glue` are not asked for again.
    pub fn expect_targets(&self, glue: Vec<Record>) {
        *self.glue.borrow_mut() = Some(glue.into());
    }

    /// What was wrong in the files read up to now, each with its place.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.list()
    }

    /// The addresses of `name` in `families`, from the first source that has any, as `nsswitch.conf` has
    /// the sources and their actions.
    ///
    /// # Errors
    /// The weightiest failure of all sources.
    pub async fn lookup(&self, name: &str, families: Families) -> Result<Found, Failure> {
        if families == Families::Only(Family::Ipv4) && literal::looks_numeric(name) {
            return Err(Failure::NoSuchName { ttl: None });
        }
        let mut found = None;
        let mut failure: Option<Failure> = None;
        let mut unavailable = String::new();
        for entry in &self.opened.order {
            let status = match self.source(&entry.source, name, families).await {
                Ok(addresses) => {
                    let number = addresses.addresses.len();
                    self.decide(|| format!("{}: {number} addresses for {name}", entry.source));
                    found = Some(addresses);
                    Status::Success
                }
                Err(Miss::Failed(status, other)) => {
                    self.decide(|| format!("{}: {other}", entry.source));
                    failure = Some(match failure {
                        Some(failure) => failure.or_weightier(other),
                        None => other,
                    });
                    status
                }
                Err(Miss::Skipped(status)) => {
                    self.decide(|| format!("{}: nothing for {name} ({status:?})", entry.source));
                    status
                }
                Err(Miss::Unavailable(why)) => {
                    self.trace.add(Event::Unavailable {
                        name: name.to_owned(),
                        source: entry.source.clone(),
                        why: why.clone(),
                    });
                    unavailable = why;
                    Status::Unavail
                }
            };
            if entry.actions.ends_at(status) {
                self.decide(|| format!("{} is the last source: {status:?} ends the search", entry.source));
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

    /// Notes why the lookup goes on as it does.
    fn decide(&self, text: impl FnOnce() -> String) {
        self.trace.decide(text);
    }

    /// What one source has.
    async fn source(&self, source: &str, name: &str, families: Families) -> Result<Found, Miss> {
        // That a source which knows no TTL doesn't have the name says nothing to the kernel.
        let not_found = || Miss::Skipped(Status::NotFound);
        match sources::plan(source, name, self) {
            Plan::Skip(status) => Err(Miss::Skipped(status)),
            Plan::Localhost => match special::lookup("localhost", families) {
                Some(Ok(found)) => Ok(found),
                _ => Err(not_found()),
            },
            Plan::Files => match self
                .opened
                .files
                .as_ref()
                .map_or(Ok(None), |files| files::lookup(files, name, families))
            {
                Ok(found) => found.ok_or_else(not_found),
                Err(error) => {
                    // Nobody knows what it has; that others have nothing is not the truth then.
                    let why = format!("{}: {error}", files::PATH);
                    self.warn(why.clone());
                    if error.kind() == io::ErrorKind::NotFound {
                        Err(Miss::Unavailable(why))
                    } else {
                        Err(Miss::Failed(Status::Unavail, Failure::Temporary(why)))
                    }
                }
            },
            Plan::Dns => {
                if let Some(special) = special::lookup(name, families) {
                    return special.map_err(|failure| Miss::Failed(Status::NotFound, failure));
                }
                let looked_up = self.dns().lookup(name, families).await;
                looked_up.map_err(|(status, failure)| Miss::Failed(status, failure))
            }
            Plan::Child => {
                self.confinement.enter();
                match child::ask(self.modules.as_ref(), source, name, families).await {
                    Ok(found) => found.ok_or_else(not_found),
                    Err(error) => Err(Miss::Unavailable(format!("{source}: {error}"))),
                }
            }
        }
    }

    /// Puts addresses into the order in which `getaddrinfo()` would give them.
    pub fn sort(&self, addresses: &mut [Address]) {
        let mut order: Vec<IpAddr> = addresses.iter().map(|address| address.ip).collect();
        self.sort_each([order.as_mut_slice()].into_iter());
        addresses.sort_by_cached_key(|address| order.iter().position(|ip| *ip == address.ip));
    }

    /// Does so with the addresses of several names, each by themselves.
    pub fn sort_each<'l>(&self, lists: impl Iterator<Item = &'l mut [IpAddr]>) {
        // Neither gai.conf nor the interfaces are of interest to one address alone.
        let mut lists = lists.filter(|list| list.len() > 1).peekable();
        if lists.peek().is_none() {
            return;
        }
        let file = &self.opened.gai;
        let (policy, warnings) = gai::parse(&self.warnings.bytes(file.read()));
        self.warnings.of(&warnings, file.path());
        lists.for_each(|list| order::sort(list, &policy, &self.opened.addresses));
    }

    /// This host's way to ask DNS.
    #[must_use]
    pub fn dns(&self) -> Dns<'_, &T> {
        let conf = &self.opened.resolv;
        let mut servers = self.opened.servers.clone();
        if conf.rotate && !servers.is_empty() {
            let start = usize::try_from(random() >> 32).unwrap_or_default() % servers.len();
            servers.rotate_left(start);
        }
        let glue = self.glue.borrow().clone();
        Dns {
            transport: &self.transport,
            servers,
            manner: Manner {
                timeout: conf.timeout,
                attempts: conf.attempts,
                hedge: self.settings.hedge,
                use_vc: conf.use_vc,
                mixed_case: self.settings.mixed_case,
            },
            settings: self.settings,
            search: match glue {
                Some(_) => Vec::new(),
                None => conf.search.clone().unwrap_or_else(|| own_domain(&self.opened.name)),
            },
            ndots: conf.ndots,
            no_tld_query: conf.no_tld_query,
            no_aaaa: conf.no_aaaa,
            single_request: conf.single_request,
            sortlist: &conf.sortlist,
            glue,
            trace: self.trace,
        }
    }

    /// The sources of names, as `nsswitch.conf` has them.
    #[must_use]
    pub fn order(&self) -> &[Entry] {
        &self.opened.order
    }

    /// Notes what was wrong in a file, once.
    pub fn warn(&self, message: String) {
        self.warnings.add(message);
    }
}

impl<T> Facts for Host<'_, T> {
    fn host_name(&self) -> String {
        self.opened.name.clone()
    }

    fn stub_resolver(&self) -> bool {
        let stubs = [IpAddr::from([127, 0, 0, 53]), IpAddr::from([127, 0, 0, 54])];
        self.opened.resolv.servers.iter().any(|server| stubs.contains(&server.address))
    }

    fn own_servers(&self, name: &str) -> bool {
        self.settings.name_servers_for(name).is_some()
    }

    fn exists(&self, path: &str) -> bool {
        self.opened.present.iter().any(|present| present == path)
    }
}

/// The search list of a host whose resolv.conf has none: what follows the first dot of its own name.
fn own_domain(name: &str) -> Vec<String> {
    match name.split_once('.') {
        Some((_, domain)) if !domain.is_empty() => vec![domain.to_owned()],
        _ => Vec::new(),
    }
}
