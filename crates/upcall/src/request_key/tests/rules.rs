use super::*;

#[test]
fn without_a_matching_rule_the_key_is_rejected() {
    let no_rule = "error: key 7: no rule for this key; rejected with ENOKEY (126) for 10 s";
    for (host, ring) in [
        (Host::bare(), FakeKeyring::new(request("user", b"x", b""))),
        (Host { operation: b"update", ..Host::bare() }, dns()),
        (Host::with(""), dns()),
        (Host::with("create user * * /bin/true"), dns()),
        (Host::with("negate dns_resolver * * /bin/true"), dns()),
    ] {
        assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
        assert_eq!(
            (ring.held(), host.messages()),
            (Some(Held::Rejection(126, 10)), vec![no_rule.to_owned()])
        );
    }
}

#[test]
fn an_unreadable_rule_file_shortens_the_rejection() {
    // A link to itself can be read by nobody, whoever they are.
    let host = Host::bare();
    std::os::unix::fs::symlink("request-key.conf", host.folder.path("request-key.conf")).unwrap();
    let ring = dns();
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
    assert_eq!(ring.held(), Some(Held::Rejection(126, 1)));
    let messages = host.messages();
    assert!(messages[0].starts_with("warning: request-key.conf: can't be read: "), "{messages:?}");
    let told = "error: key 7: no rule for this key in the files that can be read; rejected with ENOKEY (126) for 1 s";
    assert_eq!(messages[1], told);
}

#[test]
fn invalid_rules_are_skipped_with_a_warning() {
    let host = Host::with("create\ncreate user * * |/bin/echo x\n");
    assert_eq!(host.held(), Held::Payload(b"x\n".to_vec(), None));
    let messages = host.messages();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].starts_with("warning: request-key.conf:1: a rule has "), "{messages:?}");
}

#[test]
fn matching_rules_are_logged_when_verbose() {
    let rules =
        "create user * * |/bin/echo x\ncreate user debug:* call* |/bin/echo y\nnegate * * * /bin/true\n";
    let told = |verbosity| {
        let host = Host { verbosity, ..Host::with(rules) };
        assert_eq!(host.held(), Held::Payload(b"y\n".to_vec(), None));
        host.messages()
    };
    assert_eq!(told(0), [""; 0]);
    let asked = "info: create key 7: type \"user\", description \"debug:1\", callout \"call out\"";
    let best = "info: request-key.conf:2: fits best: /bin/echo";
    let done = "info: request-key.conf:2: /bin/echo: 2 bytes";
    assert_eq!(told(1), [asked, best, done]);
    let fitting = [
        "info: request-key.conf:1: fits, skipping 0, 0, 7, 8: /bin/echo",
        "info: request-key.conf:2: fits, skipping 0, 0, 1, 4: /bin/echo",
    ];
    assert_eq!(told(2), [&[asked][..], &fitting, &[best, done]].concat());

    let host = Host { verbosity: 1, ..Host::with("create user * * /bin/sh {}/run") }.script("run", ANSWERS);
    assert_eq!(host.held(), Held::OfAnother);
    assert_eq!(host.messages()[2], "info: request-key.conf:1: /bin/sh: exit status: 0");
}

#[test]
fn files_of_the_directory_come_before_request_key_conf() {
    let host = Host::with("create user * * |/bin/echo last");
    assert_eq!(host.held(), Held::Payload(b"last\n".to_vec(), None));
    host.add("request-key.d/b.conf", "create user * * |/bin/echo b");
    let host = Host { guard: Guard::without_handlers(), ..host };
    assert_eq!(host.held(), Held::Payload(b"b\n".to_vec(), None));
    host.add("request-key.d/a.conf", "create user * * |/bin/echo a");
    let host = Host { guard: Guard::without_handlers(), ..host };
    assert_eq!(host.held(), Held::Payload(b"a\n".to_vec(), None));
}

#[test]
fn shipped_rules_are_tried_if_no_local_rule_matches() {
    let host = Host { verbosity: 1, ..Host::bare() };
    host.add("shipped/request-key.d/a.conf", "create user * * |/bin/echo shipped");
    assert_eq!(host.held(), Held::Payload(b"shipped\n".to_vec(), None));
    let host = Host { guard: Guard::without_handlers(), ..host };
    host.add("request-key.conf", "create keyring * * |/bin/echo other");
    assert_eq!(host.held(), Held::Payload(b"shipped\n".to_vec(), None));
    let host = Host { guard: Guard::without_handlers(), ..host };
    host.add("request-key.conf", "create * * * |/bin/echo admin");
    assert_eq!(host.held(), Held::Payload(b"admin\n".to_vec(), None));
}

#[test]
fn with_only_shipped_rules_a_host_name_needs_a_matching_rule() {
    let host = Host::bare();
    host.add("shipped/request-key.conf", "create user * * |/bin/echo shipped");
    let ring = dns();
    assert_eq!(host.answer(&ring).unwrap(), Disposition::Rejected);
}
