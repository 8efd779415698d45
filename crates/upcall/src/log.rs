//! Messages: to syslog, as a daemon writes them, or to the terminal from which the program was started.

use crate::sys::rescue;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;
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

/// An entry in the format of RFC 3164, without the time, which the daemon adds itself (§4.3): for the local time, the C
/// library would read `/etc/localtime`.
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

/// The connection, if any, that all logs of a process use whose confinement lets it make no other.
static LAST: OnceLock<Option<&'static UnixDatagram>> = OnceLock::new();

/// The way to the syslog daemon: one datagram an entry. It never waits, so an entry that the daemon has no room for is
/// lost.
#[derive(Debug)]
struct Socket {
    /// The daemon's socket.
    path: &'static str,
    connected: Option<&'static UnixDatagram>,
}

impl Socket {
    /// Connects, unless it is already.
    fn connect(&mut self) -> io::Result<&'static UnixDatagram> {
        if let Some(last) = LAST.get() {
            return last.ok_or_else(|| io::ErrorKind::NotConnected.into());
        }
        if let Some(socket) = self.connected {
            return Ok(socket);
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(self.path)?;
        // Never closed, because a signal handler may need it until the end.
        let socket = Box::leak(Box::new(socket));
        self.connected = Some(socket);
        Ok(socket)
    }
}

impl Write for Socket {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        match self.connect()?.send(entry) {
            // The daemon has been restarted.
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

/// The log of one run. Opening and writing never block, and a log that can't be written is ignored: an answer matters
/// more than its record.
pub struct Log {
    ident: &'static str,
    facility: Facility,
    /// The syslog daemon's socket.
    daemon: &'static str,
    syslog: Option<RefCell<Logger<Socket, Undated>>>,
    stderr: bool,
}

impl Log {
    /// A log with the ident `ident`: on a terminal or in `debug` mode to standard error, otherwise to syslog.
    #[must_use]
    pub fn new(ident: &'static str, debug: bool) -> Self {
        let stderr = debug || io::stderr().is_terminal();
        Self::with(ident, Facility::LOG_DAEMON, SYSLOG, !stderr, stderr)
    }

    /// The log of `request-key`: to syslog with facility authpriv, to standard error, to both or to neither.
    #[must_use]
    pub const fn of_request_key(ident: &'static str, syslog: bool, stderr: bool) -> Self {
        Self::with(ident, Facility::LOG_AUTHPRIV, SYSLOG, syslog, stderr)
    }

    /// A log to the daemon at `daemon`, if `syslog` is set, and to standard error.
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

    /// A log that discards everything.
    #[must_use]
    pub const fn none() -> Self {
        Self::of_request_key("", false, false)
    }

    /// What opens another log under the same name, which goes to syslog, and to standard error where this one does.
    pub(crate) fn to_syslog(&self) -> impl Fn() -> Self + use<> {
        let Self { ident, facility, daemon, stderr, .. } = *self;
        move || Self::with(ident, facility, daemon, true, stderr)
    }

    /// Where its messages go.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        if self.stderr { Destination::Stderr } else { Destination::Syslog }
    }

    /// Connects to syslog now, and lets signal handlers have the connection: `/dev/log` may be out of reach later.
    pub fn connect(&self) {
        if let Some(socket) = self.connection() {
            rescue::log_to(socket);
        }
    }

    fn connection(&self) -> Option<&'static UnixDatagram> {
        self.syslog.as_ref()?.borrow_mut().backend.connect().ok()
    }

    /// From now on no log of this process connects to syslog: each has this one's connection, which is returned. A daemon
    /// that is started anew meanwhile hears no more of it.
    pub fn keep_connection(&self) -> Option<RawFd> {
        let connection = *LAST.get_or_init(|| self.connection());
        rescue::log_no_other_way();
        connection.map(AsRawFd::as_raw_fd)
    }

    /// Something broke that should work.
    pub fn error(&self, message: impl fmt::Display) {
        self.write(message, |logger, line| logger.err(line));
    }

    /// Something outside this program is wrong: a name, a server, a file.
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
        // None of our messages has a newline; one that came from outside must not begin a new entry.
        let line = message.to_string().replace(['\n', '\r'], " ");
        // There is nobody to report a logging failure to.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Daemon, alone, in_own_process, told};
    use std::process;

    #[test]
    fn an_entry_has_severity_program_name_and_process_id() {
        let daemon = Daemon::start();
        let log = daemon.log();
        log.error("a");
        log.warning(format_args!("{}", "b"));
        log.info("c");
        let id = process::id();
        // Daemon is facility 3; error, warning and information are 3, 4 and 6 (RFC 3164 §4.1.1).
        let expected =
            [format!("<27>test[{id}]: a"), format!("<28>test[{id}]: b"), format!("<30>test[{id}]: c")];
        assert_eq!(daemon.entries(), expected);
        let log = Log::with("request-key", Facility::LOG_AUTHPRIV, daemon.path, true, false);
        log.error("d");
        assert_eq!(daemon.entries(), [format!("<83>request-key[{id}]: d")]);
    }

    #[test]
    fn every_message_is_a_single_entry() {
        let daemon = Daemon::start();
        daemon.log().error("a\n<0>forged\r\nb");
        assert_eq!(daemon.messages(), ["error: a <0>forged  b"]);
        daemon.log().info("x".repeat(5000));
        assert_eq!(daemon.messages(), [format!("info: {}", "x".repeat(5000))]);
    }

    #[test]
    fn the_log_reconnects_to_a_restarted_daemon() {
        // What another test starts would have the first daemon's socket for a moment, so that it is still there.
        let output = in_own_process("log::tests::the_log_reconnects_to_a_restarted_daemon", || {
            let mut daemon = Daemon::start();
            let log = daemon.log();
            log.error("a");
            assert_eq!(daemon.messages(), ["error: a"]);
            daemon.restart();
            log.error("b");
            log.error("c");
            assert_eq!(daemon.messages(), ["error: b", "error: c"]);
            0
        });
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }

    #[test]
    fn a_full_daemon_queue_does_not_block() {
        let daemon = Daemon::start();
        let log = daemon.log();
        log.connect();
        let connection = || log.syslog.as_ref().unwrap().borrow().backend.connected.unwrap().as_raw_fd();
        let connected = connection();
        // More than any daemon's queue is long by default (/proc/sys/net/unix/max_dgram_qlen).
        for number in 0..2000 {
            log.error(number);
        }
        let heard = daemon.messages();
        assert!((1..2000).contains(&heard.len()), "{}", heard.len());
        assert_eq!(heard[0], "error: 0");
        // A connection that is only full is no reason for another.
        assert_eq!(connection(), connected);
        log.error("again");
        assert_eq!(daemon.messages(), ["error: again"]);
    }

    #[test]
    fn messages_without_a_daemon_are_dropped() {
        let log = Log::with("test", Facility::LOG_DAEMON, "/nonexistent/log", true, false);
        log.connect();
        log.error("a");
        Log::none().connect();
        Log::none().error("b");
        let daemon = Daemon::start();
        Log::with("test", Facility::LOG_DAEMON, daemon.path, false, false).error("c");
        assert_eq!(daemon.entries(), [""; 0]);
    }

    #[test]
    fn a_kept_connection_serves_every_log_of_the_process() {
        if let Some(path) = told() {
            let path: &'static str = path.leak();
            let log = Log::with("first", Facility::LOG_DAEMON, path, true, false);
            assert!(log.keep_connection().is_some());
            log.error("a");
            log.to_syslog()().error("b");
            // It goes by the same connection, wherever its daemon is.
            Log::with("second", Facility::LOG_DAEMON, "/nonexistent/log", true, false).error("c");
            // As by a daemon that is started anew: the next connection would reach somebody.
            std::fs::rename(path, format!("{path}.old")).unwrap();
            let _other = UnixDatagram::bind(path).unwrap();
            log.error("d");
            return;
        }
        let daemon = Daemon::start();
        let output = alone("log::tests::a_kept_connection_serves_every_log_of_the_process", daemon.path);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(daemon.messages(), ["error: a", "error: b", "error: c", "error: d"]);
    }

    #[test]
    fn to_syslog_keeps_name_and_daemon() {
        let daemon = Daemon::start();
        let quiet = Log::with("test", Facility::LOG_AUTHPRIV, daemon.path, false, false);
        quiet.to_syslog()().warning("a");
        assert_eq!(daemon.entries(), [format!("<84>test[{}]: a", process::id())]);
    }

    #[test]
    fn messages_go_to_standard_error_if_it_is_requested() {
        let name = "log::tests::messages_go_to_standard_error_if_it_is_requested";
        let output = in_own_process(name, || {
            Log::new("helper", true).error("a\nb");
            Log::of_request_key("request-key", false, true).info("c");
            Log::of_request_key("request-key", false, false).info("d");
            0
        });
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "helper: a b\nrequest-key: c\n");
        assert_eq!(output.status.code(), Some(0));
    }

    #[test]
    fn a_log_knows_where_its_messages_go() {
        assert_eq!(Log::new("x", true).destination(), Destination::Stderr);
        assert_eq!(Log::of_request_key("x", true, true).destination(), Destination::Stderr);
        assert_eq!(Log::of_request_key("x", true, false).destination(), Destination::Syslog);
        assert_eq!(Log::none().destination(), Destination::Syslog);
    }

    #[test]
    fn debug_output_of_a_log_shows_name_and_destinations() {
        let shown = format!("{:?}", Log::of_request_key("x", true, false));
        assert_eq!(shown, "Log { ident: \"x\", syslog: true, stderr: false }");
    }
}
