//! What a rule's program inherits, under keyutils' `request-key` and under ours.

use crate::support::machine::{Machine, RULES};
use std::collections::BTreeMap;

/// Prints what the shell that runs it was started with, one item per line. It stays the process that was started.
const PROBE: &str = r#"#!/bin/sh
# Before anything of its own is open but the script, at 10.
standard=$(for number in 0 1 2; do echo "descriptor-$number $(readlink /proc/$$/fd/$number | sed 's/\[.*//')"; done)
descriptors=$(ls -C -w0 /proc/$$/fd)
{
for name in Groups SigPnd SigBlk SigIgn CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp Uid Gid Umask Threads \
    Cpus_allowed Mems_allowed Speculation_Store_Bypass; do
    echo "$name $(grep "^$name:" /proc/$$/status | tr -s '\t ' ' ' | cut -d: -f2)"
done
while read -r line; do echo "limit $line"; done </proc/$$/limits
echo "$standard"
echo "descriptors $descriptors"
echo "folder $(readlink /proc/$$/cwd)"
echo "root $(readlink /proc/$$/root)"
tr '\0' '\n' </proc/$$/environ | grep -v '^$' | while read -r line; do echo "environment $line"; done
# proc_pid_stat(5): group, session, terminal, priority and nice value, policy.
read -r pid name state parent group session terminal rest </proc/$$/stat
[ "$group" = "$pid" ] && echo "group own" || echo "group inherited"
[ "$session" = "$pid" ] && echo "session own" || echo "session inherited"
echo "terminal $terminal"
echo "priority $(cut -d' ' -f18,19,40,41 /proc/$$/stat)"
echo "oom $(cat /proc/$$/oom_score_adj) $(cat /proc/$$/coredump_filter)"
echo "timerslack $(cat /proc/$$/timerslack_ns)"
echo "label $(cat /proc/$$/attr/current 2>/dev/null | tr '\0' ' ')"
for space in cgroup ipc mnt net pid user uts time; do echo "namespace-$space $(readlink /proc/$$/ns/$space)"; done
echo "cgroup $(cat /proc/$$/cgroup | tr '\n' ' ')"
echo "keyring $(keyctl describe @s | sed 's/[0-9]*$//')"
echo "thread-keyring $(keyctl describe @t 2>&1 | sed 's/.*: //')"
echo "process-keyring $(keyctl describe @p 2>&1 | sed 's/.*: //')"
echo "authority $(keyctl pipe @a 2>&1)"
echo "arguments $# $0 $1"
} >/run/key-dns-rk-state 2>&1
[ $# = 1 ] || keyctl instantiate $1 done 0
echo done
"#;

/// Each item once, the values of those that come more than once in order.
fn state(machine: &Machine, name: &str) -> BTreeMap<String, Vec<String>> {
    std::fs::write("/run/key-dns-rk-state", "").unwrap();
    assert_eq!(machine.ask_for("user", name, "call out").text().trim_end(), "done", "{name}");
    let mut state = BTreeMap::<String, Vec<String>>::new();
    for line in std::fs::read_to_string("/run/key-dns-rk-state").unwrap().lines() {
        let (item, value) = line.split_once(' ').unwrap_or((line, ""));
        state.entry(item.to_owned()).or_default().push(value.to_owned());
    }
    assert!(state.len() > 40, "{state:?}");
    state
}

/// The items that differ, each with keyutils' value and ours. The reasons are in docs/request-key.md.
const DIRECT: &[(&str, &str, &str)] = &[];
const PIPED: &[(&str, &str, &str)] = &[("group", "inherited", "own")];

#[test]
fn a_program_inherits_the_same_as_under_keyutils() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file("/run/key-dns-rk-state", "");
    machine.script("/run/key-dns-rk-probe", PROBE);
    // With one argument it is a piped program, with two it answers the key itself.
    machine.file(
        RULES,
        "create user rk:direct* * /run/key-dns-rk-probe %k direct\ncreate user rk:piped* * |/run/key-dns-rk-probe x\n",
    );
    let mut seen = Vec::new();
    for (who, ours) in [("keyutils", false), ("ours", true)] {
        if ours {
            machine.use_our_request_key();
        }
        seen.push(["direct", "piped"].map(|how| state(&machine, &format!("rk:{how}-{who}"))));
    }
    for (how, expected) in [DIRECT, PIPED].into_iter().enumerate() {
        let (theirs, ours) = (&seen[0][how], &seen[1][how]);
        let value = |state: &BTreeMap<String, Vec<String>>, item| {
            state.get(item).map_or(String::new(), |v| v.join("|"))
        };
        let items: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        let differing: Vec<_> = items
            .into_iter()
            // The number of the key is one of the arguments.
            .filter(|item| *item != "arguments" && theirs.get(*item) != ours.get(*item))
            .map(|item| (item.clone(), value(theirs, item), value(ours, item)))
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|row| (row.0.to_owned(), row.1.to_owned(), row.2.to_owned())).collect();
        assert_eq!(differing, expected);
    }
}
