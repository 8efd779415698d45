//! NFSv4 with user names: the client requests each name and each number, and `nfsidmap` answers.

use super::counted::{descriptions, forget_runs, runs};
use super::{ALICE, DOMAIN, under_both};
use crate::case::Case;
use crate::case::Expected::Same;
use crate::guest::{MOUNT_POINT, Mounted, mounted};
use crate::nfs::{NEVER, SERVER, export_for_writing};
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Once;

/// Users and a group as the server has them.
const OWNER: u32 = 5000;
const GROUP: u32 = 5001;
const UNKNOWN: u32 = 5002;
/// How many ids nobody has a name for: so few that all are asked for while the first is remembered, 10 s.
const IDS: u32 = 8;
const TIMES: usize = 5;
/// Whether users are numbers, and no names.
const OF_CLIENT: &str = "/sys/module/nfs/parameters/nfs4_disable_idmapping";
const OF_SERVER: &str = "/sys/module/nfsd/parameters/nfs4_disable_idmapping";

pub const CASES: &[Case] = &[
    Case {
        name: "nfsidmap-names",
        expected: Same(
            "user 1000, group 2000; again: user 1000, group 2000; 2 runs of nfsidmap for user 0: \
             gid:staff@vm.test, uid:alice@vm.test",
        ),
        run: |_| {
            serve();
            let _mounted = mount();
            forget_runs();
            let first = owner_and_group("named");
            let again = owner_and_group("named");
            let mut asked = descriptions();
            asked.sort_unstable();
            format!("{first}; again: {again}; {}: {}", runs(), asked.join(", "))
        },
    },
    Case {
        name: "nfsidmap-unknown-names",
        expected: Same(
            "user 65534, group 2000, 5 times; 1 run of nfsidmap for user 0; \
             keyutils: user 65534, group 2000, 5 times; 1 run of nfsidmap for user 0",
        ),
        run: |guest| {
            serve();
            under_both(guest, |_, who| {
                let _mounted = mount();
                let name = format!("unknown-{who}");
                forget_runs();
                let mut seen: Vec<String> = (0..TIMES).map(|_| owner_and_group(&name)).collect();
                let times = seen.len();
                seen.dedup();
                format!("{}, {times} times; {}", seen.join(" / "), runs())
            })
        },
    },
    Case {
        name: "nfsidmap-unknown-ids",
        expected: Same(
            "8 ids, 5 times each, 0 refused; 8 runs of nfsidmap for user 0; \
             keyutils: 8 ids, 5 times each, 0 refused; 8 runs of nfsidmap for user 0",
        ),
        run: |guest| {
            serve();
            // The server is to take a number where the client has no name.
            fs::write(OF_SERVER, "Y").unwrap();
            let seen = under_both(guest, |_, who| {
                let first = if who == "ours" { 6000 } else { 7000 };
                let _mounted = mount();
                let file = format!("{MOUNT_POINT}/ids/unknown-{who}");
                forget_runs();
                let mut failed = 0;
                for _ in 0..TIMES {
                    failed +=
                        (first..first + IDS).filter(|id| chown(&file, Some(*id), None).is_err()).count();
                }
                format!("{IDS} ids, {TIMES} times each, {failed} refused; {}", runs())
            });
            fs::write(OF_SERVER, "N").unwrap();
            seen
        },
    },
];

/// What the server's files are, and what their owners are called.
fn serve() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let root = export_for_writing("/ids", 50);
        for (file, owner, group) in [
            ("named", OWNER, GROUP),
            ("unknown-ours", UNKNOWN, GROUP),
            ("unknown-keyutils", UNKNOWN + 1, GROUP),
        ] {
            let path = format!("{root}/{file}");
            fs::write(&path, "").unwrap();
            chown(&path, Some(owner), Some(group)).unwrap();
        }
        for (kind, id, name) in [
            ("user", OWNER, "alice"),
            ("group", GROUP, "staff"),
            ("user", UNKNOWN, "stranger"),
            ("user", UNKNOWN + 1, "other"),
            ("user", 0, "root"),
            ("group", 0, "root"),
            ("user", 65534, "nobody"),
            ("group", 65534, "nogroup"),
        ] {
            // The domain of the client, kind, number, end of validity, name; or the other way round.
            let name = format!("{name}@{DOMAIN}");
            let of_number = format!("everybody {kind} {id} {NEVER} {name}\n");
            fs::write("/proc/net/rpc/nfs4.idtoname/channel", of_number).unwrap();
            let of_name = format!("everybody {kind} {name} {NEVER} {id}\n");
            fs::write("/proc/net/rpc/nfs4.nametoid/channel", of_name).unwrap();
        }
        for numbers in [OF_CLIENT, OF_SERVER] {
            fs::write(numbers, "N").unwrap();
        }
    });
}

/// Without a memory for attributes.
fn mount() -> Mounted {
    let options = format!("addr=127.0.0.1,port={SERVER},clientaddr=127.0.0.1,vers=4.1,noac");
    mounted("nfs4", "127.0.0.1:/", &options).unwrap()
}

/// Whose a file is, as a user sees it.
fn owner_and_group(file: &str) -> String {
    let path = format!("{MOUNT_POINT}/ids/{file}");
    let output = Command::new("/bin/busybox")
        .args(["stat", "-c", "user %u, group %g", &path])
        .uid(ALICE)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()
}
