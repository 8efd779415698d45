//! The behaviours, each with a reference to where it was met.

use crate::dns::{Action, Edns, Message, Record, Script, TcpMode, Zone, flag, qtype, rcode};
use std::time::Duration;

/// A name server, and a name to ask it for.
pub struct Row {
    /// What it does.
    pub what: &'static str,
    /// Who met it: a thread of a repository on GitHub, or an RFC.
    pub source: &'static str,
    pub script: Script,
    pub tcp: TcpMode,
    /// The name that is asked for.
    pub name: &'static str,
    /// Options of resolv.conf.
    pub options: &'static str,
    /// Why we may have another answer than glibc.
    pub differs: Option<&'static str>,
    /// Nothing listens where it is said to be.
    pub absent: bool,
}

/// What good servers have.
pub fn zone() -> Zone {
    let zone = Zone::new("zoo.test")
        .a("mon1", [192, 0, 2, 1], 60)
        .aaaa("mon1", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 60)
        .a("four", [192, 0, 2, 4], 60)
        .cname("alias", "four", 60);
    // More than a message without EDNS holds, and more than one by UDP with it.
    let zone = (0..50).fold(zone, |zone, last| zone.a("fifty", [192, 0, 2, last], 60));
    (0..150).fold(zone, |zone, last| zone.a("many", [198, 51, 100, last], 60))
}

const HOST: &str = "mon1.zoo.test";
const FOUR: &str = "four.zoo.test";
const FIFTY: &str = "fifty.zoo.test";
const MANY: &str = "many.zoo.test";

fn row(what: &'static str, source: &'static str, script: Script) -> Row {
    Row { what, source, script, tcp: TcpMode::Serve, name: HOST, options: "", differs: None, absent: false }
}

impl Row {
    fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn tcp(self, tcp: TcpMode) -> Self {
        Self { tcp, ..self }
    }

    fn options(self, options: &'static str) -> Self {
        Self { options, ..self }
    }

    fn differs(self, why: &'static str) -> Self {
        Self { differs: Some(why), ..self }
    }
}

fn all(action: Action) -> Script {
    Script::new().on_all(action)
}

/// Does this for queries with EDNS, and is good otherwise.
fn with_edns(action: Action) -> Script {
    all(Action::if_edns(action, Action::Zone))
}

/// Does this for queries whose letters are not all lower case, and is good otherwise.
fn with_capitals(action: Action) -> Script {
    Script::new().rule(move |query, _, _| {
        let capitals = query.qname.to_string().bytes().any(|byte| byte.is_ascii_uppercase());
        capitals.then(|| action.clone())
    })
}

fn aaaa(action: Action) -> Script {
    Script::new().on_type(qtype::AAAA, action)
}

/// The header alone, with this code.
fn bare(code: u16) -> Action {
    Action::Answer(Message::new().rcode(code).no_question().no_edns())
}

fn message(message: Message) -> Action {
    Action::Answer(message.no_edns())
}

fn after(milliseconds: u64, action: Action) -> Action {
    Action::delay(Duration::from_millis(milliseconds), action)
}

/// The zone's answer in a different letter case.
fn letters(change: fn(&mut [u8])) -> Action {
    Action::edit(
        move |bytes| {
            // The name of the question.
            let mut end = 12;
            while bytes.get(end).is_some_and(|length| *length != 0) {
                end += 1 + usize::from(bytes[end]);
            }
            if let Some(name) = bytes.get_mut(12..end) {
                change(name);
            }
        },
        Action::Zone,
    )
}

/// EDNS's record as the first answer, and the address of the host after the answers: one is counted.
fn opt_first() -> Script {
    let edns = Message::new().no_edns().additional(Record::a(HOST, [192, 0, 2, 1], 60));
    let move_opt = Action::edit(
        |bytes| {
            let Some(end) = bytes[12..].iter().position(|byte| *byte == 0).map(|end| 12 + end + 5) else {
                return;
            };
            bytes.splice(end..end, [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
            bytes[7] = 1;
        },
        Action::Answer(edns),
    );
    Script::new()
        .rule(move |query, _, _| (query.edns.is_some() && query.qtype == qtype::A).then(|| move_opt.clone()))
}

/// Sets how many answers a reply says that it has.
fn answer_count(count: u8) -> Action {
    Action::edit(move |bytes| bytes[7] = count, Action::Answer(Message::new().no_edns()))
}

#[allow(clippy::too_many_lines)]
pub fn rows() -> Vec<Row> {
    let refused = || Action::REFUSED;
    let second_query =
        |action: Action| Script::new().rule(move |_, _, nth| (nth > 0).then(|| action.clone()));
    vec![
        row("good", "RFC 1035", Script::new()),
        // What is altered: letters.
        row(
            "denies names in mixed case: NXDOMAIN",
            "netbirdio/netbird#2647",
            with_capitals(Action::NXDOMAIN),
        ),
        row(
            "denies names in mixed case: no records",
            "projectdiscovery/interactsh#138",
            with_capitals(message(Message::new())),
        ),
        row("refuses names in mixed case", "netbirdio/netbird#2135", with_capitals(refused())),
        row("drops names in mixed case", "DNS-OARC/services#1", with_capitals(Action::Silence)),
        row(
            "answers in small letters",
            "tjfontaine/node-dns#109",
            all(letters(<[u8]>::make_ascii_lowercase)),
        ),
        row(
            "answers in small letters, no TCP",
            "letsencrypt/boulder#1243",
            all(letters(<[u8]>::make_ascii_lowercase)),
        )
        .tcp(TcpMode::Refuse),
        row(
            "answers in small letters, TCP dropped",
            "letsencrypt/boulder#1243",
            all(Action::per_transport(letters(<[u8]>::make_ascii_lowercase), Action::Silence)),
        ),
        row(
            "answers in the letters of its cache",
            "nmap/nmap#2068 (BIND 9.10)",
            all(letters(<[u8]>::make_ascii_uppercase)),
        ),
        // What is altered: EDNS.
        row("drops EDNS", "systemd/systemd#3980 (Netgear DG834G)", all(Action::DropIfEdns)),
        row("drops EDNS, in a gateway", "golang/go#65197", all(Action::DropIfEdns)).named(FOUR),
        row("FORMERR to EDNS", "c-ares/c-ares#911", all(Action::FormerrIfEdns)),
        row("FORMERR to EDNS, header alone", "wahern/dns#4", with_edns(bare(rcode::FORMERR))),
        row("NOTIMP to EDNS, header alone", "RFC 6891 section 7", with_edns(bare(rcode::NOTIMP))),
        row("NOTIMP to EDNS", "RFC 6891 section 7", with_edns(message(Message::new().rcode(rcode::NOTIMP)))),
        row(
            "SERVFAIL to EDNS",
            "systemd/systemd#27097",
            with_edns(message(Message::new().rcode(rcode::SERVFAIL))),
        ),
        row(
            "REFUSED to EDNS",
            "systemd/systemd#13432",
            with_edns(message(Message::new().rcode(rcode::REFUSED))),
        ),
        row(
            "NXDOMAIN to EDNS",
            "NixOS/nixpkgs#24433 (Linksys WRT1900)",
            with_edns(message(Message::new().rcode(rcode::NXDOMAIN))),
        ),
        row(
            "BADVERS without a question",
            "dns-violations/dns-violations#2 (Google)",
            with_edns(Action::Answer(Message::new().no_question().rcode(rcode::BADVERS))),
        ),
        row(
            "EDNS among the answers, the answer elsewhere",
            "c-ares/c-ares#968 (D-Link DIR-X5460)",
            opt_first(),
        ),
        row("counts an answer that is not there", "systemd/systemd#12841", with_edns(answer_count(1))),
        row(
            "two OPT records",
            "c-ares/c-ares#1137",
            Script::new().rule(|query, _, _| {
                let two = Message::new()
                    .answer(Record::a(HOST, [192, 0, 2, 1], 60))
                    .additional(Record::new(".", qtype::OPT, 0, []).class(512));
                (query.edns.is_some() && query.qtype == qtype::A).then(|| Action::Answer(two))
            }),
        ),
        row(
            "options nobody asked for",
            "c-ares/c-ares#1271 (FRITZ!Box 7530)",
            Script::new().rule(|query, _, _| {
                let stale = Edns { options: vec![0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], ..Edns::new(1232) };
                (query.edns.is_some() && query.qtype == qtype::A).then(|| {
                    Action::Answer(Message::new().answer(Record::a(HOST, [192, 0, 2, 1], 60)).edns(stale))
                })
            }),
        ),
        row(
            "no OPT in empty answers",
            "dns-violations/dns-violations#62 (dnsmasq 2.79)",
            aaaa(message(Message::new())),
        )
        .named(FOUR),
        // Errors.
        row("SERVFAIL, header alone", "systemd/systemd#9241", all(bare(rcode::SERVFAIL))),
        row("REFUSED, header alone", "wahern/dns#4", all(bare(rcode::REFUSED))),
        row("SERVFAIL", "systemd/systemd#25841", all(Action::SERVFAIL)),
        row("SERVFAIL after two seconds", "opnsense/core#8627", all(after(2000, Action::SERVFAIL))),
        row("REFUSED", "systemd/systemd#4264", all(refused())),
        row("NOTIMP", "PowerDNS/pdns#1381", all(Action::NOTIMP)),
        row("NXDOMAIN without SOA", "pi-hole/FTL#424", all(message(Message::new().rcode(rcode::NXDOMAIN)))),
        row(
            "an empty answer, neither authority nor recursion",
            "PowerDNS/pdns#1344",
            all(Action::Answer(Message::new().clear(flag::RA).no_edns())),
        ),
        row("noise", "systemd/systemd#8451", all(Action::Garbage)),
        row(
            "types and classes swapped",
            "systemd/systemd#8451",
            Script::new()
                .on_type(qtype::A, message(Message::new().answer(Record::new(FOUR, 1, 60, []).class(256)))),
        )
        .named(FOUR),
        // TCP and size.
        row(
            "truncated, TCP closed",
            "kubernetes/minikube#2617",
            all(Action::truncate_then_tcp(Action::TcpClose)),
        )
        .named(MANY)
        .differs("for IPv4 alone glibc says that there is no such name"),
        row("truncated with records, TCP refused", "kubernetes/minikube#2617", Script::new())
            .named(MANY)
            .tcp(TcpMode::Refuse)
            .differs(
                "one of the records that are there serves a request for one address; a list fails in both",
            ),
        row(
            "truncated with records, TCP dropped",
            "tailscale/tailscale#3744",
            Script::new()
                .rule(|_, transport, _| (transport == crate::dns::Transport::Tcp).then_some(Action::Silence)),
        )
        .named(MANY)
        .differs("one of the records that are there serves a request for one address; a list fails in both"),
        row("truncated, TCP serves", "znc/znc#242 (EC2)", Script::new()).named(MANY),
        row("more than 512 bytes", "netty/netty#9127", Script::new()).named(FIFTY),
        row(
            "drops answers over 512 bytes",
            "cilium/cilium#9755",
            Script::new().rule(|query, transport, _| {
                (query.edns.is_some() && transport == crate::dns::Transport::Udp).then_some(Action::Silence)
            }),
        )
        .named(FIFTY),
        row(
            "no EDNS and truncated, EDNS dropped by TCP",
            "systemd/systemd#10672",
            all(Action::per_transport(Action::if_edns(Action::FORMERR, Action::Zone), Action::DropIfEdns)),
        )
        .named(FIFTY),
        row(
            "cut at 512 bytes without saying so",
            "MichaCo/DnsClient.NET#52",
            all(Action::edit(
                |bytes| bytes.truncate(512),
                Action::Answer((0..50).fold(Message::new().whole().no_edns(), |message, last| {
                    message.answer(Record::a(FIFTY, [192, 0, 2, last], 60))
                })),
            )),
        )
        .named(FIFTY)
        .differs("the records that can be read are the answer; glibc has none of them"),
        row(
            "says that it is truncated, and is not",
            "aarond10/https_dns_proxy#199",
            all(Action::edit(|bytes| bytes[2] |= 2, Action::Zone)),
        ),
        // Time.
        row("always 1.5 s late, timeout 1", "opnsense/core#8627", all(after(1500, Action::Zone)))
            .options("timeout:1 attempts:2"),
        row("always 6 s late", "opnsense/core#8627", all(after(6000, Action::Zone))),
        row("half a second late", "firezone/firezone#6033", all(after(500, Action::Zone))),
        row("denies a second late", "opnsense/core#8627", all(after(1000, Action::NXDOMAIN)))
            .differs("the next server has been asked after `hedge`, and has the name"),
        row("silent", "systemd/systemd#35514", all(Action::Silence)),
        Row { absent: true, ..row("nothing listens", "firezone/firezone#4800", Script::new()) },
        row("answers every question once", "gdnsd/gdnsd#36 (rate limiting)", second_query(Action::Silence)),
        row(
            "answers every question once, with a denial",
            "shawn1m/overture#104 (rate limiting)",
            Script::new().rule(|_, _, nth| Some(if nth == 0 { Action::NXDOMAIN } else { Action::Silence })),
        )
        .differs(
            "a denial that is not confirmed does not keep the next server from being asked after `hedge`",
        ),
        row(
            "rate limiting with truncated answers",
            "gdnsd/gdnsd#36 (slip)",
            Script::new().rule(|_, transport, nth| {
                (nth > 0 && transport == crate::dns::Transport::Udp).then_some(Action::Truncate)
            }),
        ),
        // AAAA.
        row("silent to AAAA", "systemd/systemd#22575", aaaa(Action::Silence)).named(FOUR),
        row(
            "loses AAAA once",
            "kubernetes/kubernetes#56903",
            Script::new()
                .rule(|query, _, nth| (query.qtype == qtype::AAAA && nth == 0).then_some(Action::Silence)),
        ),
        row("NXDOMAIN to AAAA", "slackhq/nebula#1662", aaaa(Action::NXDOMAIN)).named(FOUR),
        row("NXDOMAIN to AAAA, of an alias", "coredns/coredns#779", aaaa(Action::NXDOMAIN))
            .named("alias.zoo.test"),
        row("SERVFAIL to AAAA", "systemd/systemd#5553", aaaa(Action::SERVFAIL)).named(FOUR),
        row("NOTIMP to AAAA", "tailscale/tailscale#848", aaaa(Action::NOTIMP)).named(FOUR),
        row("REFUSED to AAAA", "d2iq-archive/mesos-dns#366", aaaa(refused())).named(FOUR),
        row(
            "an A record for AAAA",
            "RFC 4074 section 4.4",
            aaaa(Action::Answer(Message::new().answer(Record::a(FOUR, [192, 0, 2, 4], 60)))),
        )
        .named(FOUR),
        row("nothing for AAAA, without SOA", "pfBlockerNG/pfBlockerNG#3224", aaaa(message(Message::new())))
            .named(FOUR),
        // Others.
        row(
            "an alias alone",
            "gdnsd/gdnsd#240",
            Script::new().rule(|query, _, _| {
                (query.name() == "alias.zoo.test")
                    .then(|| Action::Answer(Message::new().answer(Record::cname("alias.zoo.test", FOUR, 60))))
            }),
        )
        .named("alias.zoo.test")
        .differs("aliases are followed from one message to the next"),
        row(
            "answers from another address",
            "kubernetes/kubernetes#68367",
            all(Action::wrong_source(Action::Zone)),
        ),
        row(
            "a stray answer before the right one",
            "RFC 5452 section 9",
            all(Action::many([Action::wrong_id(Action::NXDOMAIN), after(20, Action::Zone)])),
        ),
        row(
            "forged in other letters before the right one",
            "draft-vixie-dnsext-dns0x20",
            Script::new().rule(|query, _, _| {
                let evil = Message::new().answer(Record::a(HOST, [203, 0, 113, 66], 60));
                query.edns.is_some().then(|| {
                    Action::many([Action::wrong_case(Action::Answer(evil)), after(20, Action::Zone)])
                })
            }),
        ),
        row(
            "bytes behind the message",
            "systemd/systemd#12841",
            all(Action::edit(|bytes| bytes.extend([0; 60]), Action::Zone)),
        ),
    ]
}
