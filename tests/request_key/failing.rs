//! Programs that fail in every way, requested by twenty at once and one after the other: how often each is run, under
//! keyutils' `request-key` and under ours. And many slow ones at once.

use crate::support::asking::helpers;
use crate::support::machine::{Machine, RULES};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

const TURNS: &str = "/run/key-dns-rk-turns";
const CALLERS: usize = 20;

/// The program: `$1` is what it does, `$2` the key where it answers by itself.
const PROGRAM: &str = r#"#!/bin/sh
echo x >>/run/key-dns-rk-turns
answer() { if [ "$2" ]; then keyctl instantiate "$2" "$1" 0; else printf '%s' "$1"; fi; }
case $1 in
fails) exit 1 ;;
crashes) ulimit -c 0; kill -SEGV $$ ;;
is-killed) kill -KILL $$ ;;
hangs) sleep 1.5 ; exit 1 ;;
daemonises) (exec >&- 2>&-; sleep 1) & exit 0 ;;
keeps-pipe) sleep 1 & answer fine "$2" ;;
late) sleep 0.7; answer fine "$2" ;;
twice) answer fine "$2"; answer again "$2" ;;
too-much) if [ "$2" ]; then head -c 40000 /dev/zero | tr '\0' x | keyctl pinstantiate "$2" 0; else head -c 40000 /dev/zero; fi ;;
slowly) for part in a b c d e; do sleep 0.2; [ "$2" ] || printf $part; done; if [ "$2" ]; then answer fine "$2"; fi ;;
is-stopped) (sleep 0.7; kill -CONT $$) & kill -STOP $$; exit 1 ;;
esac
"#;

const WAYS: [&str; 11] = [
    "fails",
    "crashes",
    "is-killed",
    "hangs",
    "daemonises",
    "keeps-pipe",
    "late",
    "twice",
    "too-much",
    "slowly",
    "is-stopped",
];

/// How often the program runs for these callers, and what they get, each result once.
fn runs(name: &str, at_once: bool) -> (usize, String) {
    fs::write(TURNS, "").unwrap();
    let ask = "keyctl request2 user $0 x @s 2>&1 | sed 's/^[0-9]*$/a key/'";
    let script = if at_once {
        format!("for i in $(seq {CALLERS}); do {ask} & done; wait")
    } else {
        format!("for i in $(seq {CALLERS}); do {ask}; done")
    };
    let output = crate::support::run("keyctl", &["session", "-", "/bin/sh", "-c", &script, name]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut results: Vec<&str> = text.lines().map(|line| line.trim_start_matches("request_key: ")).collect();
    assert_eq!(results.len(), CALLERS, "{text}");
    results.sort_unstable();
    results.dedup();
    (fs::read_to_string(TURNS).unwrap().lines().count(), results.join(" / "))
}

#[test]
fn no_failing_program_runs_more_often_than_under_keyutils() {
    let Some(mut machine) = Machine::take() else { return };
    machine.file(TURNS, "");
    machine.script("/run/key-dns-rk-program", PROGRAM);
    let mut rules = String::new();
    for way in WAYS {
        let program = "/run/key-dns-rk-program";
        let _ = writeln!(rules, "create user rk:direct-{way}-* * {program} {way} %k");
        let _ = writeln!(rules, "create user rk:piped-{way}-* * |{program} {way}");
    }
    machine.file(RULES, rules);
    let mut seen = Vec::new();
    for (who, ours) in [("keyutils", false), ("ours", true)] {
        if ours {
            machine.use_our_request_key();
        }
        let cases = ["direct", "piped"].into_iter().flat_map(|how| WAYS.map(|way| (how, way)));
        let of =
            |(how, way): (&str, &str), at_once| runs(&format!("rk:{how}-{way}-{who}-{at_once}"), at_once);
        seen.push(cases.map(|case| (case, of(case, true), of(case, false))).collect::<Vec<_>>());
    }
    let mut table = format!(
        "runs for {CALLERS} callers: at once, one after the other\n{:20} {:>11} {:>7}   what they get: keyutils; ours\n",
        "", "keyutils", "ours"
    );
    let mut more = Vec::new();
    for (theirs, ours) in seen[0].iter().zip(&seen[1]) {
        let ((how, way), at_once, in_turn) = theirs;
        let _ = writeln!(
            table,
            "{:20} {:>5}, {:>4} {:>2}, {:>3}   {}; {}",
            format!("{how} {way}"),
            at_once.0,
            in_turn.0,
            ours.1.0,
            ours.2.0,
            at_once.1,
            ours.1.1
        );
        if ours.1.0 > at_once.0 || ours.2.0 > in_turn.0 {
            more.push(format!("{how} {way}"));
        }
    }
    let _ = writeln!(std::io::stderr(), "{table}");
    assert!(more.is_empty(), "run more often than under keyutils: {more:?}\n{table}");
}

/// What processes of `request-key` have for themselves, in KiB (`Pss` of /proc/PID/smaps_rollup).
fn memory() -> (usize, usize) {
    let sizes: Vec<usize> = helpers()
        .into_iter()
        .filter_map(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().split(' ').next()?.parse().ok()
        })
        .collect();
    (sizes.len(), sizes.iter().sum())
}

#[test]
fn three_hundred_slow_programs_at_once_are_all_waited_for() {
    const NUMBER: usize = 300;
    let Some(mut machine) = Machine::take() else { return };
    machine.script("/run/key-dns-rk-slow", "#!/bin/sh\nsleep 6\nkeyctl instantiate $1 fine 0\n");
    machine.file(RULES, "create user rk:* * /run/key-dns-rk-slow %k\n");
    for (who, ours) in [("keyutils", false), ("ours", true)] {
        if ours {
            machine.use_our_request_key();
        }
        let script = format!(
            "for i in $(seq {NUMBER}); do keyctl request2 user rk:slow-{who}-$i x @s >/dev/null 2>&1 && echo fine & done; \
             wait"
        );
        let start = Instant::now();
        let (output, most) = thread::scope(|scope| {
            let asking =
                scope.spawn(|| crate::support::run("keyctl", &["session", "-", "/bin/sh", "-c", &script]));
            let mut most = (0, 0);
            while !asking.is_finished() {
                most = most.max(memory());
                thread::sleep(Duration::from_millis(500));
            }
            (asking.join().unwrap(), most)
        });
        let took = start.elapsed().as_secs_f32();
        let answered = String::from_utf8_lossy(&output.stdout).matches("fine\n").count();
        let (processes, size) = most;
        let _ = writeln!(
            std::io::stderr(),
            "{NUMBER} slow programs at once, {who}: {answered} answered in {took:.1} s; {processes} processes of \
             request-key beside them, {size} KiB together"
        );
        assert_eq!(answered, NUMBER, "{who}");
    }
}
