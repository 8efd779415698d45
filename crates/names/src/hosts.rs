//! The `files` source of host names: `/etc/hosts`.
//!
//! [`scan`] answers as the `files` service of glibc 2.36 does when `getaddrinfo` asks it for a
//! `SOCK_STREAM` address without flags. hosts(5) does not say which line wins, nor what happens to
//! odd ones, so the references here are to glibc's files by name: `nss/nss_readline.c`,
//! `nss/nss_files/files-parse.c`, `nss/nss_files/files-hosts.c`.
//!
//! # What glibc does outside this source
//!
//! * Before it: a name that `inet_aton` or `inet_pton` reads is an address, and no source is asked.
//! * Before it, for IPv4 alone only (`nss/digits_dots.c`): no source is asked for a name
//!   that starts with a digit, holds only digits and dots and does not end in a dot, nor for one
//!   that holds a colon and starts with a colon or hexadecimal digit. Such a name does not exist.
//! * After it, for IPv4 alone only: `reorder on` in host.conf moves an address on a local
//!   subnet to the front (`_res_hconf_reorder_addrs`).
//! * After it: the addresses are sorted (RFC 6724). Duplicates are *not* removed, and without
//!   `AI_V4MAPPED` nothing else is changed: an IPv4-mapped address stays IPv6 unless
//!   IPv4 alone was asked for.
//! * `RESOLV_HOST_CONF` and `RESOLV_MULTI` in the environment override host.conf.

use crate::address::{Address, AddressSet, Families, Origin};
use crate::config::{self, host_conf};
use crate::file::DeferredFile;
use key::Family;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4: Families = Families::Only(Family::Ipv4);
const IPV6: Families = Families::Only(Family::Ipv6);

/// The files of this source.
#[derive(Debug)]
pub struct Files {
    pub(crate) hosts: DeferredFile,
    pub(crate) host_conf: DeferredFile,
}

impl Files {
    /// Opens them.
    #[must_use]
    pub fn open() -> Self {
        Self { hosts: DeferredFile::open(config::HOSTS), host_conf: DeferredFile::open(host_conf::PATH) }
    }
}

/// A larger hosts file is not read to its end: the limit is ten times the largest block lists.
const LARGEST: u64 = 64 << 20;

/// The addresses of `name` in the hosts file; `None` if there is no such line.
///
/// # Errors
/// If the file can't be read, is larger than 64 MiB, or has too many addresses for one name.
pub fn lookup(files: &Files, name: &str, families: Families) -> io::Result<Option<AddressSet>> {
    let mut file = BufReader::new(files.hosts.from_start()?.take(LARGEST + 1));
    let multi = || files.host_conf.read().is_ok_and(|text| host_conf::multi(&text));
    let entries = scan(&mut file, name, families, multi)?;
    if file.get_ref().limit() == 0 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
    }
    let addresses: Vec<Address> = entries.into_iter().map(Address::from).collect();
    Ok((!addresses.is_empty()).then_some(AddressSet { addresses, ttl: None, incomplete: None }))
}

impl From<HostsEntry> for Address {
    fn from(entry: HostsEntry) -> Self {
        Self { ip: entry.address, origin: Origin::Hosts(entry.line) }
    }
}

/// One line of a hosts file that names the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostsEntry {
    /// The address, in the family in which it is to be used.
    pub address: IpAddr,
    /// The line it is on, the first being 1.
    pub line: usize,
}

/// The most entries a lookup collects: 2 MiB of them.
const MAX_ENTRIES: usize = 1 << 16;

/// The longest text `inet_pton` takes for an address: six groups of four digits, then dotted IPv4.
const MAX_ADDRESS: usize = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".len();

/// Looks `name` up in a hosts file read from `file`.
///
/// The entries are in the order of the file. Where `multi` is true, which is asked when the first entry is found, there is one for every
/// line that has `name`, compared without regard to ASCII case, as canonical name or alias, so an
/// address may occur more than once; without it only the first such line counts, whatever its
/// family, and reading stops there. The result is empty if there is none.
///
/// If only IPv4 is requested, an IPv4-mapped IPv6 address is returned as IPv4, and `::1` as 127.0.0.1. Lines whose
/// address is malformed, scoped (`fe80::1%eth0`) or of another family are skipped.
///
/// Memory is bounded, whatever the file holds: 2¹⁶ entries and one read buffer are kept at most.
///
/// # Errors
///
/// A failure to read `file` is returned even if entries were found before it. (glibc then returns what it has if one
/// family is requested, and an error if both are.) [`io::ErrorKind::OutOfMemory`] is returned if there are more than
/// 2¹⁶ entries, with which glibc would continue.
pub fn scan(
    file: &mut impl BufRead,
    name: &str,
    families: Families,
    multi: impl FnOnce() -> bool,
) -> io::Result<Vec<HostsEntry>> {
    let mut found = Vec::new();
    let mut multi = Some(multi);
    let mut line = Line::new(name.as_bytes());
    for number in 1.. {
        let more = line.read(file)?;
        if let Some(address) = line.finish(families) {
            if found.len() == MAX_ENTRIES {
                let message = format!("line {number}: too many addresses for one name");
                return Err(io::Error::new(io::ErrorKind::OutOfMemory, message));
            }
            found.push(HostsEntry { address, line: number });
            if multi.take().is_some_and(|multi| !multi()) {
                break;
            }
        }
        if !more {
            break;
        }
    }
    Ok(found)
}

/// The parser's position in a line.
#[derive(Clone, Copy)]
enum Field {
    Indent,
    Address,
    /// After the address, before any name.
    Gap,
    /// In a name, of which this many bytes equal the requested name; `None` if it differs.
    Name(Option<usize>),
    /// After a name that is not the requested one.
    Blank,
    /// Where the rest of the line does not matter. Says whether the line has the name.
    Over(bool),
}

/// A line of a hosts file, parsed in pieces as `parse_line` of `files-hosts.c` does it whole.
struct Line<'a> {
    name: &'a [u8],
    field: Field,
    /// The start of the first field, long enough to tell whether it is an address.
    address: Vec<u8>,
}

impl<'a> Line<'a> {
    fn new(name: &'a [u8]) -> Self {
        Line { name, field: Field::Indent, address: Vec::with_capacity(MAX_ADDRESS + 1) }
    }

    /// Reads a line. Returns whether it ended in a newline; otherwise it is the last one, maybe empty.
    fn read(&mut self, file: &mut impl BufRead) -> io::Result<bool> {
        loop {
            let buffer = match file.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            // As a reader, a slice gives access to the fast `memchr` of std.
            let mut rest = buffer;
            let length = rest.skip_until(b'\n')?;
            let piece = buffer.get(..length).unwrap_or(buffer);
            let (text, newline) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                Some(_) => (piece, false),
                None => return Ok(false),
            };
            self.feed(text);
            file.consume(length);
            if newline {
                return Ok(true);
            }
        }
    }

    /// Parses a piece of the line that contains no newline.
    fn feed(&mut self, mut text: &[u8]) {
        if matches!(self.field, Field::Indent) {
            let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
            text = text.get(start..).unwrap_or_default();
        }
        while !matches!(self.field, Field::Over(_)) {
            let end = text.iter().position(|byte| ends_field(*byte));
            let Some((field, rest)) = text.split_at_checked(end.unwrap_or(text.len())) else {
                return;
            };
            self.extend_field(field);
            let Some((end, rest)) = rest.split_first() else {
                return;
            };
            text = rest;
            match end {
                // Also within a field: `strpbrk` in LINE_PARSER of files-parse.c.
                b'#' | 0 => self.field = Field::Over(self.matches()),
                _ => {
                    self.field = match self.field {
                        Field::Address => Field::Gap,
                        Field::Name(_) if self.matches() => Field::Over(true),
                        Field::Name(_) => Field::Blank,
                        other => other,
                    }
                }
            }
        }
    }

    /// Adds bytes that end no field to the current one, or to a new one after a blank.
    fn extend_field(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.field = match self.field {
            Field::Indent | Field::Address => {
                let room = (MAX_ADDRESS + 1).saturating_sub(self.address.len());
                self.address.extend(text.iter().take(room));
                Field::Address
            }
            Field::Gap | Field::Blank => Field::Name(self.equal(0, text)),
            Field::Name(equal) => Field::Name(equal.and_then(|equal| self.equal(equal, text))),
            over @ Field::Over(_) => over,
        }
    }

    /// How much of the name `text` equals, given it follows `before` equal bytes; `None` if not.
    fn equal(&self, before: usize, text: &[u8]) -> Option<usize> {
        let equal = before + text.len();
        let part = self.name.get(before..equal)?;
        part.eq_ignore_ascii_case(text).then_some(equal)
    }

    /// Whether the line has the name, if it ends here.
    ///
    /// A line with only an address has an empty canonical name, and `getaddrinfo("")` finds it.
    fn matches(&self) -> bool {
        match self.field {
            Field::Address | Field::Gap => self.name.is_empty(),
            Field::Name(equal) => equal == Some(self.name.len()),
            Field::Indent | Field::Blank => false,
            Field::Over(matches) => matches,
        }
    }

    /// Ends the line, and returns its address if it has the name. A new line may follow.
    fn finish(&mut self, families: Families) -> Option<IpAddr> {
        let address = self.matches().then(|| parse_address(&self.address, families));
        self.field = Field::Indent;
        self.address.clear();
        address.flatten()
    }
}

/// `isspace` of the C locale. Unlike [`u8::is_ascii_whitespace`] it includes the vertical tab.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Whether `byte` ends a field of a line, or the line.
const fn ends_field(byte: u8) -> bool {
    byte <= b'#' && (is_space(byte) || matches!(byte, b'#' | 0))
}

/// An address as `LINE_PARSER` of `files-hosts.c` takes it for `families`.
fn parse_address(text: &[u8], families: Families) -> Option<IpAddr> {
    // The parsers of std accept what glibc's `inet_pton` does: no scope, no leading zeros in IPv4.
    let address = str::from_utf8(text).ok()?.parse().ok()?;
    match (families, address) {
        (Families::Both, _) | (IPV4, IpAddr::V4(_)) | (IPV6, IpAddr::V6(_)) => Some(address),
        (IPV4, IpAddr::V6(Ipv6Addr::LOCALHOST)) => Some(Ipv4Addr::LOCALHOST.into()),
        (IPV4, IpAddr::V6(mapped)) => mapped.to_ipv4_mapped().map(IpAddr::V4),
        (IPV6, IpAddr::V4(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{BufReader, Read};

    const ALL: [Families; 3] = [IPV4, IPV6, Families::Both];

    /// The addresses, and the lines they are on, as text: `127.0.0.1@1 ::1@2`.
    fn found(hosts: impl AsRef<[u8]>, name: &str, families: Families, multi: bool) -> String {
        let entries = scan(&mut hosts.as_ref(), name, families, || multi).unwrap();
        let text = entries.iter().map(|e| format!("{}@{}", e.address, e.line));
        text.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn with_multi_all_matching_lines_are_used_and_otherwise_only_the_first() {
        let hosts = "# lo\n127.0.0.1 lo\n::1 x LO\n::ffff:1.2.3.4 lo # two\n::7 lo";
        let cases = [
            (IPV4, "127.0.0.1@2 127.0.0.1@3 1.2.3.4@4"),
            (IPV6, "::1@3 ::ffff:1.2.3.4@4 ::7@5"),
            (Families::Both, "127.0.0.1@2 ::1@3 ::ffff:1.2.3.4@4 ::7@5"),
        ];
        for (families, expected) in cases {
            assert_eq!(found(hosts, "Lo", families, true), expected);
            let first = expected.split(' ').next().unwrap();
            assert_eq!(found(hosts, "Lo", families, false), first);
        }
    }

    #[test]
    fn lines_without_a_plain_address_are_ignored() {
        for address in "fe80::1%eth0 01.2.3.4 1.2.3 1.2.3.4. 0x7f000001 [::1] 1::2::3".split(' ') {
            let hosts = format!("{address} foo\n192.0.2.1 foo\n");
            assert_eq!(found(hosts, "foo", Families::Both, false), "192.0.2.1@2");
        }
        let long = format!("{}1.2.3.4 foo", "0".repeat(100));
        assert_eq!(found(long, "foo", Families::Both, false), "");
    }

    #[test]
    fn names_end_at_blanks_comments_nul_and_the_end_of_the_file() {
        let hosts = b"::1 a\tb\x0bc\x0cd\r\n::2 e#f\n::3 g\0h\n\0::4 h\n::5\r\r \xe9 j";
        let at = |name| found(hosts, name, Families::Both, true);
        assert_eq!(["a", "b", "c", "d"].map(at), ["::1@1"; 4]);
        assert_eq!(["e", "g", "j"].map(at), ["::2@2", "::3@3", "::5@5"]);
        assert_eq!(["f", "h", "j."].map(at), [""; 3]);
    }

    #[test]
    fn the_empty_name_matches_a_line_with_only_an_address() {
        let hosts = "\n::1 a\n::2\n::3 # a\n";
        assert_eq!(found(hosts, "", Families::Both, true), "::2@3 ::3@4");
    }

    #[test]
    fn a_last_line_without_a_newline_is_complete_even_if_indented() {
        assert_eq!(found("  ::1 foo", "foo", Families::Both, true), "::1@1");
        assert_eq!(found("  ::1 foo\0bar\n", "foo", Families::Both, true), "::1@1");
    }

    #[test]
    fn a_read_error_after_a_match_is_returned_only_with_multi() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::IsADirectory.into())
            }
        }
        let read = |multi| {
            let mut file = BufReader::new(b"::1 a\n".chain(Broken));
            scan(&mut file, "a", Families::Both, || multi)
        };
        assert_eq!(read(true).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(false).unwrap().len(), 1);
    }

    #[test]
    fn entries_are_limited() {
        let hosts = "::1 a\n".repeat(MAX_ENTRIES);
        let entries = |hosts: &str| scan(&mut hosts.as_bytes(), "a", Families::Both, || true);
        assert_eq!(entries(&hosts).unwrap().len(), MAX_ENTRIES);
        let error = entries(&(hosts + "::1 a")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }

    /// What [`scan`] does, line by line.
    fn model(hosts: &[u8], name: &str, families: Families, multi: bool) -> Vec<HostsEntry> {
        let mut found = Vec::new();
        for (number, line) in hosts.split_inclusive(|b| *b == b'\n').enumerate() {
            let buffer = line.split(|b| *b == 0).next().unwrap();
            let text = buffer.split(|b| matches!(b, b'#' | b'\n')).next().unwrap();
            let mut fields = text.split(|b| is_space(*b)).filter(|f| !f.is_empty());
            let address = String::from_utf8_lossy(fields.next().unwrap_or_default());
            let mut names: Vec<_> = fields.collect();
            if names.is_empty() {
                names.push(b"");
            }
            let v4 = address.parse().map(IpAddr::V4).ok();
            let v6 = address.parse().ok();
            let as_v4 = v6.and_then(|address: Ipv6Addr| match address.segments() {
                [0, 0, 0, 0, 0, 0, 0, 1] => Some(Ipv4Addr::LOCALHOST.into()),
                [0, 0, 0, 0, 0, 0xffff, ..] => Some(address.to_canonical()),
                _ => None,
            });
            let address = match families {
                IPV4 => v4.or(as_v4),
                IPV6 => v6.map(IpAddr::V6),
                Families::Both => v4.or(v6.map(IpAddr::V6)),
            };
            let same = |n: &&[u8]| n.eq_ignore_ascii_case(name.as_bytes());
            if names.iter().any(same) {
                let line = number + 1;
                found.extend(address.map(|address| HostsEntry { address, line }));
            }
        }
        found.truncate(if multi { usize::MAX } else { 1 });
        found
    }

    fn hosts_file() -> impl Strategy<Value = Vec<u8>> {
        let parts =
            "1.2.3.4,::1,::ffff:1.2.3.4,::1%1,foo,FoO,fo,o, , ,\t , foo,\n,\n,\r\n,\n  ::1 ,#,\0,\u{b},é";
        let part = prop::sample::select(parts.split(',').collect::<Vec<_>>());
        let parts = prop::collection::vec(part, 0..40);
        let parts = parts.prop_map(|parts| parts.concat().into_bytes());
        prop_oneof![3 => parts, 1 => any::<Vec<u8>>()]
    }

    proptest! {
        #[test]
        fn a_scan_equals_the_model_for_any_buffer_size(
            hosts in hosts_file(),
            name in prop::sample::select(vec!["foo", "foofoo", "fooo", "o", "foo1", "::1", "é", ""]),
            multi: bool,
            cut in 1..20_usize,
        ) {
            for families in ALL {
                let entries = scan(&mut BufReader::with_capacity(cut, &*hosts), name, families, || multi);
                prop_assert_eq!(entries.unwrap(), model(&hosts, name, families, multi));
            }
        }

        #[test]
        fn nothing_panics_on_arbitrary_bytes(text: Vec<u8>, name: String) {
            for families in ALL {
                let _ = scan(&mut &*text, &name, families, || true);
            }
        }
    }
}
