use super::*;
use std::path::Path;

#[test]
fn a_rule_for_this_executable_becomes_a_helper_request() {
    let host = Host::with(&format!("create dns_resolver * * {OURSELVES} %k"));
    let ring = dns();
    let request = HelperRequest { key: key(), config: None, verbose: true };
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Helper(request, dns_request()));
    assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request]);
    assert!(host.guard.claim(), "the helper can still answer");
}

#[test]
fn a_rule_that_misuses_this_executable_rejects_the_key() {
    for (arguments, told) in [
        ("%k1", "wrong usage: the rule gives the helper a different key: give it %k"),
        ("%u", "wrong usage: the rule gives the helper a different key: give it %k"),
        ("request-key create %k %u %g %T %P %S", "the program is request-key itself"),
        ("request-key", "the program is request-key itself"),
        ("-D %d %c", "wrong usage: KEY is missing"),
    ] {
        // A second percent sign keeps what only looks like a macro a text.
        let arguments = arguments.replace("%k1", "71");
        let host = Host::with(&format!("create dns_resolver * * {OURSELVES} {arguments}"));
        let ring = dns();
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Reject(22, 10)]);
        let line = format!(
            "error: request-key.conf:1: key 7: {OURSELVES}: {told}; rejected with EINVAL (22) for 10 s"
        );
        assert_eq!(host.messages(), [line], "{arguments}");
    }
}

#[test]
fn a_rule_that_pipes_through_request_key_rejects_the_key() {
    // Whatever the arguments: should the rule be followed after all, it runs the harness of these tests with these.
    let as_helper: AsHelper = |_| Err(RuleFailure::Itself);
    let rules = format!("create dns_resolver * * |{OURSELVES} --list --exact no-such-test");
    let host = Host { as_helper, ..Host::with(&rules) };
    let ring = dns();
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
    assert_eq!(ring.held(), Some(Held::Rejection(22, 10)));
}

#[test]
fn only_running_request_key_again_counts_as_a_loop() {
    let (ring, log, guard) = (dns(), Log::none(), Guard::without_handlers());
    let settings = Path::new("/nonexistent");
    let context = Context { key: key(), ring: &ring, guard: &guard, log: &log, settings, verbosity: 0 };
    let (upcall, request) = (upcall(CREATE), request("dns_resolver", b"mon1", b""));
    let values = upcall.values(&request, b"");
    let pipe_time = Duration::ZERO;
    let run = RuleRun { request: &request, values: &values, as_helper, context: &context, pipe_time };
    let repeats = |path: &str, args: &[&str]| {
        let args = args.iter().map(OsString::from).collect();
        run.repeats(&Call { path: path.into(), args })
    };
    assert!(repeats(OURSELVES, &["key-dns", NAME, "create", "7"]));
    assert!(!repeats("/bin/true", &["key-dns", NAME, "create", "7"]));
    assert!(!repeats(OURSELVES, &["key-dns", "7"]));
    assert!(!repeats(OURSELVES, &["key-dns"]));
}

#[test]
fn without_rule_files_the_helper_answers_dns_resolver_keys() {
    let host = Host::bare();
    let ring = dns();
    let request = HelperRequest { key: key(), config: None, verbose: false };
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Helper(request, dns_request()));
    assert_eq!((ring.calls().len(), host.messages()), (2, vec![]));
}
