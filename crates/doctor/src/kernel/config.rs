//! The kernel's configuration, if it is readable.

use crate::host_root::HostRoot;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{self, Read};

/// No kernel's configuration is longer.
const LONGEST: u64 = 4 << 20;

/// The options that a kernel was built with.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// The file that contains them.
    pub(super) path: String,
    text: String,
}

impl Config {
    /// Reads it from where distributions put it; an error names the places.
    pub(super) fn read(look: &HostRoot, release: &str) -> Result<Self, String> {
        let paths = [
            "/proc/config.gz".to_owned(),
            format!("/boot/config-{release}"),
            format!("/lib/modules/{release}/config"),
            format!("/usr/lib/modules/{release}/config"),
        ];
        let mut reasons = Vec::new();
        for path in paths {
            match text(look, &path) {
                Ok(text) => return Ok(Self { path, text }),
                Err(error) => reasons.push(format!("{path}: {}", error.kind())),
            }
        }
        Err(reasons.join(", "))
    }

    /// The value of an option that is set.
    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(option)?.strip_prefix('='))
    }
}

fn text(look: &HostRoot, path: &str) -> io::Result<String> {
    let file = File::open(look.path(path))?;
    let mut text = String::new();
    if path.ends_with("gz") {
        GzDecoder::new(file).take(LONGEST).read_to_string(&mut text)?;
    } else {
        file.take(LONGEST).read_to_string(&mut text)?;
    }
    Ok(text)
}
