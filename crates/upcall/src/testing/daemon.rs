//! A syslog daemon that tests read.

use super::folder::Folder;
use crate::log::Log;
use std::os::unix::net::UnixDatagram;
use syslog::Facility;

/// A daemon, and the directory of its socket.
#[derive(Debug)]
pub(crate) struct Daemon {
    socket: UnixDatagram,
    /// Its socket.
    pub(crate) path: &'static str,
    _folder: Folder,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let path = folder.path("log").to_str().unwrap().to_owned().leak();
        Self { socket: listen(path), path, _folder: folder }
    }

    /// Closes the socket and opens another at the same path.
    pub(crate) fn restart(&mut self) {
        std::fs::remove_file(self.path).unwrap();
        self.socket = listen(self.path);
    }

    /// A log that goes to it.
    pub(crate) fn log(&self) -> Log {
        Log::with("test", Facility::LOG_DAEMON, self.path, true, false)
    }

    /// The entries since the last call, unchanged.
    pub(crate) fn entries(&self) -> Vec<String> {
        let mut buffer = [0; 8192];
        let next = || {
            let length = self.socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        };
        std::iter::from_fn(next).collect()
    }

    /// The messages since the last call: `SEVERITY: MESSAGE`.
    pub(crate) fn messages(&self) -> Vec<String> {
        let message = |entry: String| {
            let (priority, message) = entry.split_once("]: ").unwrap();
            let (priority, _) = priority.trim_start_matches('<').split_once('>').unwrap();
            let severity = match priority.parse::<u8>().unwrap() & 7 {
                3 => "error",
                4 => "warning",
                6 => "info",
                other => panic!("severity {other}"),
            };
            format!("{severity}: {message}")
        };
        self.entries().into_iter().map(message).collect()
    }
}

fn listen(path: &str) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}
