//! A host on which name lookups work, in files that remedies can change.

use crate::dns::{Builder, Server, Zone};
use crate::support::executable;
use crate::support::machine::{HELPER, Machine, RULES, RULES_FOLDER};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

/// Where name servers listen.
pub const FIRST: &str = "127.53.0.1";
pub const SECOND: &str = "127.53.0.2";
/// One that works, whatever the others do.
pub const GOOD: &str = "127.53.0.3";
/// The name that is looked up.
pub const NAME: &str = "mon1.doctor.test";
/// One with so many letters that a query hardly ever has all of them small.
pub const LONG: &str = "the-monitor-of-a-cluster-with-many-letters.doctor.test";
/// Its address: one that this host has a route to.
pub const ADDRESS: &str = "127.77.0.1";

/// The names that exist.
pub fn zone() -> Zone {
    Zone::new("doctor.test")
        .a("mon1", [127, 77, 0, 1], 300)
        .a("mon2", [127, 77, 0, 2], 300)
        .a("the-monitor-of-a-cluster-with-many-letters", [127, 77, 0, 1], 300)
        .a("far", [198, 51, 100, 1], 300)
        .aaaa("six", [0, 0, 0, 0, 0, 0, 0, 1], 300)
        .soa(300, 300)
}

/// A name server with these names.
pub fn server(address: &str) -> Server {
    Server::builder().zone(zone()).at(&format!("{address}:53")).start()
}

/// The machine, with our helper behind keyutils' `request-key`, and a name server.
pub struct Host<'a> {
    pub machine: &'a mut Machine,
    pub servers: Vec<Server>,
}

impl<'a> Host<'a> {
    pub fn new(machine: &'a mut Machine) -> Self {
        machine.replace(HELPER, fs::read(executable()).unwrap(), 0o755);
        machine.take_away(RULES_FOLDER);
        let rule = concat!(env!("CARGO_MANIFEST_DIR"), "/request-key.d/dns_resolver.conf");
        fs::create_dir(RULES_FOLDER).unwrap();
        fs::copy(rule, format!("{RULES_FOLDER}/dns_resolver.conf")).unwrap();
        machine.replace("/etc/hosts", "127.0.0.1 localhost\n", 0o644);
        machine.replace("/etc/nsswitch.conf", "hosts: files dns\n", 0o644);
        machine.take_away("/etc/keyutils/key.dns_resolver.conf");
        let mut host = Self { machine, servers: vec![server(FIRST), server(GOOD)] };
        host.name_servers(&[FIRST]);
        host
    }

    /// Another server at the first address.
    pub fn replace_first_server(&mut self, server: Builder) {
        self.servers.remove(0);
        self.servers.push(server.at(&format!("{FIRST}:53")).start());
    }

    /// The servers that resolv.conf names.
    pub fn name_servers(&mut self, addresses: &[&str]) {
        let mut text = "search .\noptions timeout:1 attempts:1\n".to_owned();
        for address in addresses {
            text.extend(["nameserver ", address, "\n"]);
        }
        self.machine.replace("/etc/resolv.conf", text, 0o644);
    }

    /// The one rule.
    pub fn rule(&mut self, rule: &str) {
        fs::write(format!("{RULES_FOLDER}/dns_resolver.conf"), format!("{rule}\n")).unwrap();
    }

    /// No rule at all.
    pub fn no_rules(&mut self) {
        self.machine.take_away(RULES_FOLDER);
        self.machine.take_away(RULES);
    }

    /// A helper of somebody else's.
    pub fn other_helper(&mut self, script: &str) {
        self.machine.replace("/run/key-dns-other", format!("#!/bin/sh\n{script}\n"), 0o755);
        self.rule("create dns_resolver * * /run/key-dns-other %k");
    }
}

/// A copy of the executable that anybody can run.
pub fn for_anybody(host: &mut Host<'_>) -> &'static str {
    const COPY: &str = "/run/key-dns-doctor/key-dns";
    host.machine.replace(COPY, fs::read(executable()).unwrap(), 0o755);
    fs::set_permissions("/run/key-dns-doctor", fs::Permissions::from_mode(0o755)).unwrap();
    COPY
}

/// `key-dns doctor` with these arguments.
pub fn doctor(args: &[&str]) -> Output {
    let mut command = Command::new(executable());
    command.arg0("key-dns").arg("doctor").args(args).output().unwrap()
}

/// Runs `test` on such a host, if it can be had.
pub fn on_a_host(test: impl FnOnce(&mut Host<'_>)) {
    let Some(mut machine) = Machine::take_as_it_is() else { return };
    test(&mut Host::new(&mut machine));
}

/// What it says as JSON.
pub fn report(args: &[&str]) -> Value {
    let output = doctor(&[&["--json"], args].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// The findings of a report, in their order.
pub fn findings(report: &Value) -> Vec<&Value> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().flat_map(|step| step["findings"].as_array().unwrap()).collect()
}

/// The step of this name.
pub fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}: {report:#}"))
}
