//! Debian's packages, unpacked into the tests' directory and not installed.

use super::world::is_inside;
use super::{run, scratch, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is unpacked beside the packages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    Nothing,
    /// What they depend on, as far as it is not installed.
    Dependencies,
}

/// The directory with this name in which these packages are unpacked; `None` if they can't be had.
pub fn unpack(packages: &[&str], folder: &str, needed: Needed) -> Option<PathBuf> {
    let root = scratch(folder);
    let complete = root.join("complete");
    // There is no network in the namespaces of a test, which was here before it went there.
    if complete.exists() || is_inside() {
        return complete.exists().then_some(root);
    }
    let archives = root.join("archives");
    fs::create_dir_all(archives.join("partial")).unwrap();
    if let Err(why) = fetch(packages, &archives, needed) {
        skip(&format!("apt-get can't fetch {}: {why}", packages.join(", ")));
        return None;
    }
    let command = format!(
        "for each in {}/*.deb; do dpkg -x $each {} || exit 1; done",
        archives.display(),
        root.display()
    );
    assert!(run("sh", &["-c", &command]).status.success());
    fs::write(complete, "").unwrap();
    Some(root)
}

fn fetch(packages: &[&str], archives: &Path, needed: Needed) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    command
        .args(["-q", "-y", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"])
        .current_dir(archives);
    match needed {
        Needed::Nothing => command.arg("download"),
        Needed::Dependencies => command
            .args(["-o", &format!("Dir::Cache::archives={}", archives.display())])
            .args(["install", "--no-install-recommends", "--download-only", "--reinstall"]),
    };
    let output = command.args(packages).output().map_err(|error| error.to_string())?;
    let failed = || {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|line| line.starts_with("E: ")).or(said.lines().last());
        line.unwrap_or_default().to_owned()
    };
    output.status.success().then_some(()).ok_or_else(failed)
}
