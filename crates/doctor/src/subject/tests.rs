use super::*;
use crate::host_root::tree;
use proptest::prelude::*;

const PAGE: &str = include_str!("../../../../docs/doctor.md");

fn host() -> HostRoot {
    HostRoot::at("/nonexistent")
}

/// The reading as the page writes it: whose lookup, and for what.
fn reading(text: &str) -> String {
    match Subject::parse(text, &host()) {
        Ok(subject) => {
            let names = subject.questions.iter().map(|question| question.description.clone());
            let all: Vec<String> =
                names.chain(subject.addresses.iter().map(|address| format!("({address})"))).collect();
            format!("{}: {}", subject.consumer.name(), all.join(", "))
        }
        Err(error) => format!("error: {error}"),
    }
}

/// The rows of the page's table of forms.
fn rows() -> Vec<(String, String)> {
    let (_, table) = PAGE.split_once("<!-- forms -->\n").unwrap();
    let (table, _) = table.split_once("<!-- end -->").unwrap();
    let row = |line: &str| {
        let mut cells = line.trim().trim_matches('|').split(" | ");
        let form = cells.next()?.trim().strip_prefix('`')?.strip_suffix('`')?.replace("\\|", "|");
        Some((form, cells.next()?.trim().to_owned()))
    };
    table.lines().filter_map(row).collect()
}

#[test]
fn the_documented_forms_of_a_subject_are_parsed() {
    let rows = rows();
    assert!(rows.len() > 30, "{}", rows.len());
    for (form, wanted) in rows {
        assert_eq!(reading(&form), wanted, "{form}");
    }
}

#[test]
fn an_unknown_form_is_an_error_that_shows_examples() {
    for text in
        ["server/share", "mon1 mon2", "mon1:port", "a b", "http//x", "-x", "mon1:6789,,$(reboot)", "ü"]
    {
        let told = reading(text);
        assert!(told.starts_with("error: ") && told.contains("//server/share"), "{text}: {told}");
    }
    let told = reading("a\x1b[2Jb");
    assert!(told.contains("\\u{1b}"), "{told}");
}

#[test]
fn a_source_without_a_host_is_refused() {
    for text in ["", " ", "//", "%root.cell", "admin@0123.fs=/", ":/", "mon_addr="] {
        assert!(Subject::parse(text, &host()).is_err(), "{text}: {}", reading(text));
    }
}

#[test]
fn a_mount_point_is_looked_up_among_mounts_and_in_fstab() {
    let mountinfo = "36 35 0:9 / /mnt/ceph rw - ceph admin@0123.fs=/ rw,mon_addr=mon1:3300/mon2:3300,x=y\n\
                     37 35 0:9 / /tmp rw - tmpfs tmpfs rw\n";
    let fstab = "#old.example:/export /data nfs4 rw 0 0\nsrv.example:/export /data nfs4 rw 0 0\n\
                 # srv.example:root.cell /afs afs\n#new.example:/export /data nfs4 rw 0 0\n\
                 admin@.fs=/ /named ceph noauto 0 0\n";
    let look = tree(
        "mounts",
        &[
            ("proc/self/mountinfo", mountinfo),
            ("etc/fstab", fstab),
            (
                "etc/ceph/ceph.conf",
                "[global]\nmon host = [v2:192.0.2.1:3300/0,v1:192.0.2.1:6789/0],mon2.example\n",
            ),
        ],
    );
    let names = |text: &str| {
        let subject = Subject::parse(text, &look).unwrap();
        (subject.consumer, subject.questions.into_iter().map(|q| q.description).collect::<Vec<_>>())
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(names("/mnt/ceph/"), (Consumer::Ceph, owned(&["mon1", "mon2"])));
    assert_eq!(names("/data"), (Consumer::Nfs, owned(&["srv.example"])));
    assert_eq!(names("mount /data"), (Consumer::Nfs, owned(&["srv.example"])));
    assert_eq!(names("sudo mount -v /data/"), (Consumer::Nfs, owned(&["srv.example"])));
    assert_eq!(names("/named"), (Consumer::Ceph, owned(&["mon2.example"])));
    assert_eq!(names("admin@0123.fs=/"), (Consumer::Ceph, owned(&["mon2.example"])));
    assert_eq!(Subject::parse("admin@0123.fs=/", &look).unwrap().addresses, ["192.0.2.1"]);
    assert!(matches!(Subject::parse("/tmp", &look), Err(NoSubject::NoNames { .. })));
    assert!(matches!(Subject::parse("/afs", &look), Err(NoSubject::NoMount(_))));
    assert!(matches!(Subject::parse("/other", &look), Err(NoSubject::NoMount(_))));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _ = Subject::parse(&text, &host());
    }

    #[test]
    fn arbitrary_text_in_a_form_does_not_panic(
        before in prop::sample::select(vec!["//", "mount ", "[v2:", "mon_addr=", "nfs://", "u@", "%"]), text: String,
    ) {
        let _ = Subject::parse(&format!("{before}{text}"), &host());
    }
}
