//! `key-dns setup`: installs this executable on a host, and restores the host to its previous state.

use super::subcommand::{Subcommand, put};
use clap::builder::PathBufValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use doctor::text::{self, Style};
use doctor::{Report, lookup};
use setup::{FileState, Host, HostRoot, Journal, LockedRoot, Plan, Progress, SetupError, Way};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

/// The subcommand.
pub(super) const SUBCOMMAND: Subcommand = Subcommand { command, run };
/// A name that every host knows, so that the kernel's question leaves no network to blame.
const KNOWN_TO_ALL: &str = "localhost";

fn command() -> Command {
    let root = Arg::new("root")
        .long("root")
        .value_name("DIR")
        .value_parser(PathBufValueParser::new())
        .help("The host's root directory, if it is not this system's own");
    let dry_run =
        Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Show what would be done");
    let live = Arg::new("live").long("live").action(ArgAction::SetTrue).requires("root").help(
        "DIR is the root directory of the running host, as in a container: have its kernel make a request",
    );
    let nameserver = Arg::new("nameserver")
        .long("nameserver")
        .value_name("DOMAIN=ADDRESS")
        .action(ArgAction::Append)
        .value_parser(nameserver)
        .help(
            "Write settings with name servers for a domain, separated by commas; an empty value removes them",
        );
    let stay = Arg::new("stay")
        .long("stay")
        .action(ArgAction::SetTrue)
        .help("Then wait for SIGTERM, as the main process of a container");
    Command::new("setup")
        .about("Install this executable on a host without a package manager, or remove it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("install")
                .about("Install or upgrade, then test with one request by the kernel (root)")
                .after_help("Exit status: 0 installed, and nothing found broken; 1 otherwise; 2 wrong usage")
                .args([root.clone(), live.clone(), nameserver, dry_run.clone()]),
        )
        .subcommand(
            Command::new("remove")
                .about("Restore the host to its state before the installation (root)")
                .after_help(
                    "Exit status: 0 removed, or nothing to remove; 1 not completely removed; 2 wrong usage",
                )
                .args([root.clone(), dry_run]),
        )
        .subcommand(
            Command::new("status")
                .about("Show what is installed, and whether the kernel gets an answer")
                .after_help(
                    "Exit status: 0 installed, and the kernel gets an answer; 1 otherwise; 2 installed, but whether the \
                     kernel gets an answer could not be checked (with --root, that is 0), or wrong usage. With --root, a \
                     request is made only with --live",
                )
                .args([root, live, stay]),
        )
}

fn run(matches: &ArgMatches) -> ExitCode {
    let Some((name, matches)) = matches.subcommand() else { return ExitCode::from(2) };
    let root = matches.get_one::<PathBuf>("root").map_or(Path::new("/"), PathBuf::as_path);
    let is_set = |flag: &str| matches.try_get_one::<bool>(flag).is_ok_and(|set| set == Some(&true));
    let signals = is_set("stay").then(setup::hold_signals);
    let done = HostRoot::at(root).and_then(|root| {
        let live = is_set("live") || root.is_host();
        match name {
            "install" => install(&root, live, settings(matches).as_deref(), is_set("dry-run")),
            "remove" => remove(&root, is_set("dry-run")),
            _ => status(&root, live),
        }
    });
    let status = done.unwrap_or_else(|error| {
        eprintln!("key-dns setup {name}: {error}");
        ExitCode::FAILURE
    });
    // The container's probe reports the result; this process only has to be there.
    match signals.map(|held| held.and_then(|signals| signals.wait())) {
        None => status,
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("key-dns setup {name}: can't wait for a signal: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `DOMAIN=ADDRESS,…` as a line of settings; an empty text as no line.
fn nameserver(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let (domain, servers) = text.split_once('=').ok_or("expected DOMAIN=ADDRESS")?;
    names::DomainServers::parse(domain, servers)?;
    Ok(format!("nameserver[{}] = {}\n", domain.trim(), servers.trim()))
}

/// The text of the settings; `None` if the command line does not mention them.
fn settings(matches: &ArgMatches) -> Option<String> {
    let lines = matches.try_get_many::<String>("nameserver").ok().flatten()?;
    let lines = lines.map(String::as_str).collect::<String>();
    Some(if lines.is_empty() {
        lines
    } else {
        format!("# Written by key-dns setup install --nameserver.\n{lines}")
    })
}

/// Prints each step as it is taken.
struct Shown;

impl Progress for Shown {
    fn step(&mut self, what: &str) -> io::Result<()> {
        if !what.is_empty() {
            println!("{what}");
        }
        Ok(())
    }

    fn say(&mut self, what: &str) {
        println!("note: {what}");
    }
}

fn install(
    root: &HostRoot,
    live: bool,
    settings: Option<&str>,
    dry_run: bool,
) -> Result<ExitCode, SetupError> {
    let program = own_program()?;
    let root = &LockedRoot::take(root)?;
    let journal = Journal::load(root)?.unwrap_or_default();
    let host = Host::look(root, &journal);
    println!("found: {}", found(&host));
    let plan = Plan::new(root, &host, &program)?.with_settings(root, &host, &journal, settings)?;
    let changes = setup::changes(root, &plan)?;
    if dry_run {
        let lines: Vec<String> = changes.iter().map(|change| format!("would {change}\n")).collect();
        return Ok(put(&lines.concat(), ExitCode::SUCCESS));
    }
    setup::install(root, &plan, env!("CARGO_PKG_VERSION"), &mut Shown)?;
    if host.selinux && !changes.is_empty() {
        println!(
            "note: SELinux is in use: restorecon -RF /usr/libexec/key-dns /sbin/request-key /etc/request-key.d"
        );
    }
    if let (Some(tool), false) = (host.initramfs, changes.is_empty()) {
        println!(
            "note: initramfs images ({tool}) are not updated; a root file system on the network needs a new one"
        );
    }
    if plan.way == Way::Extension {
        refresh(root, !changes.is_empty());
    }
    Ok(if live { check(ExitCode::SUCCESS) } else { ExitCode::SUCCESS })
}

fn remove(root: &HostRoot, dry_run: bool) -> Result<ExitCode, SetupError> {
    let root = &LockedRoot::take(root)?;
    let Some(status) = setup::status(root)? else {
        // A call that was interrupted before its first journal line may have left something.
        if !dry_run {
            setup::remove(root, &mut Shown)?;
        }
        return Ok(put("not installed by setup\n", ExitCode::SUCCESS));
    };
    if dry_run {
        let lines = status.files.iter().rev().map(|(path, state)| match state {
            FileState::Ours => format!("would remove {}\n", path.display()),
            state => format!("would check {}, which {}\n", path.display(), word(*state)),
        });
        return Ok(put(&lines.collect::<Vec<_>>().concat(), ExitCode::SUCCESS));
    }
    let extension = status.files.iter().any(|(path, _)| path.starts_with(setup::EXTENSION));
    setup::remove(root, &mut Shown)?;
    if extension {
        refresh(root, true);
    }
    Ok(ExitCode::SUCCESS)
}

fn status(root: &HostRoot, live: bool) -> Result<ExitCode, SetupError> {
    let Some(status) = setup::status(root)? else {
        return Ok(put("not installed by setup\n", ExitCode::FAILURE));
    };
    println!("key-dns {}", status.version);
    for (path, state) in &status.files {
        println!("{} {}", path.display(), word(*state));
    }
    if !status.is_whole() {
        let taken = status.files.iter().any(|(_, state)| *state == FileState::Foreign);
        return Ok(put(
            if taken {
                "something else has taken over: run `key-dns setup remove`, which leaves that alone\n"
            } else {
                "incomplete: run `key-dns setup install`\n"
            },
            ExitCode::FAILURE,
        ));
    }
    // A node on which the kernel can't be asked yet is as ready as its files are.
    let unseen = if root.is_host() { ExitCode::from(doctor::exit::UNSEEN) } else { ExitCode::SUCCESS };
    Ok(if live { check(unseen) } else { ExitCode::SUCCESS })
}

fn word(state: FileState) -> &'static str {
    match state {
        FileState::Missing => "is missing",
        FileState::Ours => "is as installed",
        FileState::Changed => "was changed",
        FileState::Foreign => "belongs to something else",
    }
}

fn found(host: &Host) -> String {
    let mut found =
        vec![if host.request_key { "/sbin/request-key, which stays" } else { "no other /sbin/request-key" }];
    found.push(if host.rules { "other rules" } else { "no other rules" });
    found.push(if host.merged_usr { "merged /usr" } else { "/usr not merged" });
    if host.read_only_usr {
        found.push("read-only /usr");
        found.push(if host.extensions { "systemd-sysext" } else { "no systemd-sysext" });
    }
    found.join(", ")
}

/// This executable, even if its file has been replaced since it was started.
fn own_program() -> Result<Vec<u8>, SetupError> {
    fs::read("/proc/self/exe")
        .or_else(|_| fs::read(std::env::current_exe()?))
        .map_err(|source| SetupError::Io { doing: "read", path: "/proc/self/exe".into(), source })
}

/// Merges system extensions again; for a host other than this one, prints how.
fn refresh(root: &HostRoot, changed: bool) {
    if !root.is_host() {
        if changed {
            println!("note: takes effect after `systemd-sysext refresh` on the host, or when it boots");
        }
        return;
    }
    println!("systemd-sysext refresh");
    match process::Command::new("systemd-sysext").arg("refresh").status() {
        Ok(status) if status.success() => {}
        Ok(status) => println!("note: systemd-sysext refresh ended with {status}"),
        Err(error) => println!("note: systemd-sysext can't be run: {error}"),
    }
    println!("note: run `systemctl enable systemd-sysext` to have it merged at each boot");
}

/// Makes the kernel request a name that needs no network. If it can't, the exit status is `unseen`.
fn check(unseen: ExitCode) -> ExitCode {
    match lookup::report(&doctor::HostRoot::host(), Some(KNOWN_TO_ALL)) {
        Ok(report) => told(&report, unseen),
        Err(error) => {
            eprintln!("key-dns setup: {error}");
            ExitCode::FAILURE
        }
    }
}

fn told(report: &Report, unseen: ExitCode) -> ExitCode {
    let live = report.steps.iter().find(|step| step.name == doctor::live::NAME);
    if live.is_some_and(|step| step.status() == doctor::StepStatus::Ok) {
        return put("the kernel made a request and got its answer\n", ExitCode::SUCCESS);
    }
    let broken = report.exit() == doctor::exit::BROKEN;
    if !broken {
        println!("installed, but whether the kernel gets an answer could not be checked:");
    }
    let status = if broken { ExitCode::FAILURE } else { unseen };
    put(&text::render(report, Style { colour: false, verbose: false }), status)
}
