use super::*;
use crate::host_root::tree;

const RELEASE: &str = "6.1.0-test";
const USERS: &str = "    0:    10 9/9 9/1000000 180/25000000\n 1000:     2 2/2 2/200 30/20000\n";

/// What is looked at of a kernel, besides what `files` say.
fn kernel(name: &str, consumer: Consumer, files: &[(&str, &str)]) -> Kernel {
    let mut all = vec![
        ("etc/os-release", "ID=debian\n"),
        ("proc/sys/kernel/osrelease", RELEASE),
        ("proc/key-users", USERS),
        ("proc/sys/kernel/cap_last_cap", "40"),
        ("proc/sys/kernel/usermodehelper/bset", "4294967295\t511"),
        ("proc/sys/kernel/usermodehelper/inheritable", "4294967295\t511"),
        ("sys/module/kernel/parameters/x", ""),
    ];
    all.extend(files);
    let look = tree(&format!("kernel-{name}"), &all);
    let subject = Subject { consumer, questions: Vec::new(), addresses: Vec::new(), origin: None };
    check(&look, &subject, 0, false)
}

fn first(kernel: &Kernel) -> (&'static str, &str) {
    let finding = kernel.step.findings.first().expect("a finding");
    (finding.id, finding.remedy.command().or(finding.remedy.words()).unwrap())
}

const BUILTIN: (&str, &str) = ("sys/module/dns_resolver/parameters/debug", "0");
const CONFIG: &str = "boot/config-6.1.0-test";
const DEP: &str = "lib/modules/6.1.0-test/modules.dep";
const MODULE_FILE: &str = "lib/modules/6.1.0-test/kernel/net/dns_resolver/dns_resolver.ko.xz";
const DEPENDENCY: &str = "kernel/net/dns_resolver/dns_resolver.ko.xz:\n";

#[test]
fn a_kernel_with_the_key_type_has_no_findings() {
    let kernel = kernel("fine", Consumer::Anyone, &[BUILTIN]);
    assert_eq!((kernel.step.findings.as_slice(), kernel.has_type), ([].as_slice(), true));
    assert_eq!(kernel.step.summary, "Linux 6.1.0-test, with dns_resolver keys");
}

#[test]
fn a_loadable_module_is_not_a_finding() {
    let kernel = kernel(
        "loadable",
        Consumer::Anyone,
        &[(CONFIG, "CONFIG_DNS_RESOLVER=m\n"), (DEP, DEPENDENCY), (MODULE_FILE, "x")],
    );
    assert_eq!((kernel.step.findings.as_slice(), kernel.has_type), ([].as_slice(), false));
}

#[test]
fn each_reason_for_a_missing_key_type_is_distinguished() {
    let m = (CONFIG, "CONFIG_DNS_RESOLVER=m\n");
    let block = ("etc/modprobe.d/x.conf", "# no\ninstall dns_resolver /bin/false\n");
    for (name, files, id, remedy) in [
        (
            "off",
            vec![(CONFIG, "# CONFIG_DNS_RESOLVER is not set\n")],
            "kernel-without-resolver",
            "boot a kernel",
        ),
        ("nomodules", vec![m], "modules-missing", "apt-get install -y --no-remove linux-image-6.1.0-test"),
        (
            "upgraded",
            vec![m, ("lib/modules/6.1.0-other/modules.dep", "")],
            "modules-missing",
            "boot the kernel",
        ),
        ("blocked", vec![m, (DEP, DEPENDENCY), (MODULE_FILE, "x"), block], "module-blocked", "sed -i"),
        ("gone", vec![m, (DEP, DEPENDENCY)], "module-missing", "apt-get install"),
        ("split", vec![m, (DEP, "kernel/x.ko:\n")], "module-missing", "apt-get install"),
    ] {
        let kernel = kernel(name, Consumer::Anyone, &files);
        let found = first(&kernel);
        assert!(found.0 == id && found.1.starts_with(remedy), "{name}: {found:?}");
        assert!(kernel.step.is_broken() && !kernel.has_type);
    }
}

#[test]
fn an_install_line_of_modprobe_d_may_still_load_the_module() {
    let module = [(CONFIG, "CONFIG_DNS_RESOLVER=m\n"), (DEP, DEPENDENCY), (MODULE_FILE, "x")];
    let own =
        ("etc/modprobe.d/x.conf", "install dns_resolver /sbin/modprobe --ignore-install dns_resolver\n");
    assert_eq!(kernel("own", Consumer::Anyone, &[&module[..], &[own]].concat()).step.findings, []);
    let package = ("usr/lib/modprobe.d/x.conf", "install dns-resolver /bin/true\n");
    let blocked = kernel("package", Consumer::Anyone, &[&module[..], &[package]].concat());
    assert!(first(&blocked).1.starts_with("/usr/lib/modprobe.d/x.conf is a package's"), "{blocked:?}");
    let copy = ("etc/modprobe.d/x.conf", "# nothing\n");
    let unread = ("etc/modprobe.d/y.conf.bak", package.1);
    let hidden = kernel("hidden", Consumer::Anyone, &[&module[..], &[package, copy, unread]].concat());
    assert_eq!(hidden.step.findings, []);
}

#[test]
fn the_files_of_a_container_say_nothing_about_the_kernel() {
    let files = [("proc/sys/kernel/osrelease", RELEASE), ("sys/module/kernel/parameters/x", "")];
    let look = tree("kernel-elsewhere", &files);
    let subject =
        Subject { consumer: Consumer::Ceph, questions: Vec::new(), addresses: Vec::new(), origin: None };
    assert_eq!(check(&look, &subject, 0, false).step.findings[0].id, "modules-missing");
    let kernel = check(&look, &subject, 0, true);
    assert_eq!(kernel.step.findings, []);
    assert_eq!(kernel.step.unseen[0].what, "whether the module dns_resolver can be loaded");
}

#[test]
fn libceph_without_lookups_is_a_finding_only_for_ceph_without_mount_ceph() {
    let config = (CONFIG, "CONFIG_CEPH_LIB=m\n# CONFIG_CEPH_LIB_USE_DNS_RESOLVER is not set\n");
    let found = kernel("ceph", Consumer::Ceph, &[BUILTIN, config]);
    assert_eq!(first(&found), ("libceph-without-resolver", "apt-get install -y --no-remove ceph-common"));
    assert_eq!(kernel("noceph", Consumer::Cifs, &[BUILTIN, config]).step.findings, []);
    let helper = ("sbin/mount.ceph", "x");
    assert_eq!(kernel("mountceph", Consumer::Ceph, &[BUILTIN, config, helper]).step.findings, []);
    let on = (CONFIG, "CONFIG_CEPH_LIB=m\nCONFIG_CEPH_LIB_USE_DNS_RESOLVER=y\n");
    assert_eq!(kernel("cephon", Consumer::Ceph, &[BUILTIN, on]).step.findings, []);
}

#[test]
fn a_static_usermode_helper_is_reported() {
    let config =
        |path| format!("CONFIG_STATIC_USERMODEHELPER=y\nCONFIG_STATIC_USERMODEHELPER_PATH=\"{path}\"\n");
    let none = kernel("nohelper", Consumer::Anyone, &[BUILTIN, (CONFIG, &config(""))]);
    assert_eq!(first(&none).0, "upcalls-disabled");
    let path = config("/sbin/usermode-helper");
    let missing = kernel("helpergone", Consumer::Anyone, &[BUILTIN, (CONFIG, &path)]);
    assert_eq!(first(&missing).0, "static-helper-missing");
    let there =
        kernel("helper", Consumer::Anyone, &[BUILTIN, (CONFIG, &path), ("sbin/usermode-helper", "x")]);
    assert_eq!(there.step.findings, []);
    assert!(there.step.facts.iter().any(|fact| fact.contains("its path is \"/sbin/usermode-helper\"")));
}

#[test]
fn a_full_quota_and_missing_capabilities_are_reported() {
    for users in ["0: 9 9/9 199/200 30/20000\n", "  0: 9 9/9 9/200 19900/20000\n"] {
        let full = kernel("quota", Consumer::Anyone, &[BUILTIN, ("proc/key-users", users)]);
        assert_eq!(
            first(&full),
            ("quota-full", "sysctl -w kernel.keys.root_maxkeys=1000000 kernel.keys.root_maxbytes=25000000")
        );
    }
    let bset = ("proc/sys/kernel/usermodehelper/bset", "4294966271\t511");
    let found = kernel("caps", Consumer::Anyone, &[BUILTIN, bset]);
    assert_eq!(first(&found), ("upcall-capabilities", "reboot at a convenient time"));
    assert!(!found.step.is_broken());
}
