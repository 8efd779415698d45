# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# `key-dns setup` on hosts of different kinds, whose kernel asks what is installed there. Nothing but the executable is
# copied to them, and afterwards they are as before, file by file.

# shellcheck source=packaging/tests/host-roots.sh
. packaging/tests/host-roots.sh

# The executable from outside, as a person would run it who has copied it to the host.
setup() {
    mkdir -p "$root/tmp"
    cp "$EXECUTABLE" "$root/tmp/key-dns"
    chroot "$root" /tmp/key-dns setup "$@" >"$work/said" 2>&1 || {
        cat "$work/said" >&2
        die "$now: setup $* failed"
    }
    rm "$root/tmp/key-dns"
}

# The same from the machine on which the host's root is a folder, as in a container.
setup_at_root() {
    "$EXECUTABLE.setup/key-dns" setup "$@" --root "$root" >"$work/said" 2>&1 || {
        cat "$work/said" >&2
        die "$now: setup $* --root failed"
    }
}

said() {
    grep -q -- "$1" "$work/said" || { cat "$work/said" >&2; die "$now: '$1' is not said"; }
}

mkdir -p "$EXECUTABLE.setup"
cp "$EXECUTABLE" "$EXECUTABLE.setup/key-dns"

# Installs, upgrades and removes: "$1" answers before, and key-dns in between.
life() {
    answered_by "$1"
    listing >"$work/before"
    now 'say what would be done'
    setup install --dry-run
    said 'would make /etc/request-key.d/dns_resolver.conf'
    same_files "$work/before"
    now install
    setup install
    said 'the kernel made a request and got its answer'
    answered_by key-dns
    listing >"$work/installed"
    now 'install again'
    setup install
    same_files "$work/installed"
    answered_by key-dns
    now 'status'
    setup status
    now 'status where the kernel can not be asked'
    status=0
    unshare --mount sh -c 'umount -l "$1/proc" && exec chroot "$1" /usr/bin/key-dns setup status' sh "$root" >"$work/said" || status=$?
    [ "$status" = 2 ] || { cat "$work/said" >&2; die "$now: exit status $status"; }
    now 'two at once'
    status=0
    flock "$root" "$EXECUTABLE.setup/key-dns" setup install --root "$root" >"$work/said" 2>&1 || status=$?
    [ "$status" = 1 ] || die "$now: exit status $status"
    said 'another .key-dns setup. is at work there'
    same_files "$work/installed"
    now 'upgrade'
    start_asking
    printf 'x' >>"$EXECUTABLE.setup/key-dns"
    setup_at_root install
    said 'replace /.*key.dns_resolver$'
    answered_by key-dns
    setup_at_root install
    none_lost
    cp "$EXECUTABLE" "$EXECUTABLE.setup/key-dns"
    now 'remove'
    setup_at_root remove
    same_files "$work/before"
    answered_by "$1"
}

for kind in merged one_folder unmerged; do
    case_of "no keyutils, $kind"
    new_root "$kind"
    life nobody
done
for kind in merged unmerged; do
    case_of "keyutils, $kind"
    new_root with_keyutils "$kind"
    life keyutils
done

case_of 'killed at any moment'
new_root merged
listing >"$work/before"
for delay in $(seq 1 30); do
    now "killed after $delay ms"
    "$EXECUTABLE.setup/key-dns" setup install --root "$root" >/dev/null 2>&1 &
    sleep "0.$(printf %03d "$delay")"
    kill -9 $! 2>/dev/null || true
    wait $! 2>/dev/null || true
    setup_at_root remove
    same_files "$work/before"
done

case_of 'a read-only /usr and systemd-sysext'
for kind in merged one_folder; do
    now "$kind"
    new_root sysext_root "$kind"
    answered_by nobody
    listing >"$work/before"
    read_only_usr
    setup_at_root install
    said 'systemd-sysext refresh. on the host'
    merge_extensions
    now "$kind: merged"
    answered_by key-dns
    setup_at_root status
    setup_at_root install
    unmerge_extensions
    setup_at_root remove
    writable_usr
    answered_by nobody
    same_files "$work/before"
done

case_of 'files of others'
new_root merged
mkdir -p "$root/etc/request-key.d"
echo '# mine' >"$root/etc/request-key.d/dns_resolver.conf"
listing >"$work/before"
now 'refuse'
if "$EXECUTABLE.setup/key-dns" setup install --root "$root" >"$work/said" 2>&1; then die "$now: it was installed"; fi
said 'left alone: /etc/request-key.d/dns_resolver.conf'
same_files "$work/before"
end_of_cases
rm -r "$EXECUTABLE.setup"
