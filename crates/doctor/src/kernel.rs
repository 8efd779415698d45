//! Whether the kernel has `dns_resolver` keys, and whether it would make upcalls.

mod config;
mod place;

use crate::distribution::{Manager, Package};
use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::repair;
use crate::report::{Finding, Step};
use crate::subject::{Consumer, Subject};
use config::Config;
pub(crate) use place::{Whereabouts, place};
use std::path::Path;

/// The name of the step.
pub const NAME: &str = "kernel";
/// The module, and the directory that exists if it is loaded or built in.
const MODULE: &str = "dns_resolver";
/// The limits on the capabilities of programs that the kernel starts.
const HELPERS: &str = "/proc/sys/kernel/usermodehelper";
/// The least quota in bytes that one lookup takes: the key, its authorisation key, a keyring.
const BYTES: u64 = 512;
/// The number of keys that one lookup takes.
const KEYS: u64 = 3;

/// What this step passes on to later ones.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The step.
    pub step: Step,
    /// Whether the key type exists, so that a key can be requested.
    pub has_type: bool,
}

/// Checks the kernel. `user` is the requester, for the quota; `elsewhere` is set if the files here are not the host's,
/// and so say nothing about its modules and programs.
#[must_use]
pub fn check(look: &HostRoot, subject: &Subject, user: u32, elsewhere: bool) -> Kernel {
    let mut step = Step::new(NAME);
    let release = look.word("/proc/sys/kernel/osrelease").unwrap_or_default();
    step.summary = format!("Linux {release}");
    let config =
        if elsewhere { Err("its files are on the host".to_owned()) } else { Config::read(look, &release) };
    match &config {
        Ok(config) => step.fact(format!("its configuration is in {}", config.path)),
        Err(why) => step.fact(format!("its configuration can't be read ({why})")),
    }
    let config = config.ok();
    let has_type = key_type(&mut step, look, &release, config.as_ref(), elsewhere);
    if let Some(config) = &config {
        static_helper(&mut step, look, config);
    }
    if subject.consumer == Consumer::Ceph {
        libceph(&mut step, look, config.as_ref());
    }
    capabilities(&mut step, look);
    quota(&mut step, look, 0);
    if user != 0 {
        quota(&mut step, look, user);
    }
    Kernel { step, has_type }
}

/// Whether the key type exists now.
fn key_type(
    step: &mut Step,
    look: &HostRoot,
    release: &str,
    config: Option<&Config>,
    elsewhere: bool,
) -> bool {
    let shown = format!("/sys/module/{MODULE}");
    if look.exists(&shown) {
        step.fact(format!("dns_resolver keys: {shown} is there"));
        step.summary.push_str(", with dns_resolver keys");
        return true;
    }
    if !look.exists("/sys/module") {
        step.unseen("whether the kernel has dns_resolver keys", "/sys is not mounted");
        return false;
    }
    if config.and_then(|config| config.get("CONFIG_DNS_RESOLVER")) == Some("y") {
        step.fact("dns_resolver keys: CONFIG_DNS_RESOLVER=y");
        step.summary.push_str(", with dns_resolver keys");
        return true;
    }
    if elsewhere {
        step.unseen("whether the module dns_resolver can be loaded", "its files are on the host");
        return false;
    }
    if let Some(finding) = missing(look, release, config) {
        step.summary.push_str(" has no dns_resolver keys");
        step.find(finding);
    } else {
        step.fact("the module dns_resolver can be loaded; the first file system that needs it loads it");
        step.summary.push_str(", dns_resolver not loaded yet");
    }
    false
}

/// Why the module could not be loaded, if it can't.
fn missing(look: &HostRoot, release: &str, config: Option<&Config>) -> Option<Finding> {
    let manager = Manager::of(look);
    let problem = |why: &str| format!("the kernel has no dns_resolver keys, and can't get them: {why}");
    if let Some(config) = config
        && config.get("CONFIG_DNS_RESOLVER").is_none()
    {
        return Some(Finding::broken(
            "kernel-without-resolver",
            problem("it is built without them"),
            format!("{} does not set CONFIG_DNS_RESOLVER", config.path),
            Remedy::advice("boot a kernel that is built with CONFIG_DNS_RESOLVER"),
        ));
    }
    let folders = [format!("/lib/modules/{release}"), format!("/usr/lib/modules/{release}")];
    let Some(folder) = folders.iter().find(|folder| look.exists(folder)) else {
        let others = look.names("/lib/modules");
        let (why, remedy) = if others.is_empty() {
            ("its modules are not installed", manager.install(Package::KernelModules, look))
        } else {
            (
                "the installed modules are not those of the running kernel",
                Remedy::advice("boot the kernel whose modules are installed: reboot"),
            )
        };
        let seen = match others.as_slice() {
            [] => format!("there is no {}", folders[0]),
            others => format!("there is no {}, only {}", folders[0], others.join(", ")),
        };
        return Some(Finding::broken("modules-missing", problem(why), seen, remedy));
    };
    if let Some((path, number, line)) = blocked(look) {
        return Some(Finding::broken(
            "module-blocked",
            problem("loading it is forbidden"),
            format!("{path}:{number} says \"{line}\""),
            if path.starts_with("/etc/") {
                repair::comment_out(look, Path::new(&path), number)
            } else {
                Remedy::advice(format!(
                    "{path} is a package's: a copy of it in /etc/modprobe.d without that line takes its place"
                ))
            },
        ));
    }
    let list = |name: &str| look.text(format!("{folder}/{name}")).unwrap_or_default();
    let dependencies = list("modules.dep");
    let file = dependencies.lines().find_map(|line| {
        let (file, _) = line.split_once(':')?;
        file.rsplit('/').next()?.starts_with("dns_resolver.ko").then_some(file)
    });
    if let Some(file) = file {
        if look.exists(format!("{folder}/{file}")) {
            return None;
        }
        return Some(Finding::broken(
            "module-missing",
            problem("its file is gone"),
            format!("{folder}/modules.dep names {file}, which is missing"),
            manager.bring_back(Package::KernelModules, look),
        ));
    }
    if list("modules.builtin").contains("/dns_resolver.ko") {
        return None;
    }
    Some(Finding::broken(
        "module-missing",
        problem("the module is not installed"),
        format!("{folder}/modules.dep has no dns_resolver.ko"),
        manager.bring_back(Package::KernelModules, look),
    ))
}

/// A line of modprobe.d(5) that prevents the module from being loaded: file, number, text.
fn blocked(look: &HostRoot) -> Option<(String, usize, String)> {
    // A file hides those of the same name in later directories.
    const FOLDERS: [&str; 5] = [
        "/etc/modprobe.d",
        "/run/modprobe.d",
        "/usr/local/lib/modprobe.d",
        "/usr/lib/modprobe.d",
        "/lib/modprobe.d",
    ];
    let mut seen: Vec<String> = Vec::new();
    for folder in FOLDERS {
        for name in look.names(folder) {
            let is_read = Path::new(&name).extension().is_some_and(|extension| extension == "conf");
            if !is_read || seen.contains(&name) {
                continue;
            }
            let path = format!("{folder}/{name}");
            seen.push(name);
            let text = look.text(&path).unwrap_or_default();
            let line = (1..).zip(text.lines()).find(|(_, line)| blocks(line));
            if let Some((number, line)) = line {
                return Some((path, number, line.trim().to_owned()));
            }
        }
    }
    None
}

/// Whether a line makes modprobe(8) run something else than the module's loading.
fn blocks(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let own = words.next() == Some("install")
        && words.next().is_some_and(|module| module.replace('-', "_") == MODULE);
    let program = words.next().and_then(|program| program.rsplit('/').next());
    own && matches!(program, Some("false" | "true" | ":"))
}

/// `CONFIG_STATIC_USERMODEHELPER`: one program in place of all that the kernel starts.
fn static_helper(step: &mut Step, look: &HostRoot, config: &Config) {
    if config.get("CONFIG_STATIC_USERMODEHELPER").is_none() {
        return;
    }
    let path = config.get("CONFIG_STATIC_USERMODEHELPER_PATH").unwrap_or_default().trim_matches('"');
    let evidence = format!("{}: CONFIG_STATIC_USERMODEHELPER=y, its path is \"{path}\"", config.path);
    if path.is_empty() {
        step.find(Finding::broken(
            "upcalls-disabled",
            "this kernel starts no programs at all, so names can't be looked up; another kernel is needed",
            evidence,
            Remedy::advice("boot another kernel"),
        ));
    } else if !look.exists(path) {
        step.find(Finding::broken(
            "static-helper-missing",
            format!("this kernel runs {path} instead of /sbin/request-key, and it is missing"),
            format!("{evidence}; there is no {path}"),
            Remedy::advice(format!("install the program that this kernel expects as {path}")),
        ));
    } else {
        step.fact(format!("{evidence}: it is to run /sbin/request-key"));
    }
}

/// libceph's own option, which Debian leaves off.
fn libceph(step: &mut Step, look: &HostRoot, config: Option<&Config>) {
    const SWITCH: &str = "CONFIG_CEPH_LIB_USE_DNS_RESOLVER";
    let Some(config) = config else {
        step.fact(format!("whether libceph requests names ({SWITCH}) can't be determined"));
        return;
    };
    match (config.get("CONFIG_CEPH_LIB"), config.get(SWITCH)) {
        (None, _) => step.fact(format!("{} does not set CONFIG_CEPH_LIB", config.path)),
        (Some(_), Some(_)) => step.fact(format!("libceph requests names: {SWITCH}=y")),
        (Some(_), None) => {
            let evidence = format!("{} sets CONFIG_CEPH_LIB, but not {SWITCH}", config.path);
            let helper =
                ["/sbin/mount.ceph", "/usr/sbin/mount.ceph"].into_iter().find(|path| look.exists(path));
            if let Some(helper) = helper {
                step.fact(format!("{evidence}: only {helper} looks names up, not the kernel"));
                return;
            }
            step.find(Finding::broken(
                "libceph-without-resolver",
                "libceph is built without name lookups: a mount by name fails with EINVAL, without a lookup. \
                 mount.ceph looks names up itself",
                format!("{evidence}; there is no mount.ceph"),
                Manager::of(look).install(Package::CephCommon, look),
            ));
        }
    }
}

/// The capabilities that the helper may have.
fn capabilities(step: &mut Step, look: &HostRoot) {
    let last = look.word("/proc/sys/kernel/cap_last_cap").and_then(|text| text.parse::<u32>().ok());
    let all = last.map_or(u64::MAX, |last| u64::MAX >> (63 - last.min(63)));
    for name in ["bset", "inheritable"] {
        let path = format!("{HELPERS}/{name}");
        let Some(set) = look.word(&path).and_then(|text| capability_set(&text)) else {
            continue;
        };
        if set & all != all {
            step.find(Finding::warn(
                "upcall-capabilities",
                "programs that the kernel starts lack capabilities, which only a reboot restores",
                format!("{path} is {set:#x}; all capabilities are {all:#x}"),
                Remedy::advice("reboot at a convenient time"),
            ));
        }
    }
}

/// Two 32-bit halves, the lower one first.
fn capability_set(text: &str) -> Option<u64> {
    let mut halves = text.split_whitespace().map(str::parse::<u32>);
    let (low, high) = (halves.next()?.ok()?, halves.next()?.ok()?);
    Some(u64::from(high) << 32 | u64::from(low))
}

/// The quota of a user, to which the keys of lookups are charged: those of the kernel itself to root's.
fn quota(step: &mut Step, look: &HostRoot, user: u32) {
    let Ok(text) = look.text("/proc/key-users") else {
        step.unseen(format!("the quota of user {user}"), "/proc/key-users can't be read");
        return;
    };
    let Some(line) = text.lines().find(|line| line.trim_start().starts_with(&format!("{user}:"))) else {
        return;
    };
    let pair = |word: &str| {
        let (taken, most) = word.split_once('/')?;
        Some((taken.parse::<u64>().ok()?, most.parse::<u64>().ok()?))
    };
    let mut pairs = line.split_whitespace().skip(3).map(pair);
    let (Some(Some(keys)), Some(Some(bytes))) = (pairs.next(), pairs.next()) else {
        return;
    };
    let who = if user == 0 {
        "root, whose quota the kernel's lookups use".to_owned()
    } else {
        format!("user {user}")
    };
    step.fact(format!("quota of {who}: {}/{} keys, {}/{} bytes", keys.0, keys.1, bytes.0, bytes.1));
    let full = |(taken, most): (u64, u64), needed| taken.saturating_add(needed) > most;
    if full(keys, KEYS) || full(bytes, BYTES) {
        let prefix = if user == 0 { "root_" } else { "" };
        // A round number, which stays the same while some keys come and go.
        let most = |(taken, most): (u64, u64), least: u64| {
            taken.saturating_mul(2).checked_next_power_of_two().unwrap_or(u64::MAX).max(most).max(least)
        };
        step.find(Finding::broken(
            "quota-full",
            format!("no more keys can be made for {who}: a lookup fails with EDQUOT"),
            format!("/proc/key-users: \"{}\"", line.split_whitespace().collect::<Vec<_>>().join(" ")),
            Remedy::Command(format!(
                "sysctl -w kernel.keys.{prefix}maxkeys={} kernel.keys.{prefix}maxbytes={}",
                most(keys, if user == 0 { 1_000_000 } else { 200 }),
                most(bytes, if user == 0 { 25_000_000 } else { 20_000 }),
            )),
        ));
    }
}

#[cfg(test)]
mod tests;
