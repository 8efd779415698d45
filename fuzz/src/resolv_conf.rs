use names::config::resolv::ResolvConf;
use names::config::sortlist::Sortlist;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

/// `resolv.conf`, and the order of addresses that its `sortlist` makes.
pub fn resolv_conf(input: &[u8]) {
    let (conf, warnings) = ResolvConf::parse(input);
    crate::check_lines(&warnings, input);
    assert!((1..=3).contains(&conf.servers.len()));
    assert!((1..=30).contains(&conf.timeout) && conf.attempts <= 5 && conf.ndots <= 15);
    for domain in conf.search.iter().flatten() {
        assert!(!domain.is_empty() && !domain.contains([' ', '\t', '\n']));
    }
    // Written out, it says the same.
    let (again, warnings) = ResolvConf::parse(written(&conf).as_bytes());
    assert_eq!(warnings, []);
    assert_eq!(again, ResolvConf { sortlist: Sortlist::default(), ..conf.clone() });
    // Sorting loses no address and makes none up.
    let mut addresses: Vec<IpAddr> = input
        .chunks_exact(4)
        .take(60)
        .map(|bytes| Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into())
        .collect();
    let before = addresses.clone();
    conf.sortlist.apply(&mut addresses, |address| *address);
    if conf.sortlist.is_empty() {
        assert_eq!(addresses, before);
    }
    let once = addresses.clone();
    conf.sortlist.apply(&mut addresses, |address| *address);
    assert_eq!(addresses, once);
    let sorted = |mut addresses: Vec<IpAddr>| {
        addresses.sort();
        addresses
    };
    assert_eq!(sorted(addresses), sorted(before));
}

fn written(conf: &ResolvConf) -> String {
    let mut text = String::new();
    for server in &conf.servers {
        let scope = server.scope.as_ref().map(|scope| format!("%{scope}")).unwrap_or_default();
        writeln!(text, "nameserver {}{scope}", server.address).unwrap();
    }
    if let Some(search) = &conf.search {
        writeln!(text, "search {}", search.join(" ")).unwrap();
    }
    let ResolvConf { ndots, timeout, attempts, .. } = conf;
    write!(text, "options ndots:{ndots} timeout:{timeout} attempts:{attempts}").unwrap();
    for (set, name) in [
        (conf.rotate, "rotate"),
        (conf.use_vc, "use-vc"),
        (conf.no_tld_query, "no-tld-query"),
        (conf.no_aaaa, "no-aaaa"),
        (conf.single_request, "single-request"),
    ] {
        if set {
            write!(text, " {name}").unwrap();
        }
    }
    text
}
