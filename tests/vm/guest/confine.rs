//! The confinement of the process that answers a key, on this kernel and this architecture: what `tests/confine` sees on
//! the host's.

use crate::attempts::{self, WAYS};
use crate::case::Case;
use crate::case::Expected::{Differs, Same};
use crate::ceph;
use crate::dns::{Action, Script, Zone};
use crate::guest::Guest;
use crate::helper::Helper;
use crate::naive::confined;
use std::thread;
use std::time::Duration;

/// How long the name server is silent: shorter than the helper waits before it asks again.
const SILENCE: Duration = Duration::from_secs(4);

pub const CASES: &[Case] = &[
    Case {
        name: "confine-waiting-helper",
        expected: Same(
            "Uid own, Gid own, Groups none, CapInh none, CapPrm none, CapEff none, CapAmb none, NoNewPrivs 1, \
             Seccomp 2, Threads 1; core file size 0 0, file size 0 0, processes 0 0, cpu time 10 11, \
             address space 268435456 268435456; open: /dev/null, /etc/hosts, anon_inode, socket; \
             query 9, ret=0 127.1.5.1, contacted 127.1.5.1:6789",
        ),
        run: |guest| {
            let late = Script::new().on_all(Action::delay(SILENCE, Action::Zone));
            guest.serve_by(vec![zone().a("waits", [127, 1, 5, 1], 60)], late);
            thread::scope(|scope| {
                let helper = scope.spawn(|| status(&Helper::waiting()));
                let seen = ceph::attempt(guest, "waits.confine.test");
                format!("{}; {seen}", helper.join().unwrap())
            })
        },
    },
    Case {
        // By UDP there is nothing, and TCP begins when the helper is confined.
        name: "confine-tcp",
        expected: Same("query 9, ret=0 127.1.5.2, contacted 127.1.5.2:6789; DNS was asked twice"),
        run: |guest| {
            let truncated = Script::new().on_all(Action::truncate_then_tcp(Action::Zone));
            guest.serve_by(vec![zone().a("tcp", [127, 1, 5, 2], 60)], truncated);
            let seen = ceph::attempt(guest, "tcp.confine.test");
            format!("{seen}; DNS was asked {}", ceph::times(guest.asked("tcp.confine.test")))
        },
    },
    Case {
        name: "confine-attempts",
        // Landlock knows of TCP since Linux 6.7, of abstract sockets and signals since 6.12.
        expected: Differs(
            "as on the host, but: connect to another TCP port: confined done, landlock done; \
             an abstract socket: landlock done; signal a process: landlock done; \
             signal a held process: landlock done",
            "as on the host",
        ),
        run: |_| {
            let others: Vec<String> = attempts::all().filter_map(|tried| otherwise(&tried)).collect();
            if others.is_empty() {
                "as on the host".to_owned()
            } else {
                format!("as on the host, but: {}", others.join("; "))
            }
        },
    },
    Case {
        name: "confine-answers",
        expected: Same(
            "instantiate: query 9; reject: query -61; file: query -11, signal 31; program: query -11, signal 31; \
             another-key: query -11, signal 31; read: query -11, signal 31; abort: query -11, signal 6",
        ),
        run: |guest| {
            let things = ["instantiate", "reject", "file", "program", "another-key", "read", "abort"];
            things.map(|thing| answer(guest, thing)).join("; ")
        },
    },
];

fn zone() -> Zone {
    Zone::new("confine.test")
}

/// What the kernel says of a helper.
fn status(helper: &Helper) -> String {
    let own = (2_100_000_000 + helper.pid).to_string();
    let facts =
        ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp", "Threads"]
            .map(|key| {
                let value = match helper.value(key) {
                    ids if ids == [own.as_str(); 4].join(" ") => "own".to_owned(),
                    none if ["", "0000000000000000"].contains(&none.as_str()) => "none".to_owned(),
                    value => value,
                };
                format!("{key} {value}")
            });
    let limits = ["core file size", "file size", "processes", "cpu time", "address space"]
        .map(|name| format!("{name} {}", helper.limit(&format!("Max {name}")).join(" ")));
    let mut open: Vec<&str> = helper
        .descriptors
        .iter()
        .map(|name| name.split_once(':').map_or(name.as_str(), |(kind, _)| kind))
        .collect();
    open.dedup();
    format!("{}; {}; open: {}", facts.join(", "), limits.join(", "), open.join(", "))
}

/// An attempt that ended otherwise than on the host, and in which ways.
fn otherwise(tried: &attempts::Tried) -> Option<String> {
    let ways = WAYS.iter().zip(tried.seen.iter().zip(&tried.expected));
    let other: Vec<String> = ways
        .filter(|(_, (seen, expected))| seen != expected)
        .map(|(way, (seen, _))| format!("{way} {seen}"))
        .collect();
    (!other.is_empty()).then(|| format!("{}: {}", tried.what, other.join(", ")))
}

/// What becomes of a key whose helper does this once it is confined, and the signal that it says it died of.
fn answer(guest: &mut Guest, thing: &str) -> String {
    guest.forget();
    let _confined = confined(thing);
    let _ = ceph::mount(&format!("{thing}.confine.test"));
    let query = guest.query();
    let said = guest.said();
    let died = said.iter().filter(|line| line.contains("answered with EAGAIN"));
    let signals = died.filter_map(|line| Some(line.split_once("(signal ")?.1.split_once(')')?.0));
    let parts: Vec<&str> = std::iter::once(query.as_str()).chain(signals).collect();
    format!("{thing}: query {}", parts.join(", signal "))
}
