"""A kernel in QEMU, and what it reports."""

import subprocess
import threading
from dataclasses import dataclass, field

from . import debian


@dataclass(frozen=True)
class Size:
    # MiB.
    memory: int
    # Seconds that a boot with all cases may take.
    limit: int


SMALL = Size(memory=1024, limit=480)
# With Debian's programs in there.
LARGE = Size(memory=3072, limit=1200)
# With a cluster of servers on a disk.
CLUSTER = Size(memory=2048, limit=1200)


@dataclass
class Result:
    """What came of a boot."""

    release: str = "?"
    # Tuples of name, expected, seen.
    cases: list = field(default_factory=list)
    # What was said in cases that failed, and why a machine ended: lines.
    notes: list = field(default_factory=list)
    ended: bool = False


def command(kernel, size, archive, console, report, told):
    """`console` and `report` are where QEMU has the ends of the two serial lines."""
    return command_of(kernel.machine, kernel.image, size, archive, console, report, told)


def command_of(machine, image, size, archive, console, report, told, more=()):
    """The same, of a machine and a kernel's file."""
    return [
        # It ends with this process, however that ends.
        *("setpriv", "--pdeathsig", "KILL", "--"),
        debian.tool(machine.qemu, machine.package),
        *("-accel", "tcg,thread=multi", "-smp", "2", "-m", str(size.memory)),
        *("-nic", "none", "-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"),
        *("-serial", console, "-chardev", f"{report},id=report", *machine.options),
        *more,
        *("-kernel", str(image), "-initrd", str(archive)),
        # A kernel that stumbles ends the machine.
        *("-append", f"console={machine.console} loglevel=4 panic=-1 oops=panic {machine.told} {told}"),
    ]


def run(kernel, size, archive, console, progress):
    """Runs the cases to their end. `console` is the file for what the kernel says."""
    told = f"report={kernel.machine.report}"
    return run_to_its_end(command(kernel, size, archive, f"file:{console}", "stdio", told), size.limit, console, progress)


def run_disk(machine, image, archive, disk, console, progress):
    """The same of a guest with a disk, which is as it was in the end."""
    told = f"report={machine.report}"
    more = ("-drive", f"file={disk},format=raw,if=virtio,snapshot=on")
    arguments = command_of(machine, image, CLUSTER, archive, f"file:{console}", "stdio", told, more)
    return run_to_its_end(arguments, CLUSTER.limit, console, progress)


def run_to_its_end(arguments, limit, console, progress):
    result = Result()
    with subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as machine:
        hung = threading.Event()
        timer = threading.Timer(limit, lambda: (hung.set(), machine.kill()))
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
        why = f"no end within {limit} s" if hung.is_set() else "the machine ended before its time"
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


def shell(kernel, size, archive):
    """A shell in the guest, on this terminal."""
    told = f"report={kernel.machine.report} shell={kernel.machine.console}"
    subprocess.run(command(kernel, size, archive, "mon:stdio", "null", told), check=False)
