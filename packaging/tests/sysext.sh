# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# The system extension, merged into a read-only /usr by this machine's systemd-sysext, and asked by its kernel.

# shellcheck source=packaging/tests/host-roots.sh
. packaging/tests/host-roots.sh
command -v systemd-sysext >/dev/null || die 'there is no systemd-sysext: apt-get install systemd'

raw=$(packaging/build-sysext)
bin=$(packaging/build-sysext --sbin-in-bin)
for image in "$raw" "$bin"; do
    cp "$image" "$work/first.raw"
    if [ "$image" = "$bin" ]; then packaging/build-sysext --sbin-in-bin; else packaging/build-sysext; fi >/dev/null
    cmp "$image" "$work/first.raw" || die "$image is not the same when it is made again"
    printf '  %s: %d bytes, the same twice\n' "${image##*/}" "$(stat -c %s "$image")"
done

extension() {
    case_of "/usr/sbin $1"
    new_root sysext_root "$2"
    mkdir -p "$root/var/lib/extensions"
    # No rule of others keeps it from answering.
    mkdir -p "$root/etc/request-key.d"
    echo 'create user debug:* * /bin/true' >"$root/etc/request-key.d/other.conf"
    answered_by nobody
    listing >"$work/before"
    read_only_usr
    now 'merge'
    cp "$3" "$root/var/lib/extensions/key-dns.raw"
    merge_extensions
    answered_by key-dns
    [ "$(chroot "$root" /usr/bin/key-dns --version)" = "key-dns $(version)" ] || die "$now: it is not in the PATH"
    [ "$(systemctl --root="$root" is-enabled key-dns-metrics.timer)" = disabled ] || die "$now: it has no key-dns-metrics.timer"
    now refresh
    sysext refresh
    answered_by key-dns
    now 'unmerge'
    unmerge_extensions
    answered_by nobody
    rm "$root/var/lib/extensions/key-dns.raw"
    writable_usr
    same_files "$work/before"
}
extension 'beside /usr/bin' merged "$raw"
extension 'is /usr/bin' one_folder "$bin"
end_of_cases
