use super::*;
use proptest::prelude::*;
use table::{ERRNOS, ROWS};

/// The errno, who it is explained for, and the host.
fn seen(text: &str) -> (u16, Vec<Who>, Option<String>) {
    let explanation = explain(text).unwrap_or_else(|unknown| panic!("{text}: {unknown}"));
    let errno = explanation.errno.map_or(0, |(number, ..)| number);
    (errno, explanation.rows.iter().map(|row| row.who).collect(), explanation.name.clone())
}

#[test]
fn a_bare_error_in_any_form_is_explained_for_all_who_say_it() {
    for text in
        ["ESRCH", "esrch", "3", "-3", " (3) ", "No such process", "NO SUCH PROCESS", "(ret=-3)", "ret=-3"]
    {
        assert_eq!(seen(text), (3, vec![Who::Ceph], None), "{text}");
    }
}

#[test]
fn every_error_is_known_by_name_number_and_text() {
    for &(number, name, text) in ERRNOS {
        for form in
            [name.to_owned(), name.to_lowercase(), number.to_string(), format!("-{number}"), text.to_owned()]
        {
            assert_eq!(seen(&form).0, number, "{form}");
        }
    }
}

/// Messages come from glibc's programs mostly; musl has other words for some errors.
#[cfg(target_env = "gnu")]
#[test]
fn the_names_and_texts_of_errors_are_those_of_glibc() {
    for &(number, name, text) in ERRNOS {
        let errno = nix::errno::Errno::from_raw(number.into());
        assert_eq!(format!("{errno:?}"), name);
        let told = std::io::Error::from_raw_os_error(number.into()).to_string();
        assert_eq!(told, format!("{text} (os error {number})"));
    }
}

#[test]
fn messages_are_read_as_who_says_them_writes_them() {
    let all = |who| vec![who];
    for (text, errno, who, name) in [
        ("mount error(4)", 4, all(Who::Cifs), None),
        ("mount error(4): Interrupted system call", 4, all(Who::Cifs), None),
        ("mount error 3 = No such process", 3, all(Who::Ceph), None),
        ("mount error 22 = Invalid argument", 22, all(Who::Ceph), None),
        ("mount error(126): Required key not available", 126, all(Who::Cifs), None),
        ("mount error(111): could not connect to 192.0.2.1", 111, vec![Who::Kernel, Who::Mount], None),
        (
            "[  512.345678] libceph: resolve 'mon1.ceph.test' (ret=-3): failed",
            3,
            all(Who::Ceph),
            Some("mon1.ceph.test"),
        ),
        ("libceph: resolve 'x' (ret=-3): failed", 3, all(Who::Ceph), Some("x")),
        ("libceph: parse_ips bad ip 'mon1:6789,mon2:6789'", 0, all(Who::Ceph), None),
        ("libceph: Failed to parse monitor IPs: -22", 22, all(Who::Ceph), None),
        ("kAFS: unable to lookup cell 'example.org'", 0, all(Who::Afs), Some("example.org")),
        ("[mount ] ==> dns_query((null),fs1.example.test,16,)", 0, vec![], Some("fs1.example.test")),
        ("libceph: Failed to parse monitor IPs: -3", 3, all(Who::Ceph), None),
        ("[mount ] <== dns_query() = -2", 2, all(Who::Kernel), None),
        ("dns_query() = -2", 2, all(Who::Kernel), None),
        ("#dnserror=61", 61, vec![Who::Kernel, Who::Afs], None),
        (
            "mon1.test: no such name; answered with ENODATA (61) for 60 s",
            61,
            vec![Who::Kernel, Who::Afs],
            None,
        ),
        ("CIFS: VFS: cifs_mount failed w/return code = -113", 113, all(Who::Cifs), None),
        ("CIFS: VFS: \\\\fs1 Send error in SessSetup = -126", 126, all(Who::Cifs), None),
        (
            "CIFS: fs/smb/client/dns_resolve.c: resolve_name: unable to resolve: fs1.test",
            0,
            all(Who::Cifs),
            Some("fs1.test"),
        ),
        ("mount error: could not resolve address for fs1: Unknown error", 0, all(Who::Mount), Some("fs1")),
        (
            "mount.nfs: Failed to resolve server nfs1.test: Name or service not known",
            0,
            all(Who::Mount),
            Some("nfs1.test"),
        ),
        (
            "server name not found: mon1.test (Temporary failure in name resolution)",
            0,
            all(Who::Mount),
            Some("mon1.test"),
        ),
        ("nfs: server nfs1.test not responding, still trying", 0, all(Who::Nfs), Some("nfs1.test")),
        ("mount: wrong fs type: mon1:6789:/ on /mnt failed: No such process", 3, vec![Who::Ceph], None),
        ("request-key: Cannot find command to construct key 661489677", 0, all(Who::Keyctl), None),
        ("request_key: Required key not available", 126, vec![Who::Kernel, Who::Cifs], None),
        ("key has expired", 127, all(Who::Keyctl), None),
        ("keyctl_read_alloc: Key has been revoked", 128, all(Who::Keyctl), None),
        (
            "modprobe: ERROR: could not insert 'ceph': Key was rejected by service",
            129,
            all(Who::Module),
            None,
        ),
        ("Key was rejected by service", 129, vec![Who::Module, Who::Keyctl], None),
        ("add_key: Disk quota exceeded", 122, all(Who::Keyctl), None),
        ("mount: /mnt: unknown filesystem type 'ceph'.", 19, all(Who::Mount), None),
        ("ls: cannot access '/mnt/x': Transport endpoint is not connected", 107, all(Who::Fuse), None),
        (
            "OCI runtime create failed: error mounting \"/var/lib/x\" to rootfs at \"/data\": mount through procfd: \
             no such file or directory: unknown",
            2,
            all(Who::Runc),
            None,
        ),
        (
            "mount /a:/b (via /proc/self/fd/7), flags: 0x5001: no such file or directory",
            2,
            all(Who::Runc),
            None,
        ),
        ("ceph-fuse[/kubelet/pods/x//deleted] fuse.ceph-fuse", 0, all(Who::Runc), None),
    ] {
        if who.is_empty() {
            assert_eq!(explain(text).unwrap_err(), Unknown::Message(text.to_owned()));
            continue;
        }
        assert_eq!(seen(text), (errno, who, name.map(str::to_owned)), "{text}");
    }
}

#[test]
fn what_is_not_known_is_said_to_be_so() {
    for text in
        ["", " ", "hello", "0", "-0", "99999", "no such", "exit status 32", "error", "EFOO", "ret=", "3 4"]
    {
        assert!(matches!(explain(text), Err(Unknown::Message(_))), "{text}");
    }
    assert_eq!(explain("18").unwrap_err(), Unknown::Errno(18));
    assert_eq!(explain("mount error(30): Read-only file system").unwrap_err(), Unknown::Errno(30));
    assert!(explain("a\x1b[2Jb").unwrap_err().to_string().contains("\\u{1b}"));
}

#[test]
fn the_host_of_the_message_is_put_into_the_commands_and_only_if_it_is_one() {
    let text = explain("libceph: resolve 'mon1.ceph.test' (ret=-3): failed").unwrap().to_string();
    assert!(text.contains("$ key-dns doctor mon1.ceph.test\n") && !text.contains("NAME"), "{text}");
    for hostile in ["resolve '$(reboot)' (ret=-3)", "resolve ';reboot' (ret=-3)", "resolve '-x' (ret=-3)"] {
        let text = explain(hostile).unwrap().to_string();
        assert!(text.contains("$ key-dns doctor NAME\n") && !text.contains("reboot"), "{text}");
    }
}

#[test]
fn every_row_says_what_it_means_and_what_to_try() {
    for row in ROWS {
        assert!(!row.means.is_empty() && !row.means.ends_with('.'), "{row:?}");
        assert!(!row.causes.is_empty() && row.causes.iter().any(|cause| !cause.remedy.is_empty()), "{row:?}");
        for cause in row.causes {
            assert!(!cause.what.is_empty() && !cause.what.ends_with('.'), "{cause:?}");
        }
        match row.sign {
            Sign::Errno(number) => assert!(ERRNOS.iter().any(|(known, ..)| *known == number), "{row:?}"),
            Sign::Phrases(phrases) => {
                for phrase in phrases {
                    assert_eq!(*phrase, phrase.to_lowercase());
                    assert_eq!(seen(phrase).1, [row.who], "{phrase}");
                }
            }
        }
    }
    for (number, ..) in ERRNOS {
        assert!(
            ROWS.iter().any(|row| matches!(row.sign, Sign::Errno(known) if known == *number)),
            "{number}"
        );
    }
}

#[test]
fn every_error_that_the_helper_gives_is_explained() {
    use key::Errno;
    for errno in [
        Errno::ENODATA,
        Errno::EAGAIN,
        Errno::ECONNREFUSED,
        Errno::EINVAL,
        Errno::ENOKEY,
        Errno::ENOENT,
        Errno::EACCES,
        Errno::ENOEXEC,
    ] {
        assert!(seen(&errno.to_string()).1.contains(&Who::Kernel), "{errno}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = explain(&text).map(|explanation| explanation.to_string());
    }

    #[test]
    fn no_text_after_a_known_word_makes_it_panic(word in prop::sample::select(vec!["error", "ret=", "resolve '"]), text: String) {
        let _ = explain(&format!("{word}{text}"));
    }
}
