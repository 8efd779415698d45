//! Hosts on which packages are installed after setup.

use super::*;

const OURS: [&str; 5] = [
    "/usr/libexec/key-dns/key.dns_resolver",
    "/usr/bin/key-dns",
    "/usr/libexec/key-dns/request-key",
    "/sbin/request-key",
    "/etc/request-key.d/dns_resolver.conf",
];

/// A package manager, and what makes a host look as if it had installed our packages.
type Packages = (&'static str, fn(&Made));

/// Adds what a package manager leaves beside a package's files: `path` is a file with this text.
fn put_text(made: &Made, path: &str, text: &str) {
    let place = made.root.follow(Path::new(path));
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(place, text).unwrap();
}

fn put_deb(made: &Made, package: &str, files: &[&str]) {
    put_text(made, &format!("/var/lib/dpkg/info/{package}.list"), &format!("/.\n{}\n", files.join("\n")));
}

fn put_rpms(made: &Made, request_key: bool) {
    put_text(made, "/usr/share/key-dns/dns_resolver.conf", "the rule\n");
    if request_key {
        put_text(made, "/usr/share/bash-completion/completions/request-key", "");
    }
}

#[test]
fn what_packages_have_taken_over_stays() {
    let managers: [Packages; 2] = [
        ("dpkg", |made| {
            put_deb(made, "key-dns", &[OURS[0], OURS[1], OURS[4]]);
            put_deb(made, "key-dns-request-key", &[OURS[2]]);
        }),
        ("rpm", |made| put_rpms(made, true)),
    ];
    for (manager, packages) in managers {
        for program in [PROGRAM, NEXT] {
            let made = made(&merged(&["etc/"]));
            put(&made.root, false, PROGRAM, whole()).unwrap();
            // They have the same links and the same rule; of the same version, the same programs.
            for path in [OURS[0], OURS[2]] {
                fs::write(made.root.follow(Path::new(path)), program).unwrap();
            }
            packages(&made);
            let before = listing(&made);
            put(&made.root, false, NEXT, whole()).map(|_| ()).unwrap_err();
            assert_eq!(listing(&made), before, "{manager}");
            let mut progress = whole();
            remove(&made.root, &mut progress).unwrap();
            for path in OURS {
                assert!(made.root.has(path), "{manager}: {path}");
            }
            assert_eq!(progress.said.len(), OURS.len(), "{manager}: {:?}", progress.said);
            assert!(!made.root.has(JOURNAL), "{manager}");
        }
    }
}

#[test]
fn what_a_package_does_not_have_is_removed() {
    let managers: [Packages; 2] = [
        ("dpkg", |made| put_deb(made, "key-dns", &[OURS[0], OURS[1], OURS[4]])),
        ("rpm", |made| put_rpms(made, false)),
    ];
    for (manager, package) in managers {
        let made = made(&merged(&["etc/"]));
        put(&made.root, false, PROGRAM, whole()).unwrap();
        fs::write(made.root.follow(Path::new(OURS[4])), "# mine\n").unwrap();
        package(&made);
        remove(&made.root, &mut whole()).unwrap();
        for (path, stays) in OURS.into_iter().zip([true, true, false, false, true]) {
            assert_eq!(made.root.has(path), stays, "{manager}: {path}");
        }
        assert_eq!(text(&made, OURS[4]), "# mine\n", "{manager}");
    }
    // Of a package that was removed and not purged, dpkg lists the rule, and what it holds below /etc.
    let made = made(&merged(&["etc/"]));
    put_deb(&made, "key-dns", &["/etc", "/etc/request-key.d", OURS[4]]);
    let before = listing(&made);
    for _ in 0..2 {
        put(&made.root, false, PROGRAM, whole()).unwrap();
    }
    remove(&made.root, &mut whole()).unwrap();
    assert_eq!(listing(&made), before);
}
