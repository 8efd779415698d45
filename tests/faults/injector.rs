//! The tracer: runs `request-key` and breaks one thing.
//!
//! A call is kept from being made by making getpid(2) of it, which the helper's filter of calls allows; what it returns
//! is put in its place when it has ended (ptrace(2)).

use crate::plan::{self, Blow, Plan};
use key::{KernelKeyring, KeySerial, Keyring};
use linux_keyutils::{Key, KeyError, KeySerialId};
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

/// The `request-key` that is run.
pub const PROGRAM: &str = "/usr/libexec/key-dns/request-key";
/// Where the calls of a run with [`Plan::Trace`] are noted.
pub const TRACE: &str = "/run/key-dns-tests/trace";

/// Where it is noted what came of each [`Blow`].
pub const BLOWS: &str = "/run/key-dns-tests/blows";

/// The name under which this executable prints the callout info of a key.
pub const CALLOUT: &str = "callout";
/// The name under which this executable does something to a key.
pub const BLOW: &str = "blow";

/// Runs `request-key` with these arguments, which the kernel gave, as the plan in the key's callout says.
pub fn run(args: &[OsString]) -> ExitCode {
    let key = args.get(1).and_then(|key| key.to_str()).unwrap_or_default();
    // In a process of its own: the authority that it takes is not to be handed on.
    let callout = myself(CALLOUT, &[key]).output().map(|output| output.stdout).unwrap_or_default();
    if let Some(plan) = plan::in_callout(&String::from_utf8_lossy(&callout)) {
        match Tracer::start(args, key, plan) {
            Ok(mut tracer) => {
                tracer.keyring = args.get(6).and_then(|ring| ring.to_str()).unwrap_or_default();
                tracer.run();
            }
            Err(error) => eprintln!("can't trace: {error}"),
        }
        return ExitCode::SUCCESS;
    }
    let status = Command::new(PROGRAM).args(args).status();
    ExitCode::from(u8::from(!status.is_ok_and(|status| status.success())))
}

fn myself(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(args);
    command
}

/// Prints the callout info of the key.
pub fn callout(args: &[OsString]) -> ExitCode {
    let key = serial(&args[0]);
    KernelKeyring.assume_authority(key).unwrap();
    let request = KernelKeyring.request(key).unwrap();
    print!("{}", String::from_utf8_lossy(&request.callout));
    ExitCode::SUCCESS
}

/// Does something to the key, or to the keyring that it was requested into, and notes what came of it.
pub fn blow(args: &[OsString]) -> ExitCode {
    let key = serial(&args[0]);
    let Plan::Key(_, blow) = args[2].to_str().unwrap().parse::<Plan>().unwrap() else { unreachable!() };
    KernelKeyring.assume_authority(key).unwrap();
    let outcome = match strike(blow, key, args[1].to_str().unwrap()) {
        Ok(()) => "done".to_owned(),
        Err(error) => error,
    };
    let mut blows = File::options().create(true).append(true).open(BLOWS).unwrap();
    blows.write_all(format!("{outcome}\n").as_bytes()).unwrap();
    ExitCode::SUCCESS
}

fn strike(blow: Blow, key: KeySerial, keyring: &str) -> Result<(), String> {
    let handle = Key::from_id(KeySerialId::new(key.get()));
    let of = |outcome: Result<(), KeyError>| outcome.map_err(|error| format!("{error:?}"));
    let key = key.to_string();
    // It hands the authority on, by which the caller's keys can be found.
    let keyctl = |arguments: &[&str]| {
        let output = Command::new("/bin/keyctl").args(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(message.trim().to_owned()) }
    };
    match blow {
        Blow::Revoke => {
            // When the key is answered, which the kernel has this wait for, there is no authority to find it by.
            keyctl(&["setperm", &key, "0x3f3f0000"])?;
            of(handle.revoke())
        }
        Blow::Expire => {
            of(handle.set_timeout(1))?;
            thread::sleep(Duration::from_millis(1100));
            Ok(())
        }
        Blow::Instantiate => of(handle.instantiate("192.0.2.99\0", KeySerialId::new(0))),
        Blow::Reject => of(handle.reject(2)),
        Blow::SetPerm => keyctl(&["setperm", &key, "0"]),
        Blow::ChangeGroup => keyctl(&["chgrp", &key, "12345"]),
        Blow::ChangeOwner => keyctl(&["chown", &key, "12345"]),
        Blow::Unlink => keyctl(&["unlink", &key, keyring]),
        Blow::Clear => keyctl(&["clear", keyring]),
        Blow::Restrict => keyctl(&["restrict_keyring", keyring]),
        Blow::RevokeKeyring => keyctl(&["revoke", keyring]),
    }
}

fn serial(text: &OsString) -> KeySerial {
    text.to_str().unwrap().parse().unwrap()
}

/// A tracer and what it traces.
struct Tracer<'a> {
    traced: Pid,
    key: &'a str,
    /// The caller's session keyring.
    keyring: &'a str,
    plan: Plan,
    /// Number of calls since the program was executed.
    calls: usize,
    /// The numbers of the calls.
    trace: Vec<String>,
}

impl<'a> Tracer<'a> {
    /// Starts the program, stopped at its first instruction.
    fn start(args: &[OsString], key: &'a str, plan: Plan) -> nix::Result<Self> {
        let mut shell = Command::new("/bin/sh");
        let child =
            shell.args(["-c", "kill -STOP $$; exec \"$0\" \"$@\"", PROGRAM]).args(args).spawn().unwrap();
        let traced = Pid::from_raw(i32::try_from(child.id()).unwrap());
        waitpid(traced, Some(WaitPidFlag::WUNTRACED))?;
        let options =
            Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
        ptrace::seize(traced, options)?;
        kill(traced, Signal::SIGCONT)?;
        loop {
            match waitpid(traced, None)? {
                WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => break,
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return Err(nix::Error::ECHILD),
                WaitStatus::Stopped(_, signal) if signal != Signal::SIGCONT => ptrace::cont(traced, signal)?,
                _ => ptrace::cont(traced, None)?,
            }
        }
        // The call that ends next is the execve() itself.
        ptrace::syscall(traced, None)?;
        waitpid(traced, None)?;
        Ok(Self { traced, key, keyring: "", plan, calls: 0, trace: Vec::new() })
    }

    /// Runs it to its end.
    fn run(mut self) {
        let mut signal = None;
        let mut result: Option<i64> = None;
        let mut inside = false;
        while ptrace::syscall(self.traced, signal.take()).is_ok() {
            match waitpid(self.traced, None) {
                Ok(WaitStatus::PtraceSyscall(_)) if inside => {
                    if let Some(result) = result.take() {
                        self.change(|registers| registers.rax = result.cast_unsigned());
                    }
                    inside = false;
                }
                Ok(WaitStatus::PtraceSyscall(_)) => {
                    if let Plan::Stop(at, time) = self.plan
                        && at == self.calls
                    {
                        return self.stop(time);
                    }
                    result = self.enter();
                    inside = true;
                }
                Ok(WaitStatus::Stopped(_, caught)) => signal = Some(caught),
                Ok(WaitStatus::Exited(..) | WaitStatus::Signaled(..)) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if self.plan == Plan::Trace {
            std::fs::write(TRACE, self.trace.join("\n")).unwrap();
        }
    }

    /// Stops it, as anybody's signal would, and lets it go on after so many milliseconds, or not; waits for its end.
    fn stop(&self, time: u32) {
        // While it is traced, a stop is another thing.
        kill(self.traced, Signal::SIGSTOP).unwrap();
        ptrace::detach(self.traced, None).unwrap();
        if time > 0 {
            thread::sleep(Duration::from_millis(time.into()));
            let _ = kill(self.traced, Signal::SIGCONT);
        }
        let _ = waitpid(self.traced, None);
    }

    /// A call is about to be made. Returns what it is to return, if it is not to be made.
    fn enter(&mut self) -> Option<i64> {
        let place = self.calls;
        self.calls += 1;
        let registers = ptrace::getregs(self.traced).ok()?;
        let call = registers.orig_rax.cast_signed();
        match self.plan {
            Plan::Trace => {
                self.trace.push(format!("{call} {}", registers.rdi));
                None
            }
            Plan::Fail(at, errno) if at == place => Some(self.prevent(errno)),
            Plan::Always(number, errno) if number == call => Some(self.prevent(errno)),
            Plan::Signal(at, signal) if at == place => {
                kill(self.traced, Signal::try_from(signal).unwrap()).unwrap();
                None
            }
            Plan::Short if call == libc::SYS_read && registers.rdx > 1 => {
                self.change(|registers| registers.rdx = 1);
                None
            }
            Plan::Key(at, blow) if at == place => {
                let plan = self.plan.to_string();
                let mut command = myself(BLOW, &[self.key, self.keyring, &plan]);
                // The kernel lets whoever wants to revoke a key wait until it has its answer.
                if blow == Blow::Revoke {
                    let _ = command.spawn();
                } else {
                    let _ = command.status();
                }
                None
            }
            _ => None,
        }
    }

    /// Lets the call that is about to be made be none, and return this error.
    fn prevent(&self, errno: i32) -> i64 {
        self.change(|registers| registers.orig_rax = libc::SYS_getpid.cast_unsigned());
        -i64::from(errno)
    }

    fn change(&self, how: impl FnOnce(&mut libc::user_regs_struct)) {
        if let Ok(mut registers) = ptrace::getregs(self.traced) {
            how(&mut registers);
            let _ = ptrace::setregs(self.traced, registers);
        }
    }
}
