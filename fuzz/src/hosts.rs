use key::Family;
use names::Families;
use names::hosts::scan;
use std::io::BufReader;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A hosts file, searched for a name.
///
/// The first byte says how, the rest of the first line is the name, and the file follows.
pub fn hosts(input: &[u8]) {
    let Some((&how, input)) = input.split_first() else { return };
    let (name, file) = crate::first_line(input);
    let Ok(name) = std::str::from_utf8(name) else { return };
    let families = match how % 3 {
        0 => Families::Both,
        1 => Families::Only(Family::Ipv4),
        _ => Families::Only(Family::Ipv6),
    };
    let multi = how & 0x10 == 0;
    let whole = scan(&mut &file[..], name, families, || multi).expect("memory can be read");
    // However the file comes in pieces.
    let mut pieces = BufReader::with_capacity(1 + usize::from(how >> 5), file);
    assert_eq!(scan(&mut pieces, name, families, || multi).expect("memory can be read"), whole);
    let found: Vec<(IpAddr, usize)> = whole.iter().map(|entry| (entry.address, entry.line)).collect();
    assert_eq!(found, naively(name, file, families, multi));
}

/// The same, line by line.
fn naively(name: &str, file: &[u8], families: Families, multi: bool) -> Vec<(IpAddr, usize)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(file.split(|&byte| byte == b'\n')) {
        let text = line.split(|byte| matches!(byte, b'#' | 0)).next().unwrap_or_default();
        let mut words =
            text.split(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).filter(|word| !word.is_empty());
        let Some(address) = words.next() else { continue };
        let mut names: Vec<&[u8]> = words.collect();
        if names.is_empty() {
            names.push(b"");
        }
        if !names.iter().any(|one| one.eq_ignore_ascii_case(name.as_bytes())) {
            continue;
        }
        let address: Option<IpAddr> = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
        let fits = match (families, address) {
            (Families::Only(Family::Ipv4), Some(IpAddr::V6(Ipv6Addr::LOCALHOST))) => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            (Families::Only(Family::Ipv4), Some(IpAddr::V6(ip))) => ip.to_ipv4_mapped().map(IpAddr::V4),
            (Families::Only(Family::Ipv6), Some(IpAddr::V4(_))) => None,
            (_, other) => other,
        };
        if let Some(address) = fits {
            found.push((address, number));
            if !multi {
                break;
            }
        }
    }
    found
}
