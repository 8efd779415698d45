//! The lookups that are broken.

use crate::dns::{Action, Script, Server, Zone};
use crate::outcome::DEADLINE;
use crate::serving::{ADDRESS, OTHER, hosts, server};
use crate::support::asking::{Ask, Seen, caught};
use crate::support::machine::Machine;

/// A lookup that goes well where nothing is broken.
pub struct Scene {
    pub name: &'static str,
    pub description: &'static str,
    pub callout: &'static str,
    set_up: fn(&mut Machine) -> Vec<Server>,
}

/// One for each way that a lookup can take.
pub const SCENES: [Scene; 7] = [
    Scene { name: "A over UDP", description: "v4.example.test", callout: "", set_up: one_server },
    Scene { name: "the hosts file", description: "here.example.test", callout: "", set_up: one_server },
    Scene {
        name: "a list in both families",
        description: "both.example.test",
        callout: "ipv4 ipv6 list",
        set_up: one_server,
    },
    Scene { name: "the answer over TCP", description: "v4.example.test", callout: "", set_up: by_tcp },
    Scene {
        name: "a silent server first",
        description: "v4.example.test",
        callout: "",
        set_up: silent_first,
    },
    Scene {
        name: "an NSS module, by getent",
        description: "v4.example.test",
        callout: "",
        set_up: module_first,
    },
    Scene {
        name: "the servers of a cell",
        description: "afsdb:cell.example.test",
        callout: "srv=1",
        set_up: one_server,
    },
];

impl Scene {
    /// Prepares the machine.
    pub fn set_up(&self, machine: &mut Machine) -> Vec<Server> {
        machine.settings(format!("deadline = {DEADLINE}\n"));
        machine.file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.50 here.example.test here\n");
        machine.file("/etc/nsswitch.conf", "hosts: files dns\n");
        (self.set_up)(machine)
    }

    /// Asks for it, with one more word in the callout.
    pub fn ask(&self, word: &str) -> Seen {
        let callout = format!("{} {word}", self.callout);
        caught(|| Ask { callout: callout.trim().as_bytes(), ..Ask::new(self.description) }.once())
    }
}

fn zone() -> Zone {
    hosts()
        .a("db1", [192, 0, 2, 61], 300)
        .a("db2", [192, 0, 2, 62], 300)
        .aaaa("db2", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x62], 300)
        .srv("_afs3-vlserver._udp.cell", 10, 5, 7003, "db1", 300)
        .srv("_afs3-vlserver._udp.cell", 20, 5, 7003, "db2", 300)
}

fn one_server(machine: &mut Machine) -> Vec<Server> {
    machine.name_servers(&[ADDRESS]);
    vec![server(ADDRESS).zone(zone()).start()]
}

fn by_tcp(machine: &mut Machine) -> Vec<Server> {
    machine.name_servers(&[ADDRESS]);
    let script = Script::new().on_all(Action::truncate_then_tcp(Action::Zone));
    vec![server(ADDRESS).zone(zone()).script(script).start()]
}

fn silent_first(machine: &mut Machine) -> Vec<Server> {
    machine.name_servers(&[OTHER, ADDRESS]);
    let silent = Script::new().on_all(Action::Silence);
    vec![server(OTHER).script(silent).start(), server(ADDRESS).zone(zone()).start()]
}

fn module_first(machine: &mut Machine) -> Vec<Server> {
    machine.file("/etc/nsswitch.conf", "hosts: files wins dns\n");
    one_server(machine)
}
