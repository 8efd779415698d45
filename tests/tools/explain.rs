//! `key-dns explain`.

use crate::key_dns;

#[test]
fn a_message_needs_no_quotes_and_a_number_may_be_negative() {
    let expected = key_dns(&["explain", "ESRCH"]);
    assert_eq!(expected.status, 0);
    assert!(expected.stdout.starts_with("ESRCH (3): No such process\n\nCephFS, RBD"), "{}", expected.stdout);
    assert!(expected.stdout.contains("     $ key-dns doctor NAME\n"), "{}", expected.stdout);
    for args in [&["3"][..], &["-3"], &["No", "such", "process"]] {
        assert_eq!(key_dns(&[&["explain"], args].concat()), expected, "{args:?}");
    }
    let ceph = key_dns(&["explain", "mount", "error", "3", "=", "No", "such", "process"]);
    assert!(expected.stdout.starts_with(&ceph.stdout) && !ceph.stdout.contains("NFS"), "{}", ceph.stdout);
}

#[test]
fn options_may_follow_the_message() {
    let json = key_dns(&["explain", "--json", "61"]);
    assert_eq!((json.status, json.json()["errno"]["name"].as_str()), (0, Some("ENODATA")));
    assert_eq!(key_dns(&["explain", "61", "--json"]), json);
    assert_eq!(key_dns(&["explain", "mount", "error(61)", "--json"]).json()["errno"]["number"], 61);
    let help = key_dns(&["explain", "61", "--help"]);
    assert!(help.status == 0 && help.stdout.contains("Usage: key-dns explain"), "{help:?}");
}

#[test]
fn an_unknown_message_exits_with_status_2_and_suggests_known_forms() {
    for args in [&["hello", "world"][..], &["EXDEV"], &["18"], &["--bogus"], &[""]] {
        let seen = key_dns(&[&["explain"], args].concat());
        assert_eq!((seen.status, seen.stdout.as_str()), (2, ""), "{args:?}: {seen:?}");
        let expected = match args {
            ["18"] => "error 18 is unknown",
            _ => {
                "contains no known error; give an errno (ESRCH), its number (3), or the whole line of the message"
            }
        };
        assert!(seen.stderr.contains(expected), "{args:?}: {}", seen.stderr);
    }
    assert_eq!(key_dns(&["explain"]).status, 2);
}

#[test]
fn json_output_has_the_same_content() {
    let seen = key_dns(&["explain", "--json", "libceph: resolve 'mon1.test' (ret=-3): failed"]);
    let json = seen.json();
    assert_eq!(
        (seen.status, json["version"].as_u64(), json["errno"]["number"].as_u64()),
        (0, Some(1), Some(3))
    );
    assert_eq!(json["host"], "mon1.test");
    assert_eq!(json["meanings"].as_array().unwrap().len(), 1);
    assert_eq!(json["meanings"][0]["causes"][0]["command"], "key-dns doctor mon1.test");
}
