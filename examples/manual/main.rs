//! Generates what comes from the program's own definitions: the marked parts of the manual pages, and the shell
//! completions. `cargo test --test manual` fails if they are out of date.

mod completions;
mod errors;
mod generate;
mod mdoc;

use std::process::ExitCode;
use std::{fs, io};

fn main() -> ExitCode {
    match write() {
        Ok(changed) => {
            println!("{changed} files changed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> io::Result<usize> {
    let mut changed = 0;
    for file in generate::files()? {
        if !file.is_up_to_date() {
            if let Some(folder) = file.path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&file.path, &file.text)?;
            println!("{}", file.path.display());
            changed += 1;
        }
    }
    Ok(changed)
}
