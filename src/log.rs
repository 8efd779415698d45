//! Messages: to syslog as a daemon does, or to the terminal that started us.

use crate::sys::rescue;
use std::cell::Cell;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::unix::net::UnixDatagram;
use syslog::{Facility, LogFormat, Severity};

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

/// The log of one run. Opening and writing never wait, and a log that can't be written is passed over:
/// an answer matters more than its record.
#[derive(Debug)]
pub struct Log {
    ident: &'static str,
    facility: Facility,
    syslog: bool,
    stderr: bool,
    /// Never closed, as a signal handler may want it to the end.
    connected: Cell<Option<&'static UnixDatagram>>,
}

impl Log {
    /// A log under the name `ident`: on a terminal or in `debug` mode to standard error, else to syslog.
    #[must_use]
    pub fn new(ident: &'static str, debug: bool) -> Self {
        let stderr = debug || io::stderr().is_terminal();
        Self { ident, facility: Facility::LOG_DAEMON, syslog: !stderr, stderr, connected: Cell::new(None) }
    }

    /// The log of `request-key`: to syslog under authpriv, to standard error, to both or to neither.
    #[must_use]
    pub const fn of_request_key(ident: &'static str, syslog: bool, stderr: bool) -> Self {
        Self { ident, facility: Facility::LOG_AUTHPRIV, syslog, stderr, connected: Cell::new(None) }
    }

    /// A log that nobody reads.
    #[must_use]
    pub const fn none() -> Self {
        Self::of_request_key("", false, false)
    }

    /// Where its messages go.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        if self.stderr { Destination::Stderr } else { Destination::Syslog }
    }

    /// Connects to syslog now, and lets signal handlers have the connection: `/dev/log` may be out of reach later.
    pub fn connect(&self) {
        if self.syslog
            && self.connected.get().is_none()
            && let Ok(socket) = connect()
        {
            rescue::log_to(socket);
            self.connected.set(Some(socket));
        }
    }

    /// Something broke that should work.
    pub fn error(&self, message: impl fmt::Display) {
        self.write(Severity::LOG_ERR, &message.to_string());
    }

    /// Something is wrong outside this program: a name, a server, a file.
    pub fn warning(&self, message: impl fmt::Display) {
        self.write(Severity::LOG_WARNING, &message.to_string());
    }

    /// What was done.
    pub fn info(&self, message: impl fmt::Display) {
        self.write(Severity::LOG_INFO, &message.to_string());
    }

    fn write(&self, severity: Severity, message: &str) {
        // No message of ours has a newline; one that came from outside must not begin a new entry.
        let line = message.replace(['\n', '\r'], " ");
        // A failure to log is nobody's to hear of.
        if self.stderr {
            let _ = writeln!(io::stderr(), "{}: {line}", self.ident);
        }
        if self.syslog {
            let _ = self.to_syslog(severity, &line);
        }
    }

    /// Sends one message.
    fn to_syslog(&self, severity: Severity, line: &str) -> io::Result<()> {
        let mut entry = Vec::with_capacity(line.len() + 64);
        let format = Undated { ident: self.ident, facility: self.facility };
        format.format(&mut entry, severity, line).map_err(io::Error::other)?;
        if let Some(socket) = self.connected.get() {
            match socket.send(&entry) {
                // The daemon has been started anew.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {}
                sent => return sent.map(drop),
            }
        }
        let socket = connect()?;
        self.connected.set(Some(socket));
        socket.send(&entry).map(drop)
    }
}

fn connect() -> io::Result<&'static UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(SYSLOG)?;
    Ok(Box::leak(Box::new(socket)))
}
