//! Breakages that this machine's kernel can't have: on trees that look like other hosts. The result of the remedy is
//! put into the tree.

use super::Row;
use crate::support::{run, scratch};
use doctor::cache::{Cache, CachedAnswer, CachedKey, KeyOwner};
use doctor::subject::{KeyRequest, Subject};
use doctor::{DryRun, HostRoot, Step, kernel, remembered};
use key::{Payload, Ttl};
use std::fs;
use upcall::Reply;

/// A tree with these files.
fn tree(files: &[(&str, &str)]) -> HostRoot {
    let root = scratch("kernel-tree/root");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    let look = HostRoot::at(root);
    let all = [
        ("etc/os-release", "ID=debian\n"),
        ("proc/sys/kernel/osrelease", "6.1.0-test"),
        ("proc/key-users", "0: 9 9/9 9/1000000 180/25000000\n"),
        ("sys/module/kernel/x", ""),
    ];
    all.iter().chain(files).for_each(|(path, text)| write(&look, path, text));
    look
}

fn write(look: &HostRoot, path: &str, text: &str) {
    let path = look.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

struct Kernel {
    what: &'static str,
    subject: &'static str,
    files: &'static [(&'static str, &'static str)],
    finding: &'static str,
    /// What the remedy brings.
    cure: fn(&HostRoot, &str),
}

const CONFIG: &str = "boot/config-6.1.0-test";
const MODULES: (&str, &str) = (CONFIG, "CONFIG_DNS_RESOLVER=m\n");
const BUILTIN: (&str, &str) = ("sys/module/dns_resolver/x", "");
const FILE: &str = "lib/modules/6.1.0-test/kernel/net/dns_resolver/dns_resolver.ko";
const DEP: (&str, &str) =
    ("lib/modules/6.1.0-test/modules.dep", "kernel/net/dns_resolver/dns_resolver.ko:\n");

const KERNELS: &[Kernel] = &[
    Kernel {
        what: "libceph without resolver",
        subject: "mon1:6789:/",
        files: &[BUILTIN, (CONFIG, "CONFIG_CEPH_LIB=m\n# CONFIG_CEPH_LIB_USE_DNS_RESOLVER is not set\n")],
        finding: "libceph-without-resolver",
        cure: |look, remedy| {
            assert_eq!(remedy, "apt-get install -y --no-remove ceph-common");
            write(look, "sbin/mount.ceph", "");
        },
    },
    Kernel {
        what: "module missing",
        subject: "mon1",
        files: &[MODULES, DEP],
        finding: "module-missing",
        cure: |look, remedy| {
            assert_eq!(remedy, "apt-get install -y --no-remove linux-image-6.1.0-test");
            write(look, FILE, "");
        },
    },
    Kernel {
        what: "modules of another kernel than the running one",
        subject: "mon1",
        files: &[MODULES, ("lib/modules/6.1.1-test/modules.dep", DEP.1)],
        finding: "modules-missing",
        cure: |look, remedy| {
            assert!(remedy.ends_with("reboot"), "{remedy}");
            write(look, "proc/sys/kernel/osrelease", "6.1.1-test");
            write(look, &FILE.replace("6.1.0", "6.1.1"), "");
        },
    },
    Kernel {
        what: "module forbidden by modprobe.d",
        subject: "mon1",
        files: &[MODULES, DEP, (FILE, ""), ("etc/modprobe.d/no.conf", "install dns_resolver /bin/false\n")],
        finding: "module-blocked",
        cure: |look, remedy| {
            let root = look.path("/etc").display().to_string();
            assert!(run("sh", &["-c", &remedy.replace("/etc", &root)]).status.success());
        },
    },
    Kernel {
        what: "static usermode helper path",
        subject: "mon1",
        files: &[
            BUILTIN,
            (
                CONFIG,
                "CONFIG_STATIC_USERMODEHELPER=y\nCONFIG_STATIC_USERMODEHELPER_PATH=\"/sbin/usermode-helper\"\n",
            ),
        ],
        finding: "static-helper-missing",
        cure: |look, remedy| {
            assert!(remedy.ends_with("/sbin/usermode-helper"), "{remedy}");
            write(look, "sbin/usermode-helper", "");
        },
    },
];

/// Shows each; panics if one is not found or not repaired.
pub fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = KERNELS.iter().map(Kernel::show).collect();
    rows.push(failure_remembered());
    let _ = fs::remove_dir_all(scratch("kernel-tree/root"));
    rows
}

impl Kernel {
    fn show(&self) -> Row {
        let look = tree(self.files);
        let subject = Subject::parse(self.subject, &look).unwrap();
        let step = kernel::check(&look, &subject, 0, false).step;
        let first = step.findings.first().unwrap_or_else(|| panic!("{}: no finding", self.what));
        assert_eq!(first.id, self.finding, "{}", self.what);
        let remedy = first.remedy.command().or(first.remedy.words()).unwrap();
        (self.cure)(&look, remedy);
        let after = kernel::check(&look, &subject, 0, false).step.findings;
        assert_eq!(after, [], "{}", self.what);
        Row {
            what: format!("{} (made-up tree)", self.what),
            id: self.finding,
            finding: format!("{}: {}", first.id, first.evidence),
            remedy: shown(&first.remedy),
        }
    }
}

fn shown(remedy: &doctor::Remedy) -> String {
    match remedy {
        doctor::Remedy::Command(command) => format!("`{command}`"),
        doctor::Remedy::Advice(words) => words.clone(),
    }
}

/// Only a file system can put a key into the kernel's own keyring, and this kernel may have none.
fn failure_remembered() -> Row {
    let question = KeyRequest { description: "mon1.doctor.test".to_owned(), callout: "" };
    let mut cache = Cache::default();
    cache.entries.push(CachedKey {
        serial: 0x1234_5678,
        name: b"mon1.doctor.test".to_vec(),
        uid: "0".to_owned(),
        place: KeyOwner::Kernel,
        answer: CachedAnswer::Error(61),
        left: Some("54s".to_owned()),
    });
    let addresses = Payload::Addresses(vec![crate::host::ADDRESS.parse().unwrap()]);
    let reply = Reply { payload: addresses, expiry: Ttl::from_secs(300), left_out: 0 };
    let dry = DryRun { step: Step::new("answer"), reply, found: true };
    let step = remembered::check(Some(&cache), &question, Some(&dry));
    let first = step.findings.first().expect("a finding");
    assert_eq!(
        (first.id, first.remedy.command()),
        ("failure-remembered", Some("key-dns cache flush mon1.doctor.test"))
    );
    cache.entries.clear();
    assert_eq!(remembered::check(Some(&cache), &question, Some(&dry)).findings, []);
    Row {
        what: "negative key cached (made-up cache)".to_owned(),
        id: first.id,
        finding: format!("{}: {}", first.id, first.evidence),
        remedy: shown(&first.remedy),
    }
}
