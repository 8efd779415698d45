//! NFS: referrals to other servers by name. The kernel is its own server, which gets its exports through the files that
//! rpc.mountd would write.

use crate::case::Case;
use crate::case::Expected::Same;
use crate::ceph::LOOPBACK;
use crate::dns::Zone;
use crate::guest::{Guest, MOUNT_POINT, mounted};
use crate::naive::naive;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use std::fs;

/// Where servers are, for a client that follows a referral.
pub const PORT: u16 = 2049;
/// Where the kernel's own is; the other port leads there, so that it is seen which address is used.
pub const SERVER: u16 = 20_490;
/// The root of what is exported.
const ROOT: &str = "/run/export";
/// What is in the file behind the referrals.
const TEXT: &str = "the file itself";
/// NFSEXP_READONLY.
const READ_ONLY: u32 = 0x1;
/// Exports for everybody, that don't fail for want of a privileged port: NFSEXP_READONLY, _INSECURE_PORT, _NOSUBTREECHECK,
/// _FSID, _CROSSMOUNT.
const FLAGS: u32 = READ_ONLY | 0x2 | 0x400 | 0x2000 | 0x4000;
/// The shortest time, in seconds, that the server has for clients of an earlier one to come back.
const GRACE: &str = "10\n";
/// Never, in seconds since 1970.
pub const NEVER: u32 = i32::MAX as u32;

pub const CASES: &[Case] = &[
    Case {
        name: "nfs-referral",
        expected: Same("query 9, contacted 127.1.3.1:2049, read \"the file itself\""),
        run: |guest| {
            guest.serve(Zone::new("nfs.test").a("a", [127, 1, 3, 1], 60));
            attempt(guest, "a")
        },
    },
    Case {
        name: "nfs-referral-aaaa",
        expected: Same("query 3, contacted [::1]:2049, read \"the file itself\""),
        run: |guest| {
            guest.serve(Zone::new("nfs.test").aaaa("aaaa", LOOPBACK, 60));
            attempt(guest, "aaaa")
        },
    },
    Case {
        name: "nfs-referral-nxdomain",
        expected: Same("query -61, contacted nobody, ENOENT"),
        run: |guest| {
            guest.serve(Zone::new("nfs.test"));
            attempt(guest, "nxdomain")
        },
    },
    Case {
        name: "nfs-naive-two-addresses",
        expected: Same("query 19, contacted nobody, ENOENT"),
        run: |guest| {
            let _naive = naive("127.1.3.1,127.1.3.2");
            attempt(guest, "naive")
        },
    },
];

/// Reads a file through the referral to `HOST.nfs.test`.
fn attempt(guest: &mut Guest, host: &str) -> String {
    let options = format!("addr=127.0.0.1,port={SERVER},clientaddr=127.0.0.1,vers=4.1");
    let _mounted = mounted("nfs4", "127.0.0.1:/", &options).unwrap();
    let read = match fs::read_to_string(format!("{MOUNT_POINT}/{host}/file")) {
        Ok(text) => format!("read {text:?}"),
        Err(error) => format!("{:?}", Errno::from_raw(error.raw_os_error().unwrap())),
    };
    format!("query {}, contacted {}, {read}", guest.query(), guest.contacts.named())
}

/// Starts the server. Nobody may open a file in its first seconds, in which clients of an earlier one would come back.
pub fn serve() {
    mount(None::<&str>, "/proc/fs/nfsd", Some("nfsd"), MsFlags::empty(), None::<&str>).unwrap();
    fs::write("/proc/net/rpc/auth.unix.ip/channel", format!("nfsd 127.0.0.1 {NEVER} everybody\n")).unwrap();
    export("", 0, None);
    export("/real", 1, None);
    fs::write(format!("{ROOT}/real/file"), TEXT).unwrap();
    for (number, host) in (2..).zip(["a", "aaaa", "nxdomain", "naive"]) {
        export(&format!("/{host}"), number, Some(&format!("{host}.nfs.test")));
    }
    fs::write("/proc/fs/nfsd/versions", "-2 -3 +4 +4.1 +4.2\n").unwrap();
    for time in ["nfsv4leasetime", "nfsv4gracetime"] {
        fs::write(format!("/proc/fs/nfsd/{time}"), GRACE).unwrap();
    }
    fs::write("/proc/fs/nfsd/portlist", format!("tcp {SERVER}\n")).unwrap();
    fs::write("/proc/fs/nfsd/threads", "2\n").unwrap();
}

/// Exports a file system at this path below the root: itself, or a referral to `/real` of a host.
fn export(path: &str, number: u8, referral: Option<&str>) {
    export_with(path, number, FLAGS, referral);
}

/// Exports a file system that root may write to as root, and says where it is.
pub fn export_for_writing(path: &str, number: u8) -> String {
    export_with(path, number, FLAGS & !READ_ONLY, None);
    format!("{ROOT}{path}")
}

fn export_with(path: &str, number: u8, flags: u32, referral: Option<&str>) {
    let path = format!("{ROOT}{path}");
    fs::create_dir_all(&path).unwrap();
    mount(Some("tmpfs"), path.as_str(), Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    let referral = referral.map(|host| format!(" fsloc 1 {host} /real 1")).unwrap_or_default();
    let line = format!("everybody {path} {NEVER} {flags} 65534 65534 {number}{referral}\n");
    fs::write("/proc/net/rpc/nfsd.export/channel", line).unwrap();
    // Kind 1: file handles have the number of the export, as four bytes.
    let line = format!("everybody 1 \\x{number:02x}000000 {NEVER} {path}\n");
    fs::write("/proc/net/rpc/nfsd.fh/channel", line).unwrap();
}
