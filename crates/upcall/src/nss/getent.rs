//! Sources that are NSS modules: asked by `getent` in a process of its own. Its output is taken as hostile.

use super::process::{How, Modules};
use key::Family;
use names::{Address, AddressSet, Families, ModuleAnswer, NssModules, Origin};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::process::ExitStatus;
use std::str::FromStr;
use tokio::net::unix::pipe::Receiver;

/// The exit status of `getent` where the source doesn't have the name (getent(1)).
const NOT_FOUND: i32 = 2;
/// More output than this is no list of addresses.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// NSS modules, asked by `getent`.
#[derive(Debug)]
pub(crate) struct GetentModules(Modules);

impl GetentModules {
    /// Starts the process that runs `getent`.
    ///
    /// # Errors
    /// Where no process can be made.
    pub(crate) fn start() -> io::Result<Self> {
        Modules::start().map(Self)
    }
}

impl NssModules for GetentModules {
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>> {
        Box::pin(async move { Ok(ask(&self.0, source, name, families).await?) })
    }
}

/// Why a source could not be asked.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    /// The process that runs `getent` can't be asked.
    #[error("can't ask getent: {0}")]
    Ask(#[source] io::Error),
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
/// Takes as long as the module does.
///
/// # Errors
/// Where the process can't be run or fails: the source is unavailable.
async fn ask(
    modules: &Modules,
    source: &str,
    name: &str,
    families: Families,
) -> Result<Option<AddressSet>, ChildError> {
    let database = match families {
        Families::Only(Family::Ipv4) => "ahostsv4",
        Families::Only(Family::Ipv6) => "ahostsv6",
        Families::Both => "ahosts",
    };
    let (pipe, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| ChildError::Ask(errno.into()))?;
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|errno| ChildError::Ask(errno.into()))?;
    modules.ask(source, database, name, &theirs).map_err(ChildError::Ask)?;
    drop(theirs);
    let told = read(Receiver::from_owned_fd_unchecked(pipe).map_err(ChildError::Read)?).await?;
    match How::parse(&told) {
        Some((output, How::Ended(status))) if status.success() => {
            let addresses = parse(output, families, source);
            Ok((!addresses.is_empty()).then_some(AddressSet { addresses, ttl: None, incomplete: None }))
        }
        Some((_, How::Ended(status))) if status.code() == Some(NOT_FOUND) => Ok(None),
        Some((_, How::Ended(status))) => Err(ChildError::Failed(status)),
        Some((_, How::NotStarted(errno))) => Err(ChildError::Start(io::Error::from_raw_os_error(errno))),
        None => Err(ChildError::Ask(io::ErrorKind::UnexpectedEof.into())),
    }
}

async fn read(pipe: Receiver) -> Result<Vec<u8>, ChildError> {
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
