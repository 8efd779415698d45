# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# Roots of hosts of different kinds, also with a /usr that can't be written to, whose system extensions this machine's
# systemd-sysext merges.

# What no host is without.
bare() {
    mkdir -p "$root"/{etc,dev,sys,tmp,var/lib,usr/bin,usr/sbin}
    mknod -m 666 "$root/dev/null" c 1 3
    undo "umount -l $root/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
}
merged() {
    bare
    ln -s usr/sbin "$root/sbin"
}
one_folder() {
    merged
    rmdir "$root/usr/sbin"
    ln -s bin "$root/usr/sbin"
}
unmerged() {
    bare
    mkdir "$root/sbin"
}
# A root of a kind that systemd-sysext takes for one.
sysext_root() {
    "$1"
    mkdir -p "$root"/{usr/lib,run,proc,sys,usr/share}
    printf 'ID=test\nVERSION_ID=1\n' >"$root/usr/lib/os-release"
    ln -s ../usr/lib/os-release "$root/etc/os-release"
    # Enough for it to be found; it runs from the machine.
    printf '#!/bin/false\n' >"$root/usr/bin/systemd-sysext"
    chmod 755 "$root/usr/bin/systemd-sysext"
}

read_only_usr() {
    undo "umount -l $root/usr"
    mount --bind "$root/usr" "$root/usr"
    mount -o remount,bind,ro "$root/usr"
}
writable_usr() {
    umount "$root/usr"
}

# What systemd-sysext does, within a host's root.
sysext() {
    SYSTEMD_LOG_LEVEL=${DEBUG:+debug} systemd-sysext --root="$root" "$@" >"$work/sysext" 2>&1 || {
        cat "$work/sysext" >&2
        die "$now: systemd-sysext $* failed"
    }
}
merge_extensions() {
    undo "systemd-sysext --root=$root unmerge"
    sysext refresh
}
unmerge_extensions() {
    sysext unmerge
}
