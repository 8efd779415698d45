//! What the kernel says of a helper that waits for a name server.

use crate::dns::{Action, Script, Server};
use crate::helper::Helper;
use crate::serving::{ADDRESS, hosts, queries, server};
use crate::support::asking::Ask;
use crate::support::machine::Machine;
use crate::support::until;
use std::thread;
use std::time::Duration;

/// The helper, which a silent server keeps waiting; it is answered afterwards.
fn waiting(machine: &mut Machine) -> Helper {
    machine.file("/etc/resolv.conf", format!("nameserver {ADDRESS}\noptions timeout:30 attempts:1\n"));
    let late = Script::new().on_all(Action::delay(Duration::from_secs(3), Action::Zone));
    let server: Server = server(ADDRESS).zone(hosts()).script(late).start();
    thread::scope(|scope| {
        let asking = scope.spawn(|| Ask::new("v4.example.test").once());
        assert!(until(Duration::from_secs(20), || !queries(&server).is_empty()), "no query");
        let seen = Helper::waiting();
        assert_eq!(asking.join().unwrap().text(), "192.0.2.1");
        seen
    })
}

pub fn a_waiting_helper_has_no_rights() {
    let Some(mut machine) = Machine::take() else { return };
    // The helper of a rule, and the one that `request-key` itself goes on as.
    for same_process in [false, true] {
        if same_process {
            machine.use_our_request_key();
        }
        println!(
            "  {}",
            if same_process { "in request-key's own process" } else { "run by keyutils' request-key" }
        );
        let seen = waiting(&mut machine);
        let user = (2_100_000_000 + seen.pid).to_string();
        for key in ["Uid", "Gid"] {
            assert_eq!(seen.value(key), [user.as_str(); 4].join(" "));
        }
        assert_eq!(seen.value("Groups"), "");
        for key in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(seen.value(key), "0000000000000000");
        }
        assert_eq!(seen.value("NoNewPrivs"), "1");
        assert_eq!(seen.value("Seccomp"), "2");
        assert_eq!(seen.value("Threads"), "1");
        assert_eq!(seen.limit("Max core file size"), ["0", "0"]);
        assert_eq!(seen.limit("Max file size"), ["0", "0"]);
        assert_eq!(seen.limit("Max processes"), ["0", "0"]);
        assert_eq!(seen.limit("Max cpu time"), ["10", "11"]);
        assert_eq!(seen.limit("Max address space"), ["268435456", "268435456"]);
        let [soft, hard] = seen.limit("Max open files");
        assert!(soft == hard || soft == "4096", "{soft} of {hard}");
        println!("    descriptors: {}", seen.descriptors.join(", "));
        let known = ["socket:", "anon_inode:", "/dev/null", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf"];
        // What the test put in the place of a file has another name.
        let fits =
            |name: &str| known.iter().any(|known| name.starts_with(known)) || name.contains("key-dns-tests");
        assert!(seen.descriptors.iter().all(|name| fits(name)), "{:?}", seen.descriptors);
    }
}

pub fn without_confinement_it_has_all_rights() {
    let Some(mut machine) = Machine::take() else { return };
    machine.settings("confine = no\n");
    let seen = waiting(&mut machine);
    assert_eq!(seen.value("Uid"), "0 0 0 0");
    assert_ne!(seen.value("CapEff"), "0000000000000000");
    assert_eq!(seen.value("NoNewPrivs"), "0");
    assert_eq!(seen.value("Seccomp"), "0");
}
