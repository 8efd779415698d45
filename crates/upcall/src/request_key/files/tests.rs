use super::*;
use crate::testing::{Folder, in_own_process};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

#[test]
fn rule_files_end_in_conf_and_are_not_hidden() {
    for (name, expected) in [
        ("a.conf", true),
        (".a.conf", false),
        (".conf", false),
        ("a.confx", false),
        ("conf", false),
        ("a.conf~", false),
    ] {
        assert_eq!(is_rule_file(OsStr::new(name)), expected, "{name}");
    }
}

fn files(texts: &[(&str, &str)]) -> RuleFiles {
    let file = |&(path, text): &(&str, &str)| RuleFile { path: path.into(), text: text.into() };
    RuleFiles { files: texts.iter().map(file).collect(), ..RuleFiles::default() }
}

fn best(files: &RuleFiles, operation: &str) -> Option<String> {
    let subject = Subject {
        operation: operation.as_bytes(),
        key_type: b"user",
        description: b"debug:1",
        callout: b"x",
    };
    files.best(&subject).0.map(|(place, _)| place.to_string())
}

#[test]
fn the_best_match_wins_and_the_first_of_equal_matches() {
    let files = files(&[
        ("a", "create user * * /a\ncreate user debug:* * /b\n"),
        ("b", "create user debug:* * /c\ncreate user debug:* x /d\nnegate * * * /e"),
    ]);
    assert_eq!(best(&files, "create").as_deref(), Some("b:2"));
    assert_eq!(best(&files, "negate").as_deref(), Some("b:3"));
    assert_eq!(best(&files, "update"), None);
}

#[test]
fn equal_matches_are_decided_by_file_order() {
    let files = files(&[("a", "create user debug:* * /a"), ("b", "create user debug:* * /b")]);
    assert_eq!(best(&files, "create").as_deref(), Some("a:1"));
}

#[test]
fn a_line_with_a_nul_is_invalid() {
    let files = files(&[("a", "create user * * /a \0\n#\0\ncreate user * * /b\n")]);
    assert_eq!(best(&files, "create").as_deref(), Some("a:3"));
    assert_eq!(files.rules().1[0], "a:1: the line holds a NUL; line ignored");
}

#[test]
fn an_invalid_line_is_skipped_with_a_warning() {
    let files = files(&[("a", "create user\ncreate user * * /a %z\n"), ("b", "\ncreate user * * /b")]);
    let (rules, warnings) = files.rules();
    assert_eq!(rules.0.len(), 1);
    assert_eq!(best(&files, "create").as_deref(), Some("b:2"));
    assert_eq!(
        warnings,
        [
            "a:1: a rule has an operation, a type, a description, a callout and a program; this one has no \
             description; line ignored",
            "a:2: argument \"%z\": there is no such macro; line ignored",
        ]
    );
}

/// The files that are followed and those that are not, without their folder.
fn read_all(root: &Folder, trust: Trust) -> (Vec<String>, Vec<String>) {
    let files = RuleFiles::read_in(root.as_ref(), trust);
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let refused = files.refused().iter().map(|(path, refused)| format!("{} {refused}", name(path)));
    (files.paths().map(name).collect(), refused.collect())
}

#[test]
fn files_of_the_directory_are_read_sorted_and_before_request_key_conf() {
    let root = Folder::new();
    assert!(!RuleFiles::read_in(root.as_ref(), Trust::Owners).any());
    for file in ["request-key.conf", "request-key.d/b.conf", "request-key.d/a.conf", "request-key.d/c.txt"] {
        root.write(file, "");
    }
    symlink("../request-key.conf", root.path("request-key.d/aa.conf")).unwrap();
    let order = ["request-key.d/a.conf", "request-key.d/aa.conf", "request-key.d/b.conf", "request-key.conf"];
    for trust in [Trust::Owners, Trust::Anyone] {
        let (followed, refused) = read_all(&root, trust);
        assert_eq!((followed, refused), (order.map(str::to_owned).to_vec(), vec![]));
    }
    assert!(RuleFiles::read_in(root.as_ref(), Trust::Owners).any());
}

#[test]
fn shipped_rules_are_read_unless_a_local_file_is_unreadable() {
    let (root, shipped) = (Folder::new(), Folder::new());
    shipped.write("request-key.d/a.conf", "create user * * /a");
    let files = || RuleFiles::read_in(root.as_ref(), Trust::Owners);
    assert!(!files().shipped().any());
    let beside = || files().beside(shipped.as_ref());
    assert_eq!(beside().shipped().paths().count(), 1);
    assert!(!beside().any());
    // A folder where a file is expected can't be read.
    root.write("request-key.d", "");
    assert!(beside().unread());
    assert!(!beside().shipped().any());
}

#[test]
fn keyutils_reads_files_in_directory_order_and_no_symbolic_links() {
    let root = Folder::new();
    let names: Vec<String> = (0..40).map(|number| format!("{number}.conf")).collect();
    for name in &names {
        root.write(&format!("request-key.d/{name}"), "");
    }
    symlink("0.conf", root.path("request-key.d/link.conf")).unwrap();
    let listed = fs::read_dir(root.path("request-key.d")).unwrap();
    let listed = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let expected: Vec<String> =
        listed.filter(|name| name != "link.conf").map(|name| format!("request-key.d/{name}")).collect();
    assert_eq!(expected.len(), names.len());
    let link =
        "request-key.d/link.conf is a link, which keyutils does not follow in this directory".to_owned();
    assert_eq!(read_all(&root, Trust::Keyutils), (expected, vec![link]));
}

#[test]
fn a_file_writable_by_others_is_read_only_if_anyone_is_trusted() {
    let root = Folder::new();
    let file = root.write("request-key.conf", "create user * * /x");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    // Root's group may write; so the file is given to another one, where that can be done.
    let foreign_group = chown(&file, None, Some(65_533)).is_ok() || file.metadata().unwrap().gid() != 0;
    let group: &[_] = if foreign_group { &[(0o664, "664"), (0o622, "622")] } else { &[] };
    for &(bits, told) in group.iter().chain(&[(0o646, "646"), (0o666, "666")]) {
        mode(bits);
        let line =
            format!("request-key.conf is writable by others than its owner and root's group (mode {told})");
        assert_eq!(read_all(&root, Trust::Owners), (vec![], vec![line]));
        assert_eq!(read_all(&root, Trust::Anyone), (vec!["request-key.conf".to_owned()], vec![]));
        let files = RuleFiles::read_in(root.as_ref(), Trust::Owners);
        assert_eq!((files.any(), files.unread()), (true, false));
    }
    mode(0o755);
    assert_eq!(read_all(&root, Trust::Owners).0.len(), 1);
}

#[test]
fn a_file_writable_by_the_root_group_is_read() {
    let root = Folder::new();
    let file = root.write("request-key.conf", "create user * * /x");
    if chown(&file, None, Some(0)).is_err() {
        return; // Nobody but root can make one.
    }
    for (mode, followed) in [(0o664, 1), (0o660, 1), (0o666, 0), (0o662, 0)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read_all(&root, Trust::Owners).0.len(), followed, "{mode:o}");
    }
}

#[test]
fn a_file_of_another_user_is_read_only_if_anyone_is_trusted() {
    let root = Folder::new();
    let file = root.write("request-key.conf", "create user * * /x");
    if chown(&file, Some(65_533), None).is_err() {
        return; // Nobody but root can make one.
    }
    let line = "request-key.conf belongs to user 65533; only root's rules are followed".to_owned();
    assert_eq!(read_all(&root, Trust::Owners), (vec![], vec![line]));
    assert_eq!(read_all(&root, Trust::Anyone).0.len(), 1);
}

#[test]
fn only_a_regular_file_of_at_most_one_mebibyte_is_read() {
    let root = Folder::new();
    root.write("request-key.conf/x", "");
    let refused = "request-key.conf is not a regular file".to_owned();
    assert_eq!(read_all(&root, Trust::Anyone), (vec![], vec![refused]));
    let root = Folder::new();
    nix::unistd::mkfifo(&root.path("request-key.conf"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(read_all(&root, Trust::Anyone).1.len(), 1);
    let file = |length: usize| {
        let root = Folder::new();
        root.write("request-key.conf", vec![b'#'; length]);
        read_all(&root, Trust::Anyone)
    };
    assert_eq!(file(1 << 20).0.len(), 1);
    assert_eq!(file((1 << 20) + 1).1, ["request-key.conf is larger than 1 MiB"]);
}

#[test]
fn an_invalid_line_is_reported_for_keys_that_it_could_match() {
    let files = files(&[(
        "a",
        "create user debug:* *\ncreate user other:* *\ncreate keyring * * x\nnegate * * *\n create\ncreate * * * /b",
    )]);
    let subject = Subject { operation: b"create", key_type: b"user", description: b"debug:1", callout: b"x" };
    let (best, bad) = files.best(&subject);
    assert_eq!(best.map(|(place, _)| place.line), Some(6));
    assert_eq!(bad.iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [1, 5]);
    assert_eq!(files.parse().1.len(), 5);
}

proptest! {
    #[test]
    fn the_best_rule_is_the_first_with_the_fewest_wildcard_characters(
        lines in proptest::collection::vec("(create|c\\*|\\*|x) (user|u\\*|\\*) (d\\*|debug:\\*|\\*1|\\*) (\\*|x|y) (/a|b)", 0..12),
    ) {
        let files = files(&[("a", &lines.join("\n"))]);
        let subject = Subject { operation: b"create", key_type: b"user", description: b"debug:1", callout: b"x" };
        let (rules, _) = files.parse();
        let expected = rules.fitting(&subject).min_by_key(|&(_, skips)| skips).map(|(rule, _)| *rule);
        prop_assert_eq!(files.best(&subject).0, expected);
    }
}

#[test]
fn an_unreadable_file_may_hold_a_matching_rule() {
    let root = Folder::new();
    root.write("request-key.d", "");
    // A link to itself can be read by nobody, whoever they are.
    symlink("request-key.conf", root.path("request-key.conf")).unwrap();
    let files = RuleFiles::read_in(root.as_ref(), Trust::Anyone);
    assert_eq!((files.any(), files.unread(), files.refused().len()), (true, true, 2));
    let (_, warnings) = files.rules();
    let start = |name: &str| format!("{}: can't be read: ", root.path(name).display());
    assert!(warnings[0].starts_with(&start("request-key.d")), "{warnings:?}");
    assert!(warnings[1].starts_with(&start("request-key.conf")), "{warnings:?}");
    let ignored = warnings.iter().map(|warning| warning.ends_with("; its rules are ignored"));
    assert_eq!(ignored.collect::<Vec<_>>(), [false, true]);
}

#[test]
fn rules_of_the_current_directory_are_read_on_request() {
    let output = in_own_process(
        "request_key::files::tests::rules_of_the_current_directory_are_read_on_request",
        || {
            let root = Folder::new();
            root.write("request-key.d/x.conf", "");
            std::env::set_current_dir(root.as_ref()).unwrap();
            let here = RuleFiles::read(true);
            assert_eq!(here.paths().collect::<Vec<_>>(), [Path::new("request-key.d/x.conf")]);
            let usual = RuleFiles::read(false);
            assert!(usual.paths().all(|path| path.starts_with("/etc")));
            0
        },
    );
    assert!(output.status.success(), "{output:?}");
}
