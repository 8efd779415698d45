//! Name servers that this machine is told to query.

use crate::dns::{Builder, Logged, Script, Server, Zone};
use crate::support::machine::Machine;

/// Where a test's name server listens.
pub const ADDRESS: &str = "127.53.0.1";
/// And a second one.
pub const OTHER: &str = "127.53.0.2";

/// A name server to be, on the port where the machine's settings can only have it.
pub fn server(address: &str) -> Builder {
    Server::builder().at(&if address.contains(':') {
        format!("[{address}]:53")
    } else {
        format!("{address}:53")
    })
}

/// The queries of a test. Other programs on this machine read its resolv.conf too, and may query real names meanwhile;
/// tests don't.
pub fn queries(server: &Server) -> Vec<Logged> {
    let world = |label: &str| ["com", "net", "org", "io"].contains(&label);
    server.queries().into_iter().filter(|query| !query.name.split('.').any(world)).collect()
}

/// The names that were queried, in order, each once if it was queried in several ways.
pub fn asked(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = queries(server).into_iter().map(|query| query.name).collect();
    names.dedup();
    names
}

/// Fails the test if the server got any query.
#[track_caller]
pub fn unasked(server: &Server) {
    assert_eq!(asked(server), [""; 0]);
}

/// The machine's one name server.
pub fn serve(machine: &mut Machine, zone: Zone) -> Server {
    serve_by(machine, zone, Script::new())
}

/// The machine's one name server, which follows the script.
pub fn serve_by(machine: &mut Machine, zone: Zone, script: Script) -> Server {
    machine.name_servers(&[ADDRESS]);
    server(ADDRESS).zone(zone).script(script).start()
}

/// A zone with a host of each kind: `v4` and `v6` have one address, `both` has one of each.
pub fn hosts() -> Zone {
    Zone::new("example.test")
        .a("v4", [192, 0, 2, 1], 300)
        .aaaa("v6", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 45)
        .a("both", [192, 0, 2, 2], 20)
        .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 40)
}
