"""The guest's files, as an archive that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst)."""

import os
import stat
from pathlib import Path


ROOT = Path(__file__).resolve().parents[3]


class Archive:
    def __init__(self):
        self.folders = set()
        self.files = set()
        self.parts = []
        self.count = 0

    def add(self, path, mode, data=b""):
        """Adds a file, and the folders that it is in."""
        parent = path.rpartition("/")[0]
        if parent and parent not in self.folders:
            self.folders.add(parent)
            self.add(parent, stat.S_IFDIR | 0o755)
        self.count += 1
        self.files.add(path)
        name = path.encode() + b"\0"
        # Magic; inode, mode, user, group, links, time, size, two devices of two numbers, size of the name, checksum.
        numbers = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % number for number in numbers)
        self.parts += [padded(header + name), padded(data)]

    def folder(self, path):
        self.add(f"{path}/.", stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o644):
        self.add(path, stat.S_IFREG | mode, data)

    def program(self, path, file):
        self.add(path, stat.S_IFREG | 0o755, file.read_bytes())

    def link(self, path, target):
        self.add(path, stat.S_IFLNK | 0o777, target.encode())

    def tree(self, root, elsewhere):
        """Adds the files below a folder that are not there yet; some of them at other places."""
        for folder, folders, names in os.walk(root):
            for name in sorted(folders + names):
                file = Path(folder, name)
                path = str(file.relative_to(root))
                path = elsewhere.get(path, path)
                mode = file.lstat().st_mode
                if path in self.files:
                    continue
                if stat.S_ISLNK(mode):
                    self.link(path, os.readlink(file))
                elif stat.S_ISREG(mode):
                    self.add(path, mode, file.read_bytes())
                elif path not in self.folders:
                    self.folders.add(path)
                    self.add(path, mode)

    def data(self):
        self.add("TRAILER!!!", 0)
        return b"".join(self.parts)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


# Where the executable is installed by hand, beside the rule that names it.
HELPER = "usr/libexec/key-dns/key.dns_resolver"
RULE = "request-key.d/dns_resolver.conf"
UPCALL = "sbin/request-key"


def build(kernel, guest, executable, busybox, cases, programs=None):
    """`guest` runs the cases, and `executable` is all that answers the kernel's keys; with `programs`, the folder of
    Debian's packages that answer others, it is what runs them."""
    archive = Archive()
    for folder in ("dev", "proc", "sys", "run", "tmp", "mnt", "etc"):
        archive.folder(folder)
    archive.program("init", guest)
    if programs:
        archive.program(HELPER, executable)
        archive.link(UPCALL, f"/{HELPER}")
        archive.file(f"etc/{RULE}", Path(ROOT, RULE).read_bytes())
    else:
        archive.program(UPCALL, executable)
    archive.program("bin/busybox", busybox)
    for name in ("sh", "sleep", "true"):
        archive.link(f"bin/{name}", "busybox")
    archive.file("cases", "\n".join(cases).encode())
    archive.file("etc/motd", MOTD.encode())
    archive.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
    archive.file("etc/shadow", b"root:*:0::::::\n", 0o600)
    archive.file("modules/modules", "\n".join(path.name for path in kernel.modules).encode())
    for path in kernel.modules:
        archive.file(f"modules/{path.name}", path.read_bytes())
    if programs:
        archive.tree(programs, {UPCALL: f"{UPCALL}.keyutils"})
    return archive.data()


MOTD = """
/sbin/request-key is key-dns. A name server of this machine knows mon1.ceph.test (IPv4) and mon2.ceph.test (IPv6).

    mount -t ceph mon1.ceph.test:6789:/ /mnt -o name=admin,secret=AQAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAA==,mount_timeout=2
    dmesg | tail
    cat /proc/keys

The end: exit.

"""
