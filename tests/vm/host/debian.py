"""Debian's packages: which there are, and what is in them."""

import getpass
import re
import subprocess
import time
from pathlib import Path


# Of a download, and the seconds between them.
ATTEMPTS = 4
PAUSE = 10


class Missing(Exception):
    """Something that the host has to have."""


def output(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Missing(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def patiently(*command, **options):
    """Runs what needs the network."""
    for _ in range(ATTEMPTS - 1):
        try:
            return output(*command, **options)
        except Missing:
            time.sleep(PAUSE)
    return output(*command, **options)


class Packages:
    """The packages of an architecture. Where it is not the host's, apt keeps lists of them in a folder of ours."""

    def __init__(self, machine, folder):
        self.options = []
        if machine.here:
            return
        for name in ("lists", "cache"):
            Path(folder, name).mkdir(parents=True, exist_ok=True)
        settings = (
            f"APT::Architecture={machine.debian}",
            f"APT::Architectures::={machine.debian}",
            # The host's packages are not this machine's.
            "Dir::State::status=/dev/null",
            f"Dir::State::Lists={folder}/lists",
            f"Dir::Cache={folder}/cache",
            f"APT::Sandbox::User={getpass.getuser()}",
            "Acquire::Languages=none",
        )
        self.options = [word for setting in settings for word in ("-o", setting)]
        try:
            patiently("apt-get", *self.options, "-q", "update", "--error-on=any")
        except Missing:
            # Older lists will do.
            if not any(Path(folder, "lists").glob("*_Packages*")):
                raise

    def candidate(self, package):
        """The version that apt would install, or None."""
        found = re.search(r"Candidate: (\S+)", output("apt-cache", *self.options, "policy", package))
        return found[1] if found and found[1] != "(none)" else None

    def named(self, prefix):
        """The packages whose names begin so."""
        return output("apt-cache", *self.options, "pkgnames", prefix).split()

    def depends(self, package, version, pattern):
        """The package with such a name that this one depends on."""
        shown = output("apt-cache", *self.options, "show", f"{package}={version}")
        found = re.search(rf"^Depends:.*?({pattern})", shown, re.MULTILINE)
        if not found:
            raise Missing(f"{package} {version} depends on no {pattern}")
        return found[1]

    def download(self, packages, folder):
        """Fetches packages, NAME=VERSION or NAME, into a folder. Returns their files."""
        folder.mkdir(parents=True, exist_ok=True)
        patiently("apt-get", *self.options, "-q", "download", *packages, cwd=folder)
        names = [package.partition("=")[0] for package in packages]
        return {name: next(folder.glob(f"{name}_*.deb")) for name in names}

    def download_all(self, packages, folder):
        """Fetches packages and all that they depend on into a folder. Returns their files."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = (
            # None of it is to be there already, and none is to be installed.
            "Dir::State::status=/dev/null",
            f"Dir::Cache::archives={folder}",
            f"APT::Sandbox::User={getpass.getuser()}",
            "APT::Install-Recommends=no",
            "Debug::NoLocking=yes",
        )
        options = [word for setting in settings for word in ("-o", setting)]
        patiently("apt-get", *self.options, *options, "-q", "-y", "--download-only", "install", *packages)
        return sorted(folder.glob("*.deb"))


def unpack(deb, folder, *members):
    """Unpacks a package; with members, only what matches one of these patterns."""
    folder.mkdir(parents=True, exist_ok=True)
    patterns = ["--wildcards", *members] if members else []
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as tar:
        subprocess.run(["tar", "-x", "-C", str(folder), *patterns], stdin=tar.stdout, check=True)
    if tar.returncode != 0:
        raise Missing(f"{deb} can't be unpacked")


def tool(program, package):
    """The path of a program, which this package brings."""
    for folder in ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]:
        path = Path(folder, program)
        if path.exists():
            return str(path)
    raise Missing(f"no {program}: apt-get install --no-install-recommends {package}")
