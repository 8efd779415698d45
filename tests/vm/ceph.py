"""The guest's first process: the smallest Ceph, a mount of it by the kernel and one by ceph-fuse; its daemons are stopped
and killed in turn, and each case says what hangs and what key-dns doctor says of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

CONF = """[global]
fsid = {fsid}
mon host = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
mon allow pool size one = true
mon data avail crit = 1
mon data avail warn = 1
mon warn on pool no redundancy = false
log file = /run/$name.log
run dir = /run
"""
DOCTOR = ["/run/key-dns", "doctor", "--mounts", "--json"]
MOUNT = "/mnt/c"
# What a call may take before it counts as hanging.
HANGS = 4
SOON = 120


class Report:
    def __init__(self):
        told = Path("/proc/cmdline").read_text().split()
        port = next(word.removeprefix("report=") for word in told if word.startswith("report="))
        self.port = open(f"/dev/{port}", "w")

    def line(self, *fields):
        self.port.write("\t".join(re.sub(r"[\t\r\n]", " ", field) for field in fields) + "\n")
        self.port.flush()


def run(*command, check=True, timeout=SOON):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done


def until(so, what):
    start = time.monotonic()
    while time.monotonic() - start < SOON:
        if so():
            return
        time.sleep(0.3)
    raise RuntimeError(f"not within {SOON} s: {what}")


class Cluster:
    """One monitor, one OSD in memory, one MDS."""

    def __init__(self):
        fsid = str(uuid.uuid4())
        os.makedirs("/etc/ceph", exist_ok=True)
        Path("/etc/ceph/ceph.conf").write_text(CONF.format(fsid=fsid))
        run("monmaptool", "--create", "--addv", "a", "[v2:127.0.0.1:3300,v1:127.0.0.1:6789]", "--fsid", fsid, "/run/monmap")
        admin = "/etc/ceph/ceph.client.admin.keyring"
        caps = [word for part in ("mon", "osd", "mds", "mgr") for word in ("--cap", part, "allow *")]
        run("ceph-authtool", "--create-keyring", admin, "--gen-key", "-n", "client.admin", *caps)
        run("ceph-authtool", "--create-keyring", "/run/mon.keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        run("ceph-authtool", "/run/mon.keyring", "--import-keyring", admin)
        self.secret = run("ceph-authtool", "-p", "-n", "client.admin", admin).stdout.strip()
        os.makedirs("/var/lib/ceph/mon/ceph-a", exist_ok=True)
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "/run/monmap", "--keyring", "/run/mon.keyring")
        self.daemons = {}
        self.start("mon")
        until(lambda: run("ceph", "--connect-timeout", "5", "-s", check=False).returncode == 0, "a monitor")
        osd = str(uuid.uuid4())
        run("ceph", "osd", "new", osd)
        self.keyring("osd.0", "/var/lib/ceph/osd/ceph-0", "mon", "allow *", "osd", "allow *")
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self.start("osd")
        self.keyring("mds.a", "/var/lib/ceph/mds/ceph-a", "mon", "allow *", "osd", "allow *", "mds", "allow *")
        for pool in ("meta", "data"):
            run("ceph", "osd", "pool", "create", pool, "8")
        run("ceph", "fs", "new", "fs", "meta", "data")
        self.start("mds")
        until(lambda: "up:active" in run("ceph", "fs", "dump", check=False).stdout, "an active MDS")

    def keyring(self, name, folder, *caps):
        os.makedirs(folder, exist_ok=True)
        run("ceph", "auth", "get-or-create", name, *caps, "-o", f"{folder}/keyring")

    def start(self, kind):
        name = "0" if kind == "osd" else "a"
        with open(f"/run/{kind}.out", "ab") as out:
            self.daemons[kind] = subprocess.Popen([f"ceph-{kind}", "-f", "-i", name], stdout=out, stderr=out)

    def mount(self):
        run("mount", "-i", "-t", "ceph", "127.0.0.1:6789:/", MOUNT, "-o", f"name=admin,secret={self.secret}")

    def signal(self, kind, number):
        self.daemons[kind].send_signal(number)
        if number == signal.SIGKILL:
            self.daemons[kind].wait()


NAMES = 0


def look():
    """Which calls hang: how full it is, a name that is not cached, contents that are not."""
    global NAMES
    NAMES += 1
    calls = {
        "df": ("stat", "-f", MOUNT),
        "ls": ("ls", f"{MOUNT}/nosuch{NAMES}"),
        "read": ("dd", f"if={MOUNT}/data", "of=/dev/null", "bs=4096", "count=1", "iflag=direct"),
    }
    processes = {name: subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for name, call in calls.items()}
    time.sleep(HANGS)
    waiting = [name for name, process in processes.items() if process.poll() is None]
    return waiting, processes


def doctor():
    start = time.monotonic()
    done = subprocess.run(DOCTOR, capture_output=True, text=True, timeout=60)
    took = time.monotonic() - start
    steps = json.loads(done.stdout)["steps"]
    return [finding for step in steps for finding in step["findings"]], took, done.stdout


def said(finding):
    """What a finding says, short: which parts are silent, and how their servers answered."""
    parts = {"monitors": "mon", "metadata servers": "mds", "object servers": "osd"}
    silent = [short for long, short in parts.items() if f"{long}" in finding["problem"].split(" do not answer")[0]]
    servers = re.findall(r"((?:mon|mds|osd)\d+) 127\.0\.0\.1:\d+ ?(?:\([^)]*\))?: (connection refused|accepts connections (?:and|but) \w+)", finding["evidence"])
    servers = [(name, text) for name, text in servers if not text.endswith("greets")]
    return f"{finding['id']}: {', '.join(silent)}; " + ", ".join(f"{name} {text.lower()}" for name, text in servers)


def recovered():
    """Whether all is well again, which may take a moment on a machine that is emulated."""
    for _ in range(5):
        findings, _, text = doctor()
        if not findings:
            return "well"
        time.sleep(2)
    return f"not well: {text}"


def breakage(cluster, kind, how, mend):
    """What is seen while a daemon is gone, and after it is back."""
    cluster.signal(kind, how)
    waiting, processes = look()
    if kind == "mon":
        # Reading may need a monitor or not, by what the client has asked it before.
        waiting = [name for name in waiting if name == "df"]
    findings, took, text = doctor()
    told = " | ".join(said(finding) for finding in findings if finding["id"] == "ceph-silent") or f"nothing: {text}"
    commands = [finding["remedy"] for finding in findings if finding["remedy"]]
    print(f"{kind} {how!r}: {took:.1f} s: {findings}", flush=True)
    mend()
    for process in processes.values():
        if kind == "osd" and how == signal.SIGKILL:
            process.kill()
        else:
            until(lambda: process.poll() is not None, "what waited to go on")
    line = f"hangs: {' '.join(waiting)}; {told}; within 5 s: {took < 5}"
    if commands:
        line += f"; commands: {commands}"
    if not (kind == "osd" and how == signal.SIGKILL):
        line += f"; then {recovered()}"
    return line


def stop(kind):
    return lambda cluster: breakage(cluster, kind, signal.SIGSTOP, lambda: cluster.signal(kind, signal.SIGCONT))


def kill(kind, again=True):
    def mend(cluster):
        if again:
            cluster.start(kind)

    return lambda cluster: breakage(cluster, kind, signal.SIGKILL, lambda: mend(cluster))


def well(_):
    findings, took, text = doctor()
    return f"{len(findings)} findings, within 5 s: {took < 5}" if not findings else text


def fuse(_):
    """The story of pods whose volume is ceph-fuse's: it is killed and started again."""
    for folder in ("/mnt/f", "/mnt/pod1", "/mnt/pod2", "/mnt/pod3"):
        os.makedirs(folder, exist_ok=True)
    start = ["ceph-fuse", "-n", "client.admin", "-r", "/", "/mnt/f"]
    run(*start)
    os.makedirs("/mnt/f/volumes/one/deep", exist_ok=True)
    Path("/mnt/f/volumes/one/data").write_text("data")
    run("mount", "--bind", "/mnt/f/volumes/one", "/mnt/pod1")
    run("mount", "--bind", "/mnt/pod1/deep", "/mnt/pod2")
    run("mount", "--bind", "/mnt/f/volumes", "/mnt/pod3")
    run("pkill", "-KILL", "ceph-fuse")
    time.sleep(1)
    findings, _, _ = doctor()
    first = [(finding["id"], finding["remedy"]) for finding in findings]
    run("umount", "-l", "/mnt/f")
    # Somebody touches one of them.
    run("ls", "/mnt/pod1/data", check=False)
    sessions = json.loads(run("ceph", "tell", "mds.a", "client", "ls").stdout)
    for session in sessions:
        if session["client_metadata"].get("mount_point") == "/mnt/f":
            run("ceph", "tell", "mds.a", "client", "evict", f"id={session['id']}")
    run(*start)
    findings, _, text = doctor()
    commands = [finding["remedy"] for finding in findings]
    if len(commands) != 1 or not commands[0]:
        return f"{first}; {text}"
    pieces = [piece + "; fi" for piece in commands[0].split("; fi")[:-1]]
    for piece in [*reversed(pieces), *pieces]:
        run("sh", "-c", piece.removeprefix("; "))
    state = recovered()
    run("sh", "-c", "test -d /mnt/pod2 && touch /mnt/pod2/new && test -e /mnt/f/volumes/one/deep/new")
    same = Path("/mnt/pod1/data").read_text() == "data" and os.path.exists("/mnt/pod3/one/data")
    return f"killed: {first}; started again: {len(pieces)} bind mounts in one command; then " + (
        state if same else "not the same"
    )


def evicted(cluster):
    """The cluster shuts the kernel's client out."""
    run("ceph", "tell", "mds.a", "client", "evict")
    until(lambda: run("ls", f"{MOUNT}/evicted", check=False).stderr.find("No such file") < 0, "the eviction")
    findings, took, text = doctor()
    told = [(finding["id"], finding["remedy"]) for finding in findings if finding["id"] == "ceph-evicted"]
    run("umount", "-f", MOUNT)
    cluster.mount()
    findings, _, text = doctor()
    left = [finding["id"] for finding in findings if "/mnt/c" in finding["problem"]]
    return f"{told or text}; within 5 s: {took < 5}; mounted again: {left or 'well'}"


CASES = [
    ("well", "0 findings, within 5 s: True", well),
    (
        "mds-stopped",
        "hangs: ls; ceph-silent: mds; mds0 accepts connections but sends; within 5 s: True; then well",
        stop("mds"),
    ),
    ("mds-killed", "hangs: ls; ceph-silent: mds; mds0 connection refused; within 5 s: True; then well", kill("mds")),
    (
        "mon-stopped",
        "hangs: df; ceph-silent: mon; mon0 accepts connections but sends; within 5 s: True; then well",
        stop("mon"),
    ),
    ("mon-killed", "hangs: df; ceph-silent: mon; mon0 connection refused; within 5 s: True; then well", kill("mon")),
    (
        "osd-stopped",
        "hangs: read; ceph-silent: osd; osd0 accepts connections but sends; within 5 s: True; then well",
        stop("osd"),
    ),
    (
        "ceph-fuse-restarted",
        "killed: [('fuse-dead', None)]; started again: 3 bind mounts in one command; then well",
        fuse,
    ),
    ("evicted", "[('ceph-evicted', None)]; within 5 s: True; mounted again: well", evicted),
    ("osd-killed", "hangs: read; ceph-silent: osd; osd0 connection refused; within 5 s: True", kill("osd", again=False)),
]


def main():
    for kind, path in (("tmpfs", "/tmp"), ("debugfs", "/sys/kernel/debug")):
        run("mount", "-t", kind, kind, path)
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    # It names a bucket of the OSD.
    Path("/proc/sys/kernel/hostname").write_text("guest")
    report = Report()
    report.line("kernel", os.uname().release)
    try:
        up()
        cluster = Cluster()
        os.makedirs(MOUNT, exist_ok=True)
        cluster.mount()
        Path(f"{MOUNT}/data").write_bytes(b"x" * 8192)
        os.sync()
    except Exception as error:
        report.line("said", "setup", str(error))
        for log in Path("/run").glob("*.out"):
            report.line("said", log.name, log.read_text(errors="replace")[-1500:])
        return
    for name, expected, case in CASES:
        try:
            seen = case(cluster)
        except Exception as error:
            seen = f"{type(error).__name__}: {error}"
        report.line("case", name, expected, seen)
    report.line("end")


def up():
    """Brings the loopback up, without iproute2: SIOCSIFFLAGS."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        fcntl.ioctl(asked, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


if __name__ == "__main__":
    try:
        main()
    finally:
        sys.stdout.flush()
        subprocess.run(["sync"], check=False)
        Path("/proc/sysrq-trigger").write_text("o")
        time.sleep(30)
