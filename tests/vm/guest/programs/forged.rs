//! An ordinary user who requests keys that only the kernel requests.

use super::counted::{forget_runs, runs};
use super::{ALICE, DOMAIN};
use crate::case::Case;
use crate::case::Expected::Same;
use crate::guest::Guest;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

const SETTINGS: &str = "/etc/keyutils/key.dns_resolver.conf";

pub const CASES: &[Case] = &[Case {
    name: "forged-requests",
    // Both kernels refuse those of CIFS by themselves. Without that, as in 6.1.170, the log has a line for each of them, and
    // with `none` cifs.upcall runs.
    expected: Same(
        "cifs.spnego: Operation not permitted, no run, 0 in the log; \
         cifs.idmap: Operation not permitted, no run, 0 in the log; \
         id_resolver: Operation not permitted, no run, 1 in the log; \
         with root_only = none: cifs.spnego: Operation not permitted, no run, 0 in the log; \
         cifs.idmap: Operation not permitted, no run, 0 in the log; \
         id_resolver: a key, 1 run of nfsidmap for user 1000, 0 in the log",
    ),
    run: |guest| {
        let refused = all(guest, "refused");
        fs::create_dir_all("/etc/keyutils").unwrap();
        fs::write(SETTINGS, "root_only = none\n").unwrap();
        let allowed = all(guest, "allowed");
        fs::remove_file(SETTINGS).unwrap();
        format!("{refused}; with root_only = none: {allowed}")
    },
}];

/// What becomes of each type's request, made three times.
fn all(guest: &mut Guest, who: &str) -> String {
    let spnego =
        format!("ver=0x2;host=srv.{DOMAIN};ip4=127.0.0.1;sec=krb5;uid=0x0;creduid=0x0;user={who};pid=0x1");
    let types = [
        ("cifs.spnego", spnego),
        ("cifs.idmap", format!("os:S-1-5-21-{}", who.as_bytes()[0])),
        ("id_resolver", format!("uid:alice-{who}@{DOMAIN}")),
    ];
    let seen = types.map(|(key_type, description)| {
        forget_runs();
        let mut told: Vec<String> = (0..3).map(|_| ask(key_type, &description)).collect();
        told.dedup();
        let logged = guest.said().iter().filter(|line| line.contains("root_only reserves")).count();
        format!("{key_type}: {}, {}, {logged} in the log", told.join(" / "), runs())
    });
    seen.join("; ")
}

fn ask(key_type: &str, description: &str) -> String {
    let mut keyctl = Command::new("/bin/keyctl");
    let output = keyctl.args(["request2", key_type, description, "", "@u"]).uid(ALICE).output().unwrap();
    if output.status.success() {
        return "a key".to_owned();
    }
    String::from_utf8_lossy(&output.stderr).rsplit(": ").next().unwrap().trim().to_owned()
}
