//! Messages: to syslog as a daemon does, or to the terminal that started us.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::unix::net::UnixDatagram;
use syslog::{Facility, Formatter3164, LogFormat, Severity};

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `/dev/log`.
    Syslog,
    /// Standard error.
    Stderr,
}

/// The log of one run. Opening and writing never wait, and a log that can't be written is passed over:
/// an answer matters more than its record.
#[derive(Debug)]
pub struct Log {
    ident: &'static str,
    facility: Facility,
    syslog: bool,
    stderr: bool,
}

impl Log {
    /// A log under the name `ident`: on a terminal or in `debug` mode to standard error, else to syslog.
    #[must_use]
    pub fn new(ident: &'static str, debug: bool) -> Self {
        let stderr = debug || io::stderr().is_terminal();
        Self { ident, facility: Facility::LOG_DAEMON, syslog: !stderr, stderr }
    }

    /// The log of `request-key`: to syslog under authpriv, to standard error, to both or to neither.
    #[must_use]
    pub const fn of_request_key(ident: &'static str, syslog: bool, stderr: bool) -> Self {
        Self { ident, facility: Facility::LOG_AUTHPRIV, syslog, stderr }
    }

    /// Where its messages go.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        if self.stderr { Destination::Stderr } else { Destination::Syslog }
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

    fn to_syslog(&self, severity: Severity, line: &str) -> io::Result<()> {
        let formatter = Formatter3164 {
            facility: self.facility,
            hostname: None,
            process: self.ident.to_owned(),
            pid: std::process::id(),
        };
        let mut entry = Vec::with_capacity(line.len() + 64);
        formatter.format(&mut entry, severity, line).map_err(io::Error::other)?;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect("/dev/log")?;
        socket.send(&entry).map(drop)
    }
}
