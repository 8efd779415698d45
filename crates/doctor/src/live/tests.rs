use super::*;
use crate::host_root::tree;

#[test]
fn our_helper_is_never_replaced_by_the_one_of_keyutils() {
    const RULE: &str = "create dns_resolver * * /opt/key.dns_resolver %k\n";
    let look = tree("live-mend", &[("sbin/key.dns_resolver", "x"), ("etc/request-key.d/a.conf", RULE)]);
    let question = KeyRequest { description: "mon1.test".to_owned(), callout: "" };
    let settings = Settings::default();
    let mend = |place, program: &str, ours| {
        let winner = Winner { place, program: program.to_owned(), ours, settings: None };
        let before = Before {
            question: &question,
            consumer: Consumer::Anyone,
            settings: &settings,
            dry: None,
            winner: Some(&winner),
        };
        mend(&look, before).words().map(str::to_owned)
    };
    let place = || Some(("/etc/request-key.d/a.conf".into(), 1));
    let by_hand = "run it by hand: /opt/key.dns_resolver -D -v -- mon1.test ''";
    assert_eq!(mend(place(), "/opt/key.dns_resolver", true).as_deref(), Some(by_hand));
    let built_in = "see what it tries: key-dns resolve --trace mon1.test";
    assert_eq!(mend(None, request_key::PATH, true).as_deref(), Some(built_in));
    for keyutils in ["/sbin/key.dns_resolver", "/usr/sbin/key.dns_resolver"] {
        assert!(mend(place(), keyutils, false).unwrap().starts_with("install key-dns"), "{keyutils}");
    }
    // Under this name it answers people, and no key.
    assert_eq!(mend(place(), "/usr/bin/key-dns", true), None);
    // That of somebody else.
    assert_eq!(mend(place(), "/opt/other", false), None);
}

#[test]
fn a_program_that_answers_differently_is_not_replaced() {
    const RULE: &str = "create dns_resolver * * /opt/other %k\n";
    let helper = "usr/libexec/key-dns/key.dns_resolver";
    let look = tree("live-decide", &[(helper, "x"), ("etc/request-key.d/a.conf", RULE)]);
    let question = KeyRequest { description: "mon1.test".to_owned(), callout: "" };
    let place = Some(("/etc/request-key.d/a.conf".into(), 1));
    let winner = Winner { place, program: "/opt/other".to_owned(), ours: false, settings: None };
    let before = Before {
        question: &question,
        consumer: Consumer::Anyone,
        settings: &Settings::default(),
        dry: None,
        winner: Some(&winner),
    };
    let words = "find out which answer is right: that of /opt/other, which /etc/request-key.d/a.conf:1 names, or \
                 that of key-dns (key-dns resolve --trace mon1.test)";
    assert_eq!(decide(&look, before), Remedy::advice(words));
    // Where it gives no usable answer, it is.
    assert!(mend(&look, before).command().is_some());
}

#[test]
fn the_output_of_the_child_is_parsed() {
    assert_eq!(parse(b"payload 312e3200\n"), Some(Brought::Payload(b"1.2\0".to_vec())));
    assert_eq!(parse(b"error 61\n"), Some(Brought::Error(61)));
    assert_eq!(parse(b"no-key 126"), Some(Brought::NoKey(126)));
    assert_eq!(parse(b""), None);
    assert_eq!(parse(b"payload 3x"), None);
}
