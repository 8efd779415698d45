use super::*;
use proptest::prelude::*;

/// The errno, who it is explained for, and the host.
fn seen(text: &str) -> (u16, Vec<Who>, Option<String>) {
    let explanation = explain(text).unwrap_or_else(|unknown| panic!("{text}: {unknown}"));
    let errno = explanation.errno.map_or(0, |(number, ..)| number);
    (errno, explanation.rows.iter().map(|row| row.who).collect(), explanation.name.clone())
}

#[test]
fn a_bare_error_in_any_form_is_explained_for_every_program_that_reports_it() {
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
fn messages_are_parsed_in_the_format_of_their_program() {
    for (text, errno, who, name) in [
        ("mount error(4)", 4, vec![Who::Cifs], None),
        ("mount error 3 = No such process", 3, vec![Who::Ceph], None),
        ("mount error(111): could not connect to 192.0.2.1", 111, vec![Who::Cifs], None),
        ("mount error(61): No data available", 61, vec![Who::Kernel], None),
        ("dns_query() = -2", 2, vec![Who::Kernel], None),
        ("#dnserror=61", 61, vec![Who::Kernel], None),
        ("mon1.test: no such name; answered with ENODATA (61) for 60 s", 61, vec![Who::Kernel], None),
        ("request_key: Required key not available", 126, vec![Who::Kernel], None),
        ("key has expired", 127, vec![Who::Keyctl], None),
        ("keyctl_read_alloc: Key has been revoked", 128, vec![Who::Keyctl], None),
        (
            "modprobe: ERROR: could not insert 'ceph': Key was rejected by service",
            129,
            vec![Who::Module],
            None,
        ),
        ("Key was rejected by service", 129, vec![Who::Keyctl, Who::Module], None),
        ("add_key: Disk quota exceeded", 122, vec![Who::Keyctl], None),
        ("mount: /mnt: unknown filesystem type 'ceph'.", 0, vec![Who::Mount], None),
        ("nfs: server 2001:db8::1 not responding, still trying", 0, vec![Who::Nfs], Some("2001:db8::1")),
        ("libceph: resolve '[2001:db8::1]:6789' (ret=-3): failed", 3, vec![Who::Ceph], Some("2001:db8::1")),
    ] {
        assert_eq!(seen(text), (errno, who, name.map(str::to_owned)), "{text}");
    }
}

#[test]
fn the_text_wins_over_the_error_number_of_another_architecture() {
    // MIPS and SPARC have their own numbers.
    for text in
        ["mount error(147): Host is down", "mount error(64): Host is down", "mount error(7): Host is down"]
    {
        assert_eq!(seen(text).0, 112, "{text}");
    }
    assert_eq!(seen("rbd: map failed: (110)").0, 110);
}

#[test]
fn error_texts_of_musl_are_recognized() {
    let musl = "mount.nfs: Failed to resolve server nfs1.test: Try again";
    assert_eq!(explain(musl).unwrap().rows[0].id, "libc-again");
    for (text, errno) in
        [("I/O error", 5), ("mount: Operation timed out", 110), ("mount.cifs: Host is unreachable", 113)]
    {
        assert_eq!(seen(text).0, errno, "{text}");
    }
}

#[test]
fn parts_of_words_and_unrelated_numbers_are_not_errors() {
    for text in [
        "ssh: connect to host a port 22: Connection refused",
        "error 12:30:05 something happened",
        "error 3 of 5",
        "rpc error: code = 13 desc = x",
        "mount failed: exit status 32",
        "failed with rc=1",
        "EXT4-fs error (device sda1): ext4_find_entry:1455",
        "blk_update_request: I/O error, dev sda, sector 0",
        "sh: 1: cannot open x: Permission denied",
        "the daemon refused",
        "kill: (123) - No such process",
    ] {
        assert!(explain(text).is_err(), "{text}: {:?}", explain(text));
    }
}

#[test]
fn an_unknown_message_is_reported_as_unknown() {
    for text in
        ["", " ", "hello", "0", "-0", "99999", "no such", "exit status 32", "error", "EFOO", "ret=", "3 4"]
    {
        assert!(matches!(explain(text), Err(Unknown::Message(_))), "{text}");
    }
    assert_eq!(explain("18").unwrap_err(), Unknown::Errno(18));
    assert_eq!(explain("git: Connection refused").unwrap_err(), Unknown::Speaker { number: 111 });
    assert_eq!(explain("mount error(30): Read-only file system").unwrap_err(), Unknown::Errno(30));
    assert!(explain("a\x1b[2Jb").unwrap_err().to_string().contains("\\u{1b}"));
}

#[test]
fn only_a_valid_host_name_of_the_message_appears_in_the_commands() {
    let text = explain("libceph: resolve 'mon1.ceph.test' (ret=-3): failed").unwrap().to_string();
    assert!(text.contains("$ key-dns doctor mon1.ceph.test\n") && !text.contains("NAME"), "{text}");
    for hostile in ["resolve '$(reboot)' (ret=-3)", "resolve ';reboot' (ret=-3)", "resolve '-x' (ret=-3)"] {
        let text = explain(hostile).unwrap().to_string();
        assert!(text.contains("$ key-dns doctor NAME\n") && !text.contains("reboot"), "{text}");
    }
}

#[test]
fn every_row_has_a_meaning_and_a_remedy() {
    let mut ids: Vec<&str> = table::rows().map(|row| row.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    for row in table::rows() {
        assert!(!row.means.is_empty() && !row.means.ends_with('.'), "{row:?}");
        assert!(row.causes.iter().any(|cause| !cause.remedy.is_empty()), "{row:?}");
        for cause in &row.causes {
            assert!(!cause.what.is_empty() && !cause.what.ends_with('.'), "{cause:?}");
        }
        assert!(row.errnos.iter().all(|number| is_known(*number)), "{row:?}");
        assert!(!row.errnos.is_empty() || !row.phrases.is_empty() || table::too_short()[0].id == row.id);
        for phrase in &row.phrases {
            assert_eq!(*phrase, phrase.to_lowercase());
            if row.by.is_none() {
                assert_eq!(explain(phrase).unwrap().rows[0].id, row.id, "{phrase}");
            }
        }
    }
    for (number, ..) in ERRNOS {
        assert!(table::rows().any(|row| row.errnos.contains(number)), "{number}");
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
    fn arbitrary_text_after_a_known_word_does_not_panic(word in prop::sample::select(vec!["error", "ret=", "resolve '"]), text: String) {
        let _ = explain(&format!("{word}{text}"));
    }
}
