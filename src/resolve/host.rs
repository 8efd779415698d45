//! This host's name service: its files, and the sources in their order.

use super::dns::Dns;
use super::dns::client::Manner;
use super::dns::transport::Network;
use super::sources::{Families, Found, files};
use super::special;
use super::trace::Trace;
use crate::config::resolv::{self, ResolvConf, Server};
use crate::config::settings::Settings;
use crate::config::{self, Warning};
use crate::failure::Failure;
use nix::net::if_::if_nametoindex;
use nix::unistd::gethostname;
use std::cell::{OnceCell, RefCell};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::path::Path;

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
    resolv_conf: OnceCell<ResolvConf>,
}

impl<'a> Host<'a> {
    /// This host.
    #[must_use]
    pub fn new(settings: &'a Settings, trace: &'a Trace) -> Self {
        Self { settings, trace, warnings: RefCell::default(), resolv_conf: OnceCell::new() }
    }

    /// What was wrong in the files read up to now, each with its place.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// The addresses of `name` in `families`, from the first source that has any.
    ///
    /// # Errors
    /// The weightiest failure of all sources.
    pub async fn lookup(&self, name: &str, families: Families) -> Result<Found, Failure> {
        let from_files = self.files(name, families);
        let failure = match from_files {
            Ok(found) => return Ok(found),
            Err(failure) => failure,
        };
        if let Some(special) = special::lookup(name, families) {
            return special;
        }
        match self.dns().lookup(name, families).await {
            Ok(found) => Ok(found),
            Err(other) => Err(other.or_weightier(failure)),
        }
    }

    fn files(&self, name: &str, families: Families) -> Result<Found, Failure> {
        match files::lookup(name, families) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Failure::NoSuchName { ttl: None }),
            Err(error) => {
                self.warn(format!("{}: {error}", files::PATH));
                Err(Failure::NoSuchName { ttl: None })
            }
        }
    }

    fn dns(&self) -> Dns<'_, Network> {
        let conf = self.resolv_conf();
        let mut servers: Vec<SocketAddr> = conf.servers.iter().map(socket_address).collect();
        if conf.rotate && !servers.is_empty() {
            let start = random() % servers.len();
            servers.rotate_left(start);
        }
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
            search: conf.search.clone().unwrap_or_else(own_domain),
            ndots: conf.ndots,
            no_tld_query: conf.no_tld_query,
            no_aaaa: conf.no_aaaa,
            single_request: conf.single_request,
            trace: self.trace,
        }
    }

    fn resolv_conf(&self) -> &ResolvConf {
        self.resolv_conf.get_or_init(|| {
            let path = Path::new(resolv::PATH);
            let (conf, warnings) = ResolvConf::parse(&self.read(path));
            for warning in warnings {
                self.warn(Warning::at(&warning, path));
            }
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

    fn warn(&self, message: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&message) {
            warnings.push(message);
        }
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
    let name = gethostname().unwrap_or_default();
    let name = name.to_string_lossy();
    match name.split_once('.') {
        Some((_, domain)) if !domain.is_empty() => vec![domain.to_owned()],
        _ => Vec::new(),
    }
}

/// A number that nobody can foresee, from the standard library's seed.
fn random() -> usize {
    usize::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default()
}
