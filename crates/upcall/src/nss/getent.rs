//! Sources that are NSS modules: queried by `getent` in a separate process, whose output is untrusted.

use super::process::{Database, How, Modules};
use super::status::Status;
use key::Family;
use names::{Address, AddressSet, Families, ModuleAnswer, NssModules, Origin};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use std::io;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::process::ExitStatus;
use std::str::FromStr;
use tokio::net::unix::pipe::Receiver;

/// The exit status of `getent` if the source gave no address, for whatever reason (getent(1)).
const NO_ADDRESS: i32 = 2;
/// No list of addresses is longer than this.
const LONGEST_OUTPUT: usize = 64 * 1024;

/// NSS modules, queried by `getent`.
#[derive(Debug)]
pub(crate) struct GetentModules(Modules);

impl GetentModules {
    /// Starts the process that runs `getent`, for these sources.
    ///
    /// # Errors
    /// Where no process can be made.
    pub(crate) fn start(sources: Vec<String>) -> io::Result<Self> {
        Modules::start(sources).map(Self)
    }

    /// The socket by which the process is asked.
    pub(crate) fn descriptor(&self) -> Option<RawFd> {
        self.0.descriptor()
    }
}

impl NssModules for GetentModules {
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>> {
        Box::pin(async move {
            let answer = ask(&self.0, source, name, families).await;
            answer.unwrap_or_else(|error| ModuleAnswer::Unavailable(error.to_string()))
        })
    }
}

/// Why a source could not be queried.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    /// The process that runs `getent` can't be reached.
    #[error("can't query getent: {0}")]
    Ask(#[source] io::Error),
    /// `getent` can't be started.
    #[error("can't run getent: {0}")]
    Start(#[source] io::Error),
    /// Its output can't be read.
    #[error("can't read the output of getent: {0}")]
    Read(#[source] io::Error),
    /// It wrote more than any list of addresses needs.
    #[error("getent wrote more than {LONGEST_OUTPUT} bytes")]
    TooMuch,
    /// It exited with neither success nor "not found".
    #[error("getent ended with {0}")]
    Failed(ExitStatus),
}

/// The answer of `source` for `name`.
///
/// Takes as long as the module does.
///
/// # Errors
/// If the process can't be run, or fails: the source is unavailable.
async fn ask(
    modules: &Modules,
    source: &str,
    name: &str,
    families: Families,
) -> Result<ModuleAnswer, ChildError> {
    let database = match families {
        Families::Only(Family::Ipv4) => Database::Ipv4,
        Families::Only(Family::Ipv6) => Database::Ipv6,
        Families::Both => Database::Both,
    };
    let (pipe, theirs) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| ChildError::Ask(errno.into()))?;
    fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|errno| ChildError::Ask(errno.into()))?;
    modules.ask(source, database, name, &theirs).map_err(ChildError::Ask)?;
    drop(theirs);
    let told = read(Receiver::from_owned_fd_unchecked(pipe).map_err(ChildError::Read)?).await?;
    match How::parse(&told) {
        Some((output, How::Ended(ended, _))) if ended.success() => {
            let addresses = parse(output, families, source);
            Ok(if addresses.is_empty() {
                ModuleAnswer::NotFound
            } else {
                ModuleAnswer::Found(AddressSet { addresses, ..AddressSet::default() })
            })
        }
        Some((_, How::Ended(ended, status))) if ended.code() == Some(NO_ADDRESS) => {
            Ok(without_address(status, source))
        }
        Some((_, How::Ended(ended, _))) => Err(ChildError::Failed(ended)),
        Some((_, How::NotStarted(errno))) => Err(ChildError::Start(io::Error::from_raw_os_error(errno))),
        None => Err(ChildError::Ask(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// The answer of a source that gave no address.
fn without_address(status: Status, source: &str) -> ModuleAnswer {
    match status {
        Status::Unknown | Status::NotFound => ModuleAnswer::NotFound,
        Status::NotAsked => ModuleAnswer::NotAsked,
        Status::TryAgain => ModuleAnswer::TryAgain("the module can't answer for now".to_owned()),
        Status::Unavailable => {
            ModuleAnswer::Unavailable("the module is unavailable; does its service run?".to_owned())
        }
        Status::NoLibrary => {
            ModuleAnswer::Unavailable(format!("the module is not installed (libnss_{source}.so.2)"))
        }
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

/// The addresses in the output of `getent ahosts`: lines of `ADDRESS TYPE [NAME]`, one per socket type. Skips other
/// lines, addresses with a scope, families that were not requested, and the IPv4-mapped addresses that `getent
/// ahostsv6` prints for a name with only IPv4 addresses (AI_V4MAPPED).
fn parse(output: &[u8], families: Families, source: &str) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for line in output.split(|&byte| byte == b'\n') {
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let Some(ip) = std::str::from_utf8(word).ok().and_then(|word| IpAddr::from_str(word).ok()) else {
            continue;
        };
        let wanted = match families {
            Families::Only(Family::Ipv4) => ip.is_ipv4(),
            Families::Only(Family::Ipv6) => ip.is_ipv6() && ip.to_canonical() == ip,
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
    fn addresses_keep_their_order_without_duplicates() {
        let output = b"::1             STREAM localhost\n::1             DGRAM  \n::1             RAW    \n\
            127.0.0.1       STREAM \n127.0.0.1       DGRAM  \n";
        assert_eq!(texts(output, Families::Both), ["::1", "127.0.0.1"]);
        assert_eq!(texts(output, Families::Only(Family::Ipv4)), ["127.0.0.1"]);
    }

    #[test]
    fn lines_without_an_address_are_skipped() {
        let output = b"fe80::1%eth0 STREAM x\n\xff\n\nx STREAM\n10.0.0.1\n10.0.0.999 STREAM\n";
        assert_eq!(texts(output, Families::Both), ["10.0.0.1"]);
    }

    #[test]
    fn an_ipv4_mapped_address_is_not_an_ipv6_answer() {
        let output = b"::ffff:10.0.0.1 STREAM x\n::ffff:10.0.0.1 DGRAM\n";
        assert_eq!(texts(output, Families::Only(Family::Ipv6)), [""; 0]);
        assert_eq!(texts(b"2001:db8::1 STREAM", Families::Only(Family::Ipv6)), ["2001:db8::1"]);
    }

    #[test]
    fn an_empty_answer_is_interpreted_by_the_status() {
        let unavailable = |why: &str| ModuleAnswer::Unavailable(why.to_owned());
        for (status, expected) in [
            (Status::Unknown, ModuleAnswer::NotFound),
            (Status::NotFound, ModuleAnswer::NotFound),
            (Status::NotAsked, ModuleAnswer::NotAsked),
            (Status::TryAgain, ModuleAnswer::TryAgain("the module can't answer for now".to_owned())),
            (Status::Unavailable, unavailable("the module is unavailable; does its service run?")),
            (Status::NoLibrary, unavailable("the module is not installed (libnss_sss.so.2)")),
        ] {
            assert_eq!(without_address(status, "sss"), expected);
        }
    }

    proptest! {
        #[test]
        fn no_output_makes_it_panic(output: Vec<u8>) {
            let _ = parse(&output, Families::Both, "x");
        }
    }
}
