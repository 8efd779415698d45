//! `/sbin/request-key`, which the kernel runs for each key.

use crate::distribution::Manager;
use crate::host_root::HostRoot;
use crate::program::{self, ProgramFault};
use crate::remedy::Remedy;
use crate::repair;
use crate::report::{Finding, Step};
use std::os::unix::fs::MetadataExt;

/// The name of the step.
pub(crate) const NAME: &str = "request-key";
/// The path that the kernel runs.
pub(crate) const PATH: &str = repair::REQUEST_KEY;

/// What this step passes on to later ones.
#[derive(Clone, Debug)]
pub(crate) struct RequestKey {
    /// The step.
    pub step: Step,
    /// Whether it is this program, whose rules differ a little from keyutils'.
    pub ours: bool,
}

/// Checks it.
#[must_use]
pub(crate) fn check(look: &HostRoot) -> RequestKey {
    let mut step = Step::new(NAME);
    let program = match program::check(look, PATH) {
        Ok(program) => program,
        Err(obstacle @ ProgramFault::Unseen { .. }) => {
            step.sum("could not be checked");
            step.unseen(PATH, obstacle.to_string());
            return RequestKey { step, ours: false };
        }
        Err(obstacle) => {
            step.sum("the kernel can't run it");
            step.find(Finding::broken(
                id(&obstacle),
                format!(
                    "the kernel can't run {PATH}, so no name is ever looked up: CephFS and NFS say \"No such \
                     process\", CIFS \"Required key not available\""
                ),
                obstacle.to_string(),
                repair::program(look, PATH, &obstacle),
            ));
            return RequestKey { step, ours: false };
        }
    };
    let ours = program::is_ours(look, PATH);
    let package = repair::owner(look, PATH);
    step.summary = match (ours, &package) {
        (true, _) => format!("{PATH} is key-dns"),
        (false, Some(package)) => format!("{PATH} is from package {package}"),
        (false, None) => format!("{PATH} exists, and belongs to no package"),
    };
    let facts = &program.metadata;
    step.fact(format!("owner {}, mode {:03o}, {} bytes", facts.uid(), facts.mode() & 0o7777, facts.len()));
    match &program.interpreter {
        Some(interpreter) => step.fact(format!("loaded by {interpreter}; its libraries are found")),
        None => step.fact("a static executable"),
    }
    if look.is_host() && (facts.uid() != 0 || facts.mode() & 0o022 != 0) {
        step.find(Finding::warn(
            "request-key-writable",
            format!("the kernel runs {PATH} as root, and users other than root can change it"),
            format!("owner {}, mode {:03o}", facts.uid(), facts.mode() & 0o7777),
            // Whoever could write to it may have done so. A copy of key-dns is not what a package has at that path.
            match package.filter(|_| !ours || look.link(PATH).is_ok()) {
                Some(package) => Manager::of(look).reinstall(&package),
                None => Remedy::advice(format!(
                    "check that {PATH} is the right program, and let only root own and write it (chown root, chmod 755)"
                )),
            },
        ));
    }
    RequestKey { step, ours }
}

fn id(obstacle: &ProgramFault) -> &'static str {
    match obstacle {
        ProgramFault::Missing(_) | ProgramFault::Dangling { .. } => "request-key-missing",
        ProgramFault::NotExecutable { .. } | ProgramFault::NoExec(_) => "request-key-not-executable",
        ProgramFault::Library { .. } => "request-key-library",
        ProgramFault::Interpreter { .. } => "request-key-interpreter",
        ProgramFault::NotAFile(_) | ProgramFault::NotAProgram { .. } | ProgramFault::Unseen { .. } => {
            "request-key-no-program"
        }
    }
}
