//! The kernel's log.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

const O_NONBLOCK: i32 = nix::libc::O_NONBLOCK;

/// The kernel's log, from some point on.
pub struct Kmsg {
    file: File,
    lines: Vec<String>,
}

impl Kmsg {
    pub fn open() -> Self {
        let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open("/dev/kmsg").unwrap();
        let mut kmsg = Self { file, lines: Vec::new() };
        kmsg.forget();
        kmsg
    }

    /// Leaves out what was said so far.
    pub fn forget(&mut self) {
        self.file.seek(SeekFrom::End(0)).unwrap();
        self.lines.clear();
    }

    /// What was said since then.
    pub fn lines(&mut self) -> &[String] {
        // A record is `LEVEL,NUMBER,TIME,FLAGS;TEXT` and may have more lines, of properties.
        let mut record = [0; 8192];
        loop {
            match self.file.read(&mut record) {
                Ok(length) => {
                    let record = String::from_utf8_lossy(&record[..length]);
                    let text = record.lines().next().and_then(|line| line.split_once(';'));
                    self.lines.extend(text.map(|(_, text)| text.to_owned()));
                }
                // The log went round: the next read goes on with the oldest record.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return &self.lines,
                Err(error) => panic!("/dev/kmsg: {error}"),
            }
        }
    }
}
