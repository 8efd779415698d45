//! kAFS with kafs-client's rule beside ours: cells go to its helper, and the other names to ours.

use super::counted::{forget_runs, runs};
use super::{ALICE, under_both};
use crate::afs::{attempt, servers, with_srv_records};
use crate::case::Case;
use crate::case::Expected::{Differs, Same};
use crate::dns::Zone;
use crate::guest::{Guest, MOUNT_POINT, mounted, wait};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

const RULE: &str = "/etc/request-key.d/kafs_dns.conf";
const NAMES: usize = 5;
const TIMES: usize = 4;
/// Seconds after which an answer of kafs-dns is none any more: it lasts one.
const PAUSE: u64 = 3;

pub const CASES: &[Case] = &[
    Case {
        name: "afs-by-kafs-client",
        // kafs-dns takes the usual port for that of each server.
        expected: Same(
            "query 89, ECONNREFUSED; source SRV, status good | one.srv.afs.test [p=10 w=5 s=nss,good] | 127.1.2.1:7003 | \
             two.srv.afs.test [p=20 w=7 s=nss,good] | 127.1.2.2:7003 | [::1]:7003; 1 run of kafs-dns for user 0",
        ),
        run: |guest| {
            guest.serve(with_srv_records());
            forget_runs();
            let seen = attempt(guest, "srv.afs.test");
            format!("{seen}; {}; {}", servers("srv.afs.test"), runs())
        },
    },
    Case {
        name: "afs-no-cells-by-kafs-client",
        expected: Same(
            "20 times No such file or directory; 20 queries; 20 runs of kafs-dns for user 0; DNS was asked [4] times a name; \
             keyutils: 20 times No such file or directory; 20 queries; 20 runs of kafs-dns for user 0; \
             DNS was asked [4] times a name",
        ),
        run: |guest| under_both(guest, |guest, who| no_cells(guest, &format!("kafs-{who}"), PAUSE)),
    },
    Case {
        name: "afs-no-cells-by-ours",
        // Linux 6.12 drops what it was told of a cell as soon as it has read it.
        // A denial is asked for once more, in plain.
        expected: Differs(
            "20 times No such file or directory; 20 queries; no run; DNS was asked [2] times a name; \
             keyutils: 20 times No such file or directory; 20 queries; no run; DNS was asked [2] times a name",
            "20 times No such file or directory; 20 queries; no run; DNS was asked [8] times a name; \
             keyutils: 20 times No such file or directory; 20 queries; no run; DNS was asked [8] times a name",
        ),
        run: |guest| {
            fs::rename(RULE, format!("{RULE}.aside")).unwrap();
            let seen = under_both(guest, |guest, who| no_cells(guest, &format!("own-{who}"), 0));
            fs::rename(format!("{RULE}.aside"), RULE).unwrap();
            seen
        },
    },
];

/// A user looks at names below `/afs` that are no cells: what they are told, and what was run for it.
fn no_cells(guest: &mut Guest, who: &str, pause: u64) -> String {
    guest.serve(Zone::new("afs.test"));
    let _mounted = mounted("afs", "none", "dyn").unwrap();
    guest.forget();
    forget_runs();
    let names = (0..NAMES).map(|number| format!("no-{number}.{who}.afs.test")).collect::<Vec<_>>();
    let mut errors = Vec::new();
    for time in 0..TIMES {
        if time > 0 {
            wait(pause);
        }
        for name in &names {
            let path = format!("{MOUNT_POINT}/{name}");
            let output = Command::new("/bin/busybox").args(["stat", &path]).uid(ALICE).output().unwrap();
            errors
                .push(String::from_utf8_lossy(&output.stderr).rsplit(": ").next().unwrap().trim().to_owned());
        }
    }
    let count = errors.len();
    errors.sort_unstable();
    errors.dedup();
    // For SRV records, which come first.
    let mut asked: Vec<usize> = names.iter().map(|name| guest.asked_for_cell(name)).collect();
    asked.dedup();
    format!(
        "{count} times {}; {} queries; {}; DNS was asked {asked:?} times a name",
        errors.join(" / "),
        guest.returned().len(),
        runs()
    )
}
