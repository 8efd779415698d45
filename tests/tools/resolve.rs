//! `key-dns resolve`.

use crate::dns::{Action, Script, Server, Zone, qtype};
use crate::support::{scratch, world};
use crate::{Run, key_dns};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

fn zone() -> Zone {
    Zone::new("example.test")
        .a("v4", [192, 0, 2, 1], 300)
        .a("both", [192, 0, 2, 2], 20)
        .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 40)
        .aaaa("v6", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 6], 60)
        .cname("alias", "both", 15)
        .a("xn--mnchen-3ya", [192, 0, 2, 3], 30)
        .srv("_afs3-vlserver._udp.cell", 10, 5, 7003, "v4", 100)
        .soa(25, 25)
}

/// Nothing where there is no loopback interface, which skips the test.
pub(crate) fn server(script: Script) -> Option<Server> {
    skip::has_loopback().then(|| Server::builder().zone(zone()).script(script).start())
}

fn settings(text: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let path = scratch(&format!("resolve{}.conf", NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A lookup with the servers for all names.
pub(crate) fn resolve(servers: &[&Server], args: &[&str]) -> Run {
    let servers: Vec<String> = servers.iter().map(|server| server.addr().to_string()).collect();
    let settings = settings(&format!("nameserver[.] = {}\nhedge = 50\n", servers.join(", ")));
    key_dns(&[&["resolve", "-c", &settings], args].concat())
}

/// Times are none that a test could know.
fn without_times(text: &str) -> String {
    text.lines().map(|line| line.split(", took ").next().unwrap().to_owned() + "\n").collect()
}

#[test]
fn an_answer_shows_its_source_and_expiry() {
    let Some(server) = server(Script::new()) else { return };
    let at = server.addr();
    for (args, expected) in [
        (
            &["alias.example.test"][..],
            format!("192.0.2.2  from DNS server {at}: both.example.test., TTL 20 s\nlasts 15 s\n"),
        ),
        (
            &["both.example.test", "ipv6"],
            format!("2001:db8::2  from DNS server {at}: both.example.test., TTL 40 s\nlasts 40 s\n"),
        ),
        // As it was asked for.
        (
            &["xn--mnchen-3ya.example.test"],
            format!("192.0.2.3  from DNS server {at}: xn--mnchen-3ya.example.test., TTL 30 s\nlasts 30 s\n"),
        ),
        (
            &["127.1"],
            "127.0.0.1  from the name itself\nlasts 5 s (default_ttl, as the source has no TTL)\n".to_owned(),
        ),
        (
            &["afsdb:cell.example.test", "srv=1"],
            "1 servers, from SRV records\nv4.example.test port 7003, priority 10, weight 5: 192.0.2.1\nlasts 100 s\n"
                .to_owned(),
        ),
    ] {
        let seen = resolve(&[&server], args);
        assert_eq!((seen.status, without_times(&seen.stdout), seen.stderr.as_str()), (0, expected, ""), "{args:?}");
        assert!(seen.stdout.ends_with(" ms\n"), "{}", seen.stdout);
    }
}

#[test]
fn a_failed_lookup_exits_with_status_1_and_shows_the_kernel_errno() {
    let Some(server) = server(Script::new().on("broken.example.test", qtype::A, Action::SERVFAIL)) else {
        return;
    };
    for (name, begin, lasts) in [
        ("nosuch.example.test.", "ENODATA (61): no such name\n", 25),
        ("a:broken.example.test.", "EAGAIN (11): no usable answer for now: 127.", 1),
        ("mx:example.test", "EINVAL (22): query type \"mx\" is not supported\n", 1),
        ("-x", "EINVAL (22): ", 1),
    ] {
        let seen = resolve(&[&server], &["--", name]);
        assert_eq!(seen.status, 1, "{seen:?}");
        assert!(seen.stderr.starts_with(begin), "{}", seen.stderr);
        assert!(seen.stdout.starts_with(&format!("lasts {lasts} s, took ")), "{}", seen.stdout);
    }
}

#[test]
fn a_mount_source_is_referred_to_the_doctor() {
    let Some(server) = server(Script::new()) else { return };
    for source in
        ["v4.example.test:6789", "//v4.example.test/share", "v4.example.test:/export", "u@v4.example.test"]
    {
        let seen = resolve(&[&server], &[source]);
        assert_eq!(seen.status, 1, "{seen:?}");
        assert!(seen.stderr.ends_with(&format!("key-dns doctor '{source}'\n")), "{}", seen.stderr);
    }
    for name in ["nosuch.example.test.", "afsdb:nosuch.example.test", "a:nosuch.example.test."] {
        let seen = resolve(&[&server], &[name]);
        assert!(seen.status == 1 && !seen.stderr.contains("doctor"), "{seen:?}");
    }
    let seen = resolve(&[&server], &["x:'$(reboot)"]);
    assert!(seen.stderr.ends_with("key-dns doctor\n"), "{}", seen.stderr);
}

#[test]
fn wrong_usage_and_missing_settings_exit_with_status_2() {
    for args in [&["resolve"][..], &["resolve", "--bogus", "x"], &["resolve", "-c", "/nonexistent", "x"]] {
        let seen = key_dns(args);
        assert_eq!((seen.status, seen.stdout.as_str()), (2, ""), "{seen:?}");
        assert!(!seen.stderr.is_empty());
    }
}

#[test]
fn a_trace_shows_each_query_and_the_reason_for_the_next() {
    let Some(silent) = server(Script::new().on_all(Action::Silence)) else { return };
    let Some(refusing) = server(Script::new().on_all(Action::REFUSED)) else { return };
    let Some(good) = server(Script::new()) else { return };
    let seen = resolve(&[&silent, &refusing, &good], &["--trace", "v6.example.test."]);
    assert_eq!(seen.status, 0, "{seen:?}");
    let lines: Vec<&str> = seen.stdout.lines().collect();
    let place = |part: String| {
        let found = lines.iter().position(|line| line.contains(&part));
        found.unwrap_or_else(|| panic!("no {part:?} in {}", seen.stdout))
    };
    let asking = place("looking up v6.example.test. (IPv4)".to_owned());
    let silence = place("no answer after 50 ms: querying the next server too".to_owned());
    let refused = place(format!("v6.example.test. A at {}: REFUSED over UDP (", refusing.addr()));
    let nodata = place(format!("v6.example.test. A at {}: NOERROR, 0 records (", good.addr()));
    let given_up = place(format!("v6.example.test. A at {}: no answer yet (", silent.addr()));
    let answer = place(format!("v6.example.test. AAAA at {}: NOERROR, 1 records (", good.addr()));
    place("no answer within 50 ms: looking up IPv6 too".to_owned());
    place("servers from nameserver[.]".to_owned());
    assert!(asking < silence && silence < refused && refused < nodata && refused < answer, "{}", seen.stdout);
    assert!(given_up < lines.len());
    assert!(lines.iter().any(|line| line.starts_with("2001:db8::6  from DNS server")), "{}", seen.stdout);
}

#[test]
fn json_has_answer_error_and_trace() {
    let Some(server) = server(Script::new()) else { return };
    let at = server.addr().to_string();
    let json = resolve(&[&server], &["--json", "--trace", "both.example.test", "list"]).json();
    assert_eq!(
        (json["version"].as_u64(), json["expiry"].as_u64(), json["ttl"].as_u64()),
        (Some(1), Some(20), Some(20))
    );
    let addresses = json["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        assert_eq!(
            (address["source"].as_str(), address["server"].as_str()),
            (Some("dns"), Some(at.as_str()))
        );
        assert_eq!(address["detail"], "both.example.test.");
    }
    assert!(json["payload"].as_str().unwrap().starts_with("payload ") && json["error"].is_null());
    let queries: Vec<&serde_json::Value> = json["trace"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["query"])
        .filter(|query| !query.is_null())
        .collect();
    assert_eq!(queries.len(), 2);
    assert!(
        queries
            .iter()
            .any(|query| query["type"] == "AAAA" && query["rcode"] == "NOERROR" && query["records"] == 1)
    );

    let json = resolve(&[&server], &["--json", "nosuch.example.test.", "bogus"]).json();
    assert_eq!((json["error"]["errno"].as_u64(), json["expiry"].as_u64()), (Some(61), Some(25)));
    assert_eq!((json["addresses"].as_array().unwrap().len(), json["trace"].is_null()), (0, true));
    assert!(json["warnings"][0].as_str().unwrap().contains("bogus"), "{json}");

    let json = resolve(&[&server], &["--json", "afsdb:cell.example.test", "srv=1"]).json();
    assert_eq!(json["servers"]["servers"][0]["addresses"][0], "192.0.2.1");
    assert_eq!(json["servers"]["source"], "SRV records");
}

#[test]
fn a_trace_names_the_hosts_file_and_the_nsswitch_sources() {
    if !world::inside("resolve::a_trace_names_the_hosts_file_and_the_nsswitch_sources") {
        return;
    }
    world::write("hosts", Some("127.0.0.1 localhost\n192.0.2.9 mon.test\n"));
    world::write("nsswitch.conf", Some("hosts: files mymachines [NOTFOUND=return UNAVAIL=return] dns\n"));
    let seen = key_dns(&["resolve", "--trace", "mon.test"]);
    assert!(seen.stdout.contains("\n192.0.2.9  from /etc/hosts:2\nlasts 5 s (default_ttl"), "{seen:?}");
    assert!(seen.stdout.contains("files: 1 addresses for mon.test\n"), "{seen:?}");
    assert!(seen.stdout.contains("files is the last source: Success ends the search\n"), "{seen:?}");
    let seen = key_dns(&["resolve", "--trace", "other.test"]);
    assert_eq!(seen.status, 1);
    // Its library may be here or not.
    let library = format!("/usr/lib/{}-linux-gnu/libnss_mymachines.so.2", std::env::consts::ARCH);
    let status = if Path::new(&library).exists() { "NotFound" } else { "Unavail" };
    for part in [
        "files: nothing for other.test (NotFound)",
        &format!("mymachines: nothing for other.test ({status})"),
        &format!("mymachines is the last source: {status} ends the search"),
        "ENODATA (61): no such name",
    ] {
        assert!(seen.stdout.contains(part) || seen.stderr.contains(part), "{part} in {seen:?}");
    }
}
