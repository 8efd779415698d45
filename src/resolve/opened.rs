//! What a lookup may need of this host, read or opened beforehand: once the process is confined, no file can be
//! opened and no other process be started.

use super::name;
use super::order::host::HostSources;
use super::sources::files::Files;
use crate::config::cells::{self, Cell, Disk};
use crate::config::nsswitch::{self, Entry};
use crate::config::resolv::{self, ResolvConf, Server};
use crate::config::{self, Later, Warning, gai};
use crate::key::query::{CellQuery, Query};
use nix::net::if_::if_nametoindex;
use nix::unistd::gethostname;
use std::cell::RefCell;
use std::fs;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::path::Path;

/// The port of DNS servers.
const DOMAIN_PORT: u16 = 53;
/// The socket of systemd-resolved (nss-resolve(8)).
const RESOLVED: &str = "/run/systemd/resolve/io.systemd.Resolve";
/// The files of machines (nss-mymachines(8)).
const MACHINES: &str = "/run/systemd/machines";
/// What nss-mdns answers for besides `.local`.
const MDNS: &str = "/etc/mdns.allow";

/// The files and the kernel's tables, each read or ready to be.
#[derive(Debug)]
pub(super) struct Opened {
    /// The sources in their order.
    pub(super) order: Vec<Entry>,
    /// Those of the `files` source.
    pub(super) files: Option<Files>,
    /// `resolv.conf`.
    pub(super) resolv: ResolvConf,
    /// Its servers.
    pub(super) servers: Vec<SocketAddr>,
    /// `gai.conf`.
    pub(super) gai: Later,
    /// The host's own addresses.
    pub(super) addresses: HostSources,
    /// The host's own name.
    pub(super) name: String,
    /// The files that there are, of those whose existence says whether a source is of use.
    pub(super) present: Vec<String>,
    /// The databases of cells, where a cell is asked for.
    pub(super) cell: Option<CellFiles>,
}

/// What the databases say about one cell.
#[derive(Debug)]
pub(super) struct CellFiles {
    /// In kafs-client's configuration.
    pub(super) kafs: Cell,
    /// OpenAFS's databases.
    pub(super) openafs: [Later; 2],
}

impl Opened {
    /// Reads and opens what `query` may need, or any query for a host. What is wrong goes to `warnings`.
    pub(super) fn new(query: Option<&Query>, warnings: &Warnings) -> Self {
        let path = Path::new(nsswitch::PATH);
        let (order, wrong) = nsswitch::parse(&warnings.read(path));
        warnings.of(&wrong, path);
        let has = |source: &str| order.iter().any(|entry| entry.source == source);

        let path = Path::new(resolv::PATH);
        let (resolv, wrong) = ResolvConf::parse(&warnings.read(path));
        warnings.of(&wrong, path);
        let servers = resolv.servers.iter().map(socket_address).collect();

        let mut present: Vec<String> = Vec::new();
        let mut look_for = |path: &str| {
            if Path::new(path).exists() {
                present.push(path.to_owned());
            }
        };
        if has("resolve") {
            look_for(RESOLVED);
        }
        if order.iter().any(|entry| entry.source.starts_with("mdns")) {
            look_for(MDNS);
        }
        if has("mymachines") {
            let machines = fs::read_dir(MACHINES).into_iter().flatten().flatten();
            present.extend(machines.map(|machine| machine.path().to_string_lossy().into_owned()));
        }
        Self {
            files: has("files").then(Files::open),
            resolv,
            servers,
            gai: Later::open(gai::PATH),
            addresses: HostSources::open(),
            name: gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            present,
            cell: match query {
                Some(Query::Cell(query)) => CellFiles::open(query, warnings),
                Some(Query::Host(_)) | None => None,
            },
            order,
        }
    }
}

impl Opened {
    /// What these files say, on a host that has no others.
    pub(super) fn with_files(order: Vec<Entry>, resolv: ResolvConf, cell: Option<Cell>) -> Self {
        Self {
            files: None,
            servers: resolv.servers.iter().map(socket_address).collect(),
            resolv,
            gai: Later::absent(gai::PATH),
            addresses: HostSources::isolated(),
            name: String::new(),
            present: Vec::new(),
            cell: cell.map(|kafs| CellFiles { kafs, openafs: cells::OPENAFS.map(Later::absent) }),
            order,
        }
    }
}

impl CellFiles {
    fn open(query: &CellQuery, warnings: &Warnings) -> Option<Self> {
        let cell = query.cell.as_str().filter(|cell| name::flaw(cell.as_bytes()).is_none())?;
        let cell = cell.strip_suffix('.').unwrap_or(cell);
        let files = Disk(|message| warnings.add(message));
        Some(Self { kafs: cells::in_kafs(cell, &files), openafs: cells::OPENAFS.map(Later::open) })
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

/// What was wrong in the files, each thing once and with its place.
#[derive(Debug, Default)]
pub(super) struct Warnings(RefCell<Vec<String>>);

impl Warnings {
    /// Notes one.
    pub(super) fn add(&self, message: String) {
        let mut warnings = self.0.borrow_mut();
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }

    /// Notes those of a file.
    pub(super) fn of(&self, warnings: &[Warning], path: &Path) {
        for warning in warnings {
            self.add(warning.at(path));
        }
    }

    /// All of them.
    pub(super) fn list(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// The bytes of a file; none where it is absent, and where it can't be read, which is noted.
    fn read(&self, path: &Path) -> Vec<u8> {
        self.bytes(config::read(path))
    }

    /// What was read of a file, as far as it was.
    pub(super) fn bytes(&self, read: Result<Vec<u8>, config::Unreadable>) -> Vec<u8> {
        read.unwrap_or_else(|unreadable| {
            if !unreadable.is_absent() {
                self.add(unreadable.to_string());
            }
            Vec::new()
        })
    }
}
