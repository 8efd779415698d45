//! Messages: to syslog as a daemon does, or to the terminal that started us.

use crate::sys::rescue;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::unix::net::UnixDatagram;
use syslog::{Facility, LogFormat, Logger, Severity};

/// Where syslog daemons take messages.
const SYSLOG: &str = "/dev/log";

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `/dev/log`.
    Syslog,
    /// Standard error.
    Stderr,
}

/// An entry in the format of RFC 3164, without the time, which the daemon knows as well (§4.3): to have the local one,
/// the C library would read `/etc/localtime`.
struct Undated {
    ident: &'static str,
    facility: Facility,
}

impl<T: fmt::Display> LogFormat<T> for Undated {
    fn format<W: Write>(&self, to: &mut W, severity: Severity, message: T) -> syslog::Result<()> {
        let priority = self.facility as u8 | severity as u8;
        write!(to, "<{priority}>{}[{}]: {message}", self.ident, std::process::id()).map_err(syslog::Error::Io)
    }
}

/// The way to the syslog daemon: one datagram an entry. It never waits, so an entry that the daemon has no room for is
/// lost.
#[derive(Debug)]
struct Socket {
    /// Where the daemon listens.
    path: &'static str,
    connected: Option<&'static UnixDatagram>,
}

impl Socket {
    /// Connects, unless it is already.
    fn connect(&mut self) -> io::Result<&'static UnixDatagram> {
        if let Some(socket) = self.connected {
            return Ok(socket);
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(self.path)?;
        // Never closed, as a signal handler may want it to the end.
        let socket = Box::leak(Box::new(socket));
        self.connected = Some(socket);
        Ok(socket)
    }
}

impl Write for Socket {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        match self.connect()?.send(entry) {
            // The daemon has been started anew.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                self.connected = None;
                self.connect()?.send(entry)
            }
            sent => sent,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn write_fmt(&mut self, entry: fmt::Arguments<'_>) -> io::Result<()> {
        self.write(entry.to_string().as_bytes()).map(drop)
    }
}

/// The log of one run. Opening and writing never wait, and a log that can't be written is passed over:
/// an answer matters more than its record.
pub struct Log {
    ident: &'static str,
    facility: Facility,
    /// Where the syslog daemon listens.
    daemon: &'static str,
    syslog: Option<RefCell<Logger<Socket, Undated>>>,
    stderr: bool,
}

impl Log {
    /// A log under the name `ident`: on a terminal or in `debug` mode to standard error, else to syslog.
    #[must_use]
    pub fn new(ident: &'static str, debug: bool) -> Self {
        let stderr = debug || io::stderr().is_terminal();
        Self::with(ident, Facility::LOG_DAEMON, SYSLOG, !stderr, stderr)
    }

    /// The log of `request-key`: to syslog under authpriv, to standard error, to both or to neither.
    #[must_use]
    pub const fn of_request_key(ident: &'static str, syslog: bool, stderr: bool) -> Self {
        Self::with(ident, Facility::LOG_AUTHPRIV, SYSLOG, syslog, stderr)
    }

    /// A log that goes to the daemon which listens at `daemon`, where `syslog` is set, and to standard error.
    pub(crate) const fn with(
        ident: &'static str,
        facility: Facility,
        daemon: &'static str,
        syslog: bool,
        stderr: bool,
    ) -> Self {
        let backend = Socket { path: daemon, connected: None };
        let logger = Logger { formatter: Undated { ident, facility }, backend };
        let syslog = if syslog { Some(RefCell::new(logger)) } else { None };
        Self { ident, facility, daemon, syslog, stderr }
    }

    /// A log that nobody reads.
    #[must_use]
    pub const fn none() -> Self {
        Self::of_request_key("", false, false)
    }

    /// What opens another log under the same name, which goes to syslog.
    pub(crate) fn to_syslog(&self) -> impl Fn() -> Self + use<> {
        let Self { ident, facility, daemon, .. } = *self;
        move || Self::with(ident, facility, daemon, true, false)
    }

    /// Where its messages go.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        if self.stderr { Destination::Stderr } else { Destination::Syslog }
    }

    /// Connects to syslog now, and lets signal handlers have the connection: `/dev/log` may be out of reach later.
    pub fn connect(&self) {
        if let Some(logger) = &self.syslog
            && let Ok(socket) = logger.borrow_mut().backend.connect()
        {
            rescue::log_to(socket);
        }
    }

    /// Something broke that should work.
    pub fn error(&self, message: impl fmt::Display) {
        self.write(message, |logger, line| logger.err(line));
    }

    /// Something is wrong outside this program: a name, a server, a file.
    pub fn warning(&self, message: impl fmt::Display) {
        self.write(message, |logger, line| logger.warning(line));
    }

    /// What was done.
    pub fn info(&self, message: impl fmt::Display) {
        self.write(message, |logger, line| logger.info(line));
    }

    fn write(
        &self,
        message: impl fmt::Display,
        log: impl FnOnce(&mut Logger<Socket, Undated>, &str) -> syslog::Result<()>,
    ) {
        // No message of ours has a newline; one that came from outside must not begin a new entry.
        let line = message.to_string().replace(['\n', '\r'], " ");
        // A failure to log is nobody's to hear of.
        if self.stderr {
            let _ = writeln!(io::stderr(), "{}: {line}", self.ident);
        }
        if let Some(logger) = &self.syslog {
            let _ = log(&mut logger.borrow_mut(), &line);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ident, syslog, stderr, .. } = self;
        f.debug_struct("Log")
            .field("ident", ident)
            .field("syslog", &syslog.is_some())
            .field("stderr", stderr)
            .finish()
    }
}
