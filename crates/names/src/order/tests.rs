#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::config::gai::parse;

/// A host described by its answers; it notes the destinations it is asked about.
#[derive(Default)]
struct Host {
    /// Destination and source.
    routes: Vec<(IpAddr, IpAddr)>,
    interfaces: Vec<(IpAddr, Interface)>,
    asked: RefCell<Vec<IpAddr>>,
}

impl SourceAddresses for Host {
    fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        self.asked.borrow_mut().push(destination);
        let route = self.routes.iter().find(|(to, _)| *to == destination);
        route.map(|(_, source)| *source)
    }

    fn interface_of(&self, source: IpAddr) -> Option<Interface> {
        let row = self.interfaces.iter().find(|(address, _)| *address == source);
        row.map(|(_, interface)| *interface)
    }
}

impl Host {
    fn route(mut self, to: &str, from: &str) -> Self {
        self.routes.push((address(to), address(from)));
        self
    }

    fn interface(mut self, from: &str, interface: Interface) -> Self {
        self.interfaces.push((address(from), interface));
        self
    }

    fn sorted_by(&self, policy: &Policy, names: &[&str]) -> Vec<String> {
        let mut addresses: Vec<IpAddr> = names.iter().map(|name| address(name)).collect();
        sort(&mut addresses, policy, self);
        addresses.iter().map(ToString::to_string).collect()
    }

    /// Both ways around, the first address is to come first.
    #[track_caller]
    fn prefers(&self, better: &str, worse: &str) {
        for names in [[better, worse], [worse, better]] {
            let sorted = self.sorted_by(&Policy::default(), &names);
            assert_eq!(sorted, [better, worse], "from {names:?}");
        }
    }

    #[track_caller]
    fn ties(&self, a: &str, b: &str) {
        for names in [[a, b], [b, a]] {
            assert_eq!(self.sorted_by(&Policy::default(), &names), names);
        }
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn interface(prefix_len: u8) -> Interface {
    Interface { prefix_len, deprecated: false }
}

#[test]
fn fewer_than_two_addresses_need_no_route_lookup() {
    let host = Host::default();
    assert_eq!(host.sorted_by(&Policy::default(), &[]), [""; 0]);
    host.sorted_by(&Policy::default(), &["192.0.2.1"]);
    assert!(host.asked.borrow().is_empty());
}

#[test]
fn an_unreachable_address_comes_after_a_reachable_one() {
    let host = Host::default().route("192.0.2.1", "192.0.2.9");
    host.prefers("192.0.2.1", "2001:db8::1");
}

#[test]
fn unreachable_addresses_go_by_precedence_and_scope() {
    let host = Host::default();
    host.prefers("2001:db8::1", "2002::1");
    host.prefers("2002::1", "192.0.2.1");
    host.prefers("169.254.0.1", "192.0.2.1");
    host.prefers("fe80::1", "2001:db8::1");
    host.ties("192.0.2.1", "192.0.2.2");
}

#[test]
fn a_source_of_the_same_scope_is_preferred() {
    let host = Host::default().route("2001:db8::1", "fe80::9").route("192.0.2.1", "192.0.2.9");
    host.prefers("192.0.2.1", "2001:db8::1");
}

#[test]
fn a_deprecated_source_is_avoided() {
    let deprecated = Interface { deprecated: true, ..interface(64) };
    let host = Host::default()
        .route("2001:db8::1", "2001:db8::9")
        .interface("2001:db8::9", deprecated)
        .route("192.0.2.1", "192.0.2.9");
    host.prefers("192.0.2.1", "2001:db8::1");
}

#[test]
fn a_source_of_the_same_label_is_preferred() {
    let host = Host::default().route("2001:db8::1", "fd00::9").route("192.0.2.1", "192.0.2.9");
    host.prefers("192.0.2.1", "2001:db8::1");
}

#[test]
fn global_ipv6_comes_before_ipv4_if_both_work() {
    let host = Host::default().route("2001:db8::1", "2001:db8::9").route("192.0.2.1", "192.0.2.9");
    host.prefers("2001:db8::1", "192.0.2.1");
}

#[test]
fn a_smaller_scope_is_preferred() {
    let host = Host::default().route("169.254.0.1", "169.254.0.9").route("192.0.2.1", "192.0.2.1");
    host.prefers("169.254.0.1", "192.0.2.1");
}

#[test]
fn common_bits_of_ipv6_count_beyond_the_prefix_of_the_source() {
    let host = Host::default()
        .route("2001:db8::8:1", "2001:db8::8:9")
        .route("2001:db8::1", "2001:db8::8:9")
        .interface("2001:db8::8:9", interface(64));
    host.prefers("2001:db8::8:1", "2001:db8::1");
}

#[test]
fn common_bits_of_ipv4_count_in_the_subnet_only() {
    let host = Host::default()
        .route("192.0.2.8", "192.0.2.9")
        .route("192.0.2.200", "192.0.2.9")
        .route("192.0.3.1", "192.0.2.9")
        .route("10.0.0.1", "192.0.2.9")
        .interface("192.0.2.9", interface(24));
    host.prefers("192.0.2.8", "192.0.2.200");
    host.prefers("192.0.2.200", "10.0.0.1");
    host.ties("192.0.3.1", "10.0.0.1");
}

#[test]
fn an_unknown_subnet_contains_only_the_source() {
    let host = Host::default()
        .route("192.0.2.8", "192.0.2.9")
        .route("192.0.2.9", "192.0.2.9")
        .route("10.0.0.1", "192.0.2.9");
    host.ties("192.0.2.8", "10.0.0.1");
    host.prefers("192.0.2.9", "192.0.2.8");
}

#[test]
fn duplicates_are_kept_and_looked_up_in_order() {
    let host = Host::default().route("192.0.2.1", "192.0.2.9");
    let names = ["192.0.2.2", "192.0.2.1", "192.0.2.1"];
    let sorted = host.sorted_by(&Policy::default(), &names);
    assert_eq!(sorted, ["192.0.2.1", "192.0.2.1", "192.0.2.2"]);
    assert_eq!(*host.asked.borrow(), names.map(address));
}

#[test]
fn tied_families_keep_the_first_family_first_sorted_by_prefix() {
    let host = Host::default()
        .route("10.0.0.1", "192.0.2.9")
        .route("192.0.2.8", "192.0.2.9")
        .route("2001:db8::1", "2001:db8::9")
        .route("2600::1", "2001:db8::9")
        .interface("192.0.2.9", interface(24));
    let (policy, _) = parse(b"precedence ::/0 40");
    let sorted = host.sorted_by(&policy, &["10.0.0.1", "2600::1", "192.0.2.8", "2001:db8::1"]);
    assert_eq!(sorted, ["192.0.2.8", "10.0.0.1", "2001:db8::1", "2600::1"]);
    let sorted = host.sorted_by(&policy, &["2600::1", "10.0.0.1", "2001:db8::1", "192.0.2.8"]);
    assert_eq!(sorted, ["2001:db8::1", "2600::1", "192.0.2.8", "10.0.0.1"]);
}

#[test]
fn a_policy_from_gai_conf_overrides_the_default() {
    let host = Host::default().route("2001:db8::1", "2001:db8::9").route("192.0.2.1", "192.0.2.9");
    let (policy, _) = parse(b"precedence ::ffff:0:0/96 100");
    let sorted = host.sorted_by(&policy, &["2001:db8::1", "192.0.2.1"]);
    assert_eq!(sorted, ["192.0.2.1", "2001:db8::1"]);
}

/// A host whose answers follow from the bits of the question.
struct Arbitrary(u64);

impl Arbitrary {
    fn number(&self, of: IpAddr) -> u64 {
        let bytes = of.to_string().into_bytes();
        let mix = |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        bytes.into_iter().fold(self.0, mix) >> 20
    }
}

impl SourceAddresses for Arbitrary {
    fn source_for(&self, destination: IpAddr) -> Option<IpAddr> {
        let text = match (self.number(destination) % 4, destination) {
            (0, _) => return None,
            (1, IpAddr::V4(_)) => "10.1.2.3",
            (_, IpAddr::V4(_)) => "127.0.0.1",
            (1, IpAddr::V6(_)) => "fe80::1",
            (2, IpAddr::V6(_)) => "::ffff:10.1.2.3",
            (_, IpAddr::V6(_)) => "2001:db8::1",
        };
        Some(address(text))
    }

    fn interface_of(&self, source: IpAddr) -> Option<Interface> {
        let number = self.number(source);
        let bit = |at: u32| number >> at & 1 == 1;
        bit(0).then(|| Interface { prefix_len: if bit(2) { 24 } else { 200 }, deprecated: bit(3) })
    }
}

fn any_v4() -> impl Strategy<Value = IpAddr> {
    let likely = prop::sample::select(vec!["10.1.2.4", "10.1.3.3", "127.0.0.1", "169.254.0.1"]);
    prop_oneof![likely.prop_map(address), any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into()),]
}

fn any_v6() -> impl Strategy<Value = IpAddr> {
    let likely = prop::sample::select(vec!["2001:db8::2", "::1", "fe80::2", "ff02::1", "fd00::1"]);
    prop_oneof![
        likely.prop_map(address),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into()),
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).to_ipv6_mapped().into()),
    ]
}

proptest! {
    #[test]
    fn sorting_is_a_permutation(
        addresses in prop::collection::vec(prop_oneof![any_v4(), any_v6()], 0..40),
        conf in "((label|precedence) ::(/0|ffff:0:0/96) [1-3]\n){0,4}",
        host in any::<u64>(),
    ) {
        let mut sorted = addresses.clone();
        sort(&mut sorted, &parse(conf.as_bytes()).0, &Arbitrary(host));
        let in_order = |mut addresses: Vec<IpAddr>| {
            addresses.sort_unstable();
            addresses
        };
        prop_assert_eq!(in_order(sorted), in_order(addresses));
    }

    /// Within one family; of two that tie, the first address's comes first.
    #[test]
    fn sorting_again_changes_nothing(
        addresses in prop_oneof![
            prop::collection::vec(any_v4(), 0..40),
            prop::collection::vec(any_v6(), 0..40),
        ],
        conf in "((label|precedence) ::(/0|ffff:0:0/96) [1-3]\n){0,4}",
        host in any::<u64>(),
    ) {
        let policy = parse(conf.as_bytes()).0;
        let mut once = addresses;
        sort(&mut once, &policy, &Arbitrary(host));
        let mut twice = once.clone();
        sort(&mut twice, &policy, &Arbitrary(host));
        prop_assert_eq!(once, twice);
    }
}
