//! Mount and network namespaces of their own, with a network and an `/etc` that tests may do with as they like.

use super::{run, skip, usual_umask};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The files that decide how names are looked up.
const FILES: [&str; 6] =
    ["hosts", "host.conf", "resolv.conf", "nsswitch.conf", "gai.conf", "keyutils/key.dns_resolver.conf"];

/// Set in the process that is in the namespaces.
const INSIDE: &str = "KEY_DNS_TEST_INSIDE";

/// The namespaces that a test gets, as unshare(1) is told.
const UNSHARE: [&str; 5] = ["--mount", "--net", "--propagation", "private", "--"];

/// Of all that helpers become, the user with the lowest number.
pub const HELPER: u32 = 2_100_000_000;

/// Why a test can't run where [`HELPER`] is nobody.
pub const NO_HELPER: &str = "it needs the users that helpers become, which this user namespace lacks";

/// Whether a process can become this user: a user namespace, such as that of a rootless container, lacks most of them.
pub fn has_user(id: u32) -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.lines().any(|line| {
        let fields: Vec<u32> = line.split_whitespace().filter_map(|field| field.parse().ok()).collect();
        matches!(fields[..], [first, _, count] if id.checked_sub(first).is_some_and(|place| place < count))
    })
}

/// Why there can't be mount and network namespaces with helpers in them, if there can't: root in a container lacks the right.
pub fn no_namespaces() -> Option<&'static str> {
    let output = Command::new("unshare").args(UNSHARE).arg("true").output();
    if !output.is_ok_and(|output| output.status.success()) {
        Some("it needs root with CAP_SYS_ADMIN, for mount and network namespaces")
    } else if !has_user(HELPER) {
        Some(NO_HELPER)
    } else {
        None
    }
}

/// Why there can't be such namespaces, if there can't.
pub fn obstacle() -> Option<&'static str> {
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    no_namespaces().or_else(|| (!works("ip", &["-V"])).then_some("it needs ip (package iproute2)"))
}

/// Whether this process is in namespaces of its own.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs the test `name` again in namespaces of its own; `true` where it is there already.
pub fn inside(name: &str) -> bool {
    if is_inside() {
        set_up();
        return true;
    }
    if let Some(reason) = obstacle() {
        skip(reason);
        return false;
    }
    let mut command = Command::new("unshare");
    let status = command
        .args(UNSHARE)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its namespaces");
    false
}

/// Brings up loopback and an interface with addresses and default routes that lead nowhere, and puts a copy of
/// `/etc` in the place of the real one.
fn set_up() {
    usual_umask();
    for command in [
        "ip link set lo up",
        "ip link add dummy0 type veth peer name dummy1",
        "ip link set dummy1 up",
        "ip link set dummy0 up",
        "ip address add 198.51.100.2/24 dev dummy0",
        "ip address add 10.20.0.2/16 dev dummy0",
        "ip -6 address add 2001:db8:9::2/64 dev dummy0 nodad",
        "ip -6 address add fd00:9::2/64 dev dummy0 nodad",
        "ip route add default via 198.51.100.1",
        "ip -6 route add default via 2001:db8:9::1",
        "mount -t tmpfs tmpfs /mnt",
        // Another test may take a file away meanwhile.
        "cp -a /etc /mnt/etc || { rm -rf /mnt/etc && sleep 1 && cp -a /etc /mnt/etc; }",
        "mount --bind /mnt/etc /etc",
        "mkdir -p /etc/keyutils",
    ] {
        let done = run("sh", &["-c", command]);
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
    for file in FILES {
        write(file, None);
    }
}

/// Gives a file in `/etc` these contents, or removes it.
pub fn write(file: &str, contents: Option<&str>) {
    let path = Path::new("/etc").join(file);
    match contents {
        Some(contents) => fs::write(path, contents).unwrap(),
        None => {
            let _ = fs::remove_file(path);
        }
    }
}
