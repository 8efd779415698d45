use super::*;
use crate::request_key::rules::Rule;
use crate::request_key::subject::Subject;
use crate::testing::{Daemon, Folder, alone, in_own_process, told};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

#[test]
fn a_copy_in_the_same_folder_is_this_executable_and_another_build_is_not() {
    let own = fs::read_link(OWN).unwrap();
    let facts = own.metadata().unwrap();
    let copy = own.with_extension("copy");
    let call = |path: &Path| Call { path: path.into(), args: Vec::new() };
    assert!(is_this_executable(&call(&own)));
    assert!(!is_this_executable(&call(&copy)));
    fs::copy(&own, &copy).unwrap();
    let file = fs::File::options().write(true).open(&copy).unwrap();
    file.set_modified(facts.modified().unwrap()).unwrap();
    // What belongs to others than root may be changed by them.
    let labelled = is_labelled(fs::read("/proc/self/attr/current"));
    assert_eq!(is_this_executable(&call(&copy)), facts.uid() == 0 && !labelled);
    file.set_modified(facts.modified().unwrap() - Duration::from_secs(1)).unwrap();
    assert!(!is_this_executable(&call(&copy)));
    fs::remove_file(&copy).unwrap();
}

#[test]
fn a_process_label_shows_whether_a_policy_confines_it() {
    for (label, labelled) in [
        (b"unconfined\n".as_slice(), false),
        (b"", false),
        (b"system_u:system_r:keyutils_request_t:s0\0", true),
        (b"/usr/libexec/key-dns/request-key (enforce)\n", true),
    ] {
        assert_eq!(is_labelled(Ok(label.to_vec())), labelled);
    }
    assert!(!is_labelled(Err(io::Error::from_raw_os_error(nix::libc::EINVAL))));
    assert!(is_labelled(Err(io::Error::from_raw_os_error(nix::libc::EACCES))));
}

/// A guard without a time limit.
fn unlimited() -> Guard {
    Guard::without_handlers()
}

/// A call of the shell with this text, and these arguments from `$1` on.
fn shell(text: &str, args: &[&str]) -> Call {
    let args = ["sh", "-c", text, "sh"].into_iter().chain(args.iter().copied());
    Call { path: "/bin/sh".into(), args: args.map(OsString::from).collect() }
}

/// More time than any of these programs takes where nothing is wrong.
const AMPLE: Duration = Duration::from_secs(15);

/// Time limits, each twice the one before: on any machine, one of them lets a program begin.
fn limits() -> impl Iterator<Item = Duration> {
    (8..14).map(|power| Duration::from_millis(1 << power))
}

/// Pipes the callout through the shell, and says what was logged.
fn piped(
    text: &str,
    callout: &[u8],
    limit: usize,
    time: Duration,
) -> (Result<Vec<u8>, RuleFailure>, Vec<String>) {
    let daemon = Daemon::start();
    let place = RuleLocation { file: Path::new("rules"), line: 3 };
    let outcome = pipe(&shell(text, &[]), callout, limit, time, &place, &unlimited(), &daemon.log());
    (outcome, daemon.messages())
}

/// The output of the shell, where nothing is wrong and nothing is logged.
fn output(text: &str, callout: &[u8], limit: usize) -> Vec<u8> {
    let (outcome, messages) = piped(text, callout, limit, AMPLE);
    assert_eq!(messages, [""; 0]);
    outcome.unwrap()
}

fn values() -> MacroValues<'static> {
    MacroValues {
        subject: Subject { operation: b"create", key_type: b"user", description: b"d", callout: b"c c" },
        key: b"7",
        uid: b"0",
        gid: b"0",
        thread_keyring: b"0",
        process_keyring: b"0",
        session_keyring: b"1",
    }
}

fn filled_in(
    line: &str,
    contents: impl Fn(&[u8], &[u8]) -> io::Result<Vec<u8>>,
) -> Result<Vec<String>, RuleFailure> {
    let rule = Rule::parse(line.as_bytes()).unwrap().unwrap();
    let call = Call::new(&rule.program, &values(), contents)?;
    assert_eq!(call.path.as_bytes(), rule.program.path);
    Ok(call.args.into_iter().map(|arg| arg.into_string().unwrap()).collect())
}

#[test]
fn a_program_gets_its_name_and_the_expanded_arguments() {
    let args = filled_in("create user * * /a/prog %k x %c %% %{user:a:b}", |key_type, description| {
        assert_eq!((key_type, description), (&b"user"[..], &b"a:b"[..]));
        Ok(b" text~".to_vec())
    });
    assert_eq!(args.unwrap(), ["prog", "7", "x", "c c", "%", " text~"]);
}

#[test]
fn only_printable_key_contents_become_an_argument() {
    for bytes in [&b"a\nb"[..], b"a\0", b"\x7f", b"\x1f", b"\xc3\xa4"] {
        let failure = filled_in("create user * * /x %{user:a}", |_, _| Ok(bytes.to_vec())).unwrap_err();
        assert!(matches!(&failure, RuleFailure::NotPrintable(name) if name == "user:a"), "{failure:?}");
    }
    let missing = filled_in("create user * * /x %{user:a\x01}", |_, _| Err(Libc::ENOKEY.into())).unwrap_err();
    let RuleFailure::Contents { name, source } = missing else { panic!("{missing:?}") };
    assert_eq!((name.as_str(), source.raw_os_error()), ("user:a\\x01", Some(Libc::ENOKEY as i32)));
}

#[test]
fn a_call_is_shown_without_reading_any_key() {
    let rule = Rule::parse(b"create user * * |/a/prog %o %{user:a:b} x").unwrap().unwrap();
    let call = Call::unexpanded(&rule.program, &values());
    assert_eq!(call.path, "/a/prog");
    assert_eq!(call.args, ["prog", "create", "%{user:a:b}", "x"]);
}

#[test]
fn a_program_runs_under_its_name_and_its_status_is_returned() {
    let status = |text, args: &[&str]| run(&shell(text, args), &unlimited()).unwrap();
    assert_eq!(status("exit 7", &[]).code(), Some(7));
    assert_eq!(status("kill -KILL $$", &[]).signal(), Some(9));
    assert_eq!(status("test \"$#|$1|$2\" = '2|a b|'", &["a b", ""]).code(), Some(0));
    let renamed =
        Call { args: vec!["another".into(), "-c".into(), "test $0 = another".into()], ..shell("", &[]) };
    assert_eq!(run(&renamed, &unlimited()).unwrap().code(), Some(0));
}

#[test]
fn a_program_that_cannot_be_started_returns_the_errno() {
    let folder = Folder::new();
    // By a process of its own: nobody else has the file open for writing when it is to be run.
    let make = |name: &str, mode: &str| {
        let path = folder.path(name);
        let made = run(
            &shell("printf x > \"$1\" && chmod \"$2\" \"$1\"", &[path.to_str().unwrap(), mode]),
            &unlimited(),
        );
        assert!(made.unwrap().success());
        path
    };
    for (path, errno) in [
        (folder.path("missing"), Libc::ENOENT),
        (make("plain", "644"), Libc::EACCES),
        (make("nothing", "755"), Libc::ENOEXEC),
        (folder.path("plain/x"), Libc::ENOTDIR),
        (folder.as_ref().to_owned(), Libc::EACCES),
    ] {
        let call = Call { path: path.into(), args: vec!["x".into()] };
        let place = RuleLocation { file: Path::new("rules"), line: 3 };
        let direct = run(&call, &unlimited()).unwrap_err();
        let piped = pipe(&call, b"", 9, AMPLE, &place, &unlimited(), &Log::none()).unwrap_err();
        for failure in [direct, piped] {
            let told =
                matches!(&failure, RuleFailure::Start(error) if error.raw_os_error() == Some(errno as i32));
            assert!(told, "{call:?}: {failure:?}");
        }
    }
}

#[test]
fn the_callout_goes_in_and_the_payload_comes_out() {
    assert_eq!(output("cat", b"a\0b", 9), b"a\0b");
    assert_eq!(output("cat; echo x", b"", 9), b"x\n");
    assert_eq!(output("cat", b"123456789", 9), b"123456789");
    // More than a pipe holds, in both directions at once.
    let long: Vec<u8> = (0..300_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    assert_eq!(output("cat", &long, 1 << 20), long);
}

#[test]
fn a_program_need_not_read_its_callout() {
    assert_eq!(output("exec <&-; echo x", &vec![b'c'; 300_000], 9), b"x\n");
    assert_eq!(output("head -c 3", &vec![b'c'; 300_000], 9), b"ccc");
}

#[test]
fn a_program_may_pause_between_writes() {
    let text = "printf a; sleep 0.4; printf b; exec >&- 2>&-; sleep 0.1";
    assert_eq!(output(text, b"", 9), b"ab");
}

#[test]
fn output_written_after_the_program_exits_is_read() {
    // As a filter behind `exec > >(filter)` does it.
    let late = "(sleep 0.6; printf late) & printf early-";
    assert_eq!(output(late, b"", 10), b"early-late");
}

#[test]
fn a_background_process_delays_the_answer_only_if_it_holds_the_output() {
    let start = Instant::now();
    assert_eq!(output("sleep 60 >&- & printf x", b"", 9), b"x");
    assert_eq!(output("sleep 60 >/dev/null 2>&1 & printf x", b"", 9), b"x");
    assert!(start.elapsed() < AMPLE);
    assert!(limits().any(|time| {
        let (outcome, _) = piped("sleep 60 & printf x", b"", 9, time);
        matches!(outcome, Err(RuleFailure::HeldOpen(told)) if told == time)
    }));
    // One that has not ended is another case.
    let time = Duration::from_millis(300);
    let (outcome, _) = piped("sleep 60", b"", 9, time);
    assert!(matches!(outcome, Err(RuleFailure::TimedOut(told)) if told == time), "{outcome:?}");
}

#[test]
fn a_program_finds_sigpipe_ignored_and_no_signal_blocked() {
    let status = "grep -E '^Sig(Ign|Blk):' /proc/self/status";
    let piped_to = String::from_utf8(output(status, b"", 99)).unwrap();
    let masks: Vec<u64> =
        piped_to.lines().map(|line| u64::from_str_radix(line[7..].trim(), 16).unwrap()).collect();
    // SIGPIPE is 13, which is bit 12 (proc_pid_status(5)); whoever started the test may have it ignore others.
    assert_eq!((masks[0], masks[1] & 1 << 12), (0, 1 << 12), "{piped_to}");
    let folder = Folder::new();
    let file = folder.path("status");
    let directly = format!("{status} > {}", file.display());
    assert_eq!(run(&shell(&directly, &[]), &unlimited()).unwrap().code(), Some(0));
    assert_eq!(fs::read_to_string(file).unwrap(), piped_to);
}

/// Runs a program that says when it is there, and sends this process a signal meanwhile.
fn signalled(name: &str, text: &str, piped_too: bool) -> std::process::Output {
    in_own_process(&format!("request_key::run::tests::{name}"), || {
        let folder = Folder::new();
        let there = folder.path("there");
        let guard = crate::Guard::arm_rejecting(key::KeySerial::new(i32::MAX).unwrap(), 30, &Log::none());
        let seen = there.clone();
        // The program has one thread, which holds requests to end where it can't take them. None of the test's is to take
        // them in its place.
        let thread = nix::unistd::gettid();
        let sender = std::thread::spawn(move || {
            while !seen.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            crate::sys::process::signal_thread(thread, Signal::SIGTERM);
        });
        let call = shell(text, &[there.to_str().unwrap()]);
        let place = RuleLocation { file: Path::new("rules"), line: 3 };
        let code = if piped_too {
            match pipe(&call, b"", 9, AMPLE, &place, &unlimited(), &Log::none()) {
                Ok(_) => 0,
                Err(RuleFailure::Ended(status)) => 64 + status.signal().unwrap_or(32),
                Err(_) => 1,
            }
        } else {
            let status = run(&call, &unlimited()).unwrap();
            status.code().unwrap_or_else(|| 64 + status.signal().unwrap_or(32))
        };
        sender.join().unwrap();
        assert!(guard.claim(), "the key is still to be answered");
        code
    })
}

#[test]
fn a_termination_signal_is_forwarded_to_the_program() {
    let name = "a_termination_signal_is_forwarded_to_the_program";
    let output = signalled(name, "echo > $1; exec sleep 100", false);
    assert_eq!(output.status.code(), Some(64 + 15), "{output:?}");
}

#[test]
fn a_program_may_handle_the_forwarded_signal() {
    let name = "a_program_may_handle_the_forwarded_signal";
    let text = "trap 'exit 7' TERM; echo > $1; while :; do sleep 0.05; done";
    let output = signalled(name, text, false);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
}

#[test]
fn a_termination_signal_is_forwarded_to_the_group_of_a_piped_program() {
    let name = "a_termination_signal_is_forwarded_to_the_group_of_a_piped_program";
    let output = signalled(name, "echo > $1; sleep 100 | sleep 100", true);
    assert_eq!(output.status.code(), Some(64 + 15), "{output:?}");
}

#[test]
fn a_program_does_not_outlive_this_process() {
    if let Some(path) = told() {
        let call = shell("echo $$ > \"$1\"; exec sleep 100", &[&path]);
        std::thread::spawn(move || {
            while fs::read_to_string(&path).unwrap_or_default().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            nix::sys::signal::kill(Pid::this(), Signal::SIGKILL).unwrap();
        });
        let _ = run(&call, &unlimited());
        panic!("it is killed before");
    }
    let folder = Folder::new();
    let file = folder.path("child");
    let name = "request_key::run::tests::a_program_does_not_outlive_this_process";
    let output = alone(name, file.to_str().unwrap());
    assert_eq!(output.status.signal(), Some(9), "{output:?}");
    assert_ends(&file);
}

#[test]
fn the_output_of_a_failing_program_is_discarded() {
    for (text, code, signal) in [("echo x; exit 3", Some(3), None), ("echo x; kill -TERM $$", None, Some(15))]
    {
        let (outcome, _) = piped(text, b"", 9, AMPLE);
        let Err(RuleFailure::Ended(status)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((status.code(), status.signal()), (code, signal), "{text}");
    }
}

/// Whether the process whose number is in this file still runs.
fn runs(file: &Path) -> bool {
    let number = fs::read_to_string(file).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", number.trim()));
    state.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits until it doesn't.
fn assert_ends(file: &Path) {
    let start = Instant::now();
    while runs(file) {
        assert!(start.elapsed() < Duration::from_secs(10), "it still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_program_with_too_much_output_is_stopped() {
    let folder = Folder::new();
    let file = folder.path("child");
    for limit in [0, 9, 100_000] {
        let text = format!(
            "sleep 100 >/dev/null 2>&1 & echo $! > {}; while :; do echo 0123456789; done",
            file.display()
        );
        let (outcome, _) = piped(&text, b"", limit, AMPLE);
        assert!(matches!(outcome, Err(RuleFailure::TooMuch(told)) if told == limit), "{outcome:?}");
        assert_ends(&file);
    }
    assert_eq!(output("printf 123456789", b"", 9), b"123456789");
    let (outcome, _) = piped("printf 1234567890", b"", 9, AMPLE);
    assert!(matches!(outcome, Err(RuleFailure::TooMuch(9))), "{outcome:?}");
}

#[test]
fn a_program_that_does_not_end_is_stopped_with_its_children() {
    let folder = Folder::new();
    let file = folder.path("child");
    for end in ["wait", "exec >&- 2>&-; wait", "while :; do :; done", "while :; do echo; sleep 0.01; done"] {
        let text = format!("sleep 100 >/dev/null 2>&1 & echo $! > {}; {end}", file.display());
        let has_a_child = limits().any(|time| {
            fs::write(&file, "").unwrap();
            let start = Instant::now();
            let (outcome, _) = piped(&text, b"", 9_999, time);
            assert!(
                matches!(outcome, Err(RuleFailure::TimedOut(told)) if told == time),
                "{end}: {outcome:?}"
            );
            assert!(start.elapsed() >= time, "{end}: too early");
            assert!(start.elapsed() < time + AMPLE, "{end}: too late");
            fs::read(&file).unwrap().ends_with(b"\n")
        });
        assert!(has_a_child, "{end}");
        assert_ends(&file);
    }
}

#[test]
fn one_time_limit_covers_output_and_exit() {
    let folder = Folder::new();
    let file = folder.path("closed");
    // Either alone would be early enough.
    assert!(limits().any(|time| {
        let _ = fs::remove_file(&file);
        let part = time.as_secs_f64() * 2.0 / 3.0;
        let text = format!("sleep {part}; exec >&- 2>&-; echo >{}; sleep {part}", file.display());
        let (outcome, _) = piped(&text, b"", 9, time);
        matches!(outcome, Err(RuleFailure::TimedOut(_))) && file.exists()
    }));
}

#[test]
fn standard_error_of_a_program_is_logged_with_its_rule() {
    let (outcome, messages) = piped("echo 'a\tb' >&2; echo x; echo >&2; printf 'last' >&2", b"", 9, AMPLE);
    assert_eq!(outcome.unwrap(), b"x\n");
    assert_eq!(messages, ["info: rules:3: a\\tb", "info: rules:3: last"]);
    let (outcome, messages) = piped("echo why >&2; exit 1", b"", 9, AMPLE);
    assert!(matches!(outcome, Err(RuleFailure::Ended(_))));
    assert_eq!(messages, ["info: rules:3: why"]);
    assert!(limits().any(|time| {
        let (outcome, messages) = piped("echo why >&2; sleep 100", b"", 9, time);
        assert!(matches!(outcome, Err(RuleFailure::TimedOut(_))));
        messages == ["info: rules:3: why"]
    }));
}

#[test]
fn logging_of_standard_error_is_limited() {
    let lines = |number: usize| (0..number).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(complaints(lines(LINES).join("\n").as_bytes()), lines(LINES));
    let more = complaints(lines(LINES + 1).join("\n").as_bytes());
    assert_eq!(more[..LINES], lines(LINES));
    assert_eq!((more.len(), more[LINES].as_str()), (LINES + 1, "(more of this is not logged)"));
    let long = "0".repeat(LINE);
    assert_eq!(complaints(format!("\n{long}\n{long}1\n").as_bytes()), [long.as_str(), &long]);
    assert_eq!(complaints(b"a\xff\x1b[2J\r"), ["a\u{fffd}\\u{1b}[2J\\r"]);
    // Few enough for the daemon to have room for them.
    let (_, messages) = piped("for n in 1 2 3 4 5 6 7 8; do printf '%0400d\\n' $n >&2; done", b"", 9, AMPLE);
    assert_eq!(messages.last().unwrap(), &format!("info: rules:3: {:0400}", 8));
    // However much it is, the program comes to its end.
    let (outcome, messages) = piped("head -c 3000000 /dev/zero >&2; printf x", b"", 9, AMPLE);
    assert_eq!((outcome.unwrap().as_slice(), messages.len()), (&b"x"[..], 1));
}

/// A pipe on which each call ends like this.
struct Pipe(fn(usize) -> io::Result<usize>);

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0(buffer.len())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_interrupted_pipe_call_is_retried() {
    let read = |how| {
        let mut into = Vec::new();
        (take(&mut Some(Pipe(how)), &mut into).map_err(|error| error.kind()), into.len())
    };
    assert_eq!(read(|_| Ok(7)), (Ok(false), 7));
    assert_eq!(read(|_| Ok(0)), (Ok(true), 0));
    assert_eq!(read(|_| Err(io::ErrorKind::Interrupted.into())), (Ok(false), 0));
    assert_eq!(read(|_| Err(io::ErrorKind::OutOfMemory.into())), (Err(io::ErrorKind::OutOfMemory), 0));
    assert!(take(&mut None::<Pipe>, &mut Vec::new()).unwrap());

    let write = |how| feed(&mut Pipe(how), &[0; 9000]);
    assert_eq!(write(Ok), 4096);
    assert_eq!(write(|_| Ok(7)), 7);
    assert_eq!(write(|_| Err(io::ErrorKind::Interrupted.into())), 0);
    assert_eq!(write(|_| Err(io::ErrorKind::BrokenPipe.into())), 9000);
    assert_eq!(feed(&mut Pipe(Ok), b"abc"), 3);
}

#[test]
fn the_output_limit_depends_on_the_key_type() {
    assert_eq!(largest_payload(b"user"), 32_767);
    assert_eq!(largest_payload(b"dns_resolver"), 32_767);
    assert_eq!(largest_payload(b"big_key"), 1_048_575);
}

/// One that leads no group is not hit by a signal to one, and runs on.
#[test]
fn a_program_that_does_not_end_when_it_is_killed_is_not_waited_for() {
    let mut child = Command::new("sleep").arg("100").spawn().unwrap();
    let start = Instant::now();
    put_down(&mut child);
    assert!(!has_ended(&child));
    assert!((KILL_TIME..Duration::from_secs(10)).contains(&start.elapsed()), "{:?}", start.elapsed());
    child.kill().unwrap();
    child.wait().unwrap();
}
