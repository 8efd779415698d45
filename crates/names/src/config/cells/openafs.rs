//! `CellServDB`, OpenAFS's list of cells: CellServDB(5).

use super::cell::{DatabaseServer, entry, flaw, same_cell};
use crate::file::Warning;
use std::net::IpAddr;

/// The servers of `cell`.
///
/// A cell begins with `>CELL`, and each of the following lines is `ADDRESS #HOST`. An address in brackets is that of a
/// server without a vote, which answers clients nevertheless.
#[must_use]
pub fn servers(text: &[u8], cell: &str) -> (Vec<DatabaseServer>, Vec<Warning>) {
    let mut servers = Vec::new();
    let mut warnings = Vec::new();
    let mut here = false;
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if let Some(head) = line.strip_prefix('>') {
            let name = head.split([' ', '\t', '#']).next().unwrap_or_default();
            here = same_cell(name, cell);
        } else if here && !line.is_empty() && !line.starts_with('#') {
            match server(line) {
                Ok((name, address)) => {
                    let place = entry(&mut servers, &name);
                    if let Some(server) = servers.get_mut(place) {
                        server.addresses.push((address, None));
                    }
                }
                Err(message) => warnings.push(Warning::new(number, format!("{message}; line ignored"))),
            }
        }
    }
    (servers, warnings)
}

/// The name and the address of a server; the address replaces a name that is missing or not a valid host name.
fn server(line: &str) -> Result<(String, IpAddr), String> {
    let (address, comment) = line.split_once('#').unwrap_or((line, ""));
    let address = address.trim();
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let address: IpAddr = bare.trim().parse().map_err(|_| crate::file::expected("ADDRESS #HOST", line))?;
    let name = comment.split_whitespace().next().unwrap_or_default();
    let name = if flaw(name).is_none() { name.to_owned() } else { address.to_string() };
    Ok((name, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATABASE: &str = ">one.example    #The first
192.0.2.1       #afs1.one.example
[192.0.2.2]     #afs2.one.example. voteless
192.0.2.3\t#afs1.one.example

>two.example one.example #linked
2001:db8::1 # afs.two.example
192.0.2.4
300.1.1.1 #x
";

    fn found(cell: &str) -> (Vec<(String, Vec<String>)>, Vec<Warning>) {
        let (servers, warnings) = servers(DATABASE.as_bytes(), cell);
        let shown = |server: DatabaseServer| {
            (server.name, server.addresses.iter().map(|(address, _)| address.to_string()).collect())
        };
        (servers.into_iter().map(shown).collect(), warnings)
    }

    #[test]
    fn a_cell_has_the_servers_up_to_the_next_one() {
        let (servers, warnings) = found("ONE.example.");
        assert_eq!(servers.len(), 2);
        assert_eq!(servers[0], ("afs1.one.example".to_owned(), vec!["192.0.2.1".into(), "192.0.2.3".into()]));
        assert_eq!(servers[1].1, ["192.0.2.2"]);
        assert_eq!(warnings, []);
        assert_eq!(found("three.example").0, []);
    }

    #[test]
    fn a_line_without_a_valid_address_is_skipped_with_a_warning() {
        let (servers, warnings) = found("two.example");
        assert_eq!(servers[0], ("afs.two.example".to_owned(), vec!["2001:db8::1".into()]));
        assert_eq!(servers[1].0, "192.0.2.4");
        assert_eq!(
            warnings,
            [Warning::new(9, "expected ADDRESS #HOST, found \"300.1.1.1 #x\"; line ignored")]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>, cell: String) {
            let _ = super::servers(&text, &cell);
        }

        #[test]
        fn a_generated_file_is_read_back_unchanged(
            hosts in prop::collection::btree_map("[a-z]{1,9}", prop::collection::vec(any::<IpAddr>(), 1..4), 1..9),
        ) {
            let line = |name, address| format!("{address}\t#{name}\n");
            let lines = hosts.iter().flat_map(|(name, addresses)| addresses.iter().map(move |one| line(name, one)));
            let head = [">other\n127.0.0.1 #other\n>cell #The cell\n".to_owned()];
            let text: String = head.into_iter().chain(lines).collect();
            let (servers, warnings) = super::servers(text.as_bytes(), "cell");
            prop_assert_eq!(warnings, vec![]);
            let read: Vec<(String, Vec<IpAddr>)> = servers.into_iter()
                .map(|server| (server.name, server.addresses.into_iter().map(|(ip, _)| ip).collect())).collect();
            prop_assert_eq!(read, hosts.into_iter().collect::<Vec<_>>());
        }
    }
}
