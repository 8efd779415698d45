//! A listener at `/dev/log`.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

/// Where daemons send their messages.
pub const PATH: &str = "/dev/log";

/// A listener at `/dev/log`.
pub struct Syslog(UnixDatagram);

impl Syslog {
    pub(super) fn listen() -> Self {
        Self(UnixDatagram::bind(PATH).unwrap())
    }

    /// The next message; fails the test when none comes in three seconds.
    #[track_caller]
    pub fn next(&self) -> String {
        self.try_next(Duration::from_secs(3)).expect("a message in the log")
    }

    /// The next message, if one comes within `time`.
    pub fn try_next(&self, time: Duration) -> Option<String> {
        let mut buffer = vec![0; 65536];
        let end = Instant::now() + time;
        loop {
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.0.set_read_timeout(Some(left)).unwrap();
            let length = self.0.recv(&mut buffer).ok()?;
            let message = String::from_utf8_lossy(&buffer[..length]);
            // Other programs of this machine may have something to say as well.
            if ["key.dns_resolver", "request-key"].iter().any(|ident| message.contains(ident)) {
                return Some(message.into_owned());
            }
        }
    }

    /// Sends messages, which nobody reads, until there is no room for another.
    pub fn fill(&self) {
        let sender = UnixDatagram::unbound().unwrap();
        sender.set_nonblocking(true).unwrap();
        sender.connect(PATH).unwrap();
        let full = (0..100_000).find_map(|_| sender.send(b"<30>filler").err());
        assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::WouldBlock));
    }
}
