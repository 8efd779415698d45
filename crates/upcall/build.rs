//! Makes the filter of system calls, for the architecture that is built for, of the readable list in `seccomp.json`.

use seccompiler::{BpfProgram, TargetArch, compile_from_json};
use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Stand for numbers that are known when the process runs. No other constant of the filter is one of them.
const KEY: u32 = 0x4b45_5921;
const PROCESS: u32 = 0x5049_4421;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=seccomp.json");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH")?;
    let program = match TargetArch::try_from(architecture.as_str()) {
        Ok(target) => filter(target)?,
        // The program says at run time that it has none.
        Err(_) => BpfProgram::new(),
    };
    let mut code = format!(
        "/// Stands for the key in the filter.\npub(super) const KEY: u32 = {KEY};\n\
         /// Stands for the process.\npub(super) const PROCESS: u32 = {PROCESS};\n\
         /// Instructions: code, jump if true, jump if false, constant. None where there is no filter.\n\
         pub(super) const FILTER: &[(u16, u8, u8, u32)] = &[\n"
    );
    for instruction in program {
        writeln!(code, "({}, {}, {}, {}),", instruction.code, instruction.jt, instruction.jf, instruction.k)?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("seccomp.rs"), code)?;
    Ok(())
}

fn filter(target: TargetArch) -> Result<BpfProgram, Box<dyn Error>> {
    let list = fs::read_to_string("seccomp.json")?;
    let list = list.replace("\"KEY\"", &KEY.to_string()).replace("\"PROCESS\"", &PROCESS.to_string());
    // Newer architectures have the one call alone.
    let wait = if target == TargetArch::x86_64 { "epoll_wait" } else { "epoll_pwait" };
    let list = list.replace("EPOLL_WAIT", wait);
    let mut filters = compile_from_json(list.as_bytes(), target)?;
    filters.remove("helper").ok_or_else(|| "seccomp.json has no filter of this name".into())
}
