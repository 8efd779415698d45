//! Debug mode: a lookup without a key, and its output.

use crate::dns::{Action, Builder, Message, Record, Script, Server, Zone, qtype};
use crate::{Run, command, finish, run, settings};
use std::time::{Duration, Instant};

fn server() -> Option<Server> {
    server_by(Script::new())
}

/// Nothing where there is no loopback interface, which skips the test.
fn server_by(script: Script) -> Option<Server> {
    let zone = Zone::new("example.test")
        .a("v4", [192, 0, 2, 1], 300)
        .aaaa("v6", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 45)
        .a("both", [192, 0, 2, 2], 20)
        .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 40)
        .cname("alias", "both", 15)
        .soa(25, 25);
    started(Server::builder().zone(zone).script(script))
}

fn started(builder: Builder) -> Option<Server> {
    skip::has_loopback().then(|| builder.start())
}

/// A lookup with the server for all names.
fn look_up(server: &Server, name: &str, callout: &str) -> Run {
    let settings = settings(format!("nameserver[.] = {}\n", server.addr()));
    run(&["-D", "-c", &settings, name, callout])
}

#[test]
fn debug_mode_prints_an_answer_as_two_lines() {
    let Some(server) = server() else { return };
    for (name, callout, expected) in [
        ("v4.example.test", "", "payload 192.0.2.1\nexpiry 300\n"),
        ("v6.example.test", "", "payload 2001:db8::1\nexpiry 45\n"),
        ("aaaa:both.example.test", "", "payload 2001:db8::2\nexpiry 40\n"),
        ("both.example.test", "ipv6", "payload 2001:db8::2\nexpiry 40\n"),
        ("both.example.test", "ipv4 list", "payload 192.0.2.2\nexpiry 20\n"),
        ("alias.example.test", "", "payload 192.0.2.2\nexpiry 15\n"),
        ("192.0.2.7", "", "payload 192.0.2.7\nexpiry 5\n"),
        ("dns_resolver;0;0;3f010000;v4.example.test", "", "payload 192.0.2.1\nexpiry 300\n"),
    ] {
        let seen = look_up(&server, name, callout);
        let expected = Run { status: 0, stdout: expected.to_owned(), stderr: String::new() };
        assert_eq!(seen, expected, "{name} {callout}");
    }
}

#[test]
fn a_failure_is_printed_as_a_payload_and_its_reason_on_standard_error() {
    let script = Script::new().on("broken.example.test", qtype::A, Action::SERVFAIL).on(
        "refused.example.test",
        qtype::A,
        Action::REFUSED,
    );
    let Some(server) = server_by(script) else { return };
    for (name, expected, reason) in [
        ("nosuch.example.test.", "payload #dnserror=61\nexpiry 25\n", "no such name"),
        ("a:v6.example.test.", "payload #dnserror=61\nexpiry 25\n", "no address"),
        ("a:broken.example.test.", "payload #dnserror=11\nexpiry 1\n", "SERVFAIL"),
        ("a:refused.example.test.", "payload #dnserror=111\nexpiry 10\n", "REFUSED"),
        ("a b", "payload #dnserror=22\nexpiry 1\n", "letters"),
        ("foo;localhost", "payload #dnserror=22\nexpiry 1\n", "letters"),
        ("", "payload #dnserror=22\nexpiry 1\n", "empty"),
        ("mx:example.test", "payload #dnserror=22\nexpiry 1\n", "\"mx\""),
        ("mon.invalid", "payload #dnserror=61\nexpiry 60\n", "no such name"),
    ] {
        let seen = look_up(&server, name, "");
        assert_eq!((seen.status, seen.stdout.as_str()), (0, expected), "{name}: {}", seen.stderr);
        assert!(seen.stderr.contains(reason) && seen.stderr.lines().count() == 1, "{name}: {}", seen.stderr);
    }
}

#[test]
fn verbose_shows_where_each_address_came_from() {
    let Some(server) = server() else { return };
    let settings = settings(format!("nameserver[.] = {}\n", server.addr()));
    for flag in ["-v", "--verbose", "-vv"] {
        let seen = run(&["-D", flag, "-c", &settings, "alias.example.test", "list"]);
        assert_eq!(seen.status, 0);
        assert!(
            seen.stdout.starts_with("payload ") && seen.stdout.ends_with("\nexpiry 15\n"),
            "{}",
            seen.stdout
        );
        for part in [
            format!("alias.example.test. A at {}: NOERROR", server.addr()),
            format!("alias.example.test. AAAA at {}: NOERROR", server.addr()),
            "192.0.2.2 from dns: both.example.test. ttl 20".to_owned(),
            "2001:db8::2 from dns: both.example.test. ttl 40".to_owned(),
        ] {
            assert!(seen.stderr.contains(&part), "{part:?} in {}", seen.stderr);
        }
    }
    let seen = run(&["-Dv", "-c", &settings, "127.1", ""]);
    assert!(seen.stderr.contains("127.0.0.1 from the name itself"), "{}", seen.stderr);
}

#[test]
fn an_unknown_callout_word_is_reported_and_ignored() {
    let Some(server) = server() else { return };
    let seen = look_up(&server, "both.example.test", "bogus,ipv6");
    assert_eq!(seen.stdout, "payload 2001:db8::2\nexpiry 40\n");
    assert!(seen.stderr.contains("\"bogus\""), "{}", seen.stderr);
}

#[test]
fn settings_apply_and_invalid_ones_are_reported_with_their_line() {
    let Some(server) = server() else { return };
    let settings = settings(format!(
        "nameserver[.] = {}\nmax_ttl = 12\nbogus = 1\nfamily = ipv6-first\ndefault_ttl = 70",
        server.addr()
    ));
    let seen = run(&["--debug", "--config", &settings, "both.example.test", ""]);
    assert_eq!(seen.stdout, "payload 2001:db8::2\nexpiry 12\n");
    assert_eq!(seen.stderr, format!("key.dns_resolver: {settings}:3: unknown key \"bogus\"; line ignored\n"));
    let seen = run(&["-D", &format!("-c{settings}"), "192.0.2.7", ""]);
    assert_eq!(seen.stdout, "payload 192.0.2.7\nexpiry 70\n");
}

#[test]
fn a_name_that_is_not_utf8_is_invalid() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = command(&["-D"]);
    command.args([b"m\xfcller.example.test".as_slice(), b"\xff"].map(std::ffi::OsStr::from_bytes));
    let seen = finish(command);
    assert_eq!((seen.status, seen.stdout.as_str()), (0, "payload #dnserror=22\nexpiry 1\n"));
    assert!(seen.stderr.contains(r"m\xfcller"), "{}", seen.stderr);
}

#[test]
fn the_deadline_ends_a_lookup() {
    // From alias to alias, so that no timeout from this machine's resolv.conf ends it first.
    let endless = Script::new().with(|query, _, _| {
        let name = query.name();
        let alias = Record::cname(&name, &format!("x{name}"), 30);
        Action::delay(Duration::from_millis(200), Action::Answer(Message::new().answer(alias)))
    });
    let Some(server) = server_by(endless) else { return };
    let settings = settings(format!("nameserver[.] = {}\ndeadline = 1\n", server.addr()));
    let start = Instant::now();
    let seen = run(&["-D", "-c", &settings, "v4.example.test", ""]);
    assert_eq!((seen.status, seen.stdout.as_str()), (0, "payload #dnserror=11\nexpiry 1\n"));
    assert!(seen.stderr.contains("no answer within the deadline of 1 s"), "{}", seen.stderr);
    assert!((1..15).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[test]
fn the_next_server_is_queried_while_the_first_is_silent() {
    let (Some(first), Some(second)) = (server_by(Script::new().on_all(Action::Silence)), server()) else {
        return;
    };
    let settings =
        settings(format!("nameserver[.] = {}, {}\nhedge = 50\ndeadline = 10\n", first.addr(), second.addr()));
    let seen = run(&["-D", "-c", &settings, "v4.example.test", ""]);
    assert_eq!(seen.stdout, "payload 192.0.2.1\nexpiry 300\n");
    assert!(first.wait(1, Duration::from_secs(1)));
}

#[test]
fn the_reject_setting_applies_only_to_answers_from_dns() {
    let zone = Zone::new("example.test")
        .a("self", [127, 0, 0, 1], 30)
        .a("mixed", [0, 0, 0, 0], 30)
        .a("mixed", [192, 0, 2, 3], 30)
        .aaaa("mapped", [0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], 30)
        .soa(25, 25);
    let Some(server) = started(Server::builder().zone(zone)) else { return };
    let look_up = |reject: &str, name: &str, callout: &str| {
        let settings = settings(format!("nameserver[.] = {}\nreject = {reject}\n", server.addr()));
        run(&["-D", "-v", "-c", &settings, name, callout])
    };
    assert_eq!(look_up("none", "a:self.example.test.", "").stdout, "payload 127.0.0.1\nexpiry 30\n");
    let seen = look_up("loopback, unspecified", "a:self.example.test.", "");
    assert_eq!(seen.stdout, "payload #dnserror=61\nexpiry 30\n");
    assert!(seen.stderr.contains("127.0.0.1 rejected as loopback"), "{}", seen.stderr);
    let seen = look_up("loopback", "aaaa:mapped.example.test.", "");
    assert_eq!(seen.stdout, "payload #dnserror=61\nexpiry 30\n");
    let seen = look_up("unspecified", "mixed.example.test.", "ipv4 list");
    assert_eq!(seen.stdout, "payload 192.0.2.3\nexpiry 30\n");
    assert_eq!(look_up("loopback", "127.0.0.1", "").stdout, "payload 127.0.0.1\nexpiry 5\n");
}
