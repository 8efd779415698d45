use super::*;

#[test]
fn a_piped_program_gets_the_callout_and_its_output_is_the_payload() {
    let host = Host { verbosity: 1, ..Host::with("create user * * |/bin/sh {}/run %d") };
    let host = host.script("run", "printf '%s|' \"$1\"; cat; echo careful >&2");
    let ring = host.ring();
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Done);
    let payload = b"debug:1|call out".to_vec();
    assert_eq!(
        ring.calls(),
        [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Instantiate(payload.clone())]
    );
    assert_eq!(ring.held(), Some(Held::Payload(payload, None)));
    assert_eq!(
        host.messages(),
        [
            "info: create key 7: type \"user\", description \"debug:1\", callout \"call out\"",
            "info: request-key.conf:1: fits best: /bin/sh",
            "info: request-key.conf:1: careful",
            "info: request-key.conf:1: /bin/sh: 16 bytes",
        ]
    );
}

#[test]
fn a_failing_piped_program_rejects_the_key_and_logs_why() {
    for (text, held, told) in [
        ("echo x; exit 1", Held::Rejection(126, 10), "exit status: 1, and did not answer the key"),
        (
            "head -c 32768 /dev/zero",
            Held::Rejection(22, 10),
            "its output is longer than the 32767 bytes that the key can hold",
        ),
        ("sleep 100", Held::Rejection(126, 10), "not done within 0.3 s"),
        ("exec >&- 2>&-; sleep 100", Held::Rejection(126, 10), "not done within 0.3 s"),
    ] {
        let pipe_time = Duration::from_millis(if text.contains("sleep") { 300 } else { 15_000 });
        let host = Host { pipe_time, ..Host::with("create user * * |/bin/sh {}/run") }.script("run", text);
        assert_eq!(host.held(), held, "{text}");
        let messages = host.messages();
        assert_eq!(messages[0], format!("error: request-key.conf:1: key 7: /bin/sh: {told}"));
        assert!(messages[1].starts_with(&format!("{}; rejected with ", messages[0])), "{messages:?}");
        assert_eq!(messages.len(), 2);
    }
}

#[test]
fn a_big_key_takes_a_longer_payload() {
    let host = Host::with("create * * * |/bin/sh {}/run").script("run", "head -c 32768 /dev/zero");
    let ring = FakeKeyring::new(request("big_key", b"x", b""));
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Done);
    assert_eq!(ring.held(), Some(Held::Payload(vec![0; 32_768], None)));
}

#[test]
fn output_refused_by_the_kernel_rejects_the_key_according_to_the_errno() {
    for (errno, held) in [
        (Libc::EINVAL, Held::Rejection(22, 10)),
        (Libc::EDQUOT, Held::Rejection(126, 1)),
        (Libc::ENOMEM, Held::Rejection(126, 1)),
    ] {
        let host = Host::with("create user * * |/bin/echo x");
        let refused = move |call: &KeyCall| matches!(call, KeyCall::Instantiate(_)).then_some(errno);
        let ring = host.ring().failing(move |_, call| refused(call));
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
        assert_eq!(ring.held(), Some(held));
        let told =
            "key 7: /bin/echo: the kernel refuses its output of 2 bytes: could not instantiate key 7: ";
        assert!(host.messages()[0].contains(told));
    }
}

/// A piped program that fails, and a rule for what then.
fn after_failure(negate: &str) -> Host {
    let host = Host::with(&format!("create user * * |/bin/false\nnegate user * * {negate}\n"));
    host.script("answer", &format!("[ $1 = negate ] && {ANSWERS}")).script("say", "cat; printf '|%s' \"$1\"")
}

#[test]
fn after_a_piped_program_fails_the_rule_for_negate_is_tried() {
    for (negate, held) in [
        ("/bin/sh {}/answer %o", Held::OfAnother),
        ("|/bin/sh {}/say %o", Held::Payload(b"call out|negate".to_vec(), None)),
        ("/bin/true", Held::Rejection(126, 10)),
        ("|/bin/false", Held::Rejection(126, 10)),
        ("{}/missing", Held::Rejection(2, 10)),
        ("|{}/missing", Held::Rejection(2, 10)),
    ] {
        let host = after_failure(negate);
        assert_eq!(host.held(), held, "{negate}");
        assert!(
            host.messages()[0].starts_with("error: request-key.conf:1: key 7: /bin/false: exit status: 1")
        );
    }
}

#[test]
fn the_rule_for_negate_may_run_the_helper() {
    let host = after_failure("/proc/self/exe %k");
    let helper = HelperRequest { key: key(), config: None, verbose: true };
    let asked = request("user", b"debug:1", b"call out");
    assert_eq!(host.answer(&host.ring()).unwrap(), Disposition::Helper(helper, asked));
}

#[test]
fn a_failing_rule_for_negate_runs_once() {
    let host = Host { operation: NEGATE, ..Host::with("negate user * * |/bin/sh {}/run") };
    let host = host.script("run", "echo x >> {}/turns; exit 1");
    assert_eq!(host.held(), Held::Rejection(126, 10));
    assert_eq!(std::fs::read(host.folder.path("turns")).unwrap(), b"x\n");
}

#[test]
fn the_rule_for_negate_is_logged_when_verbose() {
    let host = after_failure("|/bin/echo x");
    assert_eq!(host.held(), Held::Payload(b"x\n".to_vec(), None));
    assert_eq!(host.messages().len(), 1);
    let host = Host { verbosity: 1, ..after_failure("|/bin/echo x") };
    assert_eq!(host.held(), Held::Payload(b"x\n".to_vec(), None));
    assert_eq!(
        host.messages()[3..],
        [
            "info: negate key 7: type \"user\", description \"debug:1\", callout \"call out\"",
            "info: request-key.conf:2: fits best: /bin/echo",
            "info: request-key.conf:2: /bin/echo: 2 bytes",
        ]
    );
}
