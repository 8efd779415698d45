//! Sources that are NSS modules, queried through `getent`.

use crate::look_up;
use crate::support::world::{inside, write};
use crate::support::{copy_program, executable, run, skip};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Replaces `getent` by a script.
fn getent(script: &str) {
    let path = "/mnt/getent";
    fs::write("/mnt/getent.text", format!("#!/bin/sh\n{script}\n")).unwrap();
    copy_program(Path::new("/mnt/getent.text"), Path::new(path));
    assert!(run("mount", &["--bind", path, "/usr/bin/getent"]).status.success());
}

#[test]
fn an_unknown_source_is_queried_in_order_by_an_unprivileged_process() {
    if !inside("sources::an_unknown_source_is_queried_in_order_by_an_unprivileged_process") {
        return;
    }
    fs::create_dir("/mnt/seen").unwrap();
    fs::set_permissions("/mnt/seen", fs::Permissions::from_mode(0o777)).unwrap();
    getent(
        "echo \"$@\" > /mnt/seen/arguments; cat /proc/self/status > /mnt/seen/status\n\
         ls -l /proc/$$/fd > /mnt/seen/descriptors; tr '\\0' '\\n' < /proc/$$/environ > /mnt/seen/environment\n\
         echo '192.0.2.77 STREAM x'; echo '192.0.2.77 DGRAM'; echo '2001:db8::77 STREAM'; echo 'junk'",
    );
    write("nsswitch.conf", Some("hosts: files sss dns\n"));
    let printed = look_up("mon1.corp", "list");
    assert_eq!(printed.payload, "2001:db8::77,192.0.2.77");
    assert_eq!(printed.expiry, 5);
    assert!(printed.log.contains("192.0.2.77 from sss, by getent"), "{}", printed.log);
    let seen = |file| fs::read_to_string(format!("/mnt/seen/{file}")).unwrap();
    assert_eq!(
        seen("arguments"),
        "-A -s hosts:sss [NOTFOUND=return] key-dns-1 sss [NOTFOUND=return TRYAGAIN=return] key-dns-2 \
         -- ahosts mon1.corp\n"
    );
    // What the loader should report, and what the shell adds.
    let environment = seen("environment");
    let lines: Vec<&str> = environment.lines().collect();
    assert_eq!(lines, ["LD_DEBUG=files"]);
    let status = seen("status");
    // A user of no other process: the number of the process that started getent, in a range that nothing allocates.
    for kind in ["Uid:", "Gid:"] {
        let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
        let numbers: Vec<u32> =
            line.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
        assert!(numbers.iter().all(|number| *number == numbers[0] && *number > 2_100_000_000), "{line}");
    }
    for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Groups:\t \n"] {
        assert!(status.contains(line), "{line:?} in {status}");
    }
    // The three standard ones, and the shell's own for the script, which it opened itself.
    let descriptors = seen("descriptors");
    let open: Vec<&str> = descriptors.lines().filter(|line| line.contains("->")).collect();
    assert!(open.len() <= 5, "{descriptors}");
    assert!(
        open.iter().all(|line| !line.contains("socket:") && !line.contains("anon_inode")),
        "{descriptors}"
    );
}

/// As in a rootless container, where nobody but root is anybody.
#[test]
fn in_a_user_namespace_without_users_a_source_is_queried_too() {
    if !inside("sources::in_a_user_namespace_without_users_a_source_is_queried_too") {
        return;
    }
    let unshare = |words: &[&str]| run("unshare", &[&["--user", "--map-root-user"], words].concat());
    if !unshare(&["true"]).status.success() {
        return skip("it needs user namespaces");
    }
    getent("echo 192.0.2.7 STREAM");
    write("nsswitch.conf", Some("hosts: wins\n"));
    let program = executable();
    let seen = unshare(&[program.to_str().unwrap(), "key.dns_resolver", "-D", "-v", "mon1", "ipv4"]);
    assert_eq!(String::from_utf8_lossy(&seen.stdout), "payload 192.0.2.7\nexpiry 5\n");
    let log = String::from_utf8_lossy(&seen.stderr);
    assert!(log.contains("not confined by its user: Invalid argument"), "{log}");
}

#[test]
fn only_the_requested_family_is_queried_in_a_module() {
    if !inside("sources::only_the_requested_family_is_queried_in_a_module") {
        return;
    }
    getent("case $5 in ahostsv4) echo 192.0.2.7 STREAM;; ahostsv6) exit 2;; *) echo 9.9.9.9;; esac");
    write("nsswitch.conf", Some("hosts: wins\n"));
    assert_eq!(look_up("mon1", "ipv4").payload, "192.0.2.7");
    assert_eq!(look_up("mon1", "ipv6").payload, "#dnserror=61");
    assert_eq!(look_up("mon1", "").payload, "192.0.2.7");
}

#[test]
fn a_getent_that_lacks_no_addrconfig_is_called_without_it() {
    if !inside("sources::a_getent_that_lacks_no_addrconfig_is_called_without_it") {
        return;
    }
    // As glibc's does with an option that it doesn't know.
    getent("[ $1 = -A ] && exit 64; [ $1 = -s ] && echo 192.0.2.7 STREAM");
    write("nsswitch.conf", Some("hosts: wins\n"));
    assert_eq!(look_up("mon1", "ipv4").payload, "192.0.2.7");
}

#[test]
fn a_source_that_cannot_be_queried_is_skipped_and_reported() {
    if !inside("sources::a_source_that_cannot_be_queried_is_skipped_and_reported") {
        return;
    }
    write("hosts", Some("192.0.2.8 mon1\n"));
    write("nsswitch.conf", Some("hosts: sss [NOTFOUND=return] files\n"));
    for (script, reason) in [
        ("exit 1", "sss: getent ended with exit status: 1"),
        ("kill -9 $$", "sss: getent ended with signal: 9"),
        ("head -c 100000 /dev/zero; sleep 60", "sss: getent wrote more than 65536 bytes"),
    ] {
        getent(script);
        let printed = look_up("mon1", "");
        assert_eq!(printed.payload, "192.0.2.8", "{script}");
        assert!(printed.log.contains(reason), "{script}: {}", printed.log);
    }
    // The loader says that it looked for the module, and for nothing after it.
    getent("echo 'file=libnss_sss.so.2 [0];  dynamically loaded by libc' >&2; exit 2");
    assert_eq!(look_up("mon1", "").payload, "#dnserror=61");
    run("sh", &["-c", "umount -l /usr/bin/getent; mount --bind /dev/null /usr/bin/getent"]);
    let printed = look_up("mon1", "");
    assert_eq!(printed.payload, "192.0.2.8");
    assert!(printed.log.contains("sss: can't run getent"), "{}", printed.log);
    write("nsswitch.conf", Some("hosts: sss\n"));
    assert_eq!(look_up("mon1", "").payload, "#dnserror=11");
}

#[test]
fn a_hanging_source_ends_at_the_deadline_and_leaves_no_process() {
    if !inside("sources::a_hanging_source_ends_at_the_deadline_and_leaves_no_process") {
        return;
    }
    getent("exec sleep 4242");
    write("nsswitch.conf", Some("hosts: sss files\n"));
    write("keyutils/key.dns_resolver.conf", Some("deadline = 1\n"));
    let start = Instant::now();
    assert_eq!(look_up("mon1", "").payload, "#dnserror=11");
    assert!(start.elapsed() < Duration::from_secs(15));
    // Nothing waits for it to exit.
    let left = || String::from_utf8_lossy(&run("pgrep", &["-f", "^sleep 4242$"]).stdout).into_owned();
    while !left().is_empty() && start.elapsed() < Duration::from_secs(15) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(left(), "");
}

#[test]
fn hosts_lines_of_distributions_start_no_process_for_ordinary_names() {
    if !inside("sources::hosts_lines_of_distributions_start_no_process_for_ordinary_names") {
        return;
    }
    getent("echo 6.6.6.6 STREAM");
    write("hosts", Some("192.0.2.8 mon1.example.test\n"));
    for line in [
        "mdns4_minimal [NOTFOUND=return] files dns",
        "mymachines resolve [!UNAVAIL=return] files myhostname dns",
        "myhostname mdns_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] files",
    ] {
        write("nsswitch.conf", Some(&format!("hosts: {line}\n")));
        assert_eq!(look_up("mon1.example.test", "").payload, "192.0.2.8", "{line}");
    }
    write("nsswitch.conf", Some("hosts: mdns4_minimal [NOTFOUND=return] files\n"));
    assert_eq!(look_up("printer.local", "").payload, "6.6.6.6");
}
