//! What all subcommands have in common.

use crate::key_dns;
use crate::support::executable;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.arg0("key-dns").args(args);
    command
}

#[test]
fn a_write_error_is_reported() {
    for args in [
        &["explain", "61"][..],
        &["explain", "--json", "61"],
        &["resolve", "127.1"],
        &["cache", "list"],
        &["--help"],
    ] {
        let mut command = command(args);
        command.stdout(Stdio::from(File::options().write(true).open("/dev/full").unwrap()));
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{args:?}");
        assert!(told.contains("key-dns: can't write to standard output: No space left"), "{args:?}: {told}");
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    for (args, status) in [(&["explain", "61"][..], 0), (&["resolve", "x/y"], 1), (&["--help"], 0)] {
        let mut child = command(args);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        child.stdout(writer).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(status), "{args:?}");
        assert!(!told.contains("write"), "{args:?}: {told}");
    }
}

#[test]
fn a_mistyped_command_suggests_the_right_one() {
    for (args, right) in [
        (&["docter"][..], "doctor"),
        (&["resolv", "x"], "resolve"),
        (&["cache", "flsh"], "flush"),
        (&["doctor", "--mount"], "--mounts"),
    ] {
        let seen = key_dns(args);
        assert_eq!((seen.status, seen.stdout.as_str()), (2, ""), "{seen:?}");
        assert!(seen.stderr.contains(&format!("'{right}'")), "{args:?}: {}", seen.stderr);
    }
}
