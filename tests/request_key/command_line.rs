//! The command line, as a person calls it.

use crate::support::{executable, scratch};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

fn call(folder: &str, arguments: &[&str]) -> Output {
    let path = scratch(&format!("command-line-{folder}"));
    fs::create_dir_all(path.join("request-key.d")).unwrap();
    fs::write(path.join("request-key.conf"), "create user debug:* * /bin/x %k %d %c\n").unwrap();
    Command::new(executable()).arg0("request-key").args(arguments).current_dir(path).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const REQUEST: [&str; 8] = ["create", "5", "0", "0", "1", "2", "3", "call out"];

#[test]
fn debug_mode_shows_what_would_run() {
    let output = call("debug", &[&["-l", "-n", "-d"], &REQUEST[..]].concat());
    assert_eq!(
        stdout(&output),
        "request-key.conf:1: run /bin/x\nargv[0] = \"x\"\nargv[1] = \"5\"\nargv[2] = \"debug:1234\"\n\
         argv[3] = \"call out\"\n(not run: debug mode)\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_description_on_the_command_line_may_contain_semicolons() {
    let output = call("desc", &[&["-lnd", "-D", "user;1;2;1f0000;debug:a;b"], &REQUEST[..7]].concat());
    assert!(stdout(&output).contains("argv[2] = \"debug:a;b\"\nargv[3] = \"\"\n"), "{}", stdout(&output));
    let output = call("desc", &[&["-lnd", "-D", "user"], &REQUEST[..7]].concat());
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("TYPE;UID;GID;PERM;NAME"), "{}", stderr(&output));
}

#[test]
fn options_may_be_given_twice() {
    let output = call("twice", &[&["-l", "-d", "-n", "-dln"], &REQUEST[..]].concat());
    assert!(stdout(&output).ends_with("(not run: debug mode)\n"), "{}", stderr(&output));
    let twice = ["-D", "user;1;2;1f0000;debug:first", "-D", "user;1;2;1f0000;debug:last"];
    let output = call("twice", &[&["-lnd"], &twice[..], &REQUEST[..]].concat());
    assert!(stdout(&output).contains("argv[2] = \"debug:last\"\n"), "{}", stdout(&output));
}

#[test]
fn without_a_rule_debug_mode_fails() {
    let output = call("none", &[&["-lnd", "-D", "user;1;2;1f0000;other"], &REQUEST[..]].concat());
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    assert!(stderr(&output).contains("no rule"), "{}", stderr(&output));
}

#[test]
fn verbose_debug_mode_shows_the_matching_rules() {
    let output = call("verbose", &[&["-lnd", "-vv"], &REQUEST[..]].concat());
    assert!(
        stderr(&output).contains("request-key.conf:1: fits, skipping 0, 0, 4, 8: /bin/x"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn version_help_and_wrong_usage() {
    let output = call("usage", &["--version"]);
    assert!(stdout(&output).starts_with("request-key "), "{}", stdout(&output));
    assert_eq!(call("usage", &["--help"]).status.code(), Some(0));
    for wrong in [&[][..], &["-x"], &REQUEST[..6], &["a", "b", "c", "d", "e", "f", "g", "h", "i"]] {
        let output = call("usage", wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(stderr(&output).contains("Usage:"), "{}", stderr(&output));
    }
}

#[test]
fn a_missing_key_is_an_error() {
    let output = call("nokey", &[&["-ln"], &REQUEST[..]].concat());
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn request_key_is_a_subcommand_of_key_dns() {
    let output = Command::new(executable()).args(["request-key", "--version"]).output().unwrap();
    assert!(stdout(&output).starts_with("request-key "), "{}", stdout(&output));
}

/// The kernel starts it with no descriptor open.
#[test]
fn closed_standard_descriptors_are_harmless() {
    let path = scratch("command-line-closed");
    fs::create_dir_all(path.join("request-key.d")).unwrap();
    let said = path.join("said");
    let conf = format!("create user debug:* * /bin/x {}\n", "y".repeat(3000));
    fs::write(path.join("request-key.conf"), &conf).unwrap();
    let script = r#"exec "$0" request-key -lnd create 5 0 0 1 2 3 x <&- >&- 2>&-; echo $? >"$1""#;
    let mut shell = Command::new("/bin/sh");
    let status = shell.args(["-c", script]).arg(executable()).arg(said).current_dir(&path).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(path.join("request-key.conf")).unwrap(), conf);
}
