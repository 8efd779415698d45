//! Other packages' programs for keys, as Debian ships them with their rules, run by our `request-key` for what real
//! file systems request; the same under keyutils' `request-key` if the number of runs matters.

mod afs;
mod cifs;
mod counted;
mod forged;
mod nfs;
mod realm;

pub use counted::{go_on, is_counted};

use crate::case::Case;
use crate::guest::Guest;
use crate::naive::{Aside, nobody};
use key::keyctl;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// keyutils' own program, out of the way.
const KEYUTILS: &str = "/sbin/request-key.keyutils";
/// The domain of all that is here.
const DOMAIN: &str = "vm.test";
/// A user who has a ticket, owns files and asks for keys; and one who has nothing.
const ALICE: u32 = 1000;
const BOB: u32 = 1001;

/// The cases, in the order in which they are run.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [nfs::CASES, cifs::CASES, afs::CASES, forged::CASES].into_iter().flatten()
}

/// Whether Debian's packages are in this guest.
pub fn are_here() -> bool {
    Path::new(KEYUTILS).exists()
}

/// Makes a host of the packages: users, files of settings, and a count of each run.
pub fn set_up() {
    for (path, text) in [
        (
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n\
             nobody:x:65534:65534::/:/bin/sh\n",
        ),
        ("/etc/group", "root:x:0:\nalice:x:1000:\nbob:x:1001:\nstaff:x:2000:\nnogroup:x:65534:\n"),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ("/etc/idmapd.conf", "[General]\nDomain = vm.test\n[Translation]\nMethod = nsswitch\n"),
    ] {
        fs::write(path, text).unwrap();
    }
    // What the programs have to say is not to wait for somebody who reads it.
    fs::write("/proc/sys/net/unix/max_dgram_qlen", "4096").unwrap();
    let _ = symlink("/proc/self/mounts", "/etc/mtab");
    counted::set_up();
}

/// What this is like under our `request-key`, and under keyutils'.
fn under_both(guest: &mut Guest, what: impl Fn(&mut Guest, &str) -> String) -> String {
    let ours = what(guest, "ours");
    guest.forget();
    let _theirs = keyutils();
    format!("{ours}; keyutils: {}", what(guest, "keyutils"))
}

/// Has keyutils' `request-key` in the place of ours.
fn keyutils() -> Aside {
    let aside = nobody();
    symlink(KEYUTILS, "/sbin/request-key").unwrap();
    aside
}

/// Runs a program, and says what it said, or how it failed.
fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Empties one of the kernel's keyrings.
fn forget_keys(keyring: &str) {
    let keys = fs::read_to_string("/proc/keys").unwrap();
    let line = keys.lines().find(|line| line.contains(&format!(" {keyring}: "))).unwrap();
    let number = line.split_whitespace().next().unwrap();
    keyctl::clear(i32::from_str_radix(number, 16).unwrap()).unwrap();
}
