//! The helper's executable: found, and run in debug mode.

use crate::questions::Payload;
use crate::undo::{self, Step};
use crate::world::{HASTE, World};
use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The name under which it is a helper.
pub(crate) const NAME: &str = "key.dns_resolver";

/// The helper and its settings.
pub(crate) struct Helper {
    /// The executable.
    pub(crate) program: PathBuf,
    /// Its name and version, as it says itself.
    pub(crate) version: String,
    /// A folder of the demo's own.
    pub(crate) folder: PathBuf,
    /// The settings file in it.
    pub(crate) settings: PathBuf,
    /// The same settings, with a short deadline.
    hasty: PathBuf,
}

/// What debug mode printed.
pub(crate) struct Answer {
    pub(crate) payload: Payload,
    pub(crate) expiry: u32,
    pub(crate) took: Duration,
}

impl Helper {
    /// Finds the helper, and writes its settings.
    pub(crate) fn prepare(settings: &str) -> Result<Self, String> {
        let program = executable()?;
        let version = version(&program)?;
        let folder = env::temp_dir().join(format!("key-dns-demo-{}", std::process::id()));
        let failed = |error| format!("{}: {error}", folder.display());
        let make = || DirBuilder::new().mode(0o700).create(&folder);
        undo::doing(Step::RemoveFolder(folder.clone()), make).map_err(failed)?;
        let (usual, hasty) = (folder.join("demo.conf"), folder.join("hasty.conf"));
        fs::write(&usual, settings).map_err(failed)?;
        fs::write(&hasty, format!("{settings}{HASTE}\n")).map_err(failed)?;
        Ok(Self { program, version, folder, settings: usual, hasty })
    }

    /// The command line of debug mode.
    pub(crate) fn shown(&self) -> String {
        let program = env::current_dir().ok().and_then(|here| self.program.strip_prefix(here).ok());
        let program = program.unwrap_or(&self.program);
        format!("{} {NAME} -D -c SETTINGS DESCRIPTION CALLOUT", program.display())
    }

    /// Runs it in debug mode, with the environment that the kernel would give it.
    pub(crate) fn ask(&self, description: &str, callout: &str) -> Result<Answer, String> {
        let settings = if World::is_silent(description) { &self.hasty } else { &self.settings };
        let start = Instant::now();
        let output = Command::new(&self.program)
            .arg0(NAME)
            .args(["-D".as_ref(), "-c".as_ref(), settings.as_os_str()])
            .args([description, callout])
            .env_clear()
            .env("HOME", "/")
            .env("PATH", "/sbin:/bin:/usr/sbin:/usr/bin")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        let took = start.elapsed();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |word| text.lines().find_map(|line| line.strip_prefix(word));
        let binary = line("payload-v1 ").and_then(unhex).map(|bytes| Payload::read(&bytes));
        let payload = binary.or_else(|| line("payload ").map(Payload::parse));
        match (payload, line("expiry ").and_then(|seconds| seconds.parse().ok())) {
            (Some(payload), Some(expiry)) if output.status.success() => Ok(Answer { payload, expiry, took }),
            _ => Err(format!(
                "the helper ({}) printed {text:?} and {:?}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// What a helper says that it is.
pub(crate) fn version(program: &Path) -> Result<String, String> {
    let output = Command::new(program).arg0(NAME).arg("-V").output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(format!("{} -V: {}", program.display(), output.status))
    }
}

/// Why the helper can't be started, if it can't.
pub(crate) fn obstacle() -> Option<String> {
    let error = fs::File::open("/dev/null").err()?;
    Some(format!("/dev/null, which a started program gets for its standard input: {error}"))
}

/// Whether a program that is called so is the helper.
pub(crate) fn is_meant_by(called: Option<&OsString>) -> bool {
    called.and_then(|path| Path::new(path).file_name()) == Some(NAME.as_ref())
}

/// The executable that is the helper under its name: this one, or what `KEY_DNS_EXECUTABLE` names.
fn executable() -> Result<PathBuf, String> {
    match env::var_os("KEY_DNS_EXECUTABLE") {
        Some(path) => fs::canonicalize(&path).map_err(|error| format!("{}: {error}", path.display())),
        None => env::current_exe().map_err(|error| format!("where is this program? {error}")),
    }
}
