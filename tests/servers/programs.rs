//! The servers, each with as little configuration as possible. Those that are not authoritative forward to Knot.

use crate::program::{Place, Program};
use crate::support::{DNSMASQ, run};
use crate::zone;
use std::fs;
use std::process::Command;

/// The one server that is not to be installed: its package puts itself into /etc/resolv.conf.
pub const RESOLVED: &str = "systemd-resolved";

/// The address of the one that others ask.
const UPSTREAM: &str = "127.53.0.1";

/// EAGAIN.
const PASSING: &str = "passing";
/// Why a resolver without the root has no answer for other zones.
const NO_ROOT: &str = "it asks the root servers, which can't be reached";

/// Why dnsmasq's answers last otherwise.
const HOST_RECORD: &str = "the addresses of a host record have one TTL";
const NO_SOA: &str = "it sends no SOA record";

/// All of them, those that others ask first.
pub const PROGRAMS: &[Program] = &[
    Program {
        name: "knot",
        package: "knot",
        path: "/usr/sbin/knotd",
        address: "127.53.0.1",
        configure: |place| knot(place, ""),
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "knot rrl",
        package: "knot",
        path: "/usr/sbin/knotd",
        address: "127.53.0.2",
        configure: |place| {
            knot(
                place,
                "mod-rrl:\n  - id: few\n    rate-limit: 5\n    slip: 1\n\
                 template:\n  - id: default\n    global-module: mod-rrl/few\n",
            )
        },
        keeps: false,
        limits: true,
        otherwise: &[],
    },
    Program {
        name: "bind9",
        package: "bind9",
        path: "/usr/sbin/named",
        address: "127.53.0.3",
        configure: |place| bind(place, "minimal-responses yes;"),
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "bind9 rrl",
        package: "bind9",
        path: "/usr/sbin/named",
        address: "127.53.0.4",
        configure: |place| {
            bind(place, "minimal-responses no; rate-limit { responses-per-second 5; slip 1; };")
        },
        keeps: false,
        limits: true,
        otherwise: &[],
    },
    Program {
        name: "nsd",
        package: "nsd",
        path: "/usr/sbin/nsd",
        address: "127.53.0.5",
        configure: |place| nsd(place, "  minimal-responses: yes\n"),
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "nsd rrl",
        package: "nsd",
        path: "/usr/sbin/nsd",
        address: "127.53.0.6",
        configure: |place| nsd(place, "  rrl-ratelimit: 5\n  rrl-slip: 1\n"),
        keeps: false,
        limits: true,
        otherwise: &[],
    },
    Program {
        name: "unbound",
        package: "unbound",
        path: "/usr/sbin/unbound",
        address: "127.53.0.7",
        configure: unbound,
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "pdns",
        package: "pdns-server",
        path: "/usr/sbin/pdns_server",
        address: "127.53.0.8",
        configure: pdns,
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "recursor",
        package: "pdns-recursor",
        path: "/usr/sbin/pdns_recursor",
        address: "127.53.0.9",
        configure: recursor,
        keeps: true,
        limits: false,
        otherwise: &[("refusal", PASSING, NO_ROOT)],
    },
    Program {
        name: "kresd",
        package: "knot-resolver",
        path: "/usr/sbin/kresd",
        address: "127.53.0.10",
        configure: kresd,
        keeps: true,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "dnsdist",
        package: "dnsdist",
        path: "/usr/bin/dnsdist",
        address: "127.53.0.11",
        configure: dnsdist,
        keeps: false,
        limits: true,
        otherwise: &[],
    },
    Program {
        name: "dnsmasq",
        package: "dnsmasq-base",
        path: "/usr/sbin/dnsmasq",
        address: "127.53.0.12",
        configure: dnsmasq,
        keeps: false,
        limits: false,
        otherwise: &[
            ("AAAA", "ttl 50", HOST_RECORD),
            ("both", "ttl 50", HOST_RECORD),
            ("NXDOMAIN", "ttl 60", NO_SOA),
            ("NODATA", "ttl 60", NO_SOA),
            ("no A", "ttl 60", NO_SOA),
            ("dangling", "ttl 55", NO_SOA),
            ("AFSDB", "ttl 33", NO_SOA),
            ("AFSDB of the root", "ttl 33", NO_SOA),
        ],
    },
    Program {
        name: "gdnsd",
        package: "gdnsd",
        path: "/usr/sbin/gdnsd",
        address: "127.53.0.13",
        configure: gdnsd,
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "yadifa",
        package: "yadifa",
        path: "/usr/sbin/yadifad",
        address: "127.53.0.14",
        configure: yadifa,
        keeps: false,
        limits: false,
        otherwise: &[],
    },
    Program {
        name: "tinydns",
        package: "tinydns",
        path: "/usr/sbin/tinydns",
        address: "127.53.0.15",
        configure: tinydns,
        keeps: false,
        limits: false,
        otherwise: &[
            ("by TCP", "8 of them", "it picks eight at random"),
            ("refusal", PASSING, "it says nothing about zones that it doesn't have"),
        ],
    },
    Program {
        name: "resolved",
        package: RESOLVED,
        path: concat!(env!("CARGO_TARGET_TMPDIR"), "/systemd-resolved/lib/systemd/systemd-resolved"),
        address: "127.0.0.53",
        configure: resolved,
        keeps: true,
        limits: false,
        otherwise: &[],
    },
];

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&word| word.to_owned()).collect()
}

fn knot(place: &Place, more: &str) -> Vec<String> {
    place.file("zone", &zone::file(zone::AFSDB));
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "server:\n    listen: {address}@53\n    rundir: {folder}\n    pidfile: {folder}/pid\n\
         database:\n    storage: {folder}\n{more}\
         zone:\n  - domain: example.test\n    storage: {folder}\n    file: zone\n    zonefile-sync: -1\n"
    );
    words(&["-c", &place.file("conf", &conf)])
}

fn bind(place: &Place, more: &str) -> Vec<String> {
    let zone = place.file("zone", &zone::file(zone::AFSDB));
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "options {{ directory \"{folder}\"; listen-on {{ {address}; }}; listen-on-v6 {{ none; }};\n\
         pid-file \"{folder}/pid\"; session-keyfile none; recursion no; dnssec-validation no;\n{more} }};\ncontrols {{ }};\n\
         zone \"example.test\" {{ type primary; file \"{zone}\"; }};\n"
    );
    words(&["-g", "-4", "-n", "1", "-c", &place.file("conf", &conf)])
}

fn nsd(place: &Place, more: &str) -> Vec<String> {
    let zone = place.file("zone", &zone::file(zone::AFSDB));
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "server:\n  ip-address: {address}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{folder}\"\n\
         \x20 pidfile: \"{folder}/pid\"\n  database: \"\"\n  zonelistfile: \"{folder}/list\"\n\
         \x20 xfrdfile: \"{folder}/xfrd\"\n  xfrdir: \"{folder}\"\n{more}\
         remote-control:\n  control-enable: no\nzone:\n  name: example.test\n  zonefile: \"{zone}\"\n"
    );
    words(&["-d", "-c", &place.file("conf", &conf)])
}

fn unbound(place: &Place) -> Vec<String> {
    let zone = place.file("zone", &zone::file(zone::AFSDB));
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "server:\n  interface: {address}\n  access-control: 127.0.0.0/8 allow\n  username: \"\"\n  chroot: \"\"\n\
         \x20 directory: \"{folder}\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  do-ip6: no\n\
         \x20 module-config: \"iterator\"\n  minimal-responses: yes\n  local-zone: \"test.\" nodefault\n\
         \x20 local-zone: \"elsewhere.test.\" refuse\nremote-control:\n  control-enable: no\n\
         auth-zone:\n  name: \"example.test\"\n  zonefile: \"{zone}\"\n  for-downstream: yes\n  for-upstream: yes\n\
         \x20 fallback-enabled: no\n"
    );
    words(&["-d", "-c", &place.file("conf", &conf)])
}

fn pdns(place: &Place) -> Vec<String> {
    let zone = place.file("zone", &zone::file(zone::AFSDB));
    let zones = place.file("zones", &format!("zone \"example.test\" {{ type master; file \"{zone}\"; }};\n"));
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "launch=bind\nbind-config={zones}\nlocal-address={address}\nsocket-dir={folder}\nguardian=no\ndaemon=no\n\
         write-pid=no\nsecurity-poll-suffix=\n"
    );
    place.file("pdns.conf", &conf);
    vec![format!("--config-dir={folder}")]
}

fn recursor(place: &Place) -> Vec<String> {
    let (folder, address) = (place.path(), &place.address);
    let conf = format!(
        "local-address={address}\nsocket-dir={folder}\ndaemon=no\nwrite-pid=no\nforward-zones=example.test={UPSTREAM}\n\
         dnssec=off\ndont-query=\nsecurity-poll-suffix=\nthreads=1\n"
    );
    place.file("recursor.conf", &conf);
    vec![format!("--config-dir={folder}")]
}

fn kresd(place: &Place) -> Vec<String> {
    let conf = format!(
        "net.listen('{}', 53, {{ kind = 'dns' }})\nnet.ipv6 = false\ntrust_anchors.remove('.')\n\
         cache.size = 10 * MB\nmodules.unload('ta_update')\nmodules.unload('priming')\n\
         policy.add(policy.suffix(policy.STUB('{UPSTREAM}'), policy.todnames({{'example.test'}})))\n\
         policy.add(policy.all(policy.REFUSE))\n",
        place.address
    );
    words(&["-n", "-c", &place.file("conf", &conf), place.path()])
}

fn dnsdist(place: &Place) -> Vec<String> {
    let conf = format!(
        "setLocal('{}:53')\nsetACL('127.0.0.0/8')\nsetSecurityPollSuffix('')\n\
         newServer({{address='{UPSTREAM}:53', healthCheckMode='up'}})\n\
         addAction(AndRule({{MaxQPSIPRule(5), TCPRule(false), QNameRule('often.wild.example.test')}}), TCAction())\n",
        place.address
    );
    words(&["--supervised", "--disable-syslog", "-C", &place.file("conf", &conf)])
}

fn dnsmasq(place: &Place) -> Vec<String> {
    let mut arguments = words(&DNSMASQ);
    arguments.extend(words(&["--except-interface=nothing", &format!("--listen-address={}", place.address)]));
    arguments.extend(zone::dnsmasq());
    arguments
}

fn gdnsd(place: &Place) -> Vec<String> {
    place.file("zones/example.test", &zone::file(zone::TYPE18));
    let (folder, address) = (place.path(), &place.address);
    fs::create_dir_all(place.folder.join("run")).unwrap();
    fs::create_dir_all(place.folder.join("state")).unwrap();
    let conf = format!(
        "options => {{\n listen => [{address}],\n run_dir => {folder}/run,\n state_dir => {folder}/state\n}}\n"
    );
    place.file("config", &conf);
    words(&["-c", folder, "start"])
}

fn yadifa(place: &Place) -> Vec<String> {
    let (folder, address) = (place.path(), &place.address);
    place.file("masters/zone", &zone::file(zone::TYPE18));
    for part in ["keys", "log", "xfr"] {
        fs::create_dir_all(place.folder.join(part)).unwrap();
    }
    let conf = format!(
        "<main>\n daemon off\n datapath {folder}\n keyspath {folder}/keys\n logpath {folder}/log\n xfrpath {folder}/xfr\n\
         \x20pidfile {folder}/pid\n listen {address}\n uid root\n gid root\n</main>\n\
         <zone>\n domain example.test\n type master\n file masters/zone\n</zone>\n"
    );
    words(&["-c", &place.file("conf", &conf)])
}

fn tinydns(place: &Place) -> Vec<String> {
    place.file("data", &zone::tinydns());
    let made = Command::new("/usr/sbin/tinydns-data").current_dir(&place.folder).status().unwrap();
    assert!(made.success());
    Vec::new()
}

/// systemd-resolved, as it is without D-Bus.
fn resolved(place: &Place) -> Vec<String> {
    let conf = format!(
        "[Resolve]\nDNS={UPSTREAM}\nDomains=~.\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nReadEtcHosts=no\n"
    );
    let conf = place.file("resolved.conf", &conf);
    // Its files are nobody else's here, and it becomes a user that its package makes.
    for command in [
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/resolve /etc/systemd",
        "grep -q ^systemd-resolve: /etc/passwd || echo systemd-resolve:x:991:991::/:/bin/false >>/etc/passwd",
        "grep -q ^systemd-resolve: /etc/group || echo systemd-resolve:x:991: >>/etc/group",
        "chown systemd-resolve:systemd-resolve /run/systemd/resolve",
        &format!("cp {conf} /etc/systemd/resolved.conf"),
    ] {
        let done = run("sh", &["-c", command]);
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Vec::new()
}
