//! Mounts from another network namespace.

use crate::case::Case;
use crate::case::Expected::Same;
use crate::ceph;
use crate::dns::Zone;
use nix::sched::{CloneFlags, unshare};
use std::thread;

pub const CASES: &[Case] = &[
    Case {
        name: "netns-ceph",
        expected: Same("query 9, ret=0 127.1.1.1, EHOSTUNREACH"),
        run: |guest| {
            guest.serve(zone().a("inside", [127, 1, 1, 1], 60));
            elsewhere(|| ceph::attempt(guest, "inside.netns.test"))
        },
    },
    Case {
        name: "netns-ceph-known-outside",
        expected: Same(
            "query 9, ret=0 127.1.1.2, contacted 127.1.1.2:6789; inside: query 9, ret=0 127.1.1.2, EHOSTUNREACH; \
             DNS was asked once",
        ),
        run: |guest| {
            guest.serve(zone().a("known", [127, 1, 1, 2], 60));
            let outside = ceph::attempt(guest, "known.netns.test");
            guest.serve(zone().a("known", [127, 1, 1, 3], 60));
            guest.forget_log();
            guest.contacts.forget();
            let inside = elsewhere(|| ceph::attempt(guest, "known.netns.test"));
            let asked = ceph::times(guest.asked("known.netns.test"));
            format!("{outside}; inside: {inside}; DNS was asked {asked}")
        },
    },
];

fn zone() -> Zone {
    Zone::new("netns.test")
}

/// Does this in a network namespace of its own, where there is nothing.
fn elsewhere<T: Send>(action: impl FnOnce() -> T + Send) -> T {
    let inside = move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        action()
    };
    thread::scope(|scope| scope.spawn(inside).join().unwrap())
}
