"""A kernel in QEMU, and what it reports."""

import subprocess
import threading
from dataclasses import dataclass, field

from . import debian

# Seconds that a boot with all cases may take.
LIMIT = 480


@dataclass
class Result:
    """What came of a boot."""

    release: str = "?"
    # Tuples of name, expected, seen.
    cases: list = field(default_factory=list)
    # What was said in cases that failed, and why a machine ended: lines.
    notes: list = field(default_factory=list)
    ended: bool = False


def command(image, archive, append, serial):
    return [
        # It ends with this process, however that ends.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        debian.tool("qemu-system-x86_64", "qemu-system-x86"),
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"),
        *("-nic", "none", "-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"),
        *("-kernel", str(image), "-initrd", str(archive)),
        # A kernel that stumbles ends the machine; but not over timers that tick late, since the host has more to do.
        *("-append", f"console=ttyS0 loglevel=4 panic=-1 oops=panic no_timer_check {append}"),
        *serial,
    ]


def run(image, archive, console, progress):
    """Runs the cases to their end. `console` is the file for what the kernel says."""
    result = Result()
    serial = ("-serial", f"file:{console}", "-serial", "stdio")
    with subprocess.Popen(
        command(image, archive, "", serial), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as machine:
        hung = threading.Event()
        timer = threading.Timer(LIMIT, lambda: (hung.set(), machine.kill()))
        timer.start()
        try:
            for line in machine.stdout:
                take(result, line.decode(errors="replace").rstrip("\r\n").split("\t"), progress)
                if result.ended:
                    break
            machine.wait()
        finally:
            timer.cancel()
            machine.kill()
    if not result.ended:
        why = f"no end within {LIMIT} s" if hung.is_set() else "the machine ended before its time"
        result.notes += [f"{why}; the last lines of {console}:", *tail(console)]
    return result


def take(result, fields, progress):
    match fields:
        case ["kernel", release]:
            result.release = release
        case ["case", name, expected, seen]:
            result.cases.append((name, expected, seen))
            progress(f"{result.release}: {name}: {'ok' if seen == expected else 'FAILED'}")
        case ["said", name, text]:
            result.notes.append(f"{name}: {text}")
        case ["end"]:
            result.ended = True
        case _:
            result.notes.append(" ".join(fields))


def tail(console):
    return console.read_text(errors="replace").splitlines()[-40:]


def shell(image, archive):
    """A shell in the guest, on this terminal."""
    serial = ("-serial", "mon:stdio", "-serial", "null")
    subprocess.run(command(image, archive, "shell", serial), check=False)
