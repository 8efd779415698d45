//! Roots of different kinds, set up and left, with calls that are cut off before each step.

mod packages;

use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const PROGRAM: &[u8] = b"\x7fELF one";
const NEXT: &[u8] = b"\x7fELF two";

/// Stops before a step.
struct Cut {
    left: usize,
    said: Vec<String>,
}

impl Progress for Cut {
    fn step(&mut self, _: &str) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("cut off"))?;
        Ok(())
    }
    fn say(&mut self, what: &str) {
        self.said.push(what.to_owned());
    }
}

fn after(steps: usize) -> Cut {
    Cut { left: steps, said: Vec::new() }
}
fn whole() -> Cut {
    after(usize::MAX)
}

/// A root that is made up, and removed at the end.
struct Made {
    folder: PathBuf,
    root: HostRoot,
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Each line is a folder (`a/`), a link (`a -> b`) or a file (`a`), whose content is its name.
fn made(lines: &[&str]) -> Made {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // Each step is made to last, which takes long on a disk.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = place.join(format!("key-dns-setup-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for line in lines {
        let (path, target) = line.split_once(" -> ").unwrap_or((line, ""));
        let path = folder.join(path.trim_end_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !target.is_empty() {
            symlink(target, &path).unwrap();
        } else if line.ends_with('/') {
            fs::create_dir_all(&path).unwrap();
        } else {
            fs::write(&path, line).unwrap();
        }
    }
    let root = HostRoot::at(&folder).unwrap();
    Made { folder, root }
}

const MERGED: [&str; 4] = ["usr/sbin/", "usr/bin/", "sbin -> usr/sbin", "var/lib/"];

fn merged(more: &[&str]) -> Vec<&'static str> {
    MERGED
        .into_iter()
        .chain(more.iter().map(|line| Box::leak((*line).to_owned().into_boxed_str()) as &str))
        .collect()
}

/// Kinds of hosts, and whether `/usr` is read only there.
fn kinds() -> Vec<(&'static str, Vec<&'static str>, bool)> {
    let unmerged = vec!["usr/bin/", "usr/sbin/", "sbin/init", "etc/passwd", "var/lib/"];
    let mut with_keyutils = unmerged.clone();
    with_keyutils.extend([
        "sbin/request-key",
        "sbin/key.dns_resolver",
        "etc/request-key.conf",
        "etc/request-key.d/",
    ]);
    let sysext = "usr/bin/systemd-sysext";
    vec![
        (
            "merged, keyutils",
            merged(&["usr/sbin/request-key", "etc/request-key.conf", "etc/request-key.d/"]),
            false,
        ),
        ("merged, nothing", merged(&["etc/passwd"]), false),
        ("merged, rules alone", merged(&["etc/request-key.d/cifs.conf"]), false),
        ("unmerged, keyutils", with_keyutils, false),
        ("unmerged, nothing", unmerged, false),
        ("sbin in bin", vec!["usr/bin/", "usr/sbin -> bin", "sbin -> /usr/bin", "var/lib/", "etc/"], false),
        ("an empty /etc", merged(&["etc/"]), false),
        ("a rescue system", vec!["sbin/init", "var/lib/"], false),
        ("read only, keyutils", merged(&[sysext, "usr/sbin/request-key", "etc/request-key.conf"]), true),
        ("read only, nothing", merged(&[sysext, "etc/passwd"]), true),
        ("read only, extensions of others", merged(&[sysext, "etc/", "var/lib/extensions/other.raw"]), true),
        (
            "read only, sbin in bin",
            vec![sysext, "usr/sbin -> bin", "sbin -> usr/sbin", "var/lib/", "etc/"],
            true,
        ),
        ("read only, no extensions, keyutils", merged(&["usr/sbin/request-key", "etc/"]), true),
        (
            "read only, no extensions, unmerged, nothing",
            vec!["usr/bin/", "sbin/init", "var/lib/", "etc/"],
            true,
        ),
    ]
}

fn plan_for(root: &HostRoot, read_only: bool, program: &[u8]) -> Plan {
    let journal = Journal::load(root).unwrap().unwrap_or_default();
    let host = Host { read_only_usr: read_only, ..Host::look(root, &journal) };
    Plan::new(root, &host, program).unwrap()
}

fn put(root: &HostRoot, read_only: bool, program: &[u8], mut progress: Cut) -> Result<Cut, SetupError> {
    let root = LockedRoot::take(root)?;
    install(&root, &plan_for(&root, read_only, program), "1", &mut progress)?;
    Ok(progress)
}

/// Takes back what is there.
fn remove(root: &HostRoot, progress: &mut Cut) -> Result<(), SetupError> {
    super::remove(&LockedRoot::take(root)?, progress)
}

/// Everything in a root: mode, and content or target.
fn listing(made: &Made) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![made.folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let content = if meta.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if meta.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(path, (meta.permissions().mode(), content));
        }
    }
    found
}

fn text(made: &Made, path: &str) -> String {
    fs::read_to_string(made.root.follow(Path::new(path))).unwrap()
}

#[test]
fn everything_installed_is_removed() {
    for (kind, lines, read_only) in kinds() {
        let made = made(&lines);
        let before = listing(&made);
        put(&made.root, read_only, PROGRAM, whole()).unwrap();
        let status = status(&made.root).unwrap().unwrap();
        assert!(status.is_whole(), "{kind}: {status:?}");
        assert_ne!(listing(&made), before, "{kind}");
        remove(&made.root, &mut whole()).unwrap();
        assert_eq!(listing(&made), before, "{kind}");
        assert_eq!(super::status(&made.root).unwrap(), None, "{kind}");
    }
}

#[test]
fn a_kernel_finds_the_program_on_every_kind_of_host() {
    for (kind, lines, read_only) in kinds() {
        let made = made(&lines);
        put(&made.root, read_only, PROGRAM, whole()).unwrap();
        // What systemd-sysext does: the files of the extension are in /usr as well.
        let extension = made.folder.join("var/lib/extensions/key-dns/usr");
        for (path, (_, content)) in listing(&made) {
            if let Ok(inner) = path.strip_prefix(&extension) {
                let to = made.folder.join("usr").join(inner);
                let kind = fs::symlink_metadata(&path).unwrap();
                assert!(
                    fs::symlink_metadata(&to).is_ok() == (kind.is_dir() && to.is_dir()),
                    "hides {inner:?}"
                );
                if kind.is_dir() {
                    fs::create_dir_all(to).unwrap();
                } else if kind.is_symlink() {
                    symlink(PathBuf::from(String::from_utf8(content).unwrap()), to).unwrap();
                } else {
                    fs::write(to, content).unwrap();
                }
            }
        }
        let kernel = made.root.follow(Path::new("/sbin/request-key"));
        let program =
            fs::read(&kernel).unwrap_or_else(|error| panic!("{kind}: {}: {error}", kernel.display()));
        let keyutils = lines.iter().any(|line| line.ends_with("sbin/request-key"));
        assert_eq!(program == PROGRAM, !keyutils, "{kind}");
        let rule = text(&made, "/etc/request-key.d/dns_resolver.conf");
        let helper = rule.lines().last().unwrap().split_whitespace().nth(4).unwrap();
        assert_eq!(fs::read(made.root.follow(Path::new(helper))).unwrap(), PROGRAM, "{kind}: {helper}");
        let once = listing(&made);
        put(&made.root, read_only, PROGRAM, whole()).unwrap();
        assert_eq!(listing(&made), once, "{kind}, installed twice");
    }
}

/// The steps that a call takes on a fresh root; each is a place to be cut off.
fn steps(lines: &[&str], read_only: bool) -> usize {
    let made = made(lines);
    usize::MAX - put(&made.root, read_only, PROGRAM, whole()).unwrap().left
}

#[test]
fn an_interrupted_installation_can_be_removed_or_finished() {
    for (kind, lines, read_only) in kinds() {
        let all = steps(&lines, read_only);
        assert!(all > 5, "{kind}: {all}");
        let complete = made(&lines);
        put(&complete.root, read_only, PROGRAM, whole()).unwrap();
        for cut in 0..all {
            let made = made(&lines);
            let before = listing(&made);
            put(&made.root, read_only, PROGRAM, after(cut)).map(|_| ()).unwrap_err();
            remove(&made.root, &mut whole()).unwrap();
            assert_eq!(listing(&made), before, "{kind}, cut off after {cut}, and removed");
            put(&made.root, read_only, PROGRAM, after(cut)).map(|_| ()).unwrap_err();
            put(&made.root, read_only, PROGRAM, whole()).unwrap();
            assert_eq!(contents(&made), contents(&complete), "{kind}, cut off after {cut}, and finished");
            remove(&made.root, &mut whole()).unwrap();
            assert_eq!(listing(&made), before, "{kind}, cut off after {cut}, finished and removed");
        }
    }
}

/// The listing with names as the host has them, for two roots to be compared; without the journal.
fn contents(made: &Made) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let named = listing(made).into_iter().map(|(path, entry)| (made.root.name_of(&path), entry));
    named.filter(|(path, _)| path != Path::new(JOURNAL)).collect()
}

/// Does something to an installation of each kind, cut off after so many steps and more each time until it comes to its
/// end, which it returns; and removes what there is then: the root is as it was.
fn removed_after_each_cut(cut_off: impl Fn(&Made, bool, usize, &str) -> bool) {
    for (kind, lines, read_only) in kinds() {
        for cut in 0.. {
            let made = made(&lines);
            let before = listing(&made);
            put(&made.root, read_only, PROGRAM, whole()).unwrap();
            let done = cut_off(&made, read_only, cut, kind);
            remove(&made.root, &mut whole()).unwrap();
            assert_eq!(listing(&made), before, "{kind}, cut off after {cut}");
            if done {
                assert!(cut > 2, "{kind}");
                break;
            }
        }
    }
}

#[test]
fn an_interrupted_removal_can_be_finished() {
    removed_after_each_cut(|made, _, cut, _| remove(&made.root, &mut after(cut)).is_ok());
}

#[test]
fn an_interrupted_upgrade_can_be_removed() {
    removed_after_each_cut(|made, read_only, cut, kind| {
        let done = put(&made.root, read_only, NEXT, after(cut)).is_ok();
        assert!(status(&made.root).unwrap().unwrap().is_whole(), "{kind}, cut off after {cut}");
        done
    });
}

#[test]
fn installing_twice_changes_nothing_and_another_version_replaces_it() {
    for (kind, lines, read_only) in kinds() {
        let made = made(&lines);
        put(&made.root, read_only, PROGRAM, whole()).unwrap();
        let once = listing(&made);
        put(&made.root, read_only, PROGRAM, whole()).unwrap();
        assert_eq!(listing(&made), once, "{kind}");
        put(&made.root, read_only, NEXT, whole()).unwrap();
        let upgraded = listing(&made);
        assert_eq!(upgraded.len(), once.len(), "{kind}");
        assert!(upgraded.values().any(|(_, content)| content == NEXT), "{kind}");
        assert!(upgraded.values().all(|(_, content)| content != PROGRAM), "{kind}");
    }
}

#[test]
fn foreign_files_stop_the_installation_before_any_change() {
    let ours =
        ["etc/request-key.d/dns_resolver.conf", "usr/bin/key-dns", "usr/libexec/key-dns/key.dns_resolver"];
    for path in ours {
        let made = made(&merged(&[path]));
        let before = listing(&made);
        let error = put(&made.root, false, PROGRAM, whole()).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with(&format!(": /{path}")), "{error}");
        assert_eq!(listing(&made), before);
    }
    let made = made(&merged(&["usr/bin/systemd-sysext", "etc/", "usr/libexec/key-dns/key.dns_resolver"]));
    let before = listing(&made);
    put(&made.root, true, PROGRAM, whole()).map(|_| ()).unwrap_err();
    assert_eq!(listing(&made), before);
}

#[test]
fn files_changed_by_the_admin_are_kept() {
    let made = made(&merged(&["etc/"]));
    put(&made.root, false, PROGRAM, whole()).unwrap();
    let rule = made.folder.join("etc/request-key.d/dns_resolver.conf");
    fs::write(&rule, "# mine\n").unwrap();
    put(&made.root, false, NEXT, whole()).unwrap();
    assert_eq!(fs::read_to_string(&rule).unwrap(), "# mine\n");
    assert!(status(&made.root).unwrap().unwrap().is_whole());
    // No rule is to name a program that is gone.
    remove(&made.root, &mut whole()).unwrap();
    assert!(!rule.exists());
    assert_eq!(text(&made, "/etc/request-key.d/dns_resolver.conf.key-dns-saved"), "# mine\n");
    assert!(!made.folder.join("usr/libexec").exists());
}

#[test]
fn each_file_that_was_set_aside_is_kept() {
    let made = made(&merged(&["etc/"]));
    let rule = "/etc/request-key.d/dns_resolver.conf";
    for text in ["# one\n", "# two\n", "# three\n"] {
        for path in [rule, SETTINGS] {
            put_settings(&made, PROGRAM, Some("one\n")).unwrap();
            fs::write(made.root.follow(Path::new(path)), text).unwrap();
        }
        remove(&made.root, &mut whole()).unwrap();
    }
    for path in [rule, SETTINGS] {
        assert_eq!(text(&made, &format!("{path}.key-dns-saved")), "# one\n");
        assert_eq!(text(&made, &format!("{path}.key-dns-saved.1")), "# two\n");
        assert_eq!(text(&made, &format!("{path}.key-dns-saved.2")), "# three\n");
        assert!(!made.root.has(path));
    }
}

#[test]
fn a_foreign_replacement_of_the_program_is_neither_upgraded_nor_removed() {
    let made = made(&merged(&["etc/"]));
    put(&made.root, false, PROGRAM, whole()).unwrap();
    let helper = made.folder.join("usr/libexec/key-dns/key.dns_resolver");
    fs::write(&helper, "of a package").unwrap();
    let status = status(&made.root).unwrap().unwrap();
    assert!(status.files.contains(&("/usr/libexec/key-dns/key.dns_resolver".into(), FileState::Changed)));
    assert!(!status.is_whole());
    put(&made.root, false, NEXT, whole()).map(|_| ()).unwrap_err();
    let mut progress = whole();
    remove(&made.root, &mut progress).unwrap();
    assert_eq!(fs::read_to_string(&helper).unwrap(), "of a package");
    // What leads to it is whoever's it is.
    assert!(made.root.has("/usr/bin/key-dns") && made.root.has("/etc/request-key.d/dns_resolver.conf"));
    assert!(!made.root.has("/sbin/request-key"));
    assert_eq!(progress.said.len(), 3, "{:?}", progress.said);
}

#[test]
fn keyutils_installed_later_keeps_its_own_program() {
    let made = made(&merged(&["etc/"]));
    put(&made.root, false, PROGRAM, whole()).unwrap();
    let theirs = made.folder.join("usr/sbin/request-key");
    fs::remove_file(&theirs).unwrap();
    fs::write(&theirs, "keyutils").unwrap();
    put(&made.root, false, NEXT, whole()).unwrap();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "keyutils");
    assert!(!made.folder.join("usr/libexec/key-dns/request-key").exists());
    assert!(status(&made.root).unwrap().unwrap().is_whole());
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "keyutils");
}

#[test]
fn what_would_be_done_is_what_is_done() {
    let made = made(&merged(&["etc/"]));
    put_settings(&made, PROGRAM, Some("one\n")).unwrap();
    fs::write(made.root.follow(Path::new(SETTINGS)), "mine\n").unwrap();
    // keyutils comes.
    let theirs = made.folder.join("usr/sbin/request-key");
    fs::remove_file(&theirs).unwrap();
    fs::write(&theirs, "keyutils").unwrap();
    let told = changes(&made.root, &plan_for(&made.root, false, PROGRAM)).unwrap();
    assert_eq!(
        told,
        [
            format!("set {SETTINGS} aside"),
            "remove /usr/libexec/key-dns/request-key".to_owned(),
            "leave /sbin/request-key, which is no longer setup's".to_owned(),
        ]
    );
    fs::remove_file(made.folder.join("usr/libexec/key-dns/request-key")).unwrap();
    let told = changes(&made.root, &plan_for(&made.root, false, PROGRAM)).unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_folder_that_an_admin_has_moved_elsewhere_does_not_stop_the_removal() {
    let made = made(&merged(&["etc/", "big/"]));
    put(&made.root, false, PROGRAM, whole()).unwrap();
    for folder in ["usr/libexec/key-dns", "var/lib/key-dns"] {
        let to = Path::new("big").join(folder.replace('/', "-"));
        fs::rename(made.folder.join(folder), made.folder.join(&to)).unwrap();
        symlink(Path::new("../..").join(to), made.folder.join(folder)).unwrap();
    }
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(status(&made.root).unwrap(), None);
    assert!(!made.root.has("/usr/libexec/key-dns/key.dns_resolver"));
    // The links are the admin's.
    assert!(made.root.has("/usr/libexec/key-dns") && made.root.has("/var/lib/key-dns"));
}

#[test]
fn a_host_without_a_place_for_request_key_is_an_error() {
    let made = made(&merged(&["etc/"]));
    let host = Host { read_only_usr: true, ..Host::look(&made.root, &Journal::default()) };
    let error = Plan::new(&made.root, &host, PROGRAM).unwrap_err().to_string();
    assert!(
        error.starts_with("/sbin/request-key can't be created, because /usr is mounted read-only"),
        "{error}"
    );
}

#[test]
fn links_do_not_lead_out_of_the_root() {
    let made = made(&["a -> /b", "b/", "up -> ../../../../../b", "loop -> loop"]);
    for path in ["/a/x", "/up/x", "/b/../../b/x"] {
        assert_eq!(made.root.name_of(&made.root.locate(Path::new(path))), Path::new("/b/x"), "{path}");
    }
    assert!(made.root.follow(Path::new("/loop")).starts_with(&made.folder));
    assert_eq!(made.root.locate(Path::new("/a")), made.folder.join("a"));
}

#[test]
fn a_root_is_the_folder_that_the_kernel_finds_whatever_a_link_in_proc_reads() {
    let made = made(&["gone/"]);
    let gone = made.folder.join("gone");
    let opened = fs::File::open(&gone).unwrap();
    fs::remove_dir(&gone).unwrap();
    // What the link to the removed folder reads is the path of this one, as that of another process's root reads `/`.
    fs::create_dir(made.folder.join("gone (deleted)")).unwrap();
    let root = HostRoot::at(Path::new(&format!("/proc/self/fd/{}", opened.as_raw_fd()))).unwrap();
    let found = fs::metadata(root.locate(Path::new("/"))).unwrap();
    assert_eq!(found.ino(), opened.metadata().unwrap().ino());
    assert!(!root.is_host());
}

#[test]
fn a_root_has_to_exist_and_only_the_root_folder_is_this_hosts_own() {
    for (path, is_host) in [("/", true), ("//", true), ("/.", true), ("/proc/self/root", false)] {
        let root = HostRoot::at(Path::new(path)).unwrap();
        assert_eq!(root.is_host(), is_host, "{path}");
        assert_eq!(root.name_of(&root.locate(Path::new("/etc"))), Path::new("/etc"), "{path}");
    }
    assert!(HostRoot::at(Path::new(".")).unwrap().locate(Path::new("/etc")).is_absolute());
    HostRoot::at(Path::new("/nonexistent")).unwrap_err();
}

#[test]
fn a_second_process_changes_nothing_while_the_first_holds_the_lock() {
    let made = made(&merged(&["etc/"]));
    let before = listing(&made);
    let lock = LockedRoot::take(&made.root).unwrap();
    assert!(matches!(put(&made.root, false, PROGRAM, whole()), Err(SetupError::Busy)));
    assert!(matches!(remove(&made.root, &mut whole()), Err(SetupError::Busy)));
    assert_eq!(listing(&made), before);
    // Looking takes no lock.
    assert_eq!(status(&made.root).unwrap(), None);
    drop(lock);
    put(&made.root, false, PROGRAM, whole()).unwrap();
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(listing(&made), before);
}

const SETTINGS: &str = "/etc/keyutils/key.dns_resolver.conf";

fn put_settings(made: &Made, program: &[u8], text: Option<&str>) -> Result<Cut, SetupError> {
    let root = &made.root;
    let journal = Journal::load(root)?.unwrap_or_default();
    let plan = plan_for(root, false, program);
    let plan = plan.with_settings(root, &Host::look(root, &journal), &journal, text)?;
    let mut progress = whole();
    install(&LockedRoot::take(root)?, &plan, "1", &mut progress)?;
    Ok(progress)
}

#[test]
fn settings_are_written_replaced_kept_and_removed() {
    let made = made(&merged(&["etc/"]));
    let before = listing(&made);
    put_settings(&made, PROGRAM, Some("one\n")).unwrap();
    assert_eq!(text(&made, SETTINGS), "one\n");
    put_settings(&made, PROGRAM, Some("two\n")).unwrap();
    assert_eq!(text(&made, SETTINGS), "two\n");
    put_settings(&made, NEXT, None).unwrap();
    assert_eq!(text(&made, SETTINGS), "two\n");
    put_settings(&made, NEXT, Some("")).unwrap();
    assert!(!made.root.has(SETTINGS));
    put_settings(&made, NEXT, None).unwrap();
    assert!(!made.root.has(SETTINGS));
    put_settings(&made, NEXT, Some("three\n")).unwrap();
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(listing(&made), before);
}

#[test]
fn concurrent_runs_each_do_everything_or_nothing() {
    let made = made(&merged(&["etc/"]));
    let before = listing(&made);
    let busy = AtomicU32::new(0);
    let done = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (made, busy, done) = (&made, &busy, &done);
            scope.spawn(move || {
                for _ in 0..10 {
                    let outcome = match number % 2 {
                        0 => put(&made.root, false, PROGRAM, whole()).map(|_| ()),
                        _ => remove(&made.root, &mut whole()),
                    };
                    match outcome {
                        Ok(()) => done.fetch_add(1, Ordering::Relaxed),
                        Err(SetupError::Busy) => busy.fetch_add(1, Ordering::Relaxed),
                        Err(error) => panic!("{error}"),
                    };
                }
            });
        }
    });
    assert_eq!(busy.load(Ordering::Relaxed) + done.load(Ordering::Relaxed), 80);
    assert!(done.load(Ordering::Relaxed) > 0, "{busy:?}");
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(listing(&made), before);
}

#[test]
fn settings_that_an_admin_changed_are_kept() {
    for change in [None, Some("two\n"), Some("")] {
        let made = made(&merged(&["etc/"]));
        put_settings(&made, PROGRAM, Some("one\n")).unwrap();
        fs::write(made.root.follow(Path::new(SETTINGS)), "mine\n").unwrap();
        put_settings(&made, NEXT, change).unwrap();
        let aside = format!("{SETTINGS}.key-dns-saved");
        let taken_back = change == Some("");
        assert_eq!(text(&made, if taken_back { &aside } else { SETTINGS }), "mine\n", "{change:?}");
        remove(&made.root, &mut whole()).unwrap();
        assert!(!made.root.has(SETTINGS), "{change:?}");
        assert_eq!(text(&made, &aside), "mine\n", "{change:?}");
    }
}

#[test]
fn foreign_settings_stop_the_installation_before_any_change() {
    let made = made(&merged(&["etc/keyutils/key.dns_resolver.conf"]));
    let before = listing(&made);
    put_settings(&made, PROGRAM, Some("one\n")).map(|_| ()).unwrap_err();
    assert_eq!(listing(&made), before);
    put_settings(&made, PROGRAM, None).unwrap();
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(listing(&made), before);
}

#[test]
fn with_a_read_only_etc_the_rule_is_installed_in_usr_share() {
    let journal = Journal::default();
    for (lines, read_only) in [
        (merged(&["etc/request-key.d/cifs.conf"]), false),
        (merged(&["usr/bin/systemd-sysext", "etc/"]), true),
    ] {
        let made = made(&lines);
        let before = listing(&made);
        let host = Host { read_only_etc: true, read_only_usr: read_only, ..Host::look(&made.root, &journal) };
        let plan = Plan::new(&made.root, &host, PROGRAM).unwrap();
        install(&LockedRoot::take(&made.root).unwrap(), &plan, "1", &mut whole()).unwrap();
        let usr = if read_only { "/var/lib/extensions/key-dns/usr" } else { "/usr" };
        assert!(
            text(&made, &format!("{usr}/share/request-key.d/dns_resolver.conf"))
                .contains("key.dns_resolver %k")
        );
        assert!(!made.root.has("/etc/request-key.d/dns_resolver.conf"));
        remove(&made.root, &mut whole()).unwrap();
        assert_eq!(listing(&made), before);
    }
    // keyutils reads no rule elsewhere.
    let made = made(&merged(&["usr/sbin/request-key", "etc/"]));
    let host = Host { read_only_etc: true, ..Host::look(&made.root, &journal) };
    Plan::new(&made.root, &host, PROGRAM).unwrap_err();
}
