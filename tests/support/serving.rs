//! Name servers that this machine is told to ask.

use crate::dns::{Builder, Script, Server, Zone};
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

/// The machine's one name server.
pub fn serve(machine: &mut Machine, zone: Zone) -> Server {
    serve_by(machine, zone, Script::new())
}

/// The machine's one name server, which does what the script says.
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
