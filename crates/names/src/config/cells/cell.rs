//! A cell and its servers, as files have them.

use crate::name;
use std::net::IpAddr;

/// What the files say about one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Whether DNS may be asked for the cell's servers, where a file says it.
    pub use_dns: Option<bool>,
    /// Its volume location servers, in the order of the file.
    pub servers: Vec<Server>,
}

/// A volume location server as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its addresses, with a port where one is given.
    pub addresses: Vec<(IpAddr, Option<u16>)>,
}

impl Cell {
    /// Whether DNS is to be asked before the servers listed here.
    ///
    /// Without a word about it, servers listed are there to be used: they override DNS, as for kafs-dns.
    #[must_use]
    pub fn asks_dns(&self) -> bool {
        self.use_dns.unwrap_or(self.servers.is_empty())
    }
}

/// Whether two names of cells are one, as they are in DNS and for the kernel's keys.
pub(super) fn same_cell(one: &str, other: &str) -> bool {
    let bare = |name| str::strip_suffix(name, '.').unwrap_or(name);
    bare(one).eq_ignore_ascii_case(bare(other))
}

/// The place of a server in `servers`, to which it is added if it isn't there.
pub(super) fn entry(servers: &mut Vec<Server>, name: &str) -> usize {
    let place = servers.iter().position(|server| server.name.eq_ignore_ascii_case(name));
    place.unwrap_or_else(|| {
        servers.push(Server { name: name.to_owned(), addresses: Vec::new() });
        servers.len() - 1
    })
}

/// What is wrong with the name of a server, if anything.
pub(super) fn flaw(name: &str) -> Option<String> {
    name::flaw(name.as_bytes()).map(|flaw| format!("{name:?} is no server's name: {flaw}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_override_dns_unless_it_is_said_that_dns_may_be_asked() {
        let server = Server { name: "a".to_owned(), addresses: Vec::new() };
        let asks = |use_dns, servers: &[Server]| Cell { use_dns, servers: servers.to_vec() }.asks_dns();
        let one = [server];
        assert!(asks(None, &[]) && asks(Some(true), &[]) && asks(Some(true), &one));
        assert!(!asks(None, &one) && !asks(Some(false), &one) && !asks(Some(false), &[]));
    }
}
