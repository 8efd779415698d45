//! Starting where little exists: an upcall has no open descriptors, and a bare initramfs neither `/dev/null` nor
//! `/proc`.

use crate::settings;
use crate::support::{executable, scratch, skip};
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// What is missing.
#[derive(Clone, Copy, Debug)]
struct Missing {
    /// All of `/dev`.
    dev: bool,
    /// All of `/proc`.
    proc: bool,
}

const SURROUNDINGS: [Missing; 4] = [
    Missing { dev: false, proc: false },
    Missing { dev: true, proc: false },
    Missing { dev: false, proc: true },
    Missing { dev: true, proc: true },
];

/// The options by which unshare(1) makes a mount namespace; `None` where this user can't have one.
fn unshare() -> Option<&'static [&'static str]> {
    static OPTIONS: OnceLock<Option<&[&str]>> = OnceLock::new();
    *OPTIONS.get_or_init(|| {
        let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--user", "--map-root-user"]];
        let works = |options: &&&[&str]| {
            let mut probe = Command::new("unshare");
            probe.args(**options).args(["sh", "-c", "mount -t tmpfs none /mnt"]);
            probe.output().is_ok_and(|output| output.status.success())
        };
        ways.iter().find(works).copied()
    })
}

/// The program with these arguments as the helper, started with what is missing and the shell's `redirections`. `None`
/// if that is impossible here.
fn program(missing: Missing, redirections: &str, args: &[&str]) -> Option<Command> {
    let mut text = String::new();
    for (folder, hidden) in [("/dev", missing.dev), ("/proc", missing.proc)] {
        if hidden {
            text += &format!("mount -t tmpfs none {folder} && ");
        }
    }
    text += &format!("exec \"$0\" key.dns_resolver \"$@\" {redirections}");
    let mut command = if text.starts_with("exec") {
        Command::new("sh")
    } else {
        let mut command = Command::new("unshare");
        command.args(unshare()?).arg("sh");
        command
    };
    command.args(["-c", &text]).arg(executable()).args(args);
    Some(command)
}

#[test]
fn the_program_works_whatever_is_missing_at_start() {
    let settings = settings("max_ttl = 4711\n");
    for missing in SURROUNDINGS {
        for closed in 0_u8..8 {
            let is_closed = |descriptor: u8| closed >> descriptor & 1 == 1;
            let output = scratch("start.out");
            fs::write(&output, "").unwrap();
            let mut redirections = String::new();
            for descriptor in 0..3_u8 {
                if is_closed(descriptor) {
                    redirections += &format!(" {descriptor}>&-");
                } else if descriptor == 1 {
                    redirections += &format!(" >'{}'", output.display());
                }
            }
            let Some(mut command) = program(missing, &redirections, &["--dump-config", "-c", &settings])
            else {
                skip("it needs a mount namespace");
                break;
            };
            let status = command.status().unwrap();
            assert_eq!(status.code(), Some(0), "{missing:?}, closed:{redirections}");
            let text = fs::read_to_string(&output).unwrap();
            assert_eq!(
                text.contains("max_ttl = 4711\n"),
                !is_closed(1),
                "{missing:?}, closed:{redirections}"
            );
        }
    }
}

#[test]
fn no_file_or_socket_reuses_a_closed_standard_descriptor() {
    if !skip::has_loopback() {
        return;
    }
    for missing in SURROUNDINGS {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // Confined, the process would not show its descriptors.
        let text = format!("nameserver[.] = {}\nconfine = no\n", server.local_addr().unwrap());
        let settings = settings(text);
        let args = ["-D", "-c", &settings, "mon1.example.test", "ipv4"];
        let Some(mut command) = program(missing, "<&- >&- 2>&-", &args) else {
            skip("it needs a mount namespace");
            break;
        };
        let mut child = command.spawn().unwrap();
        // It waits for the answer now, with everything open that it needs.
        let asked = server.recv(&mut [0; 512]);
        // What they lead to, as in a chroot links have another root.
        let place = |path: String| fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok();
        let descriptors: Vec<_> =
            (0..3).map(|number| place(format!("/proc/{}/fd/{number}", child.id()))).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(asked.is_ok(), "{missing:?}: {asked:?}");
        let harmless = if missing.dev { "/" } else { "/dev/null" };
        let harmless = place(harmless.to_owned());
        assert!(harmless.is_some());
        assert_eq!(descriptors, [harmless; 3], "{missing:?}");
    }
}
