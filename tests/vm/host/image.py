"""A Debian with Ceph on a disk, and a kernel that boots it."""

import hashlib
import shutil
import stat
import subprocess

from . import debian
from .initramfs import Archive
from .kernel import load_order, module_name, release_of

# What the guest has beside Debian's least.
PACKAGES = "ceph-mon,ceph-osd,ceph-mds,ceph-common,ceph-fuse,fuse3,mount,procps,python3,util-linux"
# What is loaded before the disk can be mounted, and for what is mounted then.
MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "fuse", "libceph", "ceph")
SIZE = "3G"


def disk(cache, say):
    """The disk, made where it is not there."""
    # One that was made in another way is made anew.
    recipe = hashlib.sha256(f"{PACKAGES} {SIZE}".encode()).hexdigest()[:8]
    image = cache / f"ceph-{recipe}.ext4"
    if image.exists():
        return image
    for old in cache.glob("ceph-*.ext4"):
        old.unlink()
    work = cache / "making-ceph"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    say("a Debian with Ceph: packages")
    archive = work / "root.tar"
    settings = ["--aptopt=Acquire::Retries \"3\"", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    command = ["mmdebstrap", "--quiet", *settings, "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(archive)]
    debian.patiently(*command)
    root = work / "root"
    root.mkdir()
    subprocess.run(["tar", "-x", "-f", archive, "-C", root, "--exclude=./dev/*"], check=True)
    say("a Debian with Ceph: disk")
    made = work / "ceph.ext4"
    subprocess.run(["mkfs.ext4", "-q", "-d", root, made, SIZE], check=True)
    made.rename(image)
    shutil.rmtree(work)
    return image


def kernel(machine, series, packages, cache, say):
    """The folder with Debian's kernel of a series: `vmlinuz`, and the modules with a list of their order."""
    newest = packages.candidate(f"linux-source-{series}")
    if not newest:
        raise debian.Missing(f"apt knows no linux-source-{series}: apt-get update, with bookworm-security")
    image = f"linux-image-{release_of(machine, series, newest, packages)}-unsigned"
    folder = cache / f"ceph-{series}_{newest}"
    if (folder / "modules").exists():
        return folder
    say(f"Linux {newest}: packages")
    shutil.rmtree(folder, ignore_errors=True)
    work = cache / f"making-ceph-{series}"
    debs = packages.download([f"{image}={newest}"], work / "debs")
    debian.unpack(debs[image], work / "root", "./boot/vmlinuz-*", "./lib/modules/*")
    folder.mkdir(parents=True)
    shutil.copy(next((work / "root/boot").glob("vmlinuz-*")), folder / "vmlinuz")
    files = {module_name(path): path for path in (work / "root").rglob("*.ko*")}
    order = load_order(files, MODULES, folder)
    (folder / "modules").write_text("".join(f"{name}.ko\n" for name in order))
    shutil.rmtree(work)
    return folder


INIT = b"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /disk
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/modules); do /bin/busybox insmod /modules/$module; done
/bin/busybox mount -t ext4 /dev/vda /disk || /bin/busybox poweroff -f
/bin/busybox mount -t tmpfs tmpfs /disk/run
/bin/busybox cp /story /key-dns /disk/run/
for folder in proc sys dev; do /bin/busybox mount --move /$folder /disk/$folder; done
exec /bin/busybox switch_root /disk /usr/bin/python3 -u /run/story
"""


def archive(folder, busybox, executable, story):
    """The guest's first files."""
    files = Archive()
    files.add("init", stat.S_IFREG | 0o755, INIT)
    files.program("bin/busybox", busybox)
    files.program("key-dns", executable)
    files.program("story", story)
    files.file("modules/modules", (folder / "modules").read_bytes())
    for name in (folder / "modules").read_text().split():
        files.file(f"modules/{name}", (folder / name).read_bytes())
    return files.data()
