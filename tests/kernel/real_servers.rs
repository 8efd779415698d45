//! Against real DNS servers: Knot DNS and dnsmasq, on loopback.

use crate::serving::ADDRESS;
use crate::support::machine::{Machine, error};
use crate::support::{DNSMASQ, scratch, skip};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A server that is a program, until this goes.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it takes connections; `None`, and why on stderr, where there is none.
fn start(machine: &mut Machine, program: &str, args: &[&str]) -> Option<Program> {
    if !PathBuf::from(program).exists() {
        skip(&format!("{program} is not installed"));
        return None;
    }
    machine.name_servers(&[ADDRESS]);
    let child = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Program(child);
    let address = SocketAddr::new(ADDRESS.parse().unwrap(), 53);
    for _ in 0..200 {
        if TcpStream::connect(address).is_ok() {
            return Some(server);
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{program} does not come up");
}

fn knot(machine: &mut Machine) -> Option<Program> {
    let folder = scratch("knot");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let many: Vec<String> = (0..200).map(|number| format!("many 30 A 10.0.0.{number}\n")).collect();
    let zone = format!(
        "$ORIGIN example.test.\n\
         @ 3600 SOA ns hostmaster 1 7200 3600 1209600 25\n@ 3600 NS ns\nns 3600 A 127.53.0.1\n\
         mon 50 A 192.0.2.1\nmon 40 AAAA 2001:db8::1\nv6 45 AAAA 2001:db8::6\ntext 30 TXT \"x\"\n\
         alias 35 CNAME middle\nmiddle 15 CNAME mon\ngone 55 CNAME nosuch\naway 30 CNAME host.elsewhere.test.\n\
         *.wild 33 A 192.0.2.33\nold 600 DNAME new\nhost.new 28 A 192.0.2.28\n{}",
        many.concat()
    );
    fs::write(folder.join("example.test.zone"), zone).unwrap();
    let conf = format!(
        "server:\n    listen: {ADDRESS}@53\n    rundir: {folder}\n    pidfile: {folder}/knot.pid\n\
         database:\n    storage: {folder}\n\
         zone:\n  - domain: example.test\n    storage: {folder}\n    file: example.test.zone\n    zonefile-sync: -1\n",
        folder = folder.display()
    );
    let path = folder.join("knot.conf");
    fs::write(&path, conf).unwrap();
    start(machine, "/usr/sbin/knotd", &["-c", path.to_str().unwrap()])
}

#[test]
fn knot_dns_is_understood() {
    let Some(mut machine) = Machine::take() else { return };
    let Some(_server) = knot(&mut machine) else { return };
    for (name, callout, expected, seconds) in [
        ("mon.example.test", "", "192.0.2.1", 50),
        ("aaaa:mon.example.test", "", "2001:db8::1", 40),
        ("v6.example.test", "", "2001:db8::6", 45),
        ("alias.example.test", "", "192.0.2.1", 15),
        ("alias.example.test", "ipv6", "2001:db8::1", 15),
        ("any.thing.wild.example.test", "", "192.0.2.33", 33),
        ("host.old.example.test", "", "192.0.2.28", 28),
        ("MON.Example.TEST.", "", "192.0.2.1", 50),
    ] {
        let seen = machine.ask(name, callout);
        assert_eq!(seen.text(), expected, "{name} {callout}");
        seen.lasts(seconds);
    }
    let list = machine.ask("many.example.test", "list");
    assert_eq!(list.text().split(',').count(), 200);
    list.lasts(30);
    for name in ["nosuch.example.test", "text.example.test", "a:v6.example.test", "gone.example.test"] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.error(), error::ENODATA, "{name}");
        seen.lasts(25);
    }
    // Knot is an authority alone, and refuses names that are none of its own.
    machine.ask("host.elsewhere.test", "").fails(error::ECONNREFUSED, 10);
    machine.ask("away.example.test", "").fails(error::ECONNREFUSED, 10);
}

fn dnsmasq(machine: &mut Machine) -> Option<Program> {
    let listen = format!("--listen-address={ADDRESS}");
    let many: Vec<String> =
        (0..200).map(|number| format!("--host-record=many.example.test,10.0.0.{number},30")).collect();
    let mut args = DNSMASQ.to_vec();
    args.extend([
        "--except-interface=nothing",
        &listen,
        "--local=/example.test/",
        "--host-record=mon.example.test,192.0.2.1,2001:db8::1,50",
        "--host-record=v6.example.test,2001:db8::6,45",
        "--cname=alias.example.test,mon.example.test,15",
        "--txt-record=text.example.test,x",
    ]);
    args.extend(many.iter().map(String::as_str));
    start(machine, "/usr/sbin/dnsmasq", &args)
}

#[test]
fn dnsmasq_is_understood() {
    let Some(mut machine) = Machine::take() else { return };
    let Some(_server) = dnsmasq(&mut machine) else { return };
    for (name, callout, expected, seconds) in [
        ("mon.example.test", "", "192.0.2.1", 50),
        ("mon.example.test", "ipv6", "2001:db8::1", 50),
        ("v6.example.test", "", "2001:db8::6", 45),
        ("alias.example.test", "", "192.0.2.1", 15),
    ] {
        let seen = machine.ask(name, callout);
        assert_eq!(seen.text(), expected, "{name} {callout}");
        seen.lasts(seconds);
    }
    assert_eq!(machine.ask("many.example.test", "list").text().split(',').count(), 200);
    // It sends no SOA.
    for name in ["nosuch.example.test", "text.example.test", "a:v6.example.test"] {
        machine.ask(name, "").fails(error::ENODATA, 60);
    }
    machine.ask("host.elsewhere.test", "").fails(error::ECONNREFUSED, 10);
}
