//! From the first process of a kernel to a machine that can mount network file systems, and its end.

use crate::case::{self, line};
use crate::guest::Guest;
use crate::{cases, nfs, programs};
use nix::fcntl::{OFlag, open};
use nix::kmod::{ModuleInitFlags, finit_module};
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::stat::Mode;
use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

/// Runs the cases named in `/cases`; or a shell, where the kernel's command line has a terminal
/// for one. The report goes to the serial line that it names.
pub fn run() {
    file_systems();
    let command_line = fs::read_to_string("/proc/cmdline").unwrap();
    let told = |name: &str| command_line.split_whitespace().find_map(|word| word.strip_prefix(name));
    let line_of_report = format!("/dev/{}", told("report=").unwrap());
    let mut report: File =
        open(line_of_report.as_str(), OFlag::O_WRONLY | OFlag::O_NOCTTY, Mode::empty()).unwrap().into();
    std::panic::set_hook(Box::new({
        let report = report.try_clone().unwrap();
        move |panic| line(&mut &report, &["note", &panic.to_string()])
    }));
    modules();
    network();
    nfs::serve();
    if programs::are_here() {
        programs::set_up();
    }
    let mut guest = Guest::new();
    line(&mut report, &["kernel", &guest.release]);
    if let Some(terminal) = told("shell=") {
        shell(&mut guest, terminal);
    } else {
        let names = fs::read_to_string("/cases").unwrap();
        let wanted: Vec<&str> = names.split_whitespace().collect();
        for case in cases().chain(programs::cases()).filter(|case| wanted.contains(&case.name)) {
            case::run(case, &mut guest, &mut report);
        }
    }
    line(&mut report, &["end"]);
    report.flush().unwrap();
    // QEMU ends where a machine would start again.
    let Err(error) = reboot(RebootMode::RB_AUTOBOOT);
    panic!("reboot: {error}");
}

fn file_systems() {
    for (kind, path, options) in [
        ("devtmpfs", "/dev", ""),
        ("proc", "/proc", ""),
        ("sysfs", "/sys", ""),
        ("tmpfs", "/run", "mode=755"),
        ("tmpfs", "/tmp", ""),
    ] {
        mount(Some(kind), path, Some(kind), MsFlags::empty(), Some(options)).unwrap();
    }
}

/// Loads the modules, in the order in which they were listed when the machine was made.
fn modules() {
    for name in fs::read_to_string("/modules/modules").unwrap().split_whitespace() {
        let module = File::open(format!("/modules/{name}")).unwrap();
        finit_module(&module, c"", ModuleInitFlags::empty())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    fs::write("/sys/module/dns_resolver/parameters/debug", "1").unwrap();
}

/// All servers are on loopback.
fn network() {
    for arguments in ["link set lo up", "address show"] {
        let status = Command::new("/bin/busybox").arg("ip").args(arguments.split(' ')).status().unwrap();
        assert!(status.success(), "ip {arguments}");
    }
}

fn shell(guest: &mut Guest, terminal: &str) {
    guest.begin();
    guest.serve(crate::ceph::sample());
    Command::new("/bin/busybox").args(["--install", "-s", "/bin"]).status().unwrap();
    let line = format!("cat /etc/motd; exec setsid -c sh -l <>/dev/{terminal} >&0 2>&0");
    Command::new("/bin/sh").args(["-c", &line]).env("HOME", "/").status().unwrap();
}
