"""Debian's packages with the programs that `request-key` runs, and the servers that they need, unpacked into a folder."""

import hashlib
import shutil
from pathlib import Path

from . import debian

PACKAGES = (
    "keyutils",
    "nfs-common",
    "cifs-utils", "samba",
    "krb5-kdc", "krb5-admin-server", "krb5-user",
    "kafs-client",
)

# What nothing in the guest reads: it has no Python and no Perl.
LEFT_OUT = (
    "lib/systemd", "lib/udev", "usr/include", "usr/lib/python3*", "usr/lib/*/perl*", "usr/share/perl*",
    "usr/share/doc", "usr/share/info", "usr/share/lintian", "usr/share/locale", "usr/share/man", "usr/share/python3",
    "usr/share/samba", "usr/bin/perl*", "usr/bin/python3*", "usr/lib/x86_64-linux-gnu/libperl*", "usr/share/bug",
)  # fmt: skip

# A folder that was made in another way is made anew.
RECIPE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


def prepare(packages, cache, say):
    """The folder of what apt has now; from the cache, where it is there."""
    versions = " ".join(f"{name}={packages.candidate(name)}" for name in PACKAGES)
    folder = cache / f"programs_{hashlib.sha256(versions.encode()).hexdigest()[:8]}_{RECIPE}"
    if not folder.exists():
        say("packages of the programs")
        work = cache / "making-programs"
        shutil.rmtree(work, ignore_errors=True)
        for old in cache.glob("programs_*"):
            shutil.rmtree(old)
        for deb in packages.download_all(PACKAGES, work / "debs"):
            debian.unpack(deb, work / "made")
        for path in (path for pattern in LEFT_OUT for path in (work / "made").glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        (work / "made").rename(folder)
        shutil.rmtree(work)
    return folder
