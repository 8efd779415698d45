//! What a name is answered with.

use crate::dns::{Server, Zone, qtype};
use crate::support::machine::{Machine, error};

/// Where the tests' name server listens.
const SERVER: &str = "127.53.0.1:53";
const ADDRESS: &str = "127.53.0.1";

fn serve(machine: &mut Machine) -> Server {
    machine.name_servers(&[ADDRESS]);
    Server::builder()
        .at(SERVER)
        .zone(
            Zone::new("example.test")
                .a("v4", [192, 0, 2, 1], 300)
                .aaaa("v6", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 45)
                .a("both", [192, 0, 2, 2], 20)
                .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 40),
        )
        .start()
}

#[test]
fn an_empty_callout_gets_exactly_one_ipv4_address_and_the_records_ttl() {
    let Some(mut machine) = Machine::take() else { return };
    let server = serve(&mut machine);
    let seen = machine.ask("v4.example.test", "");
    assert_eq!(seen.text(), "192.0.2.1");
    assert!((240..=300).contains(&seen.seconds()), "{}", seen.left);
    assert_eq!(server.count("v4.example.test", qtype::A), 1);
    let seen = machine.ask("both.example.test", "");
    assert_eq!(seen.text(), "192.0.2.2");
    assert!((18..=20).contains(&seen.seconds()), "{}", seen.left);
}

#[test]
fn a_name_with_no_ipv4_address_gets_its_ipv6_address() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine);
    let seen = machine.ask("v6.example.test", "");
    assert_eq!(seen.text(), "2001:db8::1");
    assert!((43..=45).contains(&seen.seconds()), "{}", seen.left);
}

#[test]
fn a_name_that_does_not_exist_is_no_data() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine);
    assert_eq!(machine.ask("nosuch.example.test", "").error(), error::ENODATA);
}
