# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# Roots of hosts of different kinds, also with keyutils, or a /usr that can't be written to, whose system extensions this
# machine's systemd-sysext merges.

# What no host is without.
bare() {
    mkdir -p "$root"/{etc,dev,sys,tmp,var/lib,usr/bin,usr/sbin}
    mknod -m 666 "$root/dev/null" c 1 3
    undo "umount -lq $root/sys"
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

# keyutils of Debian, as a package.
keyutils_deb=$(find "$target/packages-test" -maxdepth 1 -name 'keyutils_*.deb' | head -n 1)
if [ -z "$keyutils_deb" ]; then
    (cd "$target/packages-test" && mkdir -p "$state" && flock "$state/lock" apt-get -q -o APT::Sandbox::User=root download keyutils >/dev/null)
    keyutils_deb=$(find "$target/packages-test" -maxdepth 1 -name 'keyutils_*.deb' | head -n 1)
fi

# keyutils' programs, with the library that they need.
keyutils() {
    local file
    for file in /sbin/request-key /sbin/key.dns_resolver; do
        # This machine's own request-key may be one of ours.
        dpkg-deb --fsys-tarfile "$keyutils_deb" | tar -C "$root" --to-stdout -xf - ".$file" >"$root$file"
        chmod 755 "$root$file"
    done
    for file in $(ldd /usr/bin/keyctl | grep -o '/lib[^ ]*') $(ldd "$root/sbin/key.dns_resolver" | grep -o '/lib[^ ]*'); do
        install -D "$file" "$root$file"
    done
    mkdir -p "$root/etc/request-key.d"
    printf 'create dns_resolver * * /sbin/key.dns_resolver %%k\n' >"$root/etc/request-key.conf"
}
with_keyutils() {
    "$1"
    keyutils
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
    # Shared, so that what is mounted below by systemd-sysext, in a mount namespace of its own, is seen by upcalls.
    undo "umount -lq $root"
    mount --rbind "$root" "$root"
    mount --make-shared "$root"
    mount --bind "$root/usr" "$root/usr"
    mount -o remount,bind,ro "$root/usr"
}
writable_usr() {
    umount "$root/usr"
    umount -l "$root"
}

# systemd-sysext, on the root. It wants /run to be a mount.
sysext() {
    unshare --mount --propagation unchanged sh -c 'mount -t tmpfs tmpfs /run && exec "$@"' sh \
        env "SYSTEMD_LOG_LEVEL=${DEBUG:+debug}" systemd-sysext --root="$root" "$@" >"$work/sysext" 2>&1 || {
        cat "$work/sysext" >&2
        die "$now: systemd-sysext $* failed"
    }
}
merge_extensions() {
    sysext refresh
    [ -e "$root/usr/libexec/key-dns" ] || {
        cat "$work/sysext" >&2
        die "$now: systemd-sysext merged nothing"
    }
}
unmerge_extensions() {
    sysext unmerge
}
