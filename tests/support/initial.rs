//! Whether a process is where the kernel's upcall runs: tests ask this, and the demo.

use std::fs;

/// Whether files, loopback and users are those that an upcall sees, in which the second process is a kernel thread.
pub fn in_initial_namespaces() -> bool {
    let same = |kind| {
        let namespace = |process| fs::read_link(format!("/proc/{process}/ns/{kind}")).ok();
        namespace("2").is_some_and(|initial| namespace("self") == Some(initial))
    };
    fs::read("/proc/2/comm").is_ok_and(|name| name == b"kthreadd\n")
        && ["mnt", "net", "user", "pid"].into_iter().all(same)
}

/// Whether the root directory is the same mount as for the kernel's threads. A process only sees mounts that its root
/// directory leads to; in most chroots `/` itself is not among them.
pub fn has_the_kernel_s_root() -> bool {
    let root = |process| {
        let text = fs::read_to_string(format!("/proc/{process}/mountinfo")).ok()?;
        let mut lines = text.lines().rev().map(|line| line.split(' ').collect::<Vec<_>>());
        lines.find(|fields| fields.get(4) == Some(&"/"))?.first().map(|&number| number.to_owned())
    };
    let own = root("self");
    own.is_some() && own == root("2")
}
