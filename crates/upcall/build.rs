//! Makes the filter of system calls, for the architecture that is built for, of the readable list in `seccomp.json`.

// What it reads is our own list, and where it panics, there is no build.

use seccompiler::{BpfProgram, TargetArch, compile_from_json, sock_filter};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Stand for numbers that are known when the process runs. No other constant of the filter is one of them.
const NUMBERS: [(&str, u32, &str); 4] = [
    ("KEY", 0x4b45_5921, "the key"),
    ("PROCESS", 0x5049_4421, "the process"),
    ("LOG", 0x4c4f_4721, "the connection to syslog"),
    ("MODULES", 0x4d4f_4421, "the socket of the process that asks NSS modules"),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=seccomp.json");
    let architecture = env::var("CARGO_CFG_TARGET_ARCH")?;
    let program = match TargetArch::try_from(architecture.as_str()) {
        Ok(target) => filter(target)?,
        // The program says at run time that it has none.
        Err(_) => BpfProgram::new(),
    };
    let mut code = String::new();
    for (name, number, what) in NUMBERS {
        let places = program.iter().enumerate().filter(|(_, instruction)| instruction.k == number);
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        writeln!(code, "/// Where {what} belongs.\npub(super) const {name}: &[usize] = &{places:?};")?;
    }
    writeln!(
        code,
        "/// None where there is no filter.\npub(super) static FILTER: [sock_filter; {}] = [",
        program.len()
    )?;
    for sock_filter { code: operation, jt, jf, k } in &program {
        writeln!(code, "sock_filter {{ code: {operation}, jt: {jt}, jf: {jf}, k: {k} }},")?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("seccomp.rs"), code)?;
    Ok(())
}

/// `BPF_JMP | BPF_JGE | BPF_K` of linux/bpf_common.h.
const JUMP_IF_AT_LEAST: u16 = 0x35;
/// System calls whose rules are looked at one after the other.
const LEAF: usize = 6;

/// Makes the filter of the list. When a filter is installed, the kernel runs it once for each system call that there
/// is, so it does not go through them all, as one filter of seccompiler would, but through a tree by their number.
fn filter(target: TargetArch) -> Result<BpfProgram, Box<dyn Error>> {
    let mut list = fs::read_to_string("seccomp.json")?;
    for (name, number, _) in NUMBERS {
        list = list.replace(&format!("\"{name}\""), &number.to_string());
    }
    // Newer architectures have the one call alone.
    let wait = if target == TargetArch::x86_64 { "epoll_wait" } else { "epoll_pwait" };
    let list: Value = serde_json::from_str(&list.replace("EPOLL_WAIT", wait))?;
    let list = list.get("helper").ok_or("no filter")?;
    let of_list = |name| list.get(name).ok_or(name);
    let mut rules: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for rule in of_list("filter")?.as_array().ok_or("no rules")? {
        rules
            .entry(rule.get("syscall").and_then(Value::as_str).ok_or("a rule without a call")?)
            .or_default()
            .push(rule);
    }
    let mut blocks = BTreeMap::new();
    let mut start = BpfProgram::new();
    let mut end = BpfProgram::new();
    for rules in rules.values() {
        let of_one_call = json!({ "helper": {
            "mismatch_action": of_list("mismatch_action")?, "match_action": of_list("match_action")?, "filter": rules,
        } });
        let mut filters = compile_from_json(of_one_call.to_string().as_bytes(), target)?;
        let mut program = filters.remove("helper").ok_or("no filter")?;
        // The architecture is checked and the number loaded; the rules; what is done with all else.
        end = program.split_off(program.len() - 1);
        let block = program.split_off(4);
        start = program;
        let number = block.first().ok_or("no rule")?.k;
        let unconditional = rules.iter().all(|rule| rule.get("args").is_none());
        blocks.insert(number, if unconditional { always(&block)? } else { block });
    }
    let blocks: Vec<_> = blocks.into_iter().collect();
    Ok([start, tree(&blocks, &end)?].concat())
}

/// What allows a system call whatever its arguments are, of seccompiler's longer form: a comparison, two jumps, and two
/// results of which this is the first.
fn always(block: &[sock_filter]) -> Result<BpfProgram, &'static str> {
    let [comparison, _, _, allow, _] = block else { return Err("another form of a rule without arguments") };
    Ok(vec![sock_filter { jt: 0, jf: 1, ..comparison.clone() }, allow.clone()])
}

/// The rules of these system calls, which are sorted by number, for a number that is loaded.
fn tree(blocks: &[(u32, BpfProgram)], end: &[sock_filter]) -> Result<BpfProgram, Box<dyn Error>> {
    if blocks.len() <= LEAF {
        let rules = blocks.iter().flat_map(|(_, rules)| rules.clone());
        return Ok(rules.chain(end.iter().cloned()).collect());
    }
    let (low, high) = blocks.split_at(blocks.len() / 2);
    let &(first_high, _) = high.first().ok_or("no rule")?;
    let (low, high) = (tree(low, end)?, tree(high, end)?);
    let jump = u8::try_from(low.len())?;
    let decision = sock_filter { code: JUMP_IF_AT_LEAST, jt: jump, jf: 0, k: first_high };
    Ok([vec![decision], low, high].concat())
}
