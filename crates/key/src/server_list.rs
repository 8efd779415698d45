//! The servers of an AFS cell, in the form that kAFS accepts: server list, version 1.
//!
//! The layout and the numbers are those of the kernel's include/uapi/linux/dns_resolver.h; fs/afs/vl_list.c,
//! `afs_extract_vlserver_list()`, shows how the kernel reads it. All integers are little-endian:
//!
//! ```text
//! list     u8 0, u8 content, u8 version, u8 source, u8 status, u8 number of servers
//! server   u16 name length, u16 priority, u16 weight, u16 port,
//!          u8 source, u8 status, u8 protocol, u8 number of addresses, name, addresses
//! address  u8 kind, 4 or 16 bytes
//! ```

use crate::query::ServerListForm;
use std::collections::HashSet;
use std::net::IpAddr;

/// The port of AFS volume location servers (fs/afs/afs.h, `AFS_VL_PORT`).
pub const VL_PORT: u16 = 7003;

/// The largest number of servers that a list can count, and of addresses that a server can.
pub const MAX_SERVERS: usize = 255;

/// The longest name that kAFS reads completely.
pub const MAX_SERVER_NAME: usize = 255;

/// The first byte, which distinguishes a binary payload from text.
const BINARY: u8 = 0;
/// `DNS_PAYLOAD_IS_SERVER_LIST`.
const SERVER_LIST: u8 = 0;
/// The version of the encoding.
const VERSION: u8 = 1;
/// `DNS_SERVER_PROTOCOL_UDP`.
const UDP: u8 = 1;
/// `DNS_ADDRESS_IS_IPV4`.
const IPV4: u8 = 0;
/// `DNS_ADDRESS_IS_IPV6`.
const IPV6: u8 = 1;
/// Bytes before the first server.
const LIST_HEADER: usize = 6;
/// Bytes before a server's name.
const SERVER_HEADER: usize = 12;

/// Where something was found: `enum dns_record_source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordSource {
    /// The cell database.
    Config = 1,
    /// AFSDB records.
    Afsdb = 3,
    /// SRV records.
    Srv = 4,
    /// The name service, as for any host name.
    NameService = 5,
}

/// The outcome of the search: `enum dns_lookup_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LookupStatus {
    /// There was no search.
    NotDone = 0,
    /// Good.
    Good = 1,
    /// Good, but some records were invalid.
    GoodWithBad = 2,
    /// There is nothing to find.
    NotFound = 4,
    /// A failure on this host.
    LocalFailure = 5,
    /// A temporary failure.
    TemporaryFailure = 6,
    /// The name servers refuse.
    NameServerFailure = 7,
}

impl RecordSource {
    const fn number(self) -> u8 {
        self as u8
    }

    /// Its name for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Config => "database",
            Self::Afsdb => "AFSDB records",
            Self::Srv => "SRV records",
            Self::NameService => "name service",
        }
    }
}

impl LookupStatus {
    const fn number(self) -> u8 {
        self as u8
    }

    /// Its name for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotDone => "not looked up",
            Self::Good => "good",
            Self::GoodWithBad => "good, with bad records",
            Self::NotFound => "not found",
            Self::LocalFailure => "local failure",
            Self::TemporaryFailure => "temporary failure",
            Self::NameServerFailure => "name servers refuse",
        }
    }
}

/// The servers of one cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerList {
    /// Where the servers' names come from.
    pub source: RecordSource,
    /// Whether everything that was found could be read.
    pub status: LookupStatus,
    /// The servers, in order. Those beyond the first [`MAX_SERVERS`] are not encoded.
    pub servers: Vec<Server>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, without a trailing dot. What exceeds [`MAX_SERVER_NAME`] is not encoded.
    pub name: String,
    /// Lower ones are preferred.
    pub priority: u16,
    /// Among servers of equal priority, higher ones are preferred.
    pub weight: u16,
    /// Its UDP port.
    pub port: u16,
    /// Where the addresses come from.
    pub source: RecordSource,
    /// Why there are these addresses, or none.
    pub status: LookupStatus,
    /// The addresses, in order. Those beyond the first [`MAX_SERVERS`] are not encoded, and kAFS reads 64.
    pub addresses: Vec<IpAddr>,
}

impl ServerList {
    /// The list as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (number, servers) = counted(&self.servers);
        let mut bytes =
            vec![BINARY, SERVER_LIST, VERSION, self.source.number(), self.status.number(), number];
        for server in servers {
            server.encode_into(&mut bytes);
        }
        bytes
    }

    /// The list as text, `IP+PORT,[IPv6]+PORT,…`: each address with its port once, without names, priorities and
    /// statuses.
    #[must_use]
    pub fn text(&self) -> String {
        let mut seen = HashSet::new();
        let mut texts = Vec::new();
        for server in &self.servers {
            for address in &server.addresses {
                if seen.insert((*address, server.port)) {
                    texts.push(text(*address, server.port));
                }
            }
        }
        texts.join(",")
    }

    /// Removes addresses from the end until the list has at most `most` bytes in `form`, and marks it as incomplete in
    /// its status. Returns how many were removed.
    ///
    /// In text form, an address that occurs twice counts twice.
    pub fn fit(&mut self, form: ServerListForm, most: usize) -> usize {
        if form == ServerListForm::V1 {
            self.servers.truncate(MAX_SERVERS);
            self.servers.iter_mut().for_each(|server| server.addresses.truncate(MAX_SERVERS));
        }
        let mut length = match form {
            ServerListForm::V1 => LIST_HEADER,
            ServerListForm::Text => 0,
        };
        length += self.servers.iter().map(|server| server.length(form)).sum::<usize>();
        let mut left_out = 0;
        while length > most
            && let Some(last) = self.servers.last_mut()
        {
            if let Some(address) = last.addresses.pop() {
                length -= last.address_length(form, address);
                left_out += 1;
            }
            if last.addresses.is_empty() {
                length -= last.length(form);
                self.servers.pop();
            }
        }
        if left_out > 0 && self.status == LookupStatus::Good {
            self.status = LookupStatus::GoodWithBad;
        }
        left_out
    }
}

fn text(address: IpAddr, port: u16) -> String {
    match address {
        IpAddr::V4(ip) => format!("{ip}+{port}"),
        IpAddr::V6(ip) => format!("[{ip}]+{port}"),
    }
}

impl Server {
    /// The bytes that the server takes in a list.
    fn length(&self, form: ServerListForm) -> usize {
        let own = match form {
            ServerListForm::V1 => SERVER_HEADER + self.name.len().min(MAX_SERVER_NAME),
            ServerListForm::Text => 0,
        };
        own + self.addresses.iter().map(|address| self.address_length(form, *address)).sum::<usize>()
    }

    /// The bytes that one of its addresses takes, including the comma in text form.
    fn address_length(&self, form: ServerListForm, address: IpAddr) -> usize {
        match (form, address) {
            (ServerListForm::V1, IpAddr::V4(_)) => 5,
            (ServerListForm::V1, IpAddr::V6(_)) => 17,
            (ServerListForm::Text, _) => text(address, self.port).len() + 1,
        }
    }

    fn encode_into(&self, bytes: &mut Vec<u8>) {
        let name = self.name.as_bytes();
        let name = name.get(..MAX_SERVER_NAME).unwrap_or(name);
        let (number, addresses) = counted(&self.addresses);
        let length = u16::try_from(name.len()).unwrap_or_default();
        for field in [length, self.priority, self.weight, self.port] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend([self.source.number(), self.status.number(), UDP, number]);
        bytes.extend(name);
        for address in addresses {
            match address {
                IpAddr::V4(ip) => {
                    bytes.push(IPV4);
                    bytes.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(IPV6);
                    bytes.extend(ip.octets());
                }
            }
        }
    }
}

/// The items that a byte can count, and their number.
fn counted<T>(items: &[T]) -> (u8, &[T]) {
    let items = items.get(..MAX_SERVERS).unwrap_or(items);
    (u8::try_from(items.len()).unwrap_or_default(), items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn server(name: &str, addresses: &[&str]) -> Server {
        Server {
            name: name.to_owned(),
            priority: 0x0102,
            weight: 0x0304,
            port: 7005,
            source: RecordSource::NameService,
            status: LookupStatus::Good,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn list(servers: Vec<Server>) -> ServerList {
        ServerList { source: RecordSource::Srv, status: LookupStatus::Good, servers }
    }

    #[test]
    fn a_list_that_is_too_long_is_truncated_and_the_loss_is_counted() {
        let whole =
            list(vec![server("a", &["192.0.2.1", "2001:db8::1"]), server("b", &["192.0.2.2", "192.0.2.3"])]);
        let length = whole.encode().len();
        let fitted = |form, most| {
            let mut list = whole.clone();
            let left_out = list.fit(form, most);
            (left_out, list)
        };
        assert_eq!(fitted(ServerListForm::V1, length), (0, whole.clone()));
        for (most, left_out, servers) in [
            (length - 1, 1, 2),
            (length - 5, 1, 2),
            (length - 6, 2, 1),
            (6 + 13 + 5, 3, 1),
            (6 + 13, 4, 0),
            (0, 4, 0),
        ] {
            let (found, list) = fitted(ServerListForm::V1, most);
            assert_eq!((found, list.servers.len()), (left_out, servers), "{most}");
            assert_eq!(list.status, LookupStatus::GoodWithBad);
            assert!(list.encode().len() <= most.max(LIST_HEADER));
        }
        let text = whole.text();
        // The comma after the last address is counted, and not written.
        assert_eq!(fitted(ServerListForm::Text, text.len() + 1), (0, whole.clone()));
        let (left_out, list) = fitted(ServerListForm::Text, text.len());
        assert_eq!((left_out, list.text().as_str()), (1, text.rsplit_once(',').unwrap().0));
    }

    #[test]
    fn a_list_is_encoded_in_the_kernel_format() {
        let bytes = list(vec![server("a.b", &["192.0.2.1", "2001:db8::1"])]).encode();
        let expected = [
            &[0, 0, 1, 4, 1, 1][..],
            &[3, 0, 2, 1, 4, 3, 0x5d, 0x1b, 5, 1, 1, 2],
            b"a.b",
            &[0, 192, 0, 2, 1],
            &[1, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn each_source_and_each_status_has_a_distinct_word() {
        let sources =
            [RecordSource::Config, RecordSource::Afsdb, RecordSource::Srv, RecordSource::NameService];
        let statuses = [
            LookupStatus::NotDone,
            LookupStatus::Good,
            LookupStatus::GoodWithBad,
            LookupStatus::NotFound,
            LookupStatus::LocalFailure,
            LookupStatus::TemporaryFailure,
            LookupStatus::NameServerFailure,
        ];
        let words: HashSet<&str> = sources.map(RecordSource::word).into_iter().collect();
        assert!(words.len() == sources.len() && words.contains("SRV records"), "{words:?}");
        let words: HashSet<&str> = statuses.map(LookupStatus::word).into_iter().collect();
        assert!(words.len() == statuses.len() && words.contains("temporary failure"), "{words:?}");
    }

    #[test]
    fn entries_beyond_the_limits_of_the_format_are_left_out() {
        let many: Vec<String> = (0..300).map(|n| format!("10.0.{}.{}", n / 256, n % 256)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let bytes = list(vec![server(&"x".repeat(300), &many)]).encode();
        assert_eq!(bytes.len(), 6 + 12 + 255 + 255 * 5);
        assert_eq!((&bytes[6..8], bytes[17]), (&[255, 0][..], 255));
        let bytes = list(vec![server("", &[]); 300]).encode();
        assert_eq!((bytes[5], bytes.len()), (255, 6 + 255 * 12));
    }

    #[test]
    fn text_lists_each_address_and_port_once() {
        let list = list(vec![server("a", &["2001:db8::1", "192.0.2.1"]), server("b", &["192.0.2.1"])]);
        assert_eq!(list.text(), "[2001:db8::1]+7005,192.0.2.1+7005");
    }

    /// The values of the enumerators in the kernel's header.
    fn header() -> Option<HashMap<String, u8>> {
        let text = std::fs::read_to_string("/usr/include/linux/dns_resolver.h").ok()?;
        let values = text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            let digits: String = value.trim().chars().take_while(char::is_ascii_digit).collect();
            Some((name.trim().to_owned(), digits.parse().ok()?))
        });
        Some(values.collect())
    }

    #[test]
    fn the_numbers_match_the_kernel_header() {
        let Some(header) = header() else {
            assert!(std::env::var_os("CI").is_none(), "linux-libc-dev is not installed");
            return;
        };
        for (number, name) in [
            (SERVER_LIST, "DNS_PAYLOAD_IS_SERVER_LIST"),
            (IPV4, "DNS_ADDRESS_IS_IPV4"),
            (IPV6, "DNS_ADDRESS_IS_IPV6"),
            (UDP, "DNS_SERVER_PROTOCOL_UDP"),
            (RecordSource::Config.number(), "DNS_RECORD_FROM_CONFIG"),
            (RecordSource::Afsdb.number(), "DNS_RECORD_FROM_DNS_AFSDB"),
            (RecordSource::Srv.number(), "DNS_RECORD_FROM_DNS_SRV"),
            (RecordSource::NameService.number(), "DNS_RECORD_FROM_NSS"),
            (LookupStatus::NotDone.number(), "DNS_LOOKUP_NOT_DONE"),
            (LookupStatus::Good.number(), "DNS_LOOKUP_GOOD"),
            (LookupStatus::GoodWithBad.number(), "DNS_LOOKUP_GOOD_WITH_BAD"),
            (LookupStatus::NotFound.number(), "DNS_LOOKUP_GOT_NOT_FOUND"),
            (LookupStatus::LocalFailure.number(), "DNS_LOOKUP_GOT_LOCAL_FAILURE"),
            (LookupStatus::TemporaryFailure.number(), "DNS_LOOKUP_GOT_TEMP_FAILURE"),
            (LookupStatus::NameServerFailure.number(), "DNS_LOOKUP_GOT_NS_FAILURE"),
        ] {
            assert_eq!(header.get(name), Some(&number), "{name}");
        }
    }
}
