//! The state that the kernel's Ceph clients show in debugfs.

use crate::host_root::HostRoot;
use std::net::SocketAddr;

/// Its location, with a directory per client: `FSID.clientNUMBER`.
pub(crate) const FOLDER: &str = "/sys/kernel/debug/ceph";

/// The three kinds of servers of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Monitors,
    Mds,
    Osd,
}

/// A client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    /// The name of its directory.
    pub(crate) name: String,
    /// What it waits for.
    pub(super) requests: Vec<Request>,
    servers: Vec<(Part, Server)>,
    /// Whether the cluster has evicted it.
    pub(crate) is_blocklisted: bool,
}

/// A request that is not answered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) part: Part,
    /// Its number.
    id: u64,
    /// `mds0`, `osd3`; for requests that have none yet, what stands in its place.
    pub(super) server: String,
    /// `getattr`, `read`, `statfs`, …
    pub(super) operation: String,
}

/// A server that it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// `mon0`, `mds0`, `osd0`.
    pub(super) name: String,
    pub(super) address: Option<SocketAddr>,
    /// `up:active`, `exists, up`; empty for monitors.
    pub(super) state: String,
}

impl Client {
    /// Whether it waits for anything.
    pub(crate) fn waits(&self) -> bool {
        !self.requests.is_empty()
    }

    pub(super) fn servers(&self, part: Part) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(move |(of, _)| *of == part).map(|(_, server)| server)
    }
}

/// The clients; none if debugfs can't be read.
pub(crate) fn clients(look: &HostRoot) -> Vec<Client> {
    let client = |name: String| {
        let text = |file: &str| look.text(format!("{FOLDER}/{name}/{file}")).unwrap_or_default();
        let mut requests = requests_of_mds(&text("mdsc"));
        requests.extend(requests_of_osd(&text("osdc")));
        requests.extend(requests_of_monitors(&text("monc")));
        let maps = [(Part::Monitors, "monmap"), (Part::Mds, "mdsmap"), (Part::Osd, "osdmap")];
        let servers = maps
            .iter()
            .flat_map(|(part, file)| servers(&text(file)).into_iter().map(|server| (*part, server)))
            .collect();
        let is_blocklisted = text("status").lines().any(|line| line.trim() == "blocklisted: true");
        Client { name, requests, servers, is_blocklisted }
    };
    look.names(FOLDER).into_iter().map(client).collect()
}

/// `NUMBER<tab>mds0<tab>OPERATION<tab>…`.
fn requests_of_mds(text: &str) -> Vec<Request> {
    let request = |line: &str| {
        let mut fields = line.split('\t');
        let id = fields.next()?.trim().parse().ok()?;
        let (server, operation) = (fields.next()?.to_owned(), fields.next()?.trim().to_owned());
        // A request that is done but not on disk yet is marked after its operation.
        let is_done = fields.next().is_some_and(|field| field.starts_with("(un"));
        (!is_done).then_some(Request { part: Part::Mds, id, server, operation })
    };
    text.lines().filter_map(request).collect()
}

/// The same with more fields, the operations last, between two headings.
fn requests_of_osd(text: &str) -> Vec<Request> {
    let request = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let (id, server) = (fields.first()?.trim().parse().ok()?, (*fields.get(1)?).to_owned());
        let operation = fields.last().filter(|_| fields.len() > 3)?.trim().to_owned();
        Some(Request { part: Part::Osd, id, server, operation })
    };
    text.lines().take_while(|line| !line.starts_with("LINGER")).filter_map(request).collect()
}

/// `NUMBER OPERATION`, among other lines.
fn requests_of_monitors(text: &str) -> Vec<Request> {
    let request = |line: &str| {
        let (id, operation) = line.trim().split_once(' ')?;
        Some(Request {
            part: Part::Monitors,
            id: id.parse().ok()?,
            server: String::new(),
            operation: operation.to_owned(),
        })
    };
    text.lines().filter_map(request).collect()
}

/// `mds0<tab>(2)ADDRESS:PORT<tab>(STATE)`, `osd0<tab>(2)ADDRESS:PORT<tab>WEIGHT<tab>(STATE)<tab>…`, `mon0<tab>ADDRESS:PORT`.
fn servers(text: &str) -> Vec<Server> {
    let server = |line: &str| {
        let mut fields = line.trim().split('\t').map(str::trim);
        let name = fields.next().filter(|name| {
            ["mon", "mds", "osd"].iter().any(|kind| {
                name.strip_prefix(kind).is_some_and(|number| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                })
            })
        })?;
        let address = fields.next()?;
        // A number before it names the protocol; a server that is down has no port.
        let address = address.rsplit_once(')').map_or(address, |(_, address)| address);
        let address = address.parse().ok().filter(|address: &SocketAddr| address.port() != 0);
        let state = fields.find(|field| field.starts_with('(')).unwrap_or_default();
        let state = state.trim_start_matches('(').trim_end_matches(')').to_owned();
        Some(Server { name: name.to_owned(), address, state })
    };
    text.lines().filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn servers_without_an_address_are_recognized() {
        let map = "\tmds0\t(0)-\t(down:failed)\n\tmds1\t(2)[2001:db8::1]:6811\t(up:standby)\nosd1\t(0)0.0.0.0:0\t  0%\t(exists)\t100%\n\
                   max_mds 1\nosdx\t1\n";
        let found: Vec<(String, Option<String>, String)> = servers(map)
            .into_iter()
            .map(|server| (server.name, server.address.map(|address| address.to_string()), server.state))
            .collect();
        let row = |name: &str, address: Option<&str>, state: &str| {
            (name.to_owned(), address.map(str::to_owned), state.to_owned())
        };
        assert_eq!(
            found,
            [
                row("mds0", None, "down:failed"),
                row("mds1", Some("[2001:db8::1]:6811"), "up:standby"),
                row("osd1", None, "exists"),
            ]
        );
    }

    #[test]
    fn a_request_that_is_only_unsafe_does_not_wait_for_an_mds() {
        let text = "4\tmds0\tcreate\t(unsafe)\t#1/x\n5\t(no session)\tlookup\t#1/y\n6\t(no request)\n";
        let waits: Vec<(u64, String)> =
            requests_of_mds(text).into_iter().map(|request| (request.id, request.server)).collect();
        assert_eq!(waits, [(5, "(no session)".to_owned())]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = (requests_of_mds(&text), requests_of_osd(&text), requests_of_monitors(&text), servers(&text));
        }
    }
}
