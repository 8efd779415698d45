//! Names in DNS, with scripted servers and a clock that doesn't wait.

mod aliases;
mod families;
mod records;
mod settings;

use super::*;
use crate::host::NameKind;
use crate::script::{Act, Table};
use crate::test_host::{Seen, TestHost, shown, table};

/// Looks `name` up on `host`, as people write it.
fn look_up(host: &TestHost<'_>, servers: Table, name: &str, families: Families) -> Seen<String> {
    host.run(servers, async |host| {
        shown(&host.dns(NameKind::Host).lookup(name, families).await.map_err(|(_, failure)| failure))
    })
}

/// Looks up the IPv4 address of `mon1.test` on a host without a search list.
fn ipv4_of_mon1(lines: &[(&str, Act)]) -> Seen<String> {
    look_up(&TestHost::default(), table(lines), "mon1.test", Families::Only(Family::Ipv4))
}
