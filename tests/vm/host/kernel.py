"""Debian's kernels, with the modules that the cases need, in a cache folder."""

import hashlib
import lzma
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .machine import MACHINES, Machine

SERIES = ("6.1", "6.12")

# What is loaded in the guest, in this order; what they depend on comes before them. Nothing says that libcrc32c needs
# crc32c_generic, rxrpc needs pcbc and fcrypt, and cifs the ciphers before it.
MODULES = (
    "dns_resolver",
    "crc32c_generic",
    "pcbc", "fcrypt", "rxrpc", "kafs",
    "libceph", "ceph",
    "nfsv4", "nfsd",
    "ctr", "ccm", "gcm", "ghash_generic", "cmac", "sha512_generic", "cifs",
)

# A kernel that was made ready in another way is made anew.
RECIPE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


@dataclass
class Kernel:
    machine: Machine
    series: str
    release: str
    version: str
    folder: Path

    @property
    def image(self):
        return self.folder / "vmlinuz"

    @property
    def modules(self):
        """The modules in the order of loading."""
        return [self.folder / name for name in (self.folder / "modules").read_text().split()]


def prepare(machine, series, packages, cache, say):
    """The kernel of a series that apt has now; from the cache, where it is there."""
    version = packages.candidate(f"linux-source-{series}")
    if not version:
        raise debian.Missing(f"apt knows no linux-source-{series}: apt-get update, with bookworm-security")
    release = release_of(machine, series, version, packages)
    folder = cache / f"{release}_{version}_{RECIPE}"
    kernel = Kernel(machine, series, release, version, folder)
    if not folder.exists():
        work = cache / f"making-{series}"
        shutil.rmtree(work, ignore_errors=True)
        for old in cache.glob(f"{series}.*"):
            shutil.rmtree(old)
        made = Kernel(machine, series, release, version, work / "made")
        make(made, packages, work, say)
        made.folder.rename(folder)
        shutil.rmtree(work)
    return kernel


def release_of(machine, series, version, packages):
    """What `uname -r` says in the plain kernel of this version."""
    for package in packages.named(f"linux-image-{series}."):
        found = re.fullmatch(rf"linux-image-([^-]+(-[0-9]+)?-{machine.debian})-unsigned", package)
        if found and packages.candidate(package) == version:
            return found[1]
    raise debian.Missing(f"apt knows no image of Linux {version} for {machine.debian}")


def make(kernel, packages, work, say):
    what = f"Linux {kernel.version} for {kernel.machine.debian}"
    say(f"{what}: packages")
    headers = f"linux-headers-{kernel.release}"
    image = f"linux-image-{kernel.release}-unsigned"
    source = f"linux-source-{kernel.series}"
    common = packages.depends(headers, kernel.version, r"linux-headers-\S+-common")
    kbuild = packages.depends(headers, kernel.version, r"linux-kbuild-[^\s,]+")
    of_version = [f"{package}={kernel.version}" for package in (image, headers, common, source)]
    debs = packages.download(of_version, work / "debs")
    # What builds modules runs on the host.
    here = next(machine for machine in MACHINES.values() if machine.here)
    debs |= debian.Packages(here, None).download([f"{kbuild}={kernel.version}"], work / "debs")
    root = work / "root"
    debian.unpack(debs[image], root, "./boot/vmlinuz-*", "./lib/modules/*")
    for package in (headers, common, kbuild):
        debian.unpack(debs[package], root)
    debian.unpack(debs[source], root, f"./usr/src/{source}.tar.xz")
    say(f"{what}: libceph")
    libceph = build_libceph(kernel, root)
    kernel.folder.mkdir()
    shutil.copy(root / f"boot/vmlinuz-{kernel.release}", kernel.image)
    add_modules(kernel, root / "lib/modules" / kernel.release / "kernel", libceph)


def build_libceph(kernel, root):
    """Debian's libceph is built without name lookups (CONFIG_CEPH_LIB_USE_DNS_RESOLVER); this is it with them."""
    source = f"linux-source-{kernel.series}"
    archive = root / f"usr/src/{source}.tar.xz"
    subprocess.run(["tar", "-x", "-f", archive, "-C", root, f"{source}/net/ceph"], check=True)
    headers = root / f"usr/src/linux-headers-{kernel.release}"
    # The package expects to be installed.
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace(" /usr/src/", f" {root}/usr/src/"))
    folder = root / source / "net/ceph"
    machine = kernel.machine
    cross = []
    if not machine.here:
        # Debian's makefile asks for the release of the compiler that made the kernel.
        debian.tool(f"{machine.gnu}-gcc-12", f"gcc-12-{machine.gnu.replace('_', '-')}")
        cross = [f"CROSS_COMPILE={machine.gnu}-"]
    subprocess.run(
        [
            debian.tool("make", "make"),
            "-s",
            f"-j{os.cpu_count()}",
            "-C",
            headers,
            f"M={folder}",
            f"ARCH={machine.make}",
            *cross,
            "CONFIG_CEPH_LIB=m",
            "KCFLAGS=-DCONFIG_CEPH_LIB_USE_DNS_RESOLVER=1",
            "DEBIAN_KERNEL_NO_CC_VERSION_CHECK=y",
            "CONFIG_DEBUG_INFO_BTF_MODULES=",
            "modules",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / "libceph.ko"


def add_modules(kernel, tree, libceph):
    """Copies the modules, and lists them in the order of loading."""
    files = {module_name(path): path for path in tree.rglob("*.ko*")}
    files["libceph"] = libceph
    order = load_order(files, MODULES, kernel.folder)
    (kernel.folder / "modules").write_text("".join(f"{name}.ko\n" for name in order))


def load_order(files, wanted, folder):
    """Copies the wanted modules and what they need to a folder. Returns their names in the order of loading."""
    order = []

    def add(name):
        # What is not there is built into the kernel.
        if name not in files or name in order:
            return
        path = files[name]
        module = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        for needed in filter(None, re.search(rb"\0depends=([^\0]*)\0", module)[1].decode().split(",")):
            add(needed.replace("-", "_"))
        order.append(name)
        (folder / f"{name}.ko").write_bytes(module)

    for name in wanted:
        add(name)
    return order


def module_name(path):
    return path.name.partition(".")[0].replace("-", "_")
