use super::*;
use crate::confine::Lacking;
use crate::testing::{Daemon, FakeKeyring, Folder, Held, KeyCall, request};
use key::{LookupStatus, RecordSource, Server, ServerList};
use names::{Address, Event, Origin};
use nix::errno::Errno as Libc;

fn key() -> KeySerial {
    KeySerial::new(7).unwrap()
}

/// A name that is an address, for which nobody is asked.
const ADDRESS: &[u8] = b"192.0.2.1";

/// What is asked, and with which settings.
#[derive(Clone, Copy, Debug)]
struct Case {
    key_type: &'static str,
    name: &'static [u8],
    callout: &'static [u8],
    /// Whether the settings can be loaded.
    settings: bool,
    /// The reason, where the request is refused without a lookup.
    refusal: Option<&'static str>,
}

impl Case {
    const fn asking(name: &'static [u8], callout: &'static [u8]) -> Self {
        Self { key_type: "dns_resolver", name, callout, settings: true, refusal: None }
    }

    fn ring(self) -> FakeKeyring {
        FakeKeyring::new(request(self.key_type, self.name, self.callout))
    }

    fn run(self, ring: &FakeKeyring, guard: &Guard, log: &Log) -> Result<(), Unanswered> {
        if let Some(reason) = self.refusal {
            return refuse(key(), ring, Failure::Usage(reason.to_owned()), guard, log);
        }
        let loaded = Settings { log: LogChoice::All, ..Settings::default() };
        let settings =
            || if self.settings { Ok(loaded) } else { Err(Failure::Internal("no settings".to_owned())) };
        answer(key(), ring, settings, guard, log)
    }

    /// Runs it with calls that fail like this.
    fn with(self, fault: impl Fn(usize, &KeyCall) -> Option<Libc> + 'static) -> FakeKeyring {
        let ring = self.ring().failing(fault);
        let outcome = self.run(&ring, &Guard::without_handlers(), &Log::none());
        assert_eq!(outcome.is_ok(), ring.held().is_some(), "{self:?}: {outcome:?}, {ring:?}");
        ring
    }
}

const LITERAL: Case = Case::asking(ADDRESS, b"");
const BAD_NAME: Case = Case::asking(b"", b"");
const OTHER_TYPE: Case = Case { key_type: "user", ..LITERAL };
const NO_SETTINGS: Case = Case { settings: false, ..LITERAL };
const REFUSED: Case = Case { refusal: Some("the rule is wrong"), ..LITERAL };
const REFUSED_OTHER_TYPE: Case = Case { key_type: "user", ..REFUSED };

const CASES: [Case; 6] = [LITERAL, BAD_NAME, OTHER_TYPE, NO_SETTINGS, REFUSED, REFUSED_OTHER_TYPE];

fn payload(text: &[u8], expiry: u32) -> Held {
    Held::Payload([text, b"\0"].concat(), Some(expiry))
}

fn instantiate(text: &[u8]) -> KeyCall {
    KeyCall::Instantiate([text, b"\0"].concat())
}

const AGAIN: &[u8] = b"#dnserror=11";
const INVALID: &[u8] = b"#dnserror=22";

#[test]
fn authority_is_assumed_before_the_key_is_read_timed_and_instantiated() {
    let ring = LITERAL.with(|_, _| None);
    let calls =
        [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::SetTimeout(5), instantiate(b"192.0.2.1")];
    assert_eq!(ring.calls(), calls);
    assert_eq!(ring.held(), Some(payload(b"192.0.2.1", 5)));
}

#[test]
fn the_request_determines_payload_and_expiry() {
    for (name, callout, text, expiry) in [
        (&b"2001:db8::1"[..], &b""[..], &b"2001:db8::1"[..], 5),
        (b"192.0.2.1", b"ipv4", b"192.0.2.1", 5),
        (b"192.0.2.1", b"list", b"192.0.2.1", 5),
        // An address of another family than the one that is wanted is as good as none.
        (b"192.0.2.1", b"ipv6", b"#dnserror=61", 60),
        (b"fe80::1%eth0", b"", INVALID, 1),
        (b"", b"", INVALID, 1),
        (b"a:", b"", INVALID, 1),
        (b"mx:example.org", b"", INVALID, 1),
        (b"afsdb:", b"", INVALID, 1),
        (b"afsdb:example.org", b"srv=x", INVALID, 1),
    ] {
        let ring = Case::asking(name, callout).with(|_, _| None);
        assert_eq!(ring.held(), Some(payload(text, expiry)), "{}", name.escape_ascii());
        assert_eq!(ring.calls().len(), 4);
    }
}

#[test]
fn default_ttl_is_the_expiry_of_a_literal_address() {
    let ring = LITERAL.ring();
    let settings = || Ok(Settings::parse(b"default_ttl = 77").0);
    answer(key(), &ring, settings, &Guard::without_handlers(), &Log::none()).unwrap();
    assert_eq!(ring.held(), Some(payload(ADDRESS, 77)));
}

#[test]
fn root_only_rejects_dns_resolver_keys_of_users() {
    let held = |owner, settings: &'static [u8]| {
        let mut request = request("dns_resolver", ADDRESS, b"");
        request.description.owner = owner;
        let (ring, daemon) = (FakeKeyring::new(request), Daemon::start());
        let load = || Ok(Settings::parse(settings).0);
        answer(key(), &ring, load, &Guard::without_handlers(), &daemon.log()).unwrap();
        (ring.held().unwrap(), daemon.messages())
    };
    let answered = (payload(ADDRESS, 5), vec![]);
    assert_eq!(held(Some(1000), b""), answered);
    assert_eq!(held(Some(0), b"root_only = dns_resolver"), answered);
    let line = "error: key 7: user 1000 requests a key of type \"dns_resolver\", which root_only reserves for \
                the kernel and root; rejected with EPERM (1) for 10 s";
    assert_eq!(
        held(Some(1000), b"root_only = dns_resolver"),
        (Held::Rejection(1, 10), vec![line.to_owned()])
    );
}

#[test]
fn whatever_prevents_a_lookup_is_answered_with_an_error() {
    for (case, held) in [
        (NO_SETTINGS, payload(AGAIN, 1)),
        (REFUSED, payload(INVALID, 1)),
        // A payload would be data there.
        (OTHER_TYPE, Held::Rejection(22, 1)),
        (REFUSED_OTHER_TYPE, Held::Rejection(22, 1)),
    ] {
        assert_eq!(case.with(|_, _| None).held(), Some(held), "{case:?}");
    }
}

#[test]
fn a_key_of_another_type_is_rejected_without_loading_the_settings() {
    let ring = OTHER_TYPE.ring();
    let settings = || panic!("the settings are loaded");
    answer(key(), &ring, settings, &Guard::without_handlers(), &Log::none()).unwrap();
    assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::Reject(22, 1)]);
}

#[test]
fn a_key_without_authority_is_left_untouched() {
    for case in CASES {
        let ring = case.ring().failing(|_, call| (*call == KeyCall::AssumeAuthority).then_some(Libc::ENOKEY));
        let outcome = case.run(&ring, &Guard::without_handlers(), &Log::none());
        assert!(matches!(outcome, Err(Unanswered::Keyring(KeyringError::Authority { .. }))), "{outcome:?}");
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority], "{case:?}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_rejected_for_one_second() {
    for case in CASES {
        for errno in [Libc::ENOMEM, Libc::EACCES, Libc::EIO] {
            let ring = case.with(move |_, call| (*call == KeyCall::Request).then_some(errno));
            assert_eq!(ring.held(), Some(Held::Rejection(126, 1)), "{case:?}");
            assert_eq!(ring.calls().len(), 3);
        }
    }
}

fn is_payload(call: &KeyCall) -> bool {
    matches!(call, KeyCall::Instantiate(_))
}

#[test]
fn a_refused_payload_becomes_an_error_payload_and_then_a_rejection() {
    let start = [KeyCall::AssumeAuthority, KeyCall::Request, KeyCall::SetTimeout(5)];
    for errno in [Libc::EDQUOT, Libc::EINVAL, Libc::ENOMEM] {
        let refused = [instantiate(ADDRESS), KeyCall::SetTimeout(1), instantiate(AGAIN)];
        let once = LITERAL.with(move |place, _| (place == 3).then_some(errno));
        assert_eq!(once.calls(), [start.as_slice(), &refused].concat());
        assert_eq!(once.held(), Some(payload(AGAIN, 1)));

        let always = LITERAL.with(move |_, call| is_payload(call).then_some(errno));
        assert_eq!(always.calls(), [start.as_slice(), &refused, &[KeyCall::Reject(126, 1)]].concat());
        assert_eq!(always.held(), Some(Held::Rejection(126, 1)));
    }
}

#[test]
fn no_payload_is_instantiated_without_an_expiry() {
    let fault = |_: usize, call: &KeyCall| matches!(call, KeyCall::SetTimeout(_)).then_some(Libc::EACCES);
    for (case, rejection) in [
        (LITERAL, Held::Rejection(126, 1)),
        (BAD_NAME, Held::Rejection(22, 1)),
        (NO_SETTINGS, Held::Rejection(126, 1)),
        (REFUSED, Held::Rejection(22, 1)),
    ] {
        let ring = case.with(fault);
        assert!(!ring.calls().iter().any(is_payload), "{case:?}");
        assert_eq!(ring.held(), Some(rejection), "{case:?}");
    }
    let once = LITERAL.with(|place, _| (place == 2).then_some(Libc::ENOMEM));
    assert_eq!(once.held(), Some(payload(AGAIN, 1)));
}

#[test]
fn a_refused_error_payload_becomes_a_rejection_with_the_same_errno_and_expiry() {
    for (case, rejection) in [
        (BAD_NAME, Held::Rejection(22, 1)),
        (Case::asking(b"192.0.2.1", b"ipv6"), Held::Rejection(61, 60)),
        (NO_SETTINGS, Held::Rejection(126, 1)),
        (REFUSED, Held::Rejection(22, 1)),
    ] {
        let ring = case.with(|_, call| is_payload(call).then_some(Libc::EDQUOT));
        assert_eq!(ring.held(), Some(rejection), "{case:?}");
        assert_eq!(ring.calls().iter().filter(|&call| is_payload(call)).count(), 1, "{case:?}");
    }
}

#[test]
fn a_key_revoked_at_any_moment_is_reported_as_unanswered() {
    for case in CASES {
        for moment in 0..6 {
            let ring = case.ring().failing(move |place, _| (place >= moment).then_some(Libc::EKEYREVOKED));
            let outcome = case.run(&ring, &Guard::without_handlers(), &Log::none());
            let answered = ring.calls().len() <= moment;
            assert_eq!((outcome.is_ok(), ring.held().is_some()), (answered, answered), "{case:?}, {moment}");
            let last = ring.calls().last().cloned();
            let given_up = matches!(last, Some(KeyCall::Reject(..)));
            assert!(answered || moment == 0 || given_up, "{case:?}, {moment}: {last:?}");
        }
    }
}

/// Every way in which single calls can fail, one bit a call.
#[test]
fn whatever_fails_a_key_is_answered_once_or_reported_as_unanswered() {
    for case in CASES {
        for failing in 0_u32..1 << 8 {
            let ring = case.with(move |place, _| (failing >> place & 1 == 1).then_some(Libc::EIO));
            let calls = ring.calls();
            let failed = |place: usize| failing >> place & 1 == 1;
            let ends = |call: &KeyCall| matches!(call, KeyCall::Instantiate(_) | KeyCall::Reject(..));
            for (place, call) in calls.iter().enumerate() {
                // Nothing is done to a key that has its answer, and nothing after the last resort.
                let last = ends(call) && !failed(place) || matches!(call, KeyCall::Reject(..));
                assert_eq!(last || failed(0), place + 1 == calls.len(), "{case:?}: {calls:?}");
                if is_payload(call) {
                    let timed = matches!(calls[place - 1], KeyCall::SetTimeout(_)) && !failed(place - 1);
                    assert!(timed, "{case:?}: {calls:?}");
                }
            }
        }
    }
}

#[test]
fn a_key_that_a_signal_handler_answers_is_left_to_it() {
    for case in CASES {
        let (ring, guard) = (case.ring(), Guard::without_handlers());
        assert!(guard.claim());
        let outcome = case.run(&ring, &guard, &Log::none());
        assert!(matches!(outcome, Err(Unanswered::Claimed(claimed)) if claimed == key()), "{outcome:?}");
        assert_eq!(ring.calls(), [KeyCall::AssumeAuthority, KeyCall::Request], "{case:?}");
    }
}

#[test]
fn the_log_says_what_the_key_was_answered_with() {
    let daemon = Daemon::start();
    let told = |case: Case, fault: fn(usize, &KeyCall) -> Option<Libc>| {
        let ring = case.ring().failing(fault);
        case.run(&ring, &Guard::without_handlers(), &daemon.log()).unwrap();
        daemon.messages()
    };
    assert_eq!(told(LITERAL, |_, _| None), ["info: 192.0.2.1: payload 192.0.2.1 for 5 s"]);
    assert_eq!(
        told(Case::asking(b"mx:a\nb", b""), |_, _| None),
        ["warning: mx:a\\nb: query type \"mx\" is not supported; answered with EINVAL (22) for 1 s"]
    );
    assert_eq!(
        told(Case::asking(ADDRESS, b"bogus"), |_, _| None),
        [
            "warning: callout word \"bogus\" is unknown and ignored",
            "info: 192.0.2.1: payload 192.0.2.1 for 5 s"
        ]
    );
    assert_eq!(
        told(LITERAL, |_, call| is_payload(call).then_some(Libc::EDQUOT)),
        ["warning: 192.0.2.1: could not instantiate key 7: QuotaExceeded; answered with EAGAIN (11) for 1 s"]
    );
    assert_eq!(told(NO_SETTINGS, |_, _| None), ["error: key 7: no settings; answered with EAGAIN (11)"]);
    assert_eq!(
        told(REFUSED, |_, _| None),
        ["error: key 7: wrong usage: the rule is wrong; answered with EINVAL (22)"]
    );
    assert_eq!(
        told(OTHER_TYPE, |_, _| None),
        [
            "error: key 7: wrong usage: key 7 is of type \"user\", and only dns_resolver keys are answered here; \
             rejected with EINVAL (22)"
        ]
    );
}

/// What is logged of a lookup that ended like this.
fn report_of(outcome: Result<Answer, Failure>, left_out: usize, choice: LogChoice) -> Vec<String> {
    let daemon = Daemon::start();
    let trace = Trace::default();
    if outcome.is_err() {
        let event = Event::Unavailable { name: "mon1".into(), source: "sss".into(), why: "gone".into() };
        trace.add(event);
    }
    let mut reply = Reply::new(&outcome, &Settings::default());
    reply.left_out = left_out;
    let lookup = LookupReport {
        outcome,
        trace,
        warnings: vec!["a file is wrong".to_owned()],
        lacking: vec![Lacking::new("Landlock", "none")],
    };
    report(&request("dns_resolver", b"mon1", b""), &lookup, &reply, choice, &daemon.log());
    daemon.messages()
}

#[test]
fn the_log_setting_selects_what_is_logged() {
    let address = Address { ip: "192.0.2.1".parse().unwrap(), origin: Origin::Literal };
    let found = Answer { content: Content::Addresses(vec![address]), ttl: Some(Ttl::from_secs(9)) };
    let wrong = "warning: a file is wrong";
    let lacking = "info: not confined by Landlock: none";
    let cut = "warning: mon1: the answer is longer than the 65535 bytes of a key: its last 3 addresses are left out";

    let report = |choice| report_of(Ok(found.clone()), 0, choice);
    assert_eq!(report(LogChoice::All), [wrong, lacking, "info: mon1: payload 192.0.2.1 for 9 s"]);
    assert_eq!(report(LogChoice::Failures), [wrong]);
    assert_eq!(report(LogChoice::None), [wrong]);
    assert_eq!(report_of(Ok(found.clone()), 3, LogChoice::None), [wrong, cut]);

    let report = |choice| report_of(Err(Failure::Refused("SERVFAIL".into())), 0, choice);
    let failed = "warning: mon1: no server answers: SERVFAIL; tried mon1 in sss: gone; \
                  answered with ECONNREFUSED (111) for 10 s";
    assert_eq!(report(LogChoice::All), [wrong, lacking, failed]);
    assert_eq!(report(LogChoice::Failures), [wrong, failed]);
    assert_eq!(report(LogChoice::None), [wrong]);

    // What breaks on our side is always told.
    let broken = report_of(Err(Failure::Internal("no memory".into())), 0, LogChoice::None);
    let told = "warning: mon1: no memory; tried mon1 in sss: gone; answered with EAGAIN (11) for 1 s";
    assert_eq!(broken, [wrong, told]);
}

#[test]
fn a_cell_is_logged_with_the_number_of_its_servers() {
    let server = Server {
        name: "afs1".to_owned(),
        priority: 0,
        weight: 0,
        port: 7003,
        source: RecordSource::Srv,
        status: LookupStatus::Good,
        addresses: vec!["192.0.2.1".parse().unwrap()],
    };
    let list = ServerList { source: RecordSource::Srv, status: LookupStatus::Good, servers: vec![server] };
    let answer = |content| Ok(Answer { content, ttl: None });
    let told = report_of(answer(Content::Servers(list.clone())), 0, LogChoice::All);
    assert_eq!(told[2], "info: mon1: 1 servers, 192.0.2.1+7003 for 5 s");
    let told = report_of(answer(Content::Endpoints(list.clone())), 0, LogChoice::All);
    assert_eq!(told[2], "info: mon1: payload 192.0.2.1+7003 for 5 s");
    assert_eq!(report_of(answer(Content::Servers(list)), 0, LogChoice::Failures).len(), 1);
}

#[test]
fn a_rule_can_select_a_settings_file_and_verbose_logging() {
    let folder = Folder::new();
    let path = folder.write("settings.conf", "max_ttl = 60\nlog = none\n");
    let request = HelperRequest { key: key(), config: Some(path), verbose: false };
    let settings = request.settings(&Log::none()).unwrap();
    assert_eq!((settings.max_ttl, settings.log), (Ttl::from_secs(60), LogChoice::None));
    let verbose = HelperRequest { verbose: true, ..request };
    let settings = verbose.settings(&Log::none()).unwrap();
    assert_eq!((settings.max_ttl, settings.log), (Ttl::from_secs(60), LogChoice::All));
    let missing = HelperRequest { config: Some(folder.path("missing")), ..verbose };
    assert!(matches!(missing.settings(&Log::none()), Err(Failure::Internal(_))));
}

#[test]
fn the_deadline_of_a_users_request_is_shorter() {
    assert_eq!([deadline(20, Some(0)), deadline(20, Some(1000)), deadline(20, None)], [20, 7, 7]);
    assert_eq!([deadline(3, Some(0)), deadline(3, Some(1000))], [3, 3]);
}
