//! Cases, made from a seed.

use crate::dns::{Action, Message, Record, Script, Zone, qtype};
use crate::lookups::Family;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    pub fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// One case: the files, the servers, the name.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub family: Family,
    pub hosts: Option<String>,
    pub host_conf: Option<String>,
    pub resolv_conf: Option<String>,
    pub nsswitch: Option<String>,
    pub gai_conf: Option<String>,
    /// What each of the two modules says: the one for single families, and the one for both.
    pub modules: [&'static str; 2],
    /// What each of the three servers does.
    pub servers: [Behaviour; 3],
}

/// What a server does with every query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers from the zone.
    Good,
    /// Nothing listens.
    Refusing,
    Servfail,
    Refused,
    Notimp,
    Formerr,
    FormerrIfEdns,
    Nxdomain,
    /// Without recursion, authority or records.
    Lame,
    /// Truncated over UDP, whole over TCP.
    Truncating,
    /// SERVFAIL for AAAA, good otherwise.
    NoAaaa,
    /// SERVFAIL for A, good otherwise.
    NoA,
    Garbage,
    /// A forged answer before the real one.
    Forged,
    /// NXDOMAIN for names in random case (0x20), which only we use.
    DeniesLetters,
    /// NXDOMAIN for queries with EDNS, good otherwise.
    DeniesEdns,
    /// FORMERR in a bare header for queries with EDNS, good otherwise.
    BareIfEdns,
    /// Silent to queries with EDNS, good otherwise.
    DropsEdns,
}

impl Behaviour {
    /// What a server does that stumbles over EDNS, which the C library leaves out where it is not told otherwise.
    const WITHOUT_EDNS: [Self; 3] = [Self::DeniesEdns, Self::BareIfEdns, Self::DropsEdns];
    const WRONG: [Self; 16] = [
        Self::Refusing,
        Self::Servfail,
        Self::Refused,
        Self::Notimp,
        Self::Formerr,
        Self::FormerrIfEdns,
        Self::Nxdomain,
        Self::Lame,
        Self::Truncating,
        Self::NoAaaa,
        Self::NoA,
        Self::Forged,
        Self::DeniesLetters,
        Self::DeniesEdns,
        Self::BareIfEdns,
        Self::DropsEdns,
    ];

    pub fn script(self) -> Script {
        let script = Script::new();
        match self {
            Self::Good | Self::Refusing => script,
            Self::Servfail => script.on_all(Action::SERVFAIL),
            Self::Refused => script.on_all(Action::REFUSED),
            Self::Notimp => script.on_all(Action::NOTIMP),
            Self::Formerr => script.on_all(Action::FORMERR),
            Self::FormerrIfEdns => script.on_all(Action::FormerrIfEdns),
            Self::Nxdomain => script.on_all(Action::NXDOMAIN),
            Self::Lame => script.on_all(Action::Answer(Message::new().clear(crate::dns::flag::RA).no_edns())),
            Self::Truncating => script.on_all(Action::truncate_then_tcp(Action::Zone)),
            Self::NoAaaa => script.on_type(qtype::AAAA, Action::SERVFAIL),
            Self::NoA => script.on_type(qtype::A, Action::SERVFAIL),
            Self::Garbage => script.on_all(Action::Garbage),
            Self::Forged => script.with(|query, _, _| {
                let forged = Message::new().answer(Record::a(query.qname.clone(), [6, 6, 6, 6], 60));
                Action::many([Action::wrong_id(Action::Answer(forged)), Action::Zone])
            }),
            Self::DeniesLetters => script.with(|query, _, _| {
                let mixed = query.qname.to_string().bytes().any(|byte| byte.is_ascii_uppercase());
                if mixed { Action::NXDOMAIN } else { Action::Zone }
            }),
            Self::DeniesEdns => script.on_all(Action::if_edns(Action::NXDOMAIN, Action::Zone)),
            Self::BareIfEdns => {
                let bare = Message::new().rcode(1).no_question().no_edns();
                script.on_all(Action::if_edns(Action::Answer(bare), Action::Zone))
            }
            Self::DropsEdns => script.on_all(Action::DropIfEdns),
        }
    }
}

/// The zones that good servers have.
pub fn zones() -> Vec<Zone> {
    let addresses = [[192, 0, 2, 1], [198, 51, 100, 7], [10, 20, 3, 4], [127, 0, 0, 9], [169, 254, 1, 1]];
    let mut one = Zone::new("one.test")
        .a("v4", addresses[0], 60)
        .aaaa("v6", [0x2001, 0xdb8, 9, 0, 0, 0, 0, 7], 60)
        .a("both", addresses[0], 60)
        .aaaa("both", [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 60)
        .aaaa("ula", [0xfd00, 9, 0, 0, 0, 0, 0, 7], 60)
        .a("ula", addresses[2], 60)
        .cname("alias", "both", 60)
        .cname("alias2", "alias", 60)
        .cname("away", "both.two.test.", 60)
        .cname("dangling", "gone", 60)
        .a("a_b", addresses[1], 60)
        .a("shared", addresses[1], 60)
        .txt("text", "no address", 60)
        .a("deep.er", addresses[0], 60);
    for address in addresses.into_iter().chain([[203, 0, 113, 9], [172, 16, 5, 6]]) {
        one = one.a("many", address, 60);
    }
    for last in 1..6 {
        one = one.aaaa("many", [0x2001, 0xdb8, last, 0, 0, 0, 0, 1], 60);
    }
    let two = Zone::new("two.test")
        .a("both", addresses[1], 60)
        .aaaa("both", [0xfe80, 0, 0, 0, 0, 0, 0, 1], 60)
        .aaaa("shared", [0x2001, 0xdb8, 2, 0, 0, 0, 0, 1], 60)
        .a("only2", addresses[2], 60);
    // What a bare name may find at the root.
    let bare = Zone::new("bare").a("@", addresses[0], 60);
    vec![one, two, bare]
}

const NAMES: [&str; 44] = [
    "v4.one.test",
    "v6.one.test",
    "both.one.test",
    "both.one.test.",
    "ula.one.test",
    "alias.one.test",
    "alias2.one.test",
    "away.one.test",
    "dangling.one.test",
    "a_b.one.test",
    "shared.one.test",
    "text.one.test",
    "many.one.test",
    "BOTH.One.Test",
    "gone.one.test",
    "gone.two.test",
    "both",
    "shared",
    "v4",
    "only2",
    "deep.er",
    "bare",
    "bare.",
    "gone",
    "nosuch.zone",
    "both.two.test",
    "127.1",
    "0x7f.1",
    "1.2.3.4",
    "::1",
    "fe80::1",
    "::ffff:1.2.3.4",
    "1.2.3.4.5",
    "1.2.3",
    "256.1.1.1",
    "a..b",
    "-x.one.test",
    "x y.one.test",
    "h1",
    "h2",
    "H3.Files",
    "h3.files.",
    "localhost",
    "xn--mller-kva.one.test",
];

const HOSTS: [&str; 12] = [
    "127.0.0.1 localhost",
    "::1 localhost ip6-localhost",
    "192.0.2.50 h1",
    "2001:db8:5::1 h1",
    "192.0.2.51 H1 h2 h3.files",
    "  10.20.9.9\th2 # comment h1",
    "::ffff:192.0.2.52 h2",
    "fe80::1%dummy0 h1",
    "192.0.2.999 h1 both",
    "203.0.113.5 both shared",
    "2001:db8:9::50 v4.one.test",
    "198.51.100.9 both.one.test # x",
];

const NSSWITCH: [&str; 9] = [
    "hosts: files dns",
    "hosts: dns files",
    "hosts: dns",
    "hosts: files",
    "hosts: files [NOTFOUND=return] dns",
    "hosts: dns [!UNAVAIL=return] files",
    "hosts: files mdns4_minimal [NOTFOUND=return] dns",
    "hosts:\tfiles [success=return notfound=continue] dns # x",
    "passwd: files",
];

/// Lines with NSS modules: the two that there are, and one that is missing.
const WITH_MODULES: [&str; 14] = [
    "hosts: files keytest dns",
    "hosts: files keytest4 dns",
    "hosts: files keytest [NOTFOUND=return] dns",
    "hosts: files keytest4 [NOTFOUND=return] dns",
    "hosts: keytest [!UNAVAIL=return] files dns",
    "hosts: keytest4 [!UNAVAIL=return] files dns",
    "hosts: keytest4 [TRYAGAIN=return UNAVAIL=continue] keytest dns",
    "hosts: keytest [UNAVAIL=return] dns",
    "hosts: dns [NOTFOUND=return] keytest4",
    "hosts: files keymissing [NOTFOUND=return] dns",
    "hosts: keymissing [!UNAVAIL=return] files dns",
    "hosts: files [SUCCESS=continue] dns",
    "hosts: files [SUCCESS=merge] dns",
    "hosts: keytest4 [SUCCESS=continue] files [SUCCESS=merge] dns",
];

const MODULES: [&str; 6] = [
    "NOTFOUND",
    "UNAVAIL",
    "TRYAGAIN",
    "SUCCESS 203.0.113.77",
    "SUCCESS 2001:db8:77::7",
    "SUCCESS 203.0.113.78 2001:db8:78::8 203.0.113.79",
];

const OPTIONS: [&str; 11] = [
    "ndots:0",
    "ndots:2",
    "ndots:5",
    "attempts:1",
    "attempts:3",
    "edns0",
    "use-vc",
    "no-tld-query",
    "single-request",
    "trust-ad",
    "bogus:7",
];

const SEARCH: [&str; 9] = [
    "search one.test",
    "search one.test two.test",
    "search two.test one.test",
    "search nosuch.test one.test",
    "search .",
    "search one.test. .",
    "domain two.test",
    "domain one.test extra\nsearch two.test",
    "search bad..domain one.test",
];

const SORTLISTS: [&str; 4] = [
    "sortlist 10.0.0.0",
    "sortlist 198.51.100.0/255.255.255.0 10.20.0.0/255.255.0.0",
    "sortlist 127.0.0.0 192.0.2.0; 10.0.0.0",
    "sortlist 10.0.0.0/8 172.16.5.0/255.255.255.0\nsortlist 203.0.113.9/255.255.255.255",
];

const GAI: [&str; 6] = [
    "precedence ::ffff:0:0/96 100\n",
    "scopev4 10.20.0.0/16 2\nscopev4 0.0.0.0/0 14\n",
    "label fd00::/8 1\nlabel ::/0 1\nlabel ::ffff:0:0/96 4\n",
    "label 2001:db8::/32 9\nprecedence 2001:db8::/32 5 # x\n",
    "scopev4 ::ffff:10.0.0.0/104 5\n",
    "bogus\nlabel x y\n",
];

/// The case with this number.
pub fn case(seed: u64) -> Case {
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let random = &mut random;
    let hosts = (!random.chance(12)).then(|| {
        let count = random.below(7);
        let mut text = String::new();
        for _ in 0..count {
            text.push_str(random.pick(&HOSTS[..]));
            text.push_str(if random.chance(9) { "\r\n" } else { "\n" });
        }
        if random.chance(5) {
            text.pop();
        }
        text
    });
    let mut servers = [Behaviour::Good; 3];
    let count = if random.chance(3) { 2 + random.below(2) } else { 1 };
    if random.chance(2) {
        for server in servers.iter_mut().take(count) {
            *server = if random.chance(3) { Behaviour::Good } else { random.pick(&Behaviour::WRONG) };
        }
    }
    // Each of these costs glibc its timeout.
    if random.chance(150) {
        servers[0] = Behaviour::Garbage;
    }
    let resolv_conf = (!random.chance(15)).then(|| {
        let mut text = String::new();
        if random.chance(2) {
            text.push_str(random.pick(&SEARCH[..]));
            text.push('\n');
        }
        for _ in 0..random.below(3) {
            text.push_str(&format!("options {}\n", random.pick(&OPTIONS[..])));
        }
        if random.chance(4) {
            text.push_str(random.pick(&SORTLISTS[..]));
            text.push('\n');
        }
        // On an interface that does not exist, which neither takes as a reason to query nobody.
        if random.chance(20) {
            text.push_str("nameserver fe80::1%nosuch0\n");
        }
        for number in 1..=count {
            // Nothing listens at the second address.
            let last = if servers[number - 1] == Behaviour::Refusing { number + 10 } else { number };
            text.push_str(&format!("nameserver 127.0.0.{last}\n"));
            if random.chance(15) {
                text.push_str("nameserver bogus\n");
            }
        }
        if servers.contains(&Behaviour::Garbage) {
            text.push_str("options timeout:1 attempts:1\n");
        }
        text
    });
    if resolv_conf.is_none() {
        servers = [Behaviour::Good; 3];
    }
    // The C library would stumble as well, and it does not repeat the query plain.
    if resolv_conf.as_ref().is_some_and(|text| text.contains("edns0")) {
        for server in servers.iter_mut().filter(|server| Behaviour::WITHOUT_EDNS.contains(server)) {
            *server = Behaviour::Good;
        }
    }
    let sortlist = resolv_conf.as_ref().is_some_and(|text| text.contains("sortlist"));
    let (name, family) = if sortlist && random.chance(2) {
        ("many.one.test", Family::Ipv4)
    } else {
        let families = [Family::Ipv4, Family::Ipv6, Family::Both, Family::Both];
        (random.pick(&NAMES[..]), random.pick(&families))
    };
    let lines = if random.chance(5) { &WITH_MODULES[..] } else { &NSSWITCH };
    Case {
        name: name.to_owned(),
        family,
        hosts,
        host_conf: random.chance(2).then(|| "multi on\n".to_owned()),
        resolv_conf,
        nsswitch: (!random.chance(10)).then(|| format!("{}\n", random.pick(lines))),
        gai_conf: random.chance(4).then(|| random.pick(&GAI[..]).to_owned()),
        modules: [random.pick(&MODULES), random.pick(&MODULES)],
        servers,
    }
}
