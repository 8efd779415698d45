//! The programs of the rules, each run of which is recorded: this program replaces each, and continues as the original.

use key::keyctl;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The programs.
const PROGRAMS: [&str; 4] =
    ["/usr/sbin/nfsidmap", "/usr/sbin/cifs.upcall", "/usr/sbin/cifs.idmap", "/usr/libexec/kafs-dns"];
/// What is put behind the name of the program itself.
const ITSELF: &str = ".itself";
const RUNS: &str = "/run/runs";

pub fn set_up() {
    for program in PROGRAMS {
        fs::rename(program, format!("{program}{ITSELF}")).unwrap();
        symlink("/init", program).unwrap();
    }
    forget_runs();
}

/// Whether this is the name of one of the programs: by its last part, which is what it is called with.
pub fn is_counted(name: &str) -> bool {
    PROGRAMS.iter().any(|program| last(program) == last(name))
}

/// Notes the run of a program, and goes on as it.
pub fn go_on(name: &str, arguments: &[String]) -> ! {
    // The number of the key, and not a time such as 600.
    let key =
        arguments.iter().filter(|argument| argument.len() > 4).find_map(|argument| argument.parse().ok());
    // Type, user, group, permissions, description.
    let described = keyctl::describe(key.unwrap()).unwrap();
    let described = String::from_utf8(described).unwrap();
    let mut fields = described.trim_end_matches('\0').splitn(5, ';').skip(1);
    let (user, description) = (fields.next().unwrap(), fields.nth(2).unwrap());
    let mut runs = OpenOptions::new().append(true).open(RUNS).unwrap();
    writeln!(runs, "{} for user {user}\t{description}", last(name)).unwrap();
    let program = PROGRAMS.iter().find(|program| last(program) == last(name)).unwrap();
    let error = Command::new(format!("{program}{ITSELF}")).arg0(name).args(arguments).exec();
    panic!("{program}: {error}");
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub fn forget_runs() {
    fs::write(RUNS, "").unwrap();
}

/// The runs since they were last forgotten: of each program with a user for whom it ran, how often.
pub fn runs() -> String {
    let text = fs::read_to_string(RUNS).unwrap();
    let mut who: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('\t')).map(|(who, _)| who).collect();
    who.sort_unstable();
    let counted = who.chunk_by(|one, other| one == other).map(|same| match same {
        [one] => format!("1 run of {one}"),
        [one, ..] => format!("{} runs of {one}", same.len()),
        [] => unreachable!(),
    });
    let runs = counted.collect::<Vec<_>>().join(", ");
    if runs.is_empty() { "no run".to_owned() } else { runs }
}

/// What the programs were asked for.
pub fn descriptions() -> Vec<String> {
    let text = fs::read_to_string(RUNS).unwrap();
    text.lines().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect()
}
