//! NSS modules by their status: the tests' own, missing ones, and Debian's without their services.

use crate::look_up;
use crate::support::debian::{self, Needed};
use crate::support::nss::{self, DUAL, SINGLE};
use crate::support::run;
use crate::support::world::{inside, write};
use std::path::Path;

const HOSTS: &str = "192.0.2.8 mon1\n";

#[test]
fn the_status_of_a_module_has_the_same_effect_as_in_the_c_library() {
    if !inside("modules::the_status_of_a_module_has_the_same_effect_as_in_the_c_library") || !nss::install() {
        return;
    }
    write("hosts", Some(HOSTS));
    for module in [SINGLE, DUAL] {
        // What it says, and the result if nothing follows, if `files` follows, and with actions in between.
        for (says, alone, then, if_found, unless_unavailable, if_busy) in [
            (
                "SUCCESS 203.0.113.7",
                "203.0.113.7",
                "203.0.113.7",
                "203.0.113.7",
                "203.0.113.7",
                "203.0.113.7",
            ),
            ("NOTFOUND", NOTHING, FILES, NOTHING, NOTHING, FILES),
            ("UNAVAIL", PASSING, FILES, FILES, FILES, FILES),
            ("TRYAGAIN", PASSING, FILES, FILES, PASSING, PASSING),
        ] {
            nss::says(module, says);
            for (actions, expected) in [
                ("", alone),
                ("files", then),
                ("[NOTFOUND=return] files", if_found),
                ("[!UNAVAIL=return] files", unless_unavailable),
                ("[TRYAGAIN=return] files", if_busy),
            ] {
                write("nsswitch.conf", Some(&format!("hosts: {module} {actions}\n")));
                let printed = look_up("mon1", "ipv4");
                assert_eq!(printed.payload, expected, "{module} {actions}, {says}: {}", printed.log);
            }
        }
    }
}

const FILES: &str = "192.0.2.8";
const NOTHING: &str = "#dnserror=61";
const PASSING: &str = "#dnserror=11";

#[test]
fn the_failure_of_a_module_is_reported() {
    if !inside("modules::the_failure_of_a_module_is_reported") || !nss::install() {
        return;
    }
    for (module, says, reason) in [
        (SINGLE, "UNAVAIL", "keytest: the module is unavailable; does its service run?"),
        (SINGLE, "TRYAGAIN", "keytest: the module can't answer for now"),
        ("keymissing", "", "keymissing: the module is not installed (libnss_keymissing.so.2)"),
    ] {
        nss::says(SINGLE, says);
        write("nsswitch.conf", Some(&format!("hosts: files {module}\n")));
        let printed = look_up("mon1.corp", "");
        assert_eq!(printed.payload, PASSING, "{says}");
        assert!(printed.log.contains(reason), "{}", printed.log);
    }
}

#[test]
fn a_module_with_one_family_is_harmlessly_queried_for_the_other() {
    if !inside("modules::a_module_with_one_family_is_harmlessly_queried_for_the_other") || !nss::install() {
        return;
    }
    for module in [SINGLE, DUAL] {
        write("nsswitch.conf", Some(&format!("hosts: {module}\n")));
        for (says, ipv4, ipv6, list) in [
            ("SUCCESS 203.0.113.7", "203.0.113.7", NOTHING, "203.0.113.7"),
            ("SUCCESS 2001:db8::7", NOTHING, "2001:db8::7", "2001:db8::7"),
            ("SUCCESS 203.0.113.7 2001:db8::7", "203.0.113.7", "2001:db8::7", "2001:db8::7,203.0.113.7"),
        ] {
            nss::says(module, says);
            let seen = ["ipv4", "ipv6", "list"].map(|callout| look_up("mon1", callout).payload);
            assert_eq!(seen, [ipv4, ipv6, list], "{module} {says}");
        }
    }
}

#[test]
fn hosts_lines_of_distributions_work_without_their_modules() {
    if !inside("modules::hosts_lines_of_distributions_work_without_their_modules") {
        return;
    }
    write("hosts", Some("192.0.2.8 fs1.corp.local\n"));
    for module in
        ["mdns4_minimal", "mdns4", "mdns", "wins", "sss", "nis", "libvirt", "mymachines", "resolve", "ldap"]
    {
        if Path::new("/usr/lib")
            .join(format!("{}-linux-gnu/libnss_{module}.so.2", std::env::consts::ARCH))
            .exists()
        {
            // It is installed here; Debian's own are another test's.
            continue;
        }
        for actions in ["[NOTFOUND=return]", "[!UNAVAIL=return]"] {
            write("nsswitch.conf", Some(&format!("hosts: {module} {actions} files\n")));
            let printed = look_up("fs1.corp.local", "");
            assert_eq!(printed.payload, "192.0.2.8", "{module} {actions}: {}", printed.log);
        }
    }
}

/// Debian's modules: what their package is called, a name that each knows or might, and what comes of it where no service runs.
const DEBIAN: [(&str, &str, &str, &str); 9] = [
    ("libnss-mdns", "mdns4_minimal [NOTFOUND=return]", "fs1.corp.local", FILES),
    ("libnss-mdns", "mdns4 [NOTFOUND=return]", "fs1.corp.local", FILES),
    ("libnss-mdns", "mdns_minimal [NOTFOUND=return]", "fs1.corp.local", FILES),
    ("libnss-sss", "sss [NOTFOUND=return]", "fs1.corp.local", FILES),
    ("libnss-resolve", "resolve [!UNAVAIL=return]", "fs1.corp.local", FILES),
    ("libnss-myhostname", "myhostname", "fs1.corp.local", FILES),
    ("libnss-winbind", "wins [NOTFOUND=return]", "fs1", FILES),
    ("libnss-libvirt", "libvirt", "fs1.corp.local", FILES),
    ("libnss-libvirt", "libvirt_guest", "fs1.corp.local", FILES),
];

#[test]
fn modules_of_debian_without_their_services_behave_as_in_getaddrinfo() {
    const TEST: &str = "modules::modules_of_debian_without_their_services_behave_as_in_getaddrinfo";
    let mut packages: Vec<&str> = DEBIAN.iter().map(|(package, ..)| *package).collect();
    packages.dedup();
    let Some(root) = debian::unpack(&packages, "nss-modules", Needed::Dependencies) else { return };
    if !inside(TEST) {
        return;
    }
    let lib = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    // Others of their user must be able to read them.
    let copied = run("cp", &["-a", lib.to_str().unwrap(), "/mnt/lib"]);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    nss::use_libraries(&["/mnt/lib", "/mnt/lib/samba"]);
    write("hosts", Some("192.0.2.8 fs1.corp.local fs1\n"));
    for (package, line, name, expected) in DEBIAN {
        write("nsswitch.conf", Some(&format!("hosts: {line} files\n")));
        let theirs = run("getent", &["ahostsv4", name]);
        let theirs = String::from_utf8_lossy(&theirs.stdout);
        let theirs = theirs.split_whitespace().next().unwrap_or(NOTHING);
        let printed = look_up(name, "ipv4");
        println!("{package}: hosts: {line} files: getent {theirs}, here {}", printed.payload);
        assert_eq!(printed.payload, theirs, "{line}: {}", printed.log);
        assert_eq!(printed.payload, expected, "{line}: {}", printed.log);
    }
}
