//! The process that asks NSS modules for us, by `getent`.
//!
//! It is started while we may still start one, and has nothing: no rights, no hold on the key, no descriptor but the
//! socket on which it is told what to ask. Each question comes with a pipe for the answer, which ends with how
//! `getent` did. It ends, with all that it started, when we do.
//!
//! By then we may have been compromised, so it only looks up addresses, in the sources that this host configures, few
//! at a time, and a limited number in all.

use super::status::{self, Status};
use crate::sys::process::{apart, bounded, receive};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, pipe2};
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

/// The path of `getent`, with and without a merged /usr.
const PROGRAMS: [&str; 2] = ["/usr/bin/getent", "/bin/getent"];
/// Its exit status if it does not know an option (sysexits.h, EX_USAGE).
const WRONG_USAGE: i32 = 64;
/// No lookup message is longer.
const LONGEST: usize = 2048;
/// Room for the loader's messages, even about a module that links against half of a system.
const MESSAGES: i32 = 1 << 18;

/// The largest number of lookups at once. Others wait.
const AT_ONCE: usize = 16;
/// The largest number of lookups in all: more than the servers of the largest cell, twice each, in several sources.
const QUESTIONS: usize = 4096;

/// What `getent` looks up: a host's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Database {
    Ipv4,
    Ipv6,
    Both,
}

impl Database {
    const ALL: [Self; 3] = [Self::Ipv4, Self::Ipv6, Self::Both];

    /// The database, as `getent` names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ahostsv4",
            Self::Ipv6 => "ahostsv6",
            Self::Both => "ahosts",
        }
    }
}

/// A process that queries NSS modules.
#[derive(Debug)]
pub(super) struct Modules {
    socket: Option<OwnedFd>,
    process: Pid,
}

impl Modules {
    /// Starts the process, for these sources.
    ///
    /// # Errors
    /// If no process can be started.
    pub(super) fn start(sources: Vec<String>) -> io::Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let process = apart(theirs, |socket| {
            serve(&socket, &sources, answer);
            // What was started for questions is in the same group, and so is this process.
            let _ = kill(Pid::from_raw(0), Signal::SIGKILL);
        })?;
        Ok(Self { socket: Some(ours), process })
    }

    /// Its socket.
    pub(super) fn descriptor(&self) -> Option<RawFd> {
        self.socket.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Has `getent` look `name` up in `database`, with this source alone. What it says, and then how it ended
    /// ([`How::parse`]), is written to `pipe`.
    ///
    /// # Errors
    /// If the process is gone, or accepts no more lookups at the moment.
    pub(super) fn ask(
        &self,
        source: &str,
        database: Database,
        name: &str,
        pipe: &impl AsFd,
    ) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let question = [source, database.name(), name].join("\0");
        let pipes = [pipe.as_fd().as_raw_fd()];
        sendmsg::<()>(
            socket.as_raw_fd(),
            &[IoSlice::new(question.as_bytes())],
            &[ControlMessage::ScmRights(&pipes)],
            // It may be stopped, with its socket full.
            MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
            None,
        )?;
        Ok(())
    }
}

impl Drop for Modules {
    fn drop(&mut self) {
        // That tells the process to exit. It is not waited for: an answer may already be complete, and must not wait
        // for a process that is stopped.
        self.socket = None;
        let _ = waitpid(self.process, Some(WaitPidFlag::WNOHANG));
    }
}

/// A lookup, as sent to the process.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    source: String,
    database: Database,
    name: String,
}

impl Question {
    /// Parses a lookup, if it is for an address, and in one of these sources.
    fn parse(question: &[u8], sources: &[String]) -> Option<Self> {
        let parts: Vec<&str> = str::from_utf8(question).ok()?.split('\0').collect();
        let [source, database, name] = parts.as_slice() else { return None };
        Some(Self {
            source: sources.iter().find(|known| known == source)?.clone(),
            database: Database::ALL.into_iter().find(|known| known.name() == *database)?,
            name: (*name).to_owned(),
        })
    }
}

/// Has questions answered until nobody is left to ask any. Those that are still in the socket then are left there.
fn serve(socket: &OwnedFd, sources: &[String], answer: fn(&Question, File)) {
    let mut buffer = [0; LONGEST];
    // Each that is being answered has one of these bytes. They are in a pipe because that can be waited for together
    // with the end of the socket.
    let Ok((mut places, free)) = io::pipe() else {
        return;
    };
    let free = Arc::new(free);
    if (&*free).write_all(&[0; AT_ONCE]).is_err() {
        return;
    }
    for _ in 0..QUESTIONS {
        if !(is_ready(&places, socket) && places.read_exact(&mut [0]).is_ok() && is_ready(socket, socket)) {
            return;
        }
        let Ok((length @ 1.., pipe)) = receive(socket, &mut buffer) else {
            return;
        };
        // Anything else, and a lookup for which no thread can be started, is answered by closing its pipe.
        let question = Question::parse(buffer.get(..length).unwrap_or_default(), sources);
        let place = Arc::clone(&free);
        let answered = pipe.zip(question).map(|(pipe, question)| {
            thread::Builder::new().spawn(move || {
                answer(&question, pipe.into());
                let _ = (&*place).write(&[0]);
            })
        });
        if !matches!(answered, Some(Ok(_))) {
            let _ = (&*free).write(&[0]);
        }
    }
}

/// Waits until there is something to read; `false` once nobody has the other end of the socket.
fn is_ready(input: &impl AsFd, socket: &impl AsFd) -> bool {
    let mut fds = [
        PollFd::new(input.as_fd(), PollFlags::POLLIN),
        // Its end is reported without being asked for, also before the last message is read.
        PollFd::new(socket.as_fd(), PollFlags::empty()),
    ];
    while let Err(errno) = poll(&mut fds, PollTimeout::NONE) {
        if errno != Errno::EINTR {
            return false;
        }
    }
    let [_, socket] = fds;
    socket.any() == Some(false)
}

fn answer(question: &Question, mut pipe: File) {
    let how = match pipe.try_clone().and_then(|output| getent(question, output)) {
        Ok((status, source)) => How::Ended(status, source),
        Err(error) => How::NotStarted(error.raw_os_error().unwrap_or_default()),
    };
    // Nobody may be left to read it.
    let _ = pipe.write_all(&how.encode());
}

/// Runs `getent`, which by default does not ask modules for a family that this host has no address of (AI_ADDRCONFIG);
/// older versions have no option against that.
fn getent(question: &Question, output: File) -> io::Result<(ExitStatus, Status)> {
    let Question { source, database, name } = question;
    let service = format!("hosts:{}", status::service(source));
    let question = ["-s", &service, "--", database.name(), name];
    let (ended, messages) = run(&[&["-A"], &question[..]].concat(), output.try_clone()?)?;
    let (ended, messages) = match ended.code() {
        Some(WRONG_USAGE) => run(&question, output)?,
        _ => (ended, messages),
    };
    Ok((ended, Status::read(&String::from_utf8_lossy(&messages), source)))
}

/// Runs it with these arguments, and reads its standard error after it has exited: reading each line as it comes would
/// take longer than everything else. Whatever exceeds the pipe's capacity is lost.
fn run(arguments: &[&str], output: File) -> io::Result<(ExitStatus, Vec<u8>)> {
    let (pipe, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    // If the pipe can't be that large, the default of 64 KiB is enough for most.
    let _ = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(MESSAGES));
    let program = PROGRAMS.into_iter().find(|path| Path::new(path).exists());
    let mut command = Command::new(program.unwrap_or(PROGRAMS[0]));
    let (variable, value) = status::LOADER_MESSAGES;
    command.args(arguments).env_clear().env(variable, value).current_dir("/");
    command.stdin(Stdio::null()).stdout(output).stderr(theirs);
    bounded(&mut command);
    let ended = command.status()?;
    let mut messages = Vec::new();
    // Reading ends with the last message, or if somebody is left who could write more.
    let _ = File::from(pipe).read_to_end(&mut messages);
    Ok((ended, messages))
}

/// The outcome of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// `getent` was run. If it gave no address, the source's status says why.
    Ended(ExitStatus, Status),
    /// It could not be started, for the reason with this number.
    NotStarted(i32),
}

impl How {
    /// The encoded length.
    const LENGTH: usize = 5;
    /// Stands for a status.
    const NOT_STARTED: u8 = u8::MAX;

    fn encode(self) -> [u8; Self::LENGTH] {
        let (kind, number) = match self {
            Self::Ended(ended, status) => (status.number(), ended.into_raw()),
            Self::NotStarted(errno) => (Self::NOT_STARTED, errno),
        };
        let [a, b, c, d] = number.to_ne_bytes();
        [kind, a, b, c, d]
    }

    /// Removes it from the end of what came through the pipe; `None` if it is missing.
    #[must_use]
    pub(super) fn parse(told: &[u8]) -> Option<(&[u8], Self)> {
        let (output, &[kind, a, b, c, d]) = told.split_last_chunk::<{ Self::LENGTH }>()?;
        let number = i32::from_ne_bytes([a, b, c, d]);
        let how = match kind {
            Self::NOT_STARTED => Self::NotStarted(number),
            status => Self::Ended(ExitStatus::from_raw(number), Status::from_number(status)?),
        };
        Some((output, how))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    /// A socket for questions, and its other end.
    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC).unwrap()
    }

    #[test]
    fn only_address_queries_to_configured_sources_are_accepted() {
        let sources = ["sss".to_owned(), "mdns4_minimal".to_owned()];
        let parse = |question: &[u8]| Question::parse(question, &sources);
        let asked =
            Question { source: "sss".to_owned(), database: Database::Ipv6, name: "a.test".to_owned() };
        assert_eq!(parse(b"sss\0ahostsv6\0a.test"), Some(asked));
        for other in [
            &b"sss\0passwd\0root"[..],
            b"sss\0hosts\0a.test",
            b"files\0ahosts\0a.test",
            b"sss files\0ahosts\0a.test",
            b"sss\0ahosts",
            b"sss\0ahosts\0a\0b",
            b"sss\0ahosts\0\xff",
            b"",
        ] {
            assert_eq!(parse(other), None, "{}", other.escape_ascii());
        }
        let databases = Database::ALL.map(Database::name);
        assert_eq!(databases, ["ahostsv4", "ahostsv6", "ahosts"]);
    }

    #[test]
    fn questions_are_limited_in_number_and_concurrency() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        static ALL: AtomicUsize = AtomicUsize::new(0);
        fn slow(_: &Question, _: File) {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
            NOW.fetch_sub(1, Ordering::Relaxed);
            ALL.fetch_add(1, Ordering::Relaxed);
        }
        let (ours, theirs) = pair();
        let server = thread::spawn(move || serve(&theirs, &["sss".to_owned()], slow));
        let null = File::open("/dev/null").unwrap();
        let modules = Modules { socket: Some(ours), process: Pid::this() };
        let mut taken = 0;
        // Whoever is told that there is no room asks again, until nobody is there.
        loop {
            match modules.ask("sss", Database::Both, "a.test", &null) {
                Ok(()) => taken += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
                Err(_) => break,
            }
        }
        server.join().unwrap();
        while ALL.load(Ordering::Relaxed) < QUESTIONS {
            thread::yield_now();
        }
        assert!(taken >= QUESTIONS, "{taken}");
        assert_eq!(ALL.load(Ordering::Relaxed), QUESTIONS);
        assert!((2..=AT_ONCE).contains(&MOST.load(Ordering::Relaxed)));
    }

    #[test]
    fn once_nobody_is_left_to_ask_no_question_is_begun_though_all_places_are_taken() {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        static OVER: AtomicBool = AtomicBool::new(false);
        fn hanging(_: &Question, _: File) {
            BEGUN.fetch_add(1, Ordering::Relaxed);
            while !OVER.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
        }
        let start = Instant::now();
        let wait_until = |what: &dyn Fn() -> bool| {
            while !what() && start.elapsed() < Duration::from_secs(10) {
                thread::sleep(Duration::from_millis(1));
            }
            what()
        };
        let (ours, theirs) = pair();
        let server = thread::spawn(move || serve(&theirs, &["sss".to_owned()], hanging));
        let null = File::open("/dev/null").unwrap();
        let modules = Modules { socket: Some(ours), process: Pid::this() };
        for _ in 0..AT_ONCE + 3 {
            modules.ask("sss", Database::Both, "a.test", &null).unwrap();
        }
        assert!(wait_until(&|| BEGUN.load(Ordering::Relaxed) == AT_ONCE));
        drop(modules);
        let ended = wait_until(&|| server.is_finished());
        OVER.store(true, Ordering::Relaxed);
        server.join().unwrap();
        assert!(ended, "it waits for a question that hangs");
        assert_eq!(BEGUN.load(Ordering::Relaxed), AT_ONCE);
    }

    #[test]
    fn the_outcome_follows_the_output() {
        let ended = How::Ended(ExitStatus::from_raw(9), Status::TryAgain);
        for how in [ended, How::NotStarted(13)] {
            let told = [b"10.0.0.1 STREAM\n".as_slice(), &how.encode()].concat();
            assert_eq!(How::parse(&told), Some((b"10.0.0.1 STREAM\n".as_slice(), how)));
        }
        assert_eq!(How::parse(b"10.0"), None);
        assert_eq!(How::parse(b"10.0.0.1 STREAM\n"), None);
    }
}
