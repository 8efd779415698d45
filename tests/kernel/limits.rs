//! A helper that has too little of everything.

use crate::serving::{hosts, serve};
use crate::support::is_static;
use crate::support::machine::{HELPER, Machine, error};

#[test]
fn a_helper_that_may_not_open_files_gives_a_temporary_failure() {
    let Some(mut machine) = Machine::take() else { return };
    let _server = serve(&mut machine, hosts());
    // A dynamic loader needs a descriptor itself.
    let least = if is_static() { 3 } else { 4 };
    for files in least..=5 {
        machine.rule(&format!("create dns_resolver * * /usr/bin/prlimit --nofile={files} {HELPER} %k"));
        let seen = machine.ask("both.example.test", "");
        assert_eq!(seen.error(), error::EAGAIN, "{files} files");
        seen.lasts(1);
    }
}

#[test]
fn a_helper_that_runs_out_of_memory_still_answers() {
    let Some(mut machine) = Machine::take() else { return };
    // An answer of 4,000 addresses takes more than is left once the helper has started.
    let zone = (0..4000_u16).fold(hosts(), |zone, number| {
        let [high, low] = number.to_be_bytes();
        zone.a("many", [10, 1, high, low], 30)
    });
    let _server = serve(&mut machine, zone);
    let mut failed = 0;
    for kibibytes in (100..100_000).step_by(100) {
        machine.rule(&format!(
            "create dns_resolver * * /usr/bin/prlimit --data={} {HELPER} %k",
            kibibytes * 1024
        ));
        let seen = machine.ask("many.example.test", "ipv4 list");
        match &seen.payload {
            Ok(text) => {
                assert_eq!(text.split(|&byte| byte == b',').count(), 4000);
                assert!(failed > 0, "memory was never short");
                return;
            }
            Err(error) if error == error::EAGAIN => failed += 1,
            // Not enough to start with.
            Err(_) => assert_eq!(failed, 0, "{kibibytes} KiB: {seen:?}"),
        }
    }
    panic!("100 MB were not enough");
}
