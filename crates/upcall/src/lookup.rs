//! A lookup for a key, or only to show: it opens what it needs, starts, and gives up its rights before it reads what
//! others send.

use crate::confine::{Lacking, Needs, allow_descriptors, confine};
use crate::log::Log;
use crate::nss::GetentModules;
use crate::settings::Settings;
use key::{Failure, KeySerial, ParsedQuery, Query, Request};
use names::{Answer, Host, Lookup, Trace, literal_answer};

/// A finished lookup: its outcome, and its circumstances.
#[derive(Debug)]
pub struct LookupReport {
    /// The addresses, or why there are none.
    pub outcome: Result<Answer, Failure>,
    /// What was tried.
    pub trace: Trace,
    /// What was ignored: callout words, lines of configuration files.
    pub warnings: Vec<String>,
    /// The parts of the confinement that were not available.
    pub lacking: Vec<Lacking>,
}

/// What a lookup is for, which decides what the process keeps when it gives up its rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer this key, which is all that the process can do afterwards.
    Answer(KeySerial),
    /// To be shown: standard output and standard error stay.
    Show,
    /// To continue afterwards: the process keeps all its rights.
    GoOn,
}

/// Parses and resolves a request. Steps are recorded in `trace`.
#[must_use]
pub fn look_up(
    request: &Request,
    settings: &Settings,
    trace: Trace,
    purpose: Purpose,
    log: &Log,
) -> LookupReport {
    let (mut warnings, mut lacking) = (Vec::new(), Vec::new());
    let Request { description, callout } = request;
    let outcome = Query::parse(&description.name, callout, settings.family).and_then(|parsed| {
        let ParsedQuery { query, unknown_words } = parsed;
        warnings.extend(ignored(&unknown_words));
        if let Some(answer) = literal_answer(&query) {
            return answer;
        }
        let mut host = Host::open(Some(&query), &settings.lookup, &trace);
        let modules = modules_for(&query, &host, &mut warnings);
        if let Some(modules) = &modules {
            host.ask_modules_by(modules);
        }
        let mut lookup = Lookup::open(&query, &host)?;
        log.connect();
        allow_descriptors();
        let answer = lookup.start().unwrap_or_else(|| {
            // All is open and the question is sent; no byte of an answer has been read.
            lacking = give_up_rights(settings, purpose, &host, modules.as_ref(), log);
            lookup.finish()
        });
        warnings.extend(host.warnings());
        answer
    });
    LookupReport { outcome, trace, warnings, lacking }
}

/// The warning about unknown callout words: one line, whoever the requester is and however many words there are.
fn ignored(words: &[String]) -> Option<String> {
    const SHOWN: usize = 3;
    const LONGEST: usize = 64;
    let shown: Vec<String> = words
        .iter()
        .take(SHOWN)
        .map(|word| match word.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("\"{}…\"", word.get(..end).unwrap_or_default()),
            None => format!("\"{word}\""),
        })
        .collect();
    let shown = shown.join(", ");
    match words.len() {
        0 => None,
        1 => Some(format!("callout word {shown} is unknown and ignored")),
        2..=SHOWN => Some(format!("callout words {shown} are unknown and ignored")),
        more => Some(format!("callout words {shown} and {} more are unknown and ignored", more - SHOWN)),
    }
}

/// The process that queries NSS modules, if it may be needed.
fn modules_for(query: &Query, host: &Host<'_>, warnings: &mut Vec<String>) -> Option<GetentModules> {
    if !host.may_ask_modules(query) {
        return None;
    }
    let modules = GetentModules::start(host.sources().map(str::to_owned).collect());
    modules.inspect_err(|error| warnings.push(format!("can't start a process for NSS modules: {error}"))).ok()
}

/// Confines the process, where it is to be.
fn give_up_rights(
    settings: &Settings,
    purpose: Purpose,
    host: &Host<'_>,
    modules: Option<&GetentModules>,
    log: &Log,
) -> Vec<Lacking> {
    let key = match purpose {
        Purpose::Answer(key) => Some(key),
        Purpose::Show => None,
        Purpose::GoOn => return Vec::new(),
    };
    // AddressSanitizer needs more memory, and other system calls, than confinement allows (fuzz/asan).
    if !settings.confine || cfg!(asan) {
        return Vec::new();
    }
    confine(&Needs {
        key,
        ports: host.name_server_ports(),
        log: log.keep_connection(),
        modules: modules.and_then(GetentModules::descriptor),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{in_own_process, name_server, request};
    use key::Ttl;
    use names::{Content, DomainServers};
    use nix::sys::prctl;
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    use nix::sys::signal::Signal;
    use std::fs::File;
    use std::os::unix::process::ExitStatusExt;

    const NAME: &[u8] = b"mon1.example.org";

    /// Settings by which all names are asked of a server in this process.
    fn settings(confine: bool) -> Settings {
        let server = DomainServers { domain: String::new(), servers: vec![name_server()] };
        let mut settings = Settings { confine, ..Settings::default() };
        settings.lookup.name_servers.push(server);
        settings
    }

    fn look_up_name(name: &[u8], callout: &[u8], settings: &Settings, purpose: Purpose) -> LookupReport {
        look_up(&request("dns_resolver", name, callout), settings, Trace::default(), purpose, &Log::none())
    }

    fn addresses(report: &LookupReport) -> Vec<String> {
        match &report.outcome {
            Ok(Answer { content: Content::Addresses(found), .. }) => {
                found.iter().map(|address| address.ip.to_string()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whether a process of which this test is part can open a file once it has looked a name up.
    fn can_open_files_after(test: &str, confine: bool, purpose: Purpose) -> bool {
        let output = in_own_process(&format!("lookup::tests::{test}"), || {
            let report = look_up_name(NAME, b"ipv4", &settings(confine), purpose);
            assert_eq!(addresses(&report), ["192.0.2.7"]);
            i32::from(File::open("/proc/self/stat").is_err())
        });
        // Where there is no filter of system calls, there is Landlock.
        let kept = output.status.code() == Some(1) || output.status.signal() == Some(Signal::SIGSYS as i32);
        assert_ne!(output.status.success(), kept, "{output:?}");
        !kept
    }

    #[test]
    fn a_process_that_answers_gives_up_its_rights() {
        if !skip::has_loopback() {
            return;
        }
        let purpose = Purpose::Answer(KeySerial::new(7).unwrap());
        assert!(!can_open_files_after("a_process_that_answers_gives_up_its_rights", true, purpose));
    }

    #[test]
    fn a_process_that_shows_an_answer_gives_up_its_rights() {
        if !skip::has_loopback() {
            return;
        }
        let test = "a_process_that_shows_an_answer_gives_up_its_rights";
        assert!(!can_open_files_after(test, true, Purpose::Show));
    }

    #[test]
    fn the_settings_can_disable_confinement() {
        if !skip::has_loopback() {
            return;
        }
        let test = "the_settings_can_disable_confinement";
        assert!(can_open_files_after(test, false, Purpose::Show));
    }

    #[test]
    fn a_process_that_continues_is_not_confined() {
        if !skip::has_loopback() {
            return;
        }
        let before = prctl::get_no_new_privs();
        let report = look_up_name(NAME, b"ipv4", &settings(true), Purpose::GoOn);
        assert_eq!(addresses(&report), ["192.0.2.7"]);
        assert_eq!(report.outcome.unwrap().ttl, Some(Ttl::from_secs(300)));
        assert_eq!((report.warnings, report.lacking), (vec![], vec![]));
        assert_eq!(report.trace.steps().len(), 1);
        assert_eq!(prctl::get_no_new_privs(), before);
        assert!(File::open("/proc/self/stat").is_ok());
    }

    /// In a process that can open nothing, not even a socket.
    #[test]
    fn an_address_and_a_bad_name_are_answered_without_opening_anything() {
        let test = "lookup::tests::an_address_and_a_bad_name_are_answered_without_opening_anything";
        let output = in_own_process(test, || {
            let settings = settings(true);
            let before = prctl::get_no_new_privs();
            let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
            setrlimit(Resource::RLIMIT_NOFILE, 0, hard).unwrap();
            let purpose = Purpose::Answer(KeySerial::new(7).unwrap());
            for (name, expected) in [(&b"192.0.2.1"[..], "192.0.2.1"), (b"aaaa:2001:db8::1", "2001:db8::1")] {
                let report = look_up_name(name, b"", &settings, purpose);
                assert_eq!(addresses(&report), [expected]);
                assert_eq!((report.warnings.len(), report.lacking.len()), (0, 0));
            }
            for name in [&b""[..], b"a:", b"mx:example.org", b"fe80::1%eth0"] {
                let report = look_up_name(name, b"", &settings, purpose);
                let named = matches!(report.outcome, Err(Failure::BadName { .. } | Failure::UnknownType(_)));
                assert!(named, "{report:?}");
            }
            assert_eq!(prctl::get_no_new_privs(), before);
            // Any other name takes a descriptor, and the failure to get one is ours.
            let report = look_up_name(NAME, b"", &settings, purpose);
            assert!(matches!(report.outcome, Err(Failure::Internal(_))), "{report:?}");
            0
        });
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn unknown_callout_words_are_reported() {
        let warnings = |name, callout| {
            let report = look_up_name(name, callout, &Settings::default(), Purpose::GoOn);
            (report.outcome.is_ok(), report.warnings)
        };
        let ignored = |word| format!("callout word \"{word}\" is unknown and ignored");
        assert_eq!(warnings(b"192.0.2.1", b"list ipv4"), (true, vec![]));
        let some = "callout words \"x\\n\", \"srv=1\" are unknown and ignored".to_owned();
        assert_eq!(warnings(b"192.0.2.1", b"srv=1 x\n"), (true, vec![some]));
        assert_eq!(warnings(b"::1", b"list,bogus,ipv4"), (false, vec![ignored("bogus")]));
    }

    #[test]
    fn any_number_of_unknown_callout_words_is_one_short_line() {
        let words = |number: usize| vec!["w".repeat(65); number];
        assert_eq!(super::ignored(&words(0)), None);
        let short = format!("\"{}…\"", "w".repeat(64));
        let line = super::ignored(&words(649)).unwrap();
        assert_eq!(
            line,
            format!("callout words {short}, {short}, {short} and 646 more are unknown and ignored")
        );
        let short = "w".repeat(64);
        assert!(super::ignored(std::slice::from_ref(&short)).unwrap().contains(&format!("\"{short}\"")));
    }
}
