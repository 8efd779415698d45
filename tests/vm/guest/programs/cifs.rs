//! CIFS with Kerberos, for which the kernel needs `cifs.upcall` for the ticket; with user names, for which it needs
//! `cifs.idmap`; and a plain mount, for which it may look up the server's address.

use super::counted::{forget_runs, runs};
use super::realm::{FILE, PASSWORD, TEXT, no_tickets, serve, ticket};
use super::{ALICE, BOB, DOMAIN, forget_keys, said, under_both};
use crate::case::Case;
use crate::case::Expected::Same;
use crate::dns::Zone;
use crate::guest::{Guest, MOUNT_POINT, Mounted};
use crate::naive::nobody;
use std::os::unix::process::CommandExt;
use std::process::Command;

const TIMES: usize = 5;

pub const CASES: &[Case] = &[
    Case {
        name: "cifs-kerberos",
        expected: Same("mounted, read \"the file itself\"; 1 run of cifs.upcall for user 0"),
        run: |guest| {
            begin(guest);
            ticket(0);
            forget_runs();
            let mounted = mount("sec=krb5,username=alice");
            format!("{}; {}", seen(&mounted, 0), runs())
        },
    },
    Case {
        name: "cifs-kerberos-of-users",
        expected: Same(
            "root: mounted, read \"the file itself\"; alice: read \"the file itself\"; bob: Permission denied; \
             3 runs of cifs.upcall for user 0",
        ),
        run: |guest| {
            begin(guest);
            ticket(0);
            ticket(ALICE);
            forget_runs();
            let mounted = mount("sec=krb5,username=alice,multiuser");
            let root = seen(&mounted, 0);
            format!("root: {root}; alice: {}; bob: {}; {}", read(ALICE), read(BOB), runs())
        },
    },
    Case {
        name: "cifs-kerberos-without-ticket",
        expected: Same(
            "error 126; 1 run of cifs.upcall for user 0; keyutils: error 126; 1 run of cifs.upcall for user 0",
        ),
        run: |guest| {
            begin(guest);
            under_both(guest, |_, _| {
                forget_runs();
                let mounted = mount("sec=krb5,username=alice");
                format!("{}; {}", seen(&mounted, 0), runs())
            })
        },
    },
    Case {
        name: "cifs-idmap",
        // Nothing answers it without winbind: it fails, and files belong to whoever mounted.
        expected: Same(
            "mounted, read \"the file itself\" 5 times; 2 runs of cifs.idmap for user 0; \
             keyutils: mounted, read \"the file itself\" 5 times; 2 runs of cifs.idmap for user 0",
        ),
        run: |guest| {
            begin(guest);
            under_both(guest, |_, _| {
                forget_keys(".cifs_idmap");
                forget_runs();
                let mounted = mount(&format!("username=alice,password={PASSWORD},cifsacl,actimeo=0"));
                let mut seen: Vec<String> = (0..TIMES).map(|_| seen(&mounted, ALICE)).collect();
                seen.dedup();
                format!("{} {TIMES} times; {}", seen.join(" / "), runs())
            })
        },
    },
    Case {
        name: "cifs-plain",
        // `mount.cifs` has looked the name up. Linux 6.6 asked nevertheless, up to 6.6.2.
        expected: Same(
            "mounted, read \"the file itself\", query none; without a helper: mounted, read \"the file itself\", query none",
        ),
        run: |guest| {
            begin(guest);
            let plain = |guest: &mut Guest| {
                guest.forget();
                let mounted = mount(&format!("username=alice,password={PASSWORD}"));
                format!("{}, query {}", seen(&mounted, 0), guest.query())
            };
            let with = plain(guest);
            forget_keys(".dns_resolver");
            let _nobody = nobody();
            format!("{with}; without a helper: {}", plain(guest))
        },
    },
];

/// Starts the servers, where they are not there yet, and has nobody have a ticket.
fn begin(guest: &mut Guest) {
    serve();
    no_tickets();
    guest.serve(Zone::new(DOMAIN).a("srv", [127, 0, 0, 1], 60));
}

/// Mounts the share as a person does: done, or the error's number.
fn mount(options: &str) -> Result<Mounted, String> {
    let source = format!("//srv.{DOMAIN}/share");
    match said("/sbin/mount.cifs", &[&source, MOUNT_POINT, "-o", options]) {
        Ok(_) => Ok(Mounted),
        // `mount error(NUMBER): TEXT`, and where help is.
        Err(text) => Err(text
            .split_once("error(")
            .and_then(|(_, rest)| rest.split_once(')'))
            .map_or_else(|| text.clone(), |(number, _)| format!("error {number}"))),
    }
}

/// How a mount went, and what a user reads there.
fn seen(mounted: &Result<Mounted, String>, user: u32) -> String {
    match mounted {
        Ok(_) => format!("mounted, {}", read(user)),
        Err(error) => error.clone(),
    }
}

/// What a user reads in the share's file, or why not.
fn read(user: u32) -> String {
    let path = format!("{MOUNT_POINT}/{FILE}");
    let output = Command::new("/bin/busybox").args(["cat", &path]).uid(user).output().unwrap();
    if output.status.success() {
        assert_eq!(output.stdout, TEXT.as_bytes());
        return format!("read {TEXT:?}");
    }
    let text = String::from_utf8_lossy(&output.stderr);
    text.rsplit(": ").next().unwrap().trim().to_owned()
}
