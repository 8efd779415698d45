//! CIFS: a mount is made by address, and the name is looked up when the connection is re-established.

use crate::case::Case;
use crate::case::Expected::Same;
use crate::dns::Zone;
use crate::guest::{Guest, mounted, wait};
use crate::naive::naive;
use std::thread;

/// Where a server listens.
pub const PORT: u16 = 445;
/// Seconds after a lookup within which the kernel would contact another server.
const RECONNECT: u64 = 3;

pub const CASES: &[Case] = &[
    Case {
        name: "cifs-reconnect",
        expected: Same("query 9, contacted 127.1.4.1:445, 127.1.4.2:445"),
        run: |guest| {
            guest.serve(Zone::new("cifs.test").a("moved", [127, 1, 4, 2], 60));
            attempt(guest, "moved.cifs.test", "127.1.4.1", 2)
        },
    },
    Case {
        name: "cifs-naive-two-addresses",
        expected: Same("query 19, contacted 127.1.4.3:445"),
        run: |guest| {
            let _naive = naive("127.1.4.4,127.1.4.5");
            attempt(guest, "naive.cifs.test", "127.1.4.3", 1)
        },
    },
];

/// Mounts by an address where the server closes each connection: whom the kernel turned to, of so many at least.
fn attempt(guest: &mut Guest, host: &str, address: &str, count: usize) -> String {
    let options =
        format!("ip={address},unc=\\\\{host}\\share,username=nobody,password=nothing,vers=3.0,sec=ntlmssp");
    let source = format!("//{host}/share");
    let mount = thread::spawn(move || mounted("cifs", &source, &options).map(drop));
    guest.until(|guest| !guest.returned().is_empty());
    guest.until(|guest| guest.contacts.seen().len() >= count);
    wait(RECONNECT);
    let _ = mount.join().unwrap();
    format!("query {}, contacted {}", guest.query(), guest.contacts.named())
}
