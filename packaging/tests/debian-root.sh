# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# A small Debian system, as an archive that is made once, with packages that it does not have installed.

base=$target/packages-test/deb/bookworm.tar
debs=/var/lib/key-dns-tests
if [ ! -e "$base" ]; then
    printf 'making a Debian system\n'
    # Under the lock, as other tests of this project change /etc/resolv.conf while they have it.
    mkdir -p "$state" "${base%/*}"
    flock "$state/lock" mmdebstrap --quiet --aptopt='Acquire::Retries "3"' --variant=apt --include=libkeyutils1,libkafs-client0,libkrb5-3 \
        --customize-hook="mkdir \"\$1$debs\" && cd \"\$1$debs\" && chroot \"\$1\" env -C $debs \
            apt-get -q download keyutils kafs-client" \
        bookworm "${base%.tar}.new.tar" http://deb.debian.org/debian
    mv "${base%.tar}.new.tar" "$base"
fi
