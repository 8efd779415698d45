mod ourselves;
mod piped;
mod programs;
mod rules;
mod who_asks;

use super::*;
use crate::testing::{Daemon, FakeKeyring, Folder, Held, KeyCall, request};
use key::KeyringError;
use nix::errno::Errno as Libc;

/// The key that is asked for.
fn key() -> KeySerial {
    KeySerial::new(7).unwrap()
}

fn upcall(operation: &[u8]) -> Upcall {
    let number = |text: &[u8]| text.to_vec();
    Upcall {
        operation: operation.to_vec(),
        key: number(b"7"),
        uid: number(b"1000"),
        gid: number(b"100"),
        thread_keyring: number(b"0"),
        process_keyring: number(b"2"),
        session_keyring: number(b"3"),
        callout: None,
    }
}

/// Reads a rule's arguments as the program does: it is the helper, unless its first argument is another face.
fn as_helper(args: &[OsString]) -> Result<HelperRequest, RuleFailure> {
    match args {
        [_, first, ..] if first == NAME => Err(RuleFailure::Itself),
        [_, serial] => {
            let key = serial.to_str().unwrap().parse().unwrap();
            Ok(HelperRequest { key, config: None, verbose: true })
        }
        _ => Err(RuleFailure::Usage("KEY is missing".to_owned())),
    }
}

/// A rule's program that is this executable.
const OURSELVES: &str = "/proc/self/exe";

/// A host with rules, a key that is asked for, and what came of it.
struct Host {
    folder: Folder,
    daemon: Daemon,
    guard: Guard,
    operation: &'static [u8],
    as_helper: AsHelper,
    callout: Option<Vec<u8>>,
    verbosity: u8,
    pipe_time: Duration,
}

impl Host {
    /// A host without rule files.
    fn bare() -> Self {
        Self {
            folder: Folder::new(),
            daemon: Daemon::start(),
            guard: Guard::without_handlers(),
            operation: CREATE,
            as_helper,
            callout: None,
            verbosity: 0,
            pipe_time: Duration::from_secs(15),
        }
    }

    /// A host with these rules, where `{}` stands for the folder of its programs.
    fn with(rules: &str) -> Self {
        let host = Self::bare();
        host.add("request-key.conf", rules);
        host
    }

    fn add(&self, file: &str, rules: &str) -> &Self {
        self.folder.write(file, rules.replace("{}", self.folder.as_ref().to_str().unwrap()));
        self
    }

    /// Adds a script for the shell.
    fn script(self, name: &str, text: &str) -> Self {
        self.add(name, text);
        self
    }

    fn answer(&self, ring: &FakeKeyring) -> Result<Disposition, Unanswered> {
        let shipped = self.folder.path("shipped");
        let files = RuleFiles::read_in(self.folder.as_ref(), Trust::Anyone).beside(&shipped);
        let log = self.daemon.log();
        let settings = self.folder.path("settings");
        let (guard, verbosity) = (&self.guard, self.verbosity);
        let context = Context { key: key(), ring, guard, log: &log, settings: &settings, verbosity };
        let upcall = Upcall { callout: self.callout.clone(), ..upcall(self.operation) };
        let outcome = answer_within(self.pipe_time, &upcall, &files, self.as_helper, &context);
        match &outcome {
            // Somebody else goes on with these.
            Ok(Disposition::Helper(..)) | Err(_) => assert_eq!(ring.held(), None, "{outcome:?}"),
            Ok(Disposition::Done) => assert!(!matches!(ring.held(), None | Some(Held::Rejection(..)))),
            Ok(Disposition::Rejected) => assert!(matches!(ring.held(), Some(Held::Rejection(..)))),
        }
        outcome
    }

    /// The messages, without the path of the folder and the system's own words for an errno.
    fn messages(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.as_ref().display());
        self.daemon.messages().into_iter().map(|message| message.replace(&folder, "")).collect()
    }

    /// A key of type `user` that asks with a callout, and which a program answers by writing a file.
    fn ring(&self) -> FakeKeyring {
        FakeKeyring::new(request("user", b"debug:1", b"call out")).answered_by(self.folder.path("answered"))
    }

    /// What comes of that key.
    fn held(&self) -> Held {
        let ring = self.ring();
        let outcome = self.answer(&ring).unwrap();
        ring.held().unwrap_or_else(|| panic!("{outcome:?}"))
    }
}

fn dns() -> FakeKeyring {
    FakeKeyring::new(dns_request())
}

fn dns_request() -> Request {
    request("dns_resolver", b"mon1", b"")
}

/// A program that answers the key.
const ANSWERS: &str = "echo > {}/answered\n";
