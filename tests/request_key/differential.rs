//! Generated rules and requests, given to keyutils' `request-key` and to ours: both choose the same rule and expand the
//! same arguments, except for keyutils' known flaws, which the generator avoids or the comparison names.

use crate::support::machine::Machine;
use crate::support::{executable, scratch};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

const THEIRS: &str = "/sbin/request-key";

/// What a program would be called with: whether it is piped, its path, and its arguments with its name first.
pub(crate) type Call = (bool, String, Vec<String>);

pub(crate) fn theirs(folder: &Path, request: &Request) -> Option<Call> {
    let output = Command::new(THEIRS)
        .args(["-l", "-n", "-d", "-v"])
        .args(request.arguments())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if !output.status.success() {
        return None;
    }
    let after = |line: &str, start: &str| line.strip_prefix(start).map(str::to_owned);
    let run = text.lines().find_map(|line| after(line, "Run "));
    let pipe = text.lines().find_map(|line| after(line, "PipeThru "));
    let args = text
        .lines()
        .filter_map(|line| after(line, "- argv[")?.split_once("= ").map(|(_, quoted)| unquoted(quoted)));
    Some((pipe.is_some(), run.or(pipe).unwrap_or_else(|| panic!("{text}")), args.collect()))
}

pub(crate) fn ours(folder: &Path, request: &Request) -> Option<Call> {
    let mut command = Command::new(executable());
    let output = command
        .arg0("request-key")
        .args(["-l", "-n", "-d"])
        .args(request.arguments())
        .current_dir(folder)
        .output()
        .unwrap();
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let (piped, path) = match first.split_once(": pipe through ") {
        Some((_, path)) => (true, path),
        None => (false, first.split_once(": run ").unwrap().1),
    };
    let args = rest
        .lines()
        .filter_map(|line| line.strip_prefix("argv[")?.split_once("= ").map(|(_, quoted)| unescaped(quoted)));
    Some((piped, unescaped(&format!("\"{path}\"")), args.collect()))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let text = unquoted(text);
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = String::from_utf8(vec![*high, *low]).unwrap();
                ([bytes, vec![u8::from_str_radix(&digits, 16).unwrap()]].concat(), after)
            }
            (b'\\', [b't', after @ ..]) => ([bytes, vec![b'\t']].concat(), after),
            (b'\\', [itself, after @ ..]) => ([bytes, vec![*itself]].concat(), after),
            _ => ([bytes, vec![*first]].concat(), after),
        };
    }
    String::from_utf8(bytes).unwrap()
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap().to_owned()
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) key_type: String,
    pub(crate) description: String,
    pub(crate) callout: String,
}

impl Request {
    fn arguments(&self) -> Vec<String> {
        let description = format!("{};11;12;1f0000;{}", self.key_type, self.description);
        let fixed = ["5", "6", "7", "8", "9", "10"].map(str::to_owned);
        [
            vec!["-D".to_owned(), description, self.operation.clone()],
            fixed.to_vec(),
            vec![self.callout.clone()],
        ]
        .concat()
    }
}

fn request() -> impl Strategy<Value = Request> {
    ("(create|create|create|negate|crea)", "(user|user|user|users|key)", "[ab][:;]?[ab]{0,3}", "[ab]{0,3} ?")
        .prop_map(|(operation, key_type, description, callout)| Request {
            operation,
            key_type,
            description,
            callout,
        })
}

/// A field: text, an asterisk at its end or, rarely, at its beginning.
fn field(text: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => text.prop_map(|text| format!("{text}*")),
        3 => text.prop_map(|text| text),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let program = "\\|?(/[a-c]{1,2}){1,2}";
    let argument =
        prop_oneof!["%[oktdcugTPS]", "%%{1,3}[a-z%]{0,2}", "[a-z#'\\\\]{1,4}%?[a-z]?", "%[kz][a-z]{1,2}",];
    let gap = prop_oneof![8 => Just(" "), 1 => Just("\t"), 1 => Just("  \t ")];
    (
        (
            field("(create|create|create|negate|c)"),
            field("(user|user|user|us|key)"),
            field("[ab][:;]?[ab]?"),
            field("[ab]{1,2}"),
        ),
        program,
        prop::collection::vec((gap, argument), 0..6),
    )
        .prop_map(|((operation, key_type, description, callout), program, arguments)| {
            let arguments: String =
                arguments.iter().map(|(gap, argument)| format!("{gap}{argument}")).collect();
            format!("{operation}\t{key_type} {description}  {callout} {program}{arguments}")
        })
}

/// Rules as lines of one file, or of one in the folder and the last one.
fn rules() -> impl Strategy<Value = (String, String)> {
    let lines = || {
        let indented = ("[ \t]{1,3}", rule()).prop_map(|(blanks, rule)| blanks + &rule);
        let blank = "[ \t\x0b\x0c\r]{0,3}";
        let line = prop_oneof![8 => rule(), 1 => indented, 1 => blank, 1 => Just(String::new()), 1 => Just("# create * * * /comment".to_owned())];
        prop::collection::vec(line, 0..10)
            .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>())
    };
    (lines(), lines())
}

#[test]
fn both_choose_the_same_rule_and_arguments() {
    // Taken for keyutils to be in its place while it is called.
    let Some(_machine) = Machine::take() else { return };
    let folder = scratch("differential");
    fs::create_dir_all(folder.join("request-key.d")).unwrap();
    let seed = [7; 32];
    let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let chosen = std::cell::RefCell::new(BTreeSet::new());
    let answered = std::cell::Cell::new(0);
    runner
        .run(&(rules(), prop::collection::vec(request(), 4)), |((first, last), requests)| {
            fs::write(folder.join("request-key.d/first.conf"), &first).unwrap();
            fs::write(folder.join("request-key.conf"), &last).unwrap();
            for request in requests {
                let (theirs, ours) = (theirs(&folder, &request), ours(&folder, &request));
                if let Some((_, path, _)) = &ours {
                    answered.set(answered.get() + 1);
                    chosen.borrow_mut().insert(path.clone());
                }
                prop_assert_eq!(theirs, ours, "{:?}", request);
            }
            Ok(())
        })
        .unwrap();
    // The comparison means little where hardly a rule ever fits.
    assert!(
        answered.get() > 300 && chosen.borrow().len() > 30,
        "{} {}",
        answered.get(),
        chosen.borrow().len()
    );
}

/// Where the two differ, and which of the two is as documented.
#[test]
fn known_flaws_of_keyutils_are_not_shared() {
    // Taken for keyutils to be in its place while it is called.
    let Some(_machine) = Machine::take() else { return };
    let folder = scratch("differential-flaws");
    fs::create_dir_all(folder.join("request-key.d")).unwrap();
    let request = Request {
        operation: "create".into(),
        key_type: "user".into(),
        description: "debug:1234".into(),
        callout: "x".into(),
    };
    let run = |path: &str, args: &[&str]| {
        Some((false, path.to_owned(), args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>()))
    };
    let cases = [
        // An asterisk in the middle never fits.
        ("create user deb*34 * /bin/x\n", None, run("/bin/x", &["x"])),
        // A last line without newline loses a character.
        ("create user * * /bin/x yz", run("/bin/x", &["x", "y"]), run("/bin/x", &["x", "yz"])),
        // A program without a path is a crash.
        ("create user * * /bin/x\ncreate user debug:* * cat\n", None, run("/bin/x", &["x"])),
        // A line with too little ends the search, also after one that fits.
        ("create user * * /bin/x\ncreate user\n", None, run("/bin/x", &["x"])),
        // So does a line that is longer than a page.
        (&format!("create user * * /bin/x\n#{}\n", "y".repeat(5000)), None, run("/bin/x", &["x"])),
        // A macro that does not exist is noticed when the rule has won.
        ("create user * * /bin/x\ncreate user debug:* * /bin/y %z\n", None, run("/bin/x", &["x"])),
    ];
    for (text, theirs_expected, ours_expected) in cases {
        fs::write(folder.join("request-key.conf"), text).unwrap();
        assert_eq!(theirs(&folder, &request), theirs_expected, "keyutils: {text}");
        assert_eq!(ours(&folder, &request), ours_expected, "ours: {text}");
    }
}
