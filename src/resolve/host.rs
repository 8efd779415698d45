//! This host's name service: its files, and the sources in their order.

use super::dns::Dns;
use super::dns::client::Manner;
use super::dns::message::Record;
use super::dns::transport::Network;
use super::order::host::HostSources;
use super::sources::{self, Address, Facts, Families, Found, Plan, child, files};
use super::trace::{Event, Trace};
use super::{literal, order, special};
use crate::config::nsswitch::{self, Entry, Status};
use crate::config::resolv::{self, ResolvConf, Server};
use crate::config::settings::Settings;
use crate::config::{self, Warning, gai};
use crate::failure::Failure;
use crate::key::query::Family;
use nix::net::if_::if_nametoindex;
use nix::unistd::gethostname;
use std::cell::{OnceCell, RefCell};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::path::Path;
use std::rc::Rc;

/// The port of DNS servers.
const DOMAIN_PORT: u16 = 53;

/// The name service of this host, as its files describe it. They are read when they are first needed.
#[derive(Debug)]
pub struct Host<'a> {
    /// The helper's settings.
    pub settings: &'a Settings,
    /// Where the steps of a lookup are noted.
    pub trace: &'a Trace,
    warnings: RefCell<Vec<String>>,
    order: OnceCell<Vec<Entry>>,
    resolv_conf: OnceCell<ResolvConf>,
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
    /// This host.
    #[must_use]
    pub fn new(settings: &'a Settings, trace: &'a Trace) -> Self {
        Self {
            settings,
            trace,
            warnings: RefCell::default(),
            order: OnceCell::new(),
            resolv_conf: OnceCell::new(),
            glue: RefCell::default(),
        }
    }

    /// From now on the names looked up are targets of DNS records: absolute, whatever the search list says,
    /// and the addresses in `glue` are not asked for again.
    pub fn expect_targets(&self, glue: Vec<Record>) {
        *self.glue.borrow_mut() = Some(glue.into());
    }

    /// What was wrong in the files read up to now, each with its place.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
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
        for entry in self.order() {
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
            Plan::Files => match files::lookup(name, families) {
                Ok(found) => found.ok_or_else(not_found),
                Err(error) => {
                    // Nobody knows what it has; that others have nothing is not the truth then.
                    let why = format!("{}: {error}", files::PATH);
                    self.warn(why.clone());
                    Err(Miss::Failed(Status::Unavail, Failure::Temporary(why)))
                }
            },
            Plan::Dns => {
                if let Some(special) = special::lookup(name, families) {
                    return special.map_err(|failure| Miss::Failed(Status::NotFound, failure));
                }
                let looked_up = self.dns().lookup(name, families).await;
                looked_up.map_err(|(status, failure)| Miss::Failed(status, failure))
            }
            Plan::Child => match child::ask(source, name, families).await {
                Ok(found) => found.ok_or_else(not_found),
                Err(error) => Err(Miss::Unavailable(format!("{source}: {error}"))),
            },
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
        let path = Path::new(gai::PATH);
        let (policy, warnings) = gai::parse(&self.read(path));
        self.warn_of(&warnings, path);
        let sources = HostSources::new();
        lists.for_each(|list| order::sort(list, &policy, &sources));
    }

    /// This host's way to ask DNS.
    #[must_use]
    pub fn dns(&self) -> Dns<'_, Network> {
        let conf = self.resolv_conf();
        let mut servers: Vec<SocketAddr> = conf.servers.iter().map(socket_address).collect();
        if conf.rotate && !servers.is_empty() {
            let start = random() % servers.len();
            servers.rotate_left(start);
        }
        let glue = self.glue.borrow().clone();
        Dns {
            transport: Network,
            servers,
            manner: Manner {
                timeout: conf.timeout,
                attempts: conf.attempts,
                hedge: self.settings.hedge,
                use_vc: conf.use_vc,
            },
            settings: self.settings,
            search: match glue {
                Some(_) => Vec::new(),
                None => conf.search.clone().unwrap_or_else(own_domain),
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

    fn order(&self) -> &[Entry] {
        self.order.get_or_init(|| {
            let path = Path::new(nsswitch::PATH);
            let (order, warnings) = nsswitch::parse(&self.read(path));
            self.warn_of(&warnings, path);
            order
        })
    }

    fn resolv_conf(&self) -> &ResolvConf {
        self.resolv_conf.get_or_init(|| {
            let path = Path::new(resolv::PATH);
            let (conf, warnings) = ResolvConf::parse(&self.read(path));
            self.warn_of(&warnings, path);
            conf
        })
    }

    /// The bytes of a file; none where it is absent, and where it can't be read, which is warned of.
    fn read(&self, path: &Path) -> Vec<u8> {
        config::read(path).unwrap_or_else(|unreadable| {
            if !unreadable.is_absent() {
                self.warn(unreadable.to_string());
            }
            Vec::new()
        })
    }

    fn warn_of(&self, warnings: &[Warning], path: &Path) {
        for warning in warnings {
            self.warn(warning.at(path));
        }
    }

    /// Notes what was wrong in a file, once.
    pub fn warn(&self, message: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }
}

impl Facts for Host<'_> {
    fn host_name(&self) -> String {
        own_name()
    }

    fn stub_resolver(&self) -> bool {
        let stubs = [IpAddr::from([127, 0, 0, 53]), IpAddr::from([127, 0, 0, 54])];
        self.resolv_conf().servers.iter().any(|server| stubs.contains(&server.address))
    }

    fn own_servers(&self, name: &str) -> bool {
        self.settings.name_servers_for(name).is_some()
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }
}

/// The server's address with the index of its interface; an interface that is not there counts as none.
fn socket_address(server: &Server) -> SocketAddr {
    let scope = server
        .scope
        .as_deref()
        .map_or(0, |scope| if_nametoindex(scope).unwrap_or_else(|_| scope.parse().unwrap_or(0)));
    match server.address {
        IpAddr::V4(address) => SocketAddr::new(address.into(), DOMAIN_PORT),
        IpAddr::V6(address) => SocketAddrV6::new(address, DOMAIN_PORT, 0, scope).into(),
    }
}

/// The search list of a host whose resolv.conf has none: what follows the first dot of its own name.
fn own_domain() -> Vec<String> {
    match own_name().split_once('.') {
        Some((_, domain)) if !domain.is_empty() => vec![domain.to_owned()],
        _ => Vec::new(),
    }
}

fn own_name() -> String {
    gethostname().unwrap_or_default().to_string_lossy().into_owned()
}

/// A number that nobody can foresee, from the standard library's seed.
fn random() -> usize {
    usize::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default()
}
