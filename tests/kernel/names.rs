//! Names of every length and with every kind of character.

use crate::serving::{hosts, serve, unasked};
use crate::support::machine::{Machine, error};

/// A name under `example.test` of so many bytes.
fn long(length: usize) -> String {
    let mut name = "example.test".to_owned();
    while name.len() < length {
        let label = (length - name.len() - 1).min(63);
        // A label needs a dot, so one byte more can't be filled.
        let label = if length - name.len() - 1 == label + 1 { label - 1 } else { label };
        name = format!("{}.{name}", "n".repeat(label));
    }
    name
}

#[test]
fn a_name_of_253_bytes_is_the_longest() {
    let Some(mut machine) = Machine::take() else { return };
    let longest = long(253);
    let server = serve(&mut machine, hosts().a(&format!("{longest}."), [192, 0, 2, 9], 30));
    machine.ask(&longest, "").is("192.0.2.9", 30);
    machine.ask(format!("a:{longest}"), "").is("192.0.2.9", 30);
    machine.ask(format!("{longest}."), "").is("192.0.2.9", 30);
    server.clear();
    for length in [254, 255, 256, 1000, 4000] {
        machine.ask(long(length), "").fails(error::EINVAL, 1);
    }
    machine.ask(format!("{}.", long(254)), "").fails(error::EINVAL, 1);
    unasked(&server);
}

#[test]
fn a_label_has_at_most_63_bytes() {
    let Some(mut machine) = Machine::take() else { return };
    let label = "l".repeat(63);
    let _server = serve(&mut machine, hosts().a(&label, [192, 0, 2, 9], 30));
    machine.ask(format!("{label}.example.test"), "").is("192.0.2.9", 30);
    machine.ask(format!("{label}l.example.test"), "").fails(error::EINVAL, 1);
}

#[test]
fn underscores_digits_hyphens_and_upper_case_are_fine() {
    let Some(mut machine) = Machine::take() else { return };
    let names = ["a_b", "_mon", "4", "4x", "a-b", "a-", "x--y", "xn--mller-kva", "UPPER", "a.-b"];
    let zone = names.iter().fold(hosts(), |zone, name| zone.a(name, [192, 0, 2, 9], 30));
    let _server = serve(&mut machine, zone);
    for name in names {
        assert_eq!(machine.ask(format!("{name}.example.test"), "").text(), "192.0.2.9", "{name}");
    }
    assert_eq!(machine.ask("upper.EXAMPLE.Test.", "").text(), "192.0.2.9");
}

#[test]
fn an_invalid_host_name_is_rejected_without_a_query() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for name in [
        "a;b.example.test",
        "v4.example.test;",
        ";v4.example.test",
        "a#b.example.test",
        "v4.example.test#dnserror=0",
        "a,b.example.test",
        "a b.example.test",
        " v4.example.test",
        "v4.example.test ",
        "v4.example.test\t",
        "v4.example.test\n",
        "a\nb.example.test",
        "a\x01b.example.test",
        "a\x1b[2Jb.example.test",
        "a\x7fb.example.test",
        "m\u{fc}ller.example.test",
        "\u{130}.example.test",
        "-v4.example.test",
        "a..example.test",
        ".v4.example.test",
        "v4.example.test..",
        ".",
        "..",
        "a\\.b.example.test",
        "a\\098.example.test",
        "*.example.test",
        "a/b.example.test",
        "a%n.example.test",
        "$(id).example.test",
        "[::1]",
        "a@b",
        "192.0.2.1/24",
    ] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.error(), error::EINVAL, "{name:?}");
        seen.lasts(1);
    }
    machine.ask(b"a\xff\xfeb.example.test", "").fails(error::EINVAL, 1);
    machine.ask(b"\x80", "").fails(error::EINVAL, 1);
    unasked(&server);
}

#[test]
fn a_semicolon_in_the_name_does_not_start_another_query() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for name in ["afsdb:foo;a:localhost", "x;v4.example.test", "dns_resolver;0;0;3f010000;v4.example.test"] {
        let seen = machine.ask(name, "");
        assert_eq!(seen.error(), error::EINVAL, "{name}");
        seen.lasts(1);
    }
    unasked(&server);
}

#[test]
fn an_empty_name_is_invalid() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine, hosts());
    for name in ["a:", "aaaa:"] {
        machine.ask(name, "").fails(error::EINVAL, 1);
    }
    // The kernel itself has no key without a description.
    assert_eq!(machine.ask("", "").error(), format!("request_key: {}", error::EINVAL));
    unasked(&server);
}
