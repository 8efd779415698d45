# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# The source packages are built as distributions do it: unpacked elsewhere, without a network, with this machine's Rust and C
# library, and with their tests. It compiles everything twice, so it is run by name alone.

# With loopback as the only network, as package builders have it, and without the crates that this machine has.
offline() {
    unshare --net sh -c 'ip link set lo up && exec "$@"' sh \
        env -u EXECUTABLE -u CARGO_TARGET_DIR -u OUTPUT CARGO_HOME="$work/no-cargo" "$@" >"$work/log" 2>&1 ||
        { tail -n 40 "$work/log" >&2 && die "$*"; }
    grep -E '^test result: ' "$work/log" | awk '{ passed += $4; failed += $6 } END { printf "  %d tests passed, %d failed\n", passed, failed }'
}

# These packages were made: their sizes.
made() {
    local file
    for file in "$@"; do
        [ -e "$file" ] || die "${file##*/} was not made"
        printf '  %s, %d bytes\n' "${file##*/}" "$(stat -c %s "$file")"
    done
}

sources=$work/sources
rm -rf "$work"/{sources,deb,rpm,no-cargo}
mkdir -p "$work/deb"
OUTPUT=$sources packaging/build-source >"$work/log" 2>&1 || { cat "$work/log" >&2 && die 'the source packages'; }

dpkg-source -x "$sources"/key-dns_*.dsc "$work/deb/tree" >/dev/null
(cd "$work/deb/tree" && offline dpkg-buildpackage -b -d -us -uc)
made "$work"/deb/key-dns{,-request-key,-apparmor,-dbgsym}_*deb
dpkg-deb -f "$work"/deb/key-dns_*.deb Depends | grep -q libc6 || die 'it does not depend on the C library that it was linked with'
dpkg-deb -x "$work"/deb/key-dns_*.deb "$work/deb/root"
"$work/deb/root/usr/bin/key-dns" --version

offline rpmbuild --rebuild --nodeps --define "_topdir $work/rpm" "$sources"/key-dns-*.src.rpm
made "$work"/rpm/RPMS/*/key-dns{,-request-key}-[0-9]*.rpm
mkdir -p "$work/rpm/root"
rpm2cpio "$work"/rpm/RPMS/*/key-dns-[0-9]*.rpm | (cd "$work/rpm/root" && cpio -idm --quiet)
"$work/rpm/root/usr/bin/key-dns" --version
