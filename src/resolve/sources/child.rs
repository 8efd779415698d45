//! Sources that are NSS modules: asked by `getent` in a process of its own.
//!
//! The process has no rights, no descriptors but its output, an empty environment, and no hold on the key; it
//! ends with us. Its output is taken as hostile.

use super::{Address, Families, Found, Origin};
use crate::key::query::Family;
use crate::sys::process::without_rights;
use std::io;
use std::net::IpAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::Duration;
use tokio::net::unix::pipe::Receiver;
use tokio::time::sleep;

/// Where `getent` is, with and without a merged /usr.
const PROGRAMS: [&str; 2] = ["/usr/bin/getent", "/bin/getent"];
/// The exit status of `getent` where the source doesn't have the name (getent(1)).
const NOT_FOUND: i32 = 2;
/// More output than this is no list of addresses.
const LONGEST_OUTPUT: usize = 64 * 1024;
/// How often to look whether a process that has closed its output has ended.
const POLL: Duration = Duration::from_millis(2);

/// What asking a source brought.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// `getent` can't be started.
    #[error("can't run getent: {0}")]
    Start(#[source] io::Error),
    /// Its output can't be read.
    #[error("can't read the output of getent: {0}")]
    Read(#[source] io::Error),
    /// It wrote more than any list of addresses is long.
    #[error("getent wrote more than {LONGEST_OUTPUT} bytes")]
    TooMuch,
    /// It ended with neither an answer nor "not found".
    #[error("getent ended with {0}")]
    Failed(ExitStatus),
}

/// The addresses that `source` has for `name`; `None` where it doesn't have the name.
///
/// Takes as long as the module does; dropping the future ends the process.
///
/// # Errors
/// Where the process can't be run or fails: the source is unavailable.
pub async fn ask(source: &str, name: &str, families: Families) -> Result<Option<Found>, ChildError> {
    let database = match families {
        Families::Only(Family::Ipv4) => "ahostsv4",
        Families::Only(Family::Ipv6) => "ahostsv6",
        Families::Both => "ahosts",
    };
    let program = PROGRAMS.into_iter().find(|path| std::path::Path::new(path).exists());
    let mut command = Command::new(program.unwrap_or(PROGRAMS[0]));
    command
        .args(["-s", &format!("hosts:{source}"), "--", database, name])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    without_rights(&mut command);
    let mut process = Running(command.spawn().map_err(ChildError::Start)?);
    let output = read(&mut process).await?;
    let status = process.ended().await.map_err(ChildError::Read)?;
    if status.success() {
        let addresses = parse(&output, families, source);
        return Ok((!addresses.is_empty()).then_some(Found { addresses, ttl: None }));
    }
    match status.code() {
        Some(NOT_FOUND) => Ok(None),
        _ => Err(ChildError::Failed(status)),
    }
}

/// A process that ends with its handle.
struct Running(Child);

impl Running {
    async fn ended(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn read(process: &mut Running) -> Result<Vec<u8>, ChildError> {
    let Some(stdout) = process.0.stdout.take() else {
        return Ok(Vec::new());
    };
    let pipe = Receiver::from_owned_fd(stdout.into()).map_err(ChildError::Read)?;
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        pipe.readable().await.map_err(ChildError::Read)?;
        match pipe.try_read(&mut buffer) {
            Ok(0) => return Ok(output),
            Ok(length) => output.extend(buffer.iter().take(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(ChildError::Read(error)),
        }
        if output.len() > LONGEST_OUTPUT {
            return Err(ChildError::TooMuch);
        }
    }
}

/// The addresses in the output of `getent ahosts`: lines of `ADDRESS TYPE [NAME]`, one for each socket
/// type. Lines that are otherwise, addresses with a scope and families not asked for are passed over.
fn parse(output: &[u8], families: Families, source: &str) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for line in output.split(|&byte| byte == b'\n') {
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let Some(ip) = std::str::from_utf8(word).ok().and_then(|word| IpAddr::from_str(word).ok()) else {
            continue;
        };
        let wanted = match families {
            Families::Only(Family::Ipv4) => ip.is_ipv4(),
            Families::Only(Family::Ipv6) => ip.is_ipv6(),
            Families::Both => true,
        };
        if wanted && !addresses.iter().any(|earlier| earlier.ip == ip) {
            addresses.push(Address { ip, origin: Origin::Getent(source.to_owned()) });
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(output: &[u8], families: Families) -> Vec<String> {
        parse(output, families, "sss").iter().map(|address| address.ip.to_string()).collect()
    }

    #[test]
    fn each_address_is_taken_once_and_in_order() {
        let output = b"::1             STREAM localhost\n::1             DGRAM  \n::1             RAW    \n\
            127.0.0.1       STREAM \n127.0.0.1       DGRAM  \n";
        assert_eq!(texts(output, Families::Both), ["::1", "127.0.0.1"]);
        assert_eq!(texts(output, Families::Only(Family::Ipv4)), ["127.0.0.1"]);
    }

    #[test]
    fn what_is_no_address_is_passed_over() {
        let output = b"fe80::1%eth0 STREAM x\n\xff\n\nx STREAM\n10.0.0.1\n10.0.0.999 STREAM\n";
        assert_eq!(texts(output, Families::Both), ["10.0.0.1"]);
    }

    proptest! {
        #[test]
        fn no_output_makes_it_panic(output: Vec<u8>) {
            let _ = parse(&output, Families::Both, "x");
        }
    }
}
