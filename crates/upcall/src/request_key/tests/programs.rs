use super::*;
use crate::testing::in_own_process;
use nix::unistd::alarm;

#[test]
fn a_program_may_answer_the_key_itself() {
    let host = Host::with("create user debug:* * /bin/sh {}/run %k %d %c").script("run", ANSWERS);
    let ring = host.ring();
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Done);
    // The last of them is refused: the key is answered.
    assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Reject(126, 10)]);
    assert_eq!((ring.held(), host.messages()), (Some(Held::OfAnother), vec![]));
}

#[test]
fn a_program_gets_the_arguments_of_its_rule() {
    let text =
        "[ \"$#|$1|$2|$3|$4|$5|$6|$7|$8|$9\" = \"9|create|7|user|debug:1|call out|1000|100|0|2\" ] || exit 1
        echo > {}/answered";
    let host = Host::with("create * * * /bin/sh {}/run %o %k %t %d %c %u %g %T %P").script("run", text);
    assert_eq!(host.held(), Held::OfAnother);
}

#[test]
fn a_callout_on_the_command_line_replaces_the_one_from_the_kernel() {
    let rules = "create user * given* |/bin/sh {}/run\ncreate user * * |/bin/false";
    let host = Host { callout: Some(b"given".to_vec()), ..Host::with(rules) };
    let host = host.script("run", "cat");
    assert_eq!(host.held(), Held::Payload(b"given".to_vec(), None));
}

#[test]
fn a_program_that_exits_without_an_answer_rejects_the_key_and_is_logged() {
    for (text, told) in [
        ("exit 0", "exit status: 0"),
        ("exit 3", "exit status: 3"),
        ("ulimit -c 0; kill -SEGV $$", "signal: 11 (SIGSEGV)"),
        ("kill -KILL $$", "signal: 9 (SIGKILL)"),
    ] {
        let host = Host::with("\ncreate user * * /bin/sh {}/run %k").script("run", text);
        let ring = host.ring();
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Reject(126, 10)]);
        let line = format!(
            "error: request-key.conf:2: key 7: /bin/sh: {told}, and did not answer the key; \
             rejected with ENOKEY (126) for 10 s"
        );
        assert_eq!(host.messages(), [line]);
    }
}

#[test]
fn a_program_that_cannot_be_started_rejects_the_key_with_its_errno() {
    for (program, held, told) in [
        ("missing", Held::Rejection(2, 10), "ENOENT (2) for 10 s"),
        ("plain", Held::Rejection(13, 10), "EACCES (13) for 10 s"),
    ] {
        for pipe in ["", "|"] {
            let host = Host::with(&format!("create user * * {pipe}{{}}/{program} %k")).script("plain", "x");
            assert_eq!(host.held(), held);
            let told = format!("rejected with {told}");
            assert!(host.messages().last().unwrap().ends_with(&told), "{program}");
        }
    }
}

#[test]
fn a_failing_rejection_is_retried_once_and_then_reported() {
    let host = Host::with("create user * * /bin/true");
    let rejects = |call: &KeyCall| matches!(call, KeyCall::Reject(..));
    let once = host.ring().failing(|place, _| (place == 2).then_some(Libc::EIO));
    assert_eq!(host.answer(&once).unwrap(), Disposition::Rejected);
    assert_eq!(once.held(), Some(Held::Rejection(126, 1)));

    let host = Host::with("create user * * /bin/true");
    let always = host.ring().failing(move |_, call| rejects(call).then_some(Libc::EIO));
    let outcome = host.answer(&always);
    assert!(matches!(outcome, Err(Unanswered::Keyring(KeyringError::Call { .. }))), "{outcome:?}");
    assert_eq!(always.calls().len(), 4);
}

#[test]
fn a_key_that_a_signal_handler_answers_is_left_to_it() {
    for rules in ["create user * * /bin/true", "create user * * |/bin/echo x", "negate user * * /bin/true"] {
        let host = Host::with(rules);
        let ring = host.ring();
        assert!(host.guard.claim());
        let files = RuleFiles::read_in(host.folder.as_ref(), Trust::Anyone);
        let log = host.daemon.log();
        let context = Context {
            key: key(),
            ring: &ring,
            guard: &host.guard,
            log: &log,
            settings: Path::new("/nonexistent"),
            verbosity: 0,
        };
        let outcome = answer(&upcall(CREATE), &files, as_helper, &context);
        let left = matches!(outcome, Ok(Disposition::Rejected) | Err(Unanswered::Claimed(_)));
        assert!(left, "{rules}: {outcome:?}");
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request], "{rules}");
    }
}

#[test]
fn a_missing_key_in_a_macro_is_enokey() {
    for pipe in ["", "|"] {
        let host = Host::with(&format!("create user * * {pipe}/bin/true %{{user:upcall-test-no-such-key}}"));
        assert_eq!(host.held(), Held::Rejection(126, 1));
        let told = "/bin/true: %{user:upcall-test-no-such-key}: ";
        assert!(host.messages()[0].contains(told), "{pipe}");
    }
}

#[test]
fn a_key_without_authority_or_read_permission_is_an_error() {
    let host = Host::bare();
    let ring = dns().failing(|_, call| (*call == KeyCall::AssumeAuthority).then_some(Libc::ENOKEY));
    let outcome = host.answer(&ring);
    assert!(matches!(outcome, Err(Unanswered::Keyring(KeyringError::Authority { .. }))), "{outcome:?}");
    assert_eq!(ring.calls().len(), 1);

    let ring = dns().failing(|_, call| (*call == KeyCall::Request).then_some(Libc::EACCES));
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
    assert_eq!(ring.held(), Some(Held::Rejection(126, 1)));
}

/// Every way in which single calls can fail, one bit a call, in each kind of turn that a request can take.
#[test]
fn whatever_fails_a_key_is_answered_or_reported_as_unanswered() {
    for rules in [
        "",
        "create user * * |/bin/echo x",
        "create user * * |/bin/false\nnegate user * * |/bin/echo x",
        "create user * * /bin/true",
        "create user * * /proc/self/exe 8",
    ] {
        for failing in 0_u32..1 << 5 {
            let host = Host::with(rules);
            let fails = move |place: usize| failing >> place & 1 == 1;
            let ring = host.ring().failing(move |place, _| fails(place).then_some(Libc::EIO));
            let outcome = host.answer(&ring);
            assert_eq!(outcome.is_ok(), ring.held().is_some(), "{rules}, {failing:b}: {outcome:?}");
            let calls = ring.calls();
            let last = calls.last().cloned();
            let given_up = matches!(last, Some(KeyCall::Reject(..)));
            assert!(outcome.is_ok() || fails(0) || given_up, "{rules}, {failing:b}: {last:?}");
        }
    }
}

#[test]
fn the_time_limit_holds_until_a_program_has_started() {
    let name = "request_key::tests::programs::the_time_limit_holds_until_a_program_has_started";
    let output = in_own_process(name, || {
        for (rules, limited) in [
            ("create user * * {}/missing", true),
            ("create user * * |{}/missing", true),
            ("create user * * /bin/true", false),
            // A piped program has one of its own.
            ("create user * * |/bin/echo x", true),
            // The program after one that has failed has a limit of its own for that.
            ("create user * * |/bin/false\nnegate user * * {}/missing", true),
            ("create user * * |/bin/false\nnegate user * * /bin/true", false),
        ] {
            let guard = Guard::arm_rejecting(key(), SECONDS, &Log::none());
            let host = Host { guard, ..Host::with(rules) };
            host.answer(&host.ring()).unwrap();
            let left = alarm::cancel();
            assert_eq!(left.is_some(), limited, "{rules}: {left:?}");
            host.guard.unclaim();
        }
        0
    });
    assert!(output.status.success(), "{output:?}");
}
