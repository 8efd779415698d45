//! The machine that the cases are run on.

use crate::contacts::Contacts;
use crate::dns::{Logged, Script, Server, Transport, Zone, qtype};
use crate::kmsg::Kmsg;
use crate::{afs, ceph, cifs, nfs, programs};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The one name server.
const NAME_SERVER: &str = "127.53.0.1:53";
/// Where file systems are mounted.
pub const MOUNT_POINT: &str = "/mnt";
/// What comes by itself comes within this time, however slow the machine.
const SOON: Duration = Duration::from_secs(20);

pub struct Guest {
    /// What `uname -r` says.
    pub release: String,
    pub contacts: Contacts,
    dns: Server,
    kmsg: Kmsg,
    syslog: UnixDatagram,
}

impl Guest {
    pub fn new() -> Self {
        let syslog = UnixDatagram::bind("/dev/log").unwrap();
        syslog.set_nonblocking(true).unwrap();
        Self {
            release: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim().to_owned(),
            contacts: contacts(),
            dns: Server::builder().at(NAME_SERVER).start(),
            kmsg: Kmsg::open(),
            syslog,
        }
    }

    /// Makes things as they are before each case.
    pub fn begin(&mut self) {
        self.serve_by(Vec::new(), Script::new());
        hosts("");
        search("");
        let _ = self.syslog();
        self.forget();
    }

    /// Leaves out what was seen so far.
    pub fn forget(&mut self) {
        self.dns.clear();
        self.kmsg.forget();
        self.contacts.forget();
    }

    /// Leaves out what the kernel said so far.
    pub fn forget_log(&mut self) {
        self.kmsg.forget();
    }

    /// Makes DNS serve only this zone.
    pub fn serve(&self, zone: Zone) {
        self.serve_by(vec![zone], Script::new());
    }

    /// Makes DNS do this.
    pub fn serve_by(&self, zones: Vec<Zone>, script: Script) {
        self.dns.change(|config| (config.zones, config.script) = (zones, script));
    }

    /// How often the IPv4 address of a name was queried: once per upcall, without the plain queries over UDP that repeat
    /// another one, since an answer is late or denies the name.
    pub fn asked(&self, name: &str) -> usize {
        let counts = |query: &Logged| query.edns.is_some() || query.transport == Transport::Tcp;
        let queries = self.dns.queries().into_iter();
        queries.filter(|query| query.name == name && query.qtype == qtype::A && counts(query)).count()
    }

    /// How often DNS was asked for the servers of a cell of AFS.
    pub fn asked_for_cell(&self, name: &str) -> usize {
        self.dns.count(format!("_afs3-vlserver._udp.{name}").as_str(), qtype::SRV)
    }

    /// What the kernel said, of lines with this text what follows it.
    pub fn after(&mut self, text: &str) -> Vec<String> {
        let lines = self.kmsg.lines().iter();
        lines.filter_map(|line| Some(line.split_once(text)?.1.to_owned())).collect()
    }

    /// What `dns_query()` returned: a length, or an errno as a negative number.
    pub fn returned(&mut self) -> Vec<i32> {
        self.after("<== dns_query() = ").iter().map(|number| number.parse().unwrap()).collect()
    }

    /// The same as text, of the first of them.
    pub fn query(&mut self) -> String {
        self.returned().first().map_or_else(|| "none".to_owned(), i32::to_string)
    }

    /// All that the kernel and our programs have said, but for the kernel's comparison of each key with each other.
    pub fn said(&mut self) -> Vec<String> {
        let kernel = self.kmsg.lines().iter().filter(|line| !line.contains("dns_resolver_cmp"));
        let mut said: Vec<String> = kernel.map(|line| format!("kernel: {line}")).collect();
        said.extend(self.syslog());
        said
    }

    fn syslog(&self) -> Vec<String> {
        let mut message = [0; 4096];
        let next = || self.syslog.recv(&mut message).ok().map(|length| message[..length].to_vec());
        std::iter::from_fn(next).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Waits until this is so, but not forever.
    pub fn until(&mut self, mut so: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !so(self) && start.elapsed() < SOON {
            sleep(Duration::from_millis(20));
        }
    }
}

/// Writes the hosts file.
pub fn hosts(text: &str) {
    fs::write("/etc/hosts", text).unwrap();
}

/// Sets the search list.
pub fn search(domains: &str) {
    let server = NAME_SERVER.trim_end_matches(":53");
    fs::write("/etc/resolv.conf", format!("nameserver {server}\nsearch {domains}\n")).unwrap();
}

/// The servers of the file systems, of which only NFS has anything to say.
fn contacts() -> Contacts {
    let contacts = Contacts::default();
    contacts.tcp(ceph::PORT);
    // Otherwise there is a server.
    if !programs::are_here() {
        contacts.tcp(cifs::PORT);
    }
    contacts.relay(nfs::PORT, nfs::SERVER);
    for (address, port) in afs::SERVERS {
        contacts.udp_once(address, port);
    }
    contacts
}

/// Something that is mounted while this lives.
pub struct Mounted;

/// Mounts a file system at [`MOUNT_POINT`], as its mount program would in the end.
pub fn mounted(kind: &str, source: &str, options: &str) -> Result<Mounted, Errno> {
    mount(Some(source), MOUNT_POINT, Some(kind), MsFlags::empty(), Some(options)).map(|()| Mounted)
}

impl Drop for Mounted {
    fn drop(&mut self) {
        umount2(MOUNT_POINT, MntFlags::MNT_DETACH).unwrap();
    }
}

/// How a mount went.
pub fn outcome(result: &Result<Mounted, Errno>) -> String {
    match result {
        Ok(_) => "mounted".to_owned(),
        Err(errno) => format!("{errno:?}"),
    }
}

/// Waits this many seconds, which is how long the kernel keeps a key.
pub fn wait(seconds: u64) {
    sleep(Duration::from_secs(seconds));
}
