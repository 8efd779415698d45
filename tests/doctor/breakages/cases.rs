//! The breakages of this very host.

use super::Breakage;
use crate::dns::{Action, Message, Script, Server, qtype, rcode};
use crate::host::{FIRST, GOOD, Host, LONG, NAME, SECOND, zone};
use crate::support::executable;
use crate::support::machine::{HELPER, KEYUTILS_HELPER, RULES_FOLDER, SETTINGS, UPCALL};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const fn case(what: &'static str, finding: &'static str, make: fn(&mut Host<'_>)) -> Breakage {
    Breakage::new(what, finding, NAME, make)
}

/// One whose advice a person follows with this.
const fn by_hand(breakage: Breakage, command: &'static str) -> Breakage {
    Breakage { by_hand: Some(command), ..breakage }
}

/// Another server in the place of the first.
const ANOTHER: &str = "sed -i s/127.53.0.[12]/127.53.0.3/ /etc/resolv.conf";

const fn keyutils(what: &'static str, finding: &'static str, make: fn(&mut Host<'_>)) -> Breakage {
    Breakage { package: Some("keyutils"), ..case(what, finding, make) }
}

/// The server at the first address, doing this.
fn scripted(host: &mut Host<'_>, action: Action) {
    scripted_by(host, Script::new().on_all(action));
}

fn scripted_by(host: &mut Host<'_>, script: Script) {
    host.replace_first_server(Server::builder().zone(zone()).script(script));
}

/// The server at the first address, doing this for the address of a name, and denying what is not in its zone.
fn scripted_for(host: &mut Host<'_>, name: &str, action: Action) {
    let script = Script::new().on(name, qtype::A, action);
    host.replace_first_server(Server::builder().zone(zone()).script(script).outside(rcode::NXDOMAIN));
}

fn our_request_key(host: &mut Host<'_>) {
    host.machine.replace(UPCALL, fs::read(executable()).unwrap(), 0o755);
}

fn mode(path: &str, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub const CASES: &[Breakage] = &[
    keyutils("no /sbin/request-key", "request-key-missing", |host| host.machine.take_away(UPCALL)),
    case("/sbin/request-key is not executable", "request-key-not-executable", |host| {
        host.machine.replace(UPCALL, fs::read(UPCALL).unwrap(), 0o644);
    }),
    keyutils("/sbin/request-key is cut to nothing", "request-key-no-program", |host| {
        host.machine.replace(UPCALL, "", 0o755);
    }),
    keyutils("/sbin/request-key is a script of a shell that is gone", "request-key-interpreter", |host| {
        host.machine.replace(UPCALL, "#!/bin/no-such-shell\n", 0o755);
    }),
    keyutils("/sbin/request-key needs a library that is gone", "request-key-library", |host| {
        let mut program = fs::read(UPCALL).unwrap();
        let name = b"libkeyutils.so.1";
        let at = program.windows(name.len()).position(|window| window == name).unwrap();
        program[at..at + name.len()].copy_from_slice(b"libkeyutilx.so.1");
        host.machine.replace(UPCALL, program, 0o755);
    }),
    case("no rule", "no-rule", |host| host.no_rules()),
    case("no rule for our keys", "no-rule", |host| {
        host.no_rules();
        host.machine.replace("/etc/request-key.conf", "create user debug:* * /bin/true\n", 0o644);
    }),
    case("wrong rule: a program that answers nothing", "not-answered", |host| {
        host.rule("create dns_resolver * * /bin/true %k");
    }),
    case("wrong rule: no %k", "rule-without-key", |host| {
        host.rule(&format!("create dns_resolver * * {HELPER}"));
    }),
    case("wrong rule: the helper behind a pipe", "rule-pipes-helper", |host| {
        host.rule(&format!("create dns_resolver * * |{HELPER} %k"));
    }),
    case("a line that is not a rule", "bad-rule-line", |host| {
        host.rule(&format!("create dns_resolver\ncreate dns_resolver * * {HELPER} %k"));
    }),
    by_hand(
        case("rule file that other users can write to", "rule-file-ignored", |host| {
            our_request_key(host);
            host.machine.take_away("/etc/request-key.conf");
            mode(&format!("{RULES_FOLDER}/dns_resolver.conf"), 0o666);
        }),
        "chown root:root /etc/request-key.d/dns_resolver.conf && chmod 644 /etc/request-key.d/dns_resolver.conf",
    ),
    by_hand(
        case("rule file unreadable: a link to itself", "rule-file-ignored", |host| {
            our_request_key(host);
            host.machine.take_away("/etc/request-key.conf");
            let file = format!("{RULES_FOLDER}/dns_resolver.conf");
            fs::remove_file(&file).unwrap();
            symlink("dns_resolver.conf", file).unwrap();
        }),
        "rm -f /etc/request-key.d/dns_resolver.conf && echo 'create dns_resolver * * /usr/libexec/key-dns/key.dns_resolver %k' >/etc/request-key.d/dns_resolver.conf",
    ),
    case("the rule's helper is missing", "helper-not-runnable", |host| host.machine.take_away(HELPER)),
    case("the rule's helper is not executable", "helper-not-runnable", |_| mode(HELPER, 0o644)),
    case("the rule's settings are missing", "settings-unreadable", |host| {
        host.rule(&format!("create dns_resolver * * {HELPER} -c /run/key-dns-settings/own.conf %k"));
        host.machine.take_away("/run/key-dns-settings");
    }),
    case("an invalid setting", "bad-line", |host| {
        host.machine.replace(SETTINGS, "deadline = soon\n", 0o644);
    }),
    by_hand(case("dead name server", "server-not-there", |host| host.name_servers(&[SECOND])), ANOTHER),
    by_hand(case("silent name server", "server-silent", |host| scripted(host, Action::Silence)), ANOTHER),
    by_hand(case("refusing name server", "server-refuses", |host| scripted(host, Action::Rcode(5))), ANOTHER),
    by_hand(case("failing name server", "server-fails", |host| scripted(host, Action::Rcode(2))), ANOTHER),
    case("dead name server before a good one", "server-not-there", |host| {
        host.name_servers(&[SECOND, FIRST]);
    }),
    by_hand(
        case("no name server configured", "server-not-there", |host| {
            host.machine.replace("/etc/resolv.conf", "", 0o644);
        }),
        "echo nameserver 127.53.0.3 >/etc/resolv.conf",
    ),
    by_hand(
        case("lying name server: denies the name, a second one knows it", "servers-disagree", |host| {
            scripted(host, Action::Rcode(3));
            host.servers.push(Server::builder().zone(zone()).at(&format!("{SECOND}:53")).start());
            host.name_servers(&[FIRST, SECOND]);
        }),
        "sed -i /127.53.0.1/d /etc/resolv.conf",
    ),
    by_hand(
        case("lying name server: an address that no host can have", "address-of-nobody", |host| {
            let liar = crate::dns::Zone::new("doctor.test").a("mon1", [0, 0, 0, 0], 300);
            host.replace_first_server(Server::builder().zone(liar));
        }),
        ANOTHER,
    ),
    case("name server that changes the letter case", "server-changes-letters", |host| {
        scripted(host, Action::per_transport(Action::wrong_case(Action::Zone), Action::Zone));
    }),
    Breakage::new(
        "name server that denies names in random case (0x20)",
        "server-denies-letters",
        LONG,
        |host| {
            let script = Script::new().rule(|query, _, _| {
                let mixed = query.qname.to_string().bytes().any(|byte| byte.is_ascii_uppercase());
                mixed.then_some(Action::NXDOMAIN)
            });
            scripted_by(host, script);
        },
    ),
    by_hand(
        case("name server that drops EDNS", "server-drops-edns", |host| scripted(host, Action::DropIfEdns)),
        ANOTHER,
    ),
    by_hand(
        case(
            "name server that answers EDNS with an error in a bare header",
            "server-fails-at-edns",
            |host| {
                let bare = Message::new().rcode(1).no_question().no_edns();
                scripted(host, Action::if_edns(Action::Answer(bare), Action::Zone));
            },
        ),
        ANOTHER,
    ),
    by_hand(
        case("name server that truncates its answers, and has no TCP", "server-without-tcp", |host| {
            let cut_off = Action::edit(|bytes| bytes[2] |= 2, Action::Zone);
            scripted(host, Action::per_transport(cut_off, Action::TcpClose));
        }),
        ANOTHER,
    ),
    by_hand(
        case("dead server of a single domain", "server-not-there", |host| {
            host.machine.replace(SETTINGS, format!("nameserver[doctor.test] = {SECOND}\n"), 0o644);
        }),
        "sed -i s/127.53.0.2/127.53.0.3/ /etc/keyutils/key.dns_resolver.conf",
    ),
    by_hand(
        case("hosts override", "hosts-override", |host| {
            fs::write("/etc/hosts", format!("127.0.0.1 localhost\n127.77.0.99 {NAME}\n")).unwrap();
            host.machine.take_away("/etc/host.conf");
        }),
        "sed -i /mon1/d /etc/hosts",
    ),
    case("an address in /etc/hosts that no host has", "address-of-nobody", |host| {
        // DNS has no address of that family, which would contradict it.
        fs::write("/etc/hosts", format!("127.0.0.1 localhost\n:: {NAME} other.doctor.test\n")).unwrap();
        host.machine.take_away("/etc/host.conf");
        host.machine.replace(SETTINGS, "family = ipv6-first\n", 0o644);
    }),
    by_hand(
        case("SERVFAIL for one name", "name-fails", |host| {
            scripted_for(host, NAME, Action::SERVFAIL);
        }),
        ANOTHER,
    ),
    by_hand(
        case("name server that is silent for one name, before a good one", "name-fails", |host| {
            scripted_for(host, NAME, Action::Silence);
            host.name_servers(&[FIRST, GOOD]);
        }),
        ANOTHER,
    ),
    by_hand(
        Breakage::new("short name that the name server refuses", "name-fails", "mon1", |host| {
            scripted_for(host, "mon1", Action::SERVFAIL);
        }),
        "sed -i 's/^search .*/search doctor.test/' /etc/resolv.conf",
    ),
    case("an invalid line in /etc/hosts", "bad-line", |_| {
        fs::write("/etc/hosts", "127.0.0.1 localhost\n300.1.1.1 other.doctor.test\n").unwrap();
    }),
    by_hand(
        case("hosts override on the line of localhost", "hosts-override", |host| {
            fs::write("/etc/hosts", format!("127.0.0.1\tlocalhost {NAME} localhost4\n")).unwrap();
            host.machine.take_away("/etc/host.conf");
        }),
        "sed -i s/mon1.doctor.test// /etc/hosts",
    ),
    Breakage::new(
        "keyutils' helper, and a name with only an IPv6 address",
        "live-unknown-name",
        "six.doctor.test",
        |host| host.rule(&format!("create dns_resolver * * {KEYUTILS_HELPER} %k")),
    ),
    case("another helper, named by a rule for all keys", "not-answered", |host| {
        host.no_rules();
        host.machine.replace("/etc/request-key.conf", "create * * * /bin/true %k\n", 0o644);
    }),
    by_hand(
        Breakage::new("name that DNS lacks", "no-such-name", "nosuch.doctor.test", |_| {}),
        "echo '127.77.0.1 nosuch.doctor.test' >>/etc/hosts",
    ),
    case("nsswitch.conf without dns", "dns-not-asked", |_| {
        fs::write("/etc/nsswitch.conf", "passwd: files\nhosts: files\n").unwrap();
    }),
    Breakage::new("name with only AAAA under family = ipv4", "family-excluded", "six.doctor.test", |host| {
        host.machine.replace(SETTINGS, "family = ipv4\n", 0o644);
    }),
    by_hand(
        Breakage::new("no route to the address", "no-route", "far.doctor.test", |host| {
            for route in ["unreachable 198.51.100.1", "198.51.100.254 dev lo"] {
                host.machine.command(
                    &format!("ip route add {route}"),
                    &format!(
                        "ip route del {} || :",
                        route.split(' ').find(|word| word.starts_with("198")).unwrap()
                    ),
                );
            }
        }),
        "ip route replace 198.51.100.1 via 198.51.100.254",
    ),
    case("quota full", "quota-full", |host| {
        let path = "/proc/sys/kernel/keys/root_maxkeys";
        let most = fs::read_to_string(path).unwrap();
        host.machine.command(&format!("echo 1 >{path}"), &format!("echo {} >{path}", most.trim()));
    }),
    case("comma list from another helper", "address-list", |host| {
        host.other_helper("printf '127.77.0.1,127.77.0.2\\0' | keyctl pinstantiate \"$1\" 0");
    }),
    by_hand(
        case("another helper's wrong address", "live-differs", |host| {
            host.other_helper("printf '127.77.0.9\\0' | keyctl pinstantiate \"$1\" 0");
        }),
        "sed -i s,/run/key-dns-other,/usr/libexec/key-dns/key.dns_resolver, /etc/request-key.d/dns_resolver.conf",
    ),
    case("another helper's failure", "live-fails", |host| {
        host.other_helper("printf '#dnserror=61\\0' | keyctl pinstantiate \"$1\" 0");
    }),
    case("another helper's rejection", "rejected", |host| {
        host.other_helper("keyctl reject \"$1\" 60 61 0");
    }),
    case("answer that expires before it is read", "answer-expired", |host| {
        host.other_helper(
            "keyctl timeout \"$1\" 1; printf '127.77.0.1\\0' | keyctl pinstantiate \"$1\" 0; sleep 2.5",
        );
    }),
    case("helper that hangs", "live-hangs", |host| {
        host.machine.replace(SETTINGS, "deadline = 1\n", 0o644);
        host.other_helper("exec sleep 6");
    }),
];
