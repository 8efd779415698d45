use names::config::gai;
use names::order::{Interface, SourceAddresses, sort};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `gai.conf`, and the order in which it puts addresses.
///
/// The addresses are the bytes after the last `=` in front of the file's end, and the sources that they would be
/// reached from are made of the same bytes.
pub fn gai_conf(input: &[u8]) {
    let divide = input.iter().rposition(|&byte| byte == b'=').unwrap_or(input.len());
    let (file, rest) = input.split_at(divide);
    let bytes = rest.get(1..).unwrap_or_default();
    let (policy, warnings) = gai::parse(file);
    crate::check_lines(&warnings, file);
    let addresses: Vec<IpAddr> = bytes.chunks(5).map(address).collect();
    for &address in &addresses {
        if let IpAddr::V4(ip) = address {
            assert_eq!(policy.label(address), policy.label(ip.to_ipv6_mapped().into()));
            assert_eq!(policy.precedence(address), policy.precedence(ip.to_ipv6_mapped().into()));
        }
    }
    let sources = Sources { asked: Cell::new(0), salt: file.first().copied().unwrap_or_default() };
    let mut sorted = addresses.clone();
    sort(&mut sorted, &policy, &sources);
    assert!(sources.asked.get() <= addresses.len());
    if addresses.len() == 2 && sorted != addresses {
        // Which of two comes first does not hang on their order, unless they are equal.
        let mut again = sorted.clone();
        sort(&mut again, &policy, &sources);
        assert_eq!(again, sorted);
    }
    let mut before = addresses;
    before.sort();
    sorted.sort();
    assert_eq!(sorted, before);
}

/// An address with the beginnings that the rules tell apart.
fn address(bytes: &[u8]) -> IpAddr {
    let byte = |place: usize| bytes.get(place).copied().unwrap_or_default();
    let low = u32::from_be_bytes([byte(1), byte(2), byte(3), byte(4)]);
    let head: u128 = match byte(0) % 10 {
        0 => 0,
        1 => 0xffff << 32,
        2 => 0xfe80 << 112,
        3 => 0xfec0 << 112,
        4 => 0xfc00 << 112,
        5 => 0x2002 << 112,
        6 => 0x2001 << 112,
        7 => 0xff02 << 112,
        8 => 0x2001_0db8 << 96,
        _ => return Ipv4Addr::from_bits(low).into(),
    };
    Ipv6Addr::from_bits(head | u128::from(low)).into()
}

struct Sources {
    asked: Cell<usize>,
    salt: u8,
}

impl SourceAddresses for Sources {
    fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        self.asked.set(self.asked.get() + 1);
        let key = match destination {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let last = key.octets()[15] ^ self.salt;
        let own = match destination {
            IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() ^ 1 << (last % 32)).into(),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() ^ 1 << (last % 128)).into(),
        };
        (!last.is_multiple_of(5)).then_some(own)
    }

    fn interface_of(&self, source: IpAddr) -> Option<Interface> {
        let octets = match source {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
            IpAddr::V6(ip) => ip.octets(),
        };
        let [.., flags, prefix_len] = octets;
        (flags != 0x55).then_some(Interface { prefix_len, deprecated: flags & 1 != 0 })
    }
}
