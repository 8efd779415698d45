"""The architectures that the kernels are run on."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    # As `packaging/static-cargo`, Debian, the kernel's makefiles and GNU's tools call it.
    name: str
    debian: str
    make: str
    gnu: str
    # The emulator, its package and the options that make it this machine.
    qemu: str
    package: str
    options: tuple
    # The kernel's terminal, the one for the report, and what else the kernel is told.
    console: str
    report: str
    told: str

    @property
    def here(self):
        return os.uname().machine == self.name


MACHINES = {
    machine.name: machine
    for machine in (
        Machine(
            name="x86_64",
            debian="amd64",
            make="x86",
            gnu="x86_64-linux-gnu",
            qemu="qemu-system-x86_64",
            package="qemu-system-x86",
            options=("-cpu", "max", "-serial", "chardev:report"),
            console="ttyS0",
            report="ttyS1",
            # Timers tick late where the host has more to do.
            told="no_timer_check",
        ),
        Machine(
            name="aarch64",
            debian="arm64",
            make="arm64",
            gnu="aarch64-linux-gnu",
            qemu="qemu-system-aarch64",
            package="qemu-system-arm",
            # Signed pointers by the emulator's own hash, as that of the architecture takes most of its time. The board
            # has one serial line.
            options=("-M", "virt", "-cpu", "max,pauth-impdef=on", "-device", "pci-serial,chardev=report"),
            console="ttyAMA0",
            report="ttyS0",
            told="",
        ),
    )
}
