//! libceph: monitors by name, as in CephFS and RBD.

use crate::case::Case;
use crate::case::Expected::{Differs, Same};
use crate::dns::{Action, Script, Zone, qtype};
use crate::guest::{Guest, hosts, mounted, search, wait};
use crate::naive::{naive, nobody};
use nix::errno::Errno;
use std::fmt::Write;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Where a monitor listens.
pub const PORT: u16 = 6789;
/// A key of zeros; nobody gets to see it.
const SECRET: &str = "AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==";

pub const CASES: &[Case] = &[
    Case {
        name: "ceph-no-request-key",
        expected: Same("query -2, ret=-3 failed, ESRCH; again: query -126, ret=-3 failed, ESRCH"),
        run: |guest| {
            guest.serve(zone().a("nobody", [127, 1, 0, 1], 60));
            let _nobody = nobody();
            let first = attempt(guest, "nobody.ceph.test");
            guest.forget();
            format!("{first}; again: {}", attempt(guest, "nobody.ceph.test"))
        },
    },
    Case {
        name: "ceph-a",
        expected: Same("query 9, ret=0 127.1.0.2, contacted 127.1.0.2:6789"),
        run: |guest| {
            guest.serve(zone().a("a", [127, 1, 0, 2], 60));
            attempt(guest, "a.ceph.test")
        },
    },
    Case {
        name: "ceph-a-and-aaaa",
        expected: Same("query 9, ret=0 127.1.0.3, contacted 127.1.0.3:6789"),
        run: |guest| {
            guest.serve(zone().a("both", [127, 1, 0, 3], 60).aaaa("both", LOOPBACK, 60));
            attempt(guest, "both.ceph.test")
        },
    },
    Case {
        name: "ceph-aaaa",
        expected: Same("query 3, ret=0 [::1], contacted [::1]:6789"),
        run: |guest| {
            guest.serve(zone().aaaa("aaaa", LOOPBACK, 60));
            attempt(guest, "aaaa.ceph.test")
        },
    },
    Case {
        name: "ceph-eight-addresses",
        expected: Same("query 10, ret=0 127.1.0.10, contacted 127.1.0.10:6789"),
        run: |guest| {
            let add = |zone: Zone, last| zone.a("eight", [127, 1, 0, last], 60);
            guest.serve((10..18).fold(zone(), add));
            attempt(guest, "eight.ceph.test")
        },
    },
    Case {
        name: "ceph-hosts-file",
        expected: Same("query 9, ret=0 127.1.0.4, contacted 127.1.0.4:6789; DNS was not asked"),
        run: |guest| {
            guest.serve(zone().a("hosts", [127, 1, 0, 99], 60));
            hosts("127.1.0.4 hosts.ceph.test\n");
            let seen = attempt(guest, "hosts.ceph.test");
            format!(
                "{seen}; DNS was {}",
                if guest.asked("hosts.ceph.test") == 0 { "not asked" } else { "asked" }
            )
        },
    },
    Case {
        name: "ceph-search-list",
        expected: Same("query 9, ret=0 127.1.0.5, contacted 127.1.0.5:6789"),
        run: |guest| {
            let zones = vec![zone().a("searched", [127, 1, 0, 5], 60), Zone::new("other.test")];
            guest.serve_by(zones, Script::new());
            search("other.test ceph.test");
            attempt(guest, "searched")
        },
    },
    Case {
        name: "ceph-cname",
        expected: Same("query 9, ret=0 127.1.0.6, contacted 127.1.0.6:6789"),
        run: |guest| {
            guest.serve(zone().cname("alias", "middle", 60).cname("middle", "end", 60).a(
                "end",
                [127, 1, 0, 6],
                60,
            ));
            attempt(guest, "alias.ceph.test")
        },
    },
    Case {
        name: "ceph-nxdomain",
        expected: Same(
            "query -61, ret=-3 failed, ESRCH; record there, at once: query -61, ret=-3 failed, ESRCH; \
             after 5 s: query 9, ret=0 127.1.0.7, contacted 127.1.0.7:6789",
        ),
        run: |guest| {
            guest.serve(zone().soa(5, 5));
            let mut seen = attempt(guest, "late.ceph.test");
            guest.serve(zone().a("late", [127, 1, 0, 7], 60));
            guest.forget();
            write!(seen, "; record there, at once: {}", attempt(guest, "late.ceph.test")).unwrap();
            wait(5);
            guest.forget();
            write!(seen, "; after 5 s: {}", attempt(guest, "late.ceph.test")).unwrap();
            seen
        },
    },
    Case {
        name: "ceph-servfail",
        expected: Same(
            "query -11, ret=-3 failed, ESRCH; after 2 s: query 9, ret=0 127.1.0.8, contacted 127.1.0.8:6789",
        ),
        run: |guest| {
            guest.serve_by(Vec::new(), Script::new().on_all(Action::SERVFAIL));
            let seen = attempt(guest, "ill.ceph.test");
            guest.serve(zone().a("ill", [127, 1, 0, 8], 60));
            wait(2);
            guest.forget();
            format!("{seen}; after 2 s: {}", attempt(guest, "ill.ceph.test"))
        },
    },
    Case {
        name: "ceph-three-monitors",
        expected: Same("query 10, query 10, query 3, ret=0 127.1.0.20, ret=0 127.1.0.21, ret=0 [::1]"),
        run: |guest| {
            guest.serve(
                zone().a("x", [127, 1, 0, 20], 60).a("y", [127, 1, 0, 21], 60).aaaa("z", LOOPBACK, 60),
            );
            let _ = mount("x.ceph.test:6789,y.ceph.test:6789,z.ceph.test:6789");
            lookups(guest)
        },
    },
    Case {
        name: "ceph-two-at-once",
        expected: Same("query 9, query 9, ret=0 127.1.0.9, ret=0 127.1.0.9; DNS was asked once"),
        run: |guest| {
            // By one upcall, which lasts long enough for both to be there.
            let slow = Action::delay(Duration::from_secs(1), Action::Zone);
            let zone = zone().a("twice", [127, 1, 0, 9], 60);
            guest.serve_by(vec![zone], Script::new().on("twice.ceph.test", qtype::A, slow));
            let two = [(); 2].map(|()| thread::spawn(|| mount("twice.ceph.test:6789")));
            for one in two {
                let _ = one.join().unwrap();
            }
            format!("{}; DNS was asked {}", lookups(guest), times(guest.asked("twice.ceph.test")))
        },
    },
    Case {
        name: "ceph-address-changes",
        expected: Same(
            "TTL 8 s: ret=0 127.1.0.30; address changes, at once: ret=0 127.1.0.30, DNS was asked once; \
             after 8 s: ret=0 127.1.0.31, DNS was asked twice",
        ),
        run: |guest| {
            let mut look_up = |address| {
                guest.serve(zone().a("moves", [127, 1, 0, address], 8));
                guest.forget_log();
                let _ = mount("moves.ceph.test:6789");
                (resolved(guest), times(guest.asked("moves.ceph.test")))
            };
            let (first, _) = look_up(30);
            // The key is older than that.
            let known = Instant::now();
            let (second, asked) = look_up(31);
            sleep(Duration::from_secs(8).saturating_sub(known.elapsed()));
            let (third, asked_again) = look_up(31);
            format!(
                "TTL 8 s: {first}; address changes, at once: {second}, DNS was asked {asked}; \
                 after 8 s: {third}, DNS was asked {asked_again}"
            )
        },
    },
    Case {
        name: "ceph-naive-two-addresses",
        // What is after the address is let be where a `char` of -1 is -1 (net/ceph/messenger.c, `ceph_pton()`): on x86-64,
        // before Linux 6.2 made them unsigned everywhere.
        expected: Differs(
            if cfg!(target_arch = "x86_64") {
                "query 21, ret=0 127.1.0.40, contacted 127.1.0.40:6789"
            } else {
                "query 21, ret=-22 failed, EINVAL"
            },
            "query 21, ret=-22 failed, EINVAL",
        ),
        run: |guest| {
            let _naive = naive("127.1.0.40,127.1.0.41");
            attempt(guest, "naive.ceph.test")
        },
    },
];

/// `::1`, as DNS has it.
pub const LOOPBACK: [u16; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

fn zone() -> Zone {
    Zone::new("ceph.test").soa(60, 60)
}

/// Some names for whoever tries by hand.
pub fn sample() -> Zone {
    zone().a("mon1", [127, 0, 0, 1], 60).aaaa("mon2", LOOPBACK, 60)
}

/// Mounts by these monitors. None of them says anything, so it always fails in the end.
pub fn mount(monitors: &str) -> Result<(), Errno> {
    let options = format!("name=admin,secret={SECRET},mount_timeout=2");
    mounted("ceph", &format!("{monitors}:/"), &options).map(drop)
}

/// Mounts by one monitor: what the lookup gave, and who was contacted or what the mount failed with.
pub fn attempt(guest: &mut Guest, name: &str) -> String {
    let error = mount(&format!("{name}:{PORT}")).expect_err("a mount without a monitor");
    let contacted = !guest.contacts.seen().is_empty();
    let end = if contacted { format!("contacted {}", guest.contacts.named()) } else { format!("{error:?}") };
    format!("{}, {end}", lookups(guest))
}

/// What `dns_query()` returned, then what libceph made of it.
fn lookups(guest: &mut Guest) -> String {
    let queries = guest.returned().into_iter().map(|number| format!("query {number}"));
    let mut lookups: Vec<String> = queries.collect();
    lookups.push(resolved(guest));
    lookups.join(", ")
}

/// What libceph says of names: `'NAME' (ret=0): (1)ADDRESS:0`, or `'NAME' (ret=ERRNO): failed`.
fn resolved(guest: &mut Guest) -> String {
    let short = |line: String| {
        let (_, result) = line.split_once("' (").unwrap();
        let (number, text) = result.split_once("): ").unwrap();
        let text = text.split_once(')').map_or(text, |(_, address)| address);
        format!("{number} {}", text.trim_end_matches(":0"))
    };
    guest.after("libceph: resolve '").into_iter().map(short).collect::<Vec<_>>().join(", ")
}

/// How often something was done.
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
