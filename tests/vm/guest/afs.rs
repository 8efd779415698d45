//! kAFS: the volume location servers of a cell.

use crate::case::Case;
use crate::case::Expected::{Differs, Same};
use crate::ceph::LOOPBACK;
use crate::dns::{Action, Script, Zone};
use crate::guest::{Guest, mounted, outcome, wait};
use crate::naive::naive;
use std::fs;

/// Where somebody listens, each for one case.
pub const SERVERS: [(&str, u16); 6] = [
    ("127.1.2.1", 7003),
    ("127.1.2.2", 7013),
    ("::1", 7013),
    ("127.1.2.3", 7003),
    ("127.1.2.4", 7003),
    ("127.1.2.5", 7003),
];

/// The zone of a cell with SRV records: two servers, one of which has both families.
pub fn with_srv_records() -> Zone {
    Zone::new("srv.afs.test")
        .srv("_afs3-vlserver._udp", 20, 7, 7013, "two", 60)
        .srv("_afs3-vlserver._udp", 10, 5, 7003, "one", 60)
        .a("one", [127, 1, 2, 1], 60)
        .a("two", [127, 1, 2, 2], 60)
        .aaaa("two", LOOPBACK, 60)
}

pub const CASES: &[Case] = &[
    Case {
        name: "afs-srv",
        expected: Same(
            "query 89, ECONNREFUSED; source SRV, status good | one.srv.afs.test [p=10 w=5 s=nss,good] | 127.1.2.1:7003 | \
             two.srv.afs.test [p=20 w=7 s=nss,good] | 127.1.2.2:7013 | [::1]:7013; \
             contacted 127.1.2.1:7003, 127.1.2.2:7013, [::1]:7013",
        ),
        run: |guest| {
            guest.serve(with_srv_records());
            reach(guest, "srv.afs.test", 3)
        },
    },
    Case {
        name: "afs-afsdb",
        expected: Same(
            "query 40, ECONNREFUSED; source AFSDB, status good | db.afsdb.afs.test [p=0 w=0 s=nss,good] | 127.1.2.3:7003; \
             contacted 127.1.2.3:7003",
        ),
        run: |guest| {
            let zone = Zone::new("afsdb.afs.test").afsdb("@", 1, "db", 60).a("db", [127, 1, 2, 3], 60);
            guest.serve(zone);
            reach(guest, "afsdb.afs.test", 1)
        },
    },
    Case {
        name: "afs-database",
        expected: Same(
            "query 43, ECONNREFUSED; source cfg, status good | db.database.afs.test [p=0 w=0 s=cfg,good] | 127.1.2.4:7003; \
             contacted 127.1.2.4:7003",
        ),
        run: |guest| {
            guest.serve(Zone::new("database.afs.test"));
            let database = ">database.afs.test\n127.1.2.4 #db.database.afs.test\n";
            fs::create_dir_all("/etc/openafs").unwrap();
            fs::write("/etc/openafs/CellServDB", database).unwrap();
            reach(guest, "database.afs.test", 1)
        },
    },
    Case {
        name: "afs-no-such-cell",
        expected: Same("query -61, ENOENT"),
        run: |guest| {
            guest.serve(Zone::new("afs.test"));
            attempt(guest, "missing.afs.test")
        },
    },
    Case {
        name: "afs-servfail",
        expected: Same(
            "query -11, EDESTADDRREQ; after 11 s: query 38, ECONNREFUSED; source AFSDB, status good | \
             db.ill.afs.test [p=0 w=0 s=nss,good] | 127.1.2.5:7003; contacted 127.1.2.5:7003",
        ),
        run: |guest| {
            guest.serve_by(Vec::new(), Script::new().on_all(Action::SERVFAIL));
            let seen = attempt(guest, "ill.afs.test");
            guest.serve(Zone::new("ill.afs.test").afsdb("@", 1, "db", 60).a("db", [127, 1, 2, 5], 60));
            wait(11);
            guest.forget();
            format!("{seen}; after 11 s: {}", reach(guest, "ill.afs.test", 1))
        },
    },
    Case {
        name: "afs-naive-text",
        expected: Differs("query 14, EDESTADDRREQ", "query 14, EIO"),
        run: |guest| {
            let _naive = naive("127.1.2.6+7023");
            attempt(guest, "naive.afs.test")
        },
    },
];

/// Mounts a volume of a cell: what `dns_query()` returned, and what came of it.
pub fn attempt(guest: &mut Guest, cell: &str) -> String {
    let result = mounted("afs", &format!("%{cell}:root.cell"), "");
    format!("query {}, {}", guest.query(), outcome(&result))
}

/// The same for a cell with so many addresses: also what the kernel knows of the servers, and which of the addresses
/// it contacted.
fn reach(guest: &mut Guest, cell: &str, addresses: usize) -> String {
    let seen = attempt(guest, cell);
    guest.until(|guest| guest.contacts.seen().len() >= addresses);
    let servers = servers(cell);
    format!("{seen}; {servers}; contacted {}", guest.contacts.named())
}

/// What the kernel knows of a cell's servers.
pub fn servers(cell: &str) -> String {
    let servers = fs::read_to_string(format!("/proc/fs/afs/{cell}/vlservers"));
    servers.map_or_else(|error| error.to_string(), |text| servers_of(&text))
}

/// The list's source and status; of each server its name, priority, weight, source and status; its addresses. Left out
/// are which of these the kernel likes best, and how it measured them.
fn servers_of(text: &str) -> String {
    let lines =
        text.lines().map(|line| line.trim_start_matches([' ', '#', '-', '>']).trim_end_matches([' ', ':']));
    let lines = lines.filter(|line| !line.starts_with("info:") && !line.starts_with("probe:"));
    lines.collect::<Vec<_>>().join(" | ")
}
