//! What a lookup may need from this host, read or opened beforehand: once the process is confined, it can open no file
//! and start no other process.

use crate::config::cells::{self, Cell, Disk};
use crate::config::gai;
use crate::config::nsswitch::{self, Service};
use crate::config::resolv::{self, NameServer, ResolvConf};
use crate::file::{self, DeferredFile, Warning};
use crate::hosts::Files;
use crate::name;
use crate::order::host::HostSources;
use crate::plan;
use key::{CellQuery, Query};
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
/// The files that describe machines (nss-mymachines(8)).
const MACHINES: &str = "/run/systemd/machines";
/// The domains for which nss-mdns answers besides `.local`.
const MDNS: &str = "/etc/mdns.allow";
/// The modules that are not always queried, so that their presence must be checked in another way.
const MODULES: [&str; 3] = ["resolve", "myhostname", "mymachines"];

/// The files and the kernel's tables, each read or ready to be read.
#[derive(Debug)]
pub(crate) struct HostFiles {
    /// The sources in their order.
    pub(crate) order: Vec<Service>,
    /// The files of the `files` source.
    pub(crate) files: Option<Files>,
    /// `resolv.conf`.
    pub(crate) resolv: ResolvConf,
    /// Its servers.
    pub(crate) servers: Vec<SocketAddr>,
    /// `gai.conf`.
    pub(crate) gai: DeferredFile,
    /// The host's own addresses.
    pub(crate) addresses: HostSources,
    /// The host's own name.
    pub(crate) name: String,
    /// Those files that exist, of the ones whose existence shows whether a source is useful.
    pub(crate) present: Vec<String>,
    /// The cell databases, if a cell is requested.
    pub(crate) cell: Option<CellDatabases>,
}

/// What the databases say about one cell.
#[derive(Debug)]
pub(crate) struct CellDatabases {
    /// In kafs-client's configuration.
    pub(crate) kafs: Cell,
    /// OpenAFS's databases.
    pub(crate) openafs: [DeferredFile; 2],
}

impl HostFiles {
    /// Reads and opens what `query`, or without one any query for a host, may need. Mistakes go to `warnings`.
    pub(crate) fn new(query: Option<&Query>, warnings: &Warnings) -> Self {
        let path = Path::new(nsswitch::PATH);
        let (order, wrong) = nsswitch::parse(&warnings.read(path));
        warnings.of(&wrong, path);
        let has = |source: &str| order.iter().any(|entry| entry.name == source);

        let path = Path::new(resolv::PATH);
        let (resolv, wrong) = ResolvConf::parse(&warnings.read(path));
        warnings.of(&wrong, path);
        for server in &resolv.servers {
            if let Some(interface) = missing_interface(server) {
                warnings.of(
                    &[Warning::new(0, format!("nameserver {server}: there is no interface {interface}"))],
                    path,
                );
            }
        }
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
        if order.iter().any(|entry| entry.name.starts_with("mdns")) {
            look_for(MDNS);
        }
        let modules = MODULES.iter().filter(|module| has(module)).map(|module| plan::library(module));
        present.extend(modules.filter(|library| is_library(library)));
        if has("mymachines") {
            let machines = fs::read_dir(MACHINES).into_iter().flatten().flatten();
            present.extend(machines.map(|machine| machine.path().to_string_lossy().into_owned()));
        }
        Self {
            files: has("files").then(Files::open),
            resolv,
            servers,
            gai: DeferredFile::open(gai::PATH),
            addresses: HostSources::open(),
            name: gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            present,
            cell: match query {
                Some(Query::Cell(query)) => CellDatabases::open(query, warnings),
                Some(Query::Host(_)) | None => None,
            },
            order,
        }
    }
}

impl HostFiles {
    /// What these files say, on a host that has no others.
    pub(crate) fn with_files(order: Vec<Service>, resolv: ResolvConf, cell: Option<Cell>) -> Self {
        Self {
            files: None,
            servers: resolv.servers.iter().map(socket_address).collect(),
            resolv,
            gai: DeferredFile::absent(gai::PATH),
            addresses: HostSources::isolated(),
            name: String::new(),
            present: Vec::new(),
            cell: cell.map(|kafs| CellDatabases { kafs, openafs: cells::OPENAFS.map(DeferredFile::absent) }),
            order,
        }
    }
}

impl CellDatabases {
    fn open(query: &CellQuery, warnings: &Warnings) -> Option<Self> {
        let cell = query.cell.as_str().filter(|cell| name::flaw(cell.as_bytes()).is_none())?;
        let cell = cell.strip_suffix('.').unwrap_or(cell);
        let files = Disk(|message| warnings.add(message));
        Some(Self { kafs: cells::in_kafs(cell, &files), openafs: cells::OPENAFS.map(DeferredFile::open) })
    }
}

/// Whether a file is where libraries usually are, with and without directories per architecture (Debian) or word size
/// (Fedora).
fn is_library(file: &str) -> bool {
    let architecture = match std::env::consts::ARCH {
        "x86" => "i386-linux-gnu",
        "arm" => "arm-linux-gnueabihf",
        "powerpc64" => "powerpc64le-linux-gnu",
        other => &format!("{other}-linux-gnu"),
    };
    [architecture, "../lib64", ""].iter().any(|folder| Path::new("/usr/lib").join(folder).join(file).exists())
        || Path::new("/lib").join(architecture).join(file).exists()
}

/// The server's address with the index of its interface; an interface that does not exist counts as none.
fn socket_address(server: &NameServer) -> SocketAddr {
    match server.address {
        IpAddr::V4(address) => SocketAddr::new(address.into(), DOMAIN_PORT),
        IpAddr::V6(address) => {
            let scope = server.scope.as_deref().and_then(interface).unwrap_or_default();
            SocketAddrV6::new(address, DOMAIN_PORT, 0, scope).into()
        }
    }
}

/// The interface for a server, if this host does not have it.
fn missing_interface(server: &NameServer) -> Option<&str> {
    server.scope.as_deref().filter(|name| interface(name).is_none())
}

/// The index of an interface, given by name or index.
fn interface(scope: &str) -> Option<u32> {
    if_nametoindex(scope).ok().or_else(|| scope.parse().ok())
}

/// The mistakes in the files, each once and with its place.
#[derive(Debug, Default)]
pub(crate) struct Warnings(RefCell<Vec<String>>);

impl Warnings {
    /// Records one.
    pub(crate) fn add(&self, message: String) {
        let mut warnings = self.0.borrow_mut();
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }

    /// Records those of a file.
    pub(crate) fn of(&self, warnings: &[Warning], path: &Path) {
        for warning in warnings {
            self.add(warning.at(path));
        }
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    /// The bytes of a file; none if it does not exist, or can't be read, which is recorded.
    fn read(&self, path: &Path) -> Vec<u8> {
        self.bytes(file::read(path))
    }

    /// The content of a file, as far as it could be read.
    pub(crate) fn bytes(&self, read: Result<Vec<u8>, file::Unreadable>) -> Vec<u8> {
        read.unwrap_or_else(|unreadable| {
            if !unreadable.is_absent() {
                self.add(unreadable.to_string());
            }
            Vec::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_in_the_system_library_directories() {
        assert!(!is_library("libnss_no-such.so.2"));
        let known = if cfg!(target_arch = "x86_64") { "/usr/lib/x86_64-linux-gnu" } else { "/usr/lib64" };
        if Path::new(known).join("libc.so.6").exists() {
            assert!(is_library("libc.so.6"));
        }
    }

    #[test]
    fn an_interface_is_found_by_name_or_index() {
        let server = |scope: &str| {
            let (conf, _) = ResolvConf::parse(format!("nameserver fe80::53{scope}").as_bytes());
            let server = &conf.servers[0];
            (socket_address(server).to_string(), missing_interface(server).map(str::to_owned))
        };
        assert_eq!(server("%lo"), ("[fe80::53%1]:53".to_owned(), None));
        assert_eq!(server("%7"), ("[fe80::53%7]:53".to_owned(), None));
        assert_eq!(server(""), ("[fe80::53]:53".to_owned(), None));
        assert_eq!(server("%nosuch0"), ("[fe80::53]:53".to_owned(), Some("nosuch0".to_owned())));
    }
}
