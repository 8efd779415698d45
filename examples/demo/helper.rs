//! The helper's executable: built, found, and run in debug mode.

use crate::questions::Payload;
use crate::undo::{self, Step};
use std::env;
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
    /// The executable that cargo built.
    pub(crate) program: PathBuf,
    /// Its name and version, as it says itself.
    pub(crate) version: String,
    /// A folder of the demo's own.
    pub(crate) folder: PathBuf,
    /// The settings file in it.
    pub(crate) settings: PathBuf,
}

/// What debug mode printed.
pub(crate) struct Answer {
    pub(crate) payload: Payload,
    pub(crate) expiry: u32,
    pub(crate) took: Duration,
}

impl Helper {
    /// Builds the helper if need be, and writes its settings.
    pub(crate) fn prepare(settings: &str) -> Result<Self, String> {
        let program = built()?;
        let version = version(&program)?;
        let folder = env::temp_dir().join(format!("key-dns-demo-{}", std::process::id()));
        let failed = |error| format!("{}: {error}", folder.display());
        let make = || DirBuilder::new().mode(0o700).create(&folder);
        undo::doing(Step::RemoveFolder(folder.clone()), make).map_err(failed)?;
        let file = folder.join("demo.conf");
        fs::write(&file, settings).map_err(failed)?;
        Ok(Self { program, version, folder, settings: file })
    }

    /// The command line of debug mode.
    pub(crate) fn shown(&self) -> String {
        let program = env::current_dir().ok().and_then(|here| self.program.strip_prefix(here).ok());
        let program = program.unwrap_or(&self.program);
        format!("{} {NAME} -D -c SETTINGS DESCRIPTION CALLOUT", program.display())
    }

    /// Runs it in debug mode, with the environment that the kernel would give it.
    pub(crate) fn ask(&self, description: &str, callout: &str) -> Result<Answer, String> {
        let start = Instant::now();
        let output = Command::new(&self.program)
            .arg0(NAME)
            .args(["-D".as_ref(), "-c".as_ref(), self.settings.as_os_str()])
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

/// The executable, which cargo puts beside the folder of this example. Running an example builds no other program,
/// so that is made up for first; nothing is done where it is up to date. `KEY_DNS_EXECUTABLE` names another one.
fn built() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("KEY_DNS_EXECUTABLE") {
        return fs::canonicalize(&path).map_err(|error| format!("{}: {error}", path.display()));
    }
    let this = env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
    let folder = this.ancestors().nth(2).ok_or("this program is not where cargo puts examples")?;
    if let Some(cargo) = env::var_os("CARGO") {
        let target = folder.parent().unwrap_or(folder);
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let status = Command::new(cargo)
            .args(["build", "--bin", "key-dns", "--profile", profile])
            .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
            .args(["--target-dir".as_ref(), target.as_os_str()])
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("the helper could not be built: {status}")),
            Err(error) => return Err(format!("the helper could not be built: {error}")),
        }
    }
    let program = folder.join("key-dns");
    if program.exists() {
        Ok(program)
    } else {
        Err(format!("{} is not there: run the demo with cargo", program.display()))
    }
}
