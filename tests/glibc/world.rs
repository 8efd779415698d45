//! The namespaces' own network and `/etc`.

use crate::support::run;
use std::fs;
use std::path::Path;

/// The files that decide how names are looked up.
const FILES: [&str; 6] =
    ["hosts", "host.conf", "resolv.conf", "nsswitch.conf", "gai.conf", "keyutils/key.dns_resolver.conf"];

/// Brings up loopback and an interface with addresses and default routes that lead nowhere, and puts a copy of
/// `/etc` in the place of the real one.
pub fn set_up() {
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
        "cp -a /etc /mnt/etc",
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
