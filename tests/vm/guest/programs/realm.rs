//! A Kerberos realm and a file server, both Debian's: `krb5kdc` and `smbd`.

use super::{ALICE, DOMAIN, said};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Once;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// The file that is shared, and what is in it.
pub const FILE: &str = "file";
pub const TEXT: &str = "the file itself";
pub const PASSWORD: &str = "secret";
const REALM: &str = "VM.TEST";
const LONG: Duration = Duration::from_secs(120);

/// Starts both, once.
pub fn serve() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        kerberos();
        files();
    });
}

fn kerberos() {
    fs::write(
        "/etc/krb5.conf",
        format!(
            "[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\ndns_canonicalize_hostname = false\n\
             rdns = false\n[realms]\n{REALM} = {{\nkdc = 127.0.0.1\n}}\n[domain_realm]\n.{DOMAIN} = {REALM}\n"
        ),
    )
    .unwrap();
    // A server without a domain takes no ticket that tells of groups (MS-PAC).
    let settings = format!(
        "[kdcdefaults]\nkdc_listen = 88\nkdc_tcp_listen = 88\n[realms]\n{REALM} = {{\ndatabase_name = /var/lib/krb5kdc/principal\nkey_stash_file = /etc/krb5kdc/stash\n\
         disable_pac = true\nsupported_enctypes = aes256-cts:normal\n}}\n\
         [logging]\nkdc = FILE:/run/krb5kdc.log\n"
    );
    fs::write("/etc/krb5kdc/kdc.conf", settings).unwrap();
    said("/usr/sbin/kdb5_util", &["create", "-s", "-P", PASSWORD]).unwrap();
    for query in [
        format!("addprinc -pw {PASSWORD} alice"),
        format!("addprinc -randkey cifs/srv.{DOMAIN}"),
        format!("ktadd -k /etc/krb5.keytab cifs/srv.{DOMAIN}"),
    ] {
        said("/usr/sbin/kadmin.local", &["-q", &query]).unwrap();
    }
    start("/usr/sbin/krb5kdc", &["-n"]);
    listens(88);
}

fn files() {
    fs::create_dir_all("/srv/share").unwrap();
    fs::write(format!("/srv/share/{FILE}"), TEXT).unwrap();
    for folder in ["/run/samba", "/var/lib/samba/private", "/var/cache/samba", "/var/log/samba"] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::create_dir_all("/etc/samba").unwrap();
    fs::write(
        "/etc/samba/smb.conf",
        format!(
            "[global]\nworkgroup = VM\nrealm = {REALM}\nsecurity = user\nkerberos method = dedicated keytab\n\
             dedicated keytab file = /etc/krb5.keytab\nload printers = no\ndisable spoolss = yes\n\
             smb ports = 445\nlog file = /var/log/samba/log\n[share]\npath = /srv/share\n"
        ),
    )
    .unwrap();
    let mut adding = Command::new("/usr/bin/smbpasswd")
        .args(["-s", "-a", "alice"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    adding.stdin.take().unwrap().write_all(format!("{PASSWORD}\n{PASSWORD}\n").as_bytes()).unwrap();
    assert!(adding.wait().unwrap().success(), "smbpasswd");
    start("/usr/sbin/smbd", &["--foreground", "--no-process-group"]);
    listens(445);
}

/// Starts a server, which runs until the machine ends. Its end would be a note in the report.
fn start(program: &'static str, arguments: &[&str]) {
    let mut server = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    thread::spawn(move || panic!("{program} has ended: {:?}", server.wait()));
}

fn listens(port: u16) {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < LONG, "nobody listens at port {port}");
        sleep(Duration::from_millis(100));
    }
}

/// Where a user's ticket is looked for.
fn cache(user: u32) -> String {
    format!("/tmp/krb5cc_{user}")
}

/// Gets alice's ticket, for one who is this user here.
pub fn ticket(user: u32) {
    let mut kinit = Command::new("/usr/bin/kinit")
        .args(["-c", &format!("FILE:{}", cache(user)), "alice"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    kinit.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    assert!(kinit.wait().unwrap().success(), "kinit");
    std::os::unix::fs::chown(cache(user), Some(user), Some(user)).unwrap();
}

/// Takes the tickets away.
pub fn no_tickets() {
    for user in [0, ALICE] {
        let _ = fs::remove_file(cache(user));
    }
}
