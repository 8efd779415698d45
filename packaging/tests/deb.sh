# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# The Debian packages in a small Debian system: with keyutils before, after and never, and with what admins do. The
# kernel's own questions are answered by what is installed there.

# shellcheck source=packaging/tests/debian-root.sh
. packaging/tests/debian-root.sh

# Another version of our packages, with another rule.
OUTPUT=$work/next VERSION=99.0.0 packaging/build-deb >/dev/null
repack() {
    local folder=$work/repack
    rm -rf "$folder"
    dpkg-deb --raw-extract "$1" "$folder"
    (cd "$folder" && "$3")
    dpkg-deb --build --root-owner-group -Znone "$folder" "$2" >/dev/null
}
other_rule() {
    echo '# another version' >>etc/request-key.d/dns_resolver.conf
}
repack "$work"/next/key-dns_*_"$debian".deb "$work/next/key-dns.deb" other_rule

# One whose installation fails before anything is unpacked.
fails_before() {
    echo 'exit 1' >>DEBIAN/preinst
}
repack "$packages"/key-dns_*_"$debian".deb "$work/fails.deb" fails_before

in_root() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        "$@" </dev/null >>"$work/dpkg.log" 2>&1 || {
        tail -n 20 "$work/dpkg.log" >&2
        die "$now: '$*' failed"
    }
}

debian() {
    rm -f "$work/dpkg.log"
    new_root tar -C "$root" -xf "$base"
    mkdir -p "$root/packages"
    cp "$root$debs"/*.deb "$root/packages"
    rename_all "$packages"/key-dns*_"$debian".deb
    cp "$work/next/key-dns.deb" "$root/packages/next-key-dns.deb"
    cp "$work"/next/key-dns-request-key_*_"$debian".deb "$root/packages/next-key-dns-request-key.deb"
    cp "$work/fails.deb" "$root/packages"
    for file in keyutils kafs-client; do
        mv "$root/packages/$file"_*.deb "$root/packages/$file.deb"
    done
}

# /sbin and /usr/sbin are two folders, as they were before Debian 12.
unmerged_debian() {
    debian
    rm "$root/sbin"
    cp -a "$root/usr/sbin" "$root/sbin"
}

rename_all() {
    local file
    for file; do
        file=${file##*/}
        cp "$packages/$file" "$root/packages/${file%%_*}.deb"
    done
}

# keyutils of a later version with its programs in /usr/sbin, as Debian 13 has it.
later_keyutils() {
    mkdir -p usr/sbin
    mv sbin/* usr/sbin
    rmdir sbin
    sed -i 's|  sbin/|  usr/sbin/|' DEBIAN/md5sums
    sed -i 's/^Version: .*/Version: 99-1/' DEBIAN/control
}

install_() {
    local name files=()
    for name; do files+=("/packages/$name.deb"); done
    in_root dpkg --force-confdef --force-confold -i "${files[@]}"
}

# Whose file /sbin/request-key is.
request_key_is() {
    case $1 in
    key-dns) [ "$(readlink "$root/sbin/request-key")" = /usr/libexec/key-dns/request-key ] ;;
    keyutils) in_root dpkg --verify keyutils && [ ! -L "$root/sbin/request-key" ] &&
        [ -z "$(find "$root/sbin/" "$root/usr/sbin/" -name 'request-key.*')" ] ;;
    esac || die "$now: /sbin/request-key is not that of $1"
}

rule=etc/request-key.d/dns_resolver.conf

case_of 'keyutils is there already'
debian
install_ keyutils
answered_by keyutils
listing >"$work/before"
start_asking
now 'install key-dns'
install_ key-dns
answered_by key-dns
request_key_is keyutils
now 'install key-dns-request-key'
install_ key-dns-request-key
answered_by key-dns
request_key_is key-dns
now 'install both again'
install_ key-dns key-dns-request-key
answered_by key-dns
now 'upgrade both'
install_ next-key-dns next-key-dns-request-key
answered_by key-dns
request_key_is key-dns
grep -q '^# another version' "$root/$rule" || die "$now: the rule is still the old one"
now 'remove both'
in_root dpkg --remove key-dns key-dns-request-key
answered_by keyutils
request_key_is keyutils
now 'install key-dns again'
install_ next-key-dns
answered_by key-dns
now 'purge'
in_root dpkg --purge key-dns key-dns-request-key
answered_by keyutils
request_key_is keyutils
same_files "$work/before"
none_lost

# Whether the timer for metrics is on or off.
timer_is() {
    local state=off
    [ ! -L "$root/etc/systemd/system/timers.target.wants/key-dns-metrics.timer" ] || state=on
    [ -e "$root/lib/systemd/system/key-dns-metrics.timer" ] && [ "$state" = "$1" ] || die "$now: the timer is $state"
}

case_of 'keyutils is never there'
debian
answered_by nobody
listing >"$work/before"
now 'install key-dns'
install_ key-dns
answered_by nobody
timer_is off
now 'enable the timer for metrics'
# As a maintainer script would: systemctl is not here.
in_root env DPKG_MAINTSCRIPT_PACKAGE=key-dns deb-systemd-helper enable key-dns-metrics.timer
timer_is on
now 'install key-dns-request-key'
install_ key-dns-request-key
answered_by key-dns
start_asking
now 'upgrade both'
install_ next-key-dns next-key-dns-request-key
answered_by key-dns
now 'install both again'
install_ next-key-dns next-key-dns-request-key
answered_by key-dns
timer_is on
none_lost
now 'remove key-dns-request-key'
in_root dpkg --remove key-dns-request-key
answered_by nobody
now 'purge'
in_root dpkg --purge key-dns key-dns-request-key
answered_by nobody
same_files "$work/before"

case_of 'keyutils comes later, moves to /usr/sbin, and goes'
debian
repack "$root/packages/keyutils.deb" "$root/packages/later-keyutils.deb" later_keyutils
cp "$root/packages/later-keyutils.deb" "$work"
install_ key-dns key-dns-request-key
answered_by key-dns
start_asking
now 'install keyutils'
install_ keyutils
answered_by key-dns
request_key_is key-dns
in_root dpkg --verify keyutils
now 'upgrade keyutils'
install_ later-keyutils
answered_by key-dns
request_key_is key-dns
in_root dpkg --verify keyutils
now 'remove and install key-dns-request-key'
in_root dpkg --remove key-dns-request-key
answered_by key-dns
request_key_is keyutils
install_ key-dns-request-key
answered_by key-dns
request_key_is key-dns
now 'purge ours'
in_root dpkg --purge key-dns key-dns-request-key
answered_by keyutils
request_key_is keyutils
none_lost
listing >"$work/after"
debian
cp "$work/later-keyutils.deb" "$root/packages"
install_ keyutils
install_ later-keyutils
same_files "$work/after"
now 'remove keyutils while ours stays'
install_ key-dns key-dns-request-key
in_root dpkg --purge keyutils
answered_by key-dns
request_key_is key-dns
now 'purge ours'
in_root dpkg --purge key-dns key-dns-request-key
answered_by nobody

case_of 'key-dns setup was there before, of the same version'
debian
listing >"$work/before"
setup_ install
answered_by key-dns
now 'install both'
install_ key-dns key-dns-request-key
answered_by key-dns
setup_gives_way
in_root dpkg --verify key-dns key-dns-request-key
now 'purge'
in_root dpkg --purge key-dns key-dns-request-key
answered_by nobody
same_files "$work/before"

case_of '/sbin and /usr/sbin are two folders'
unmerged_debian
install_ keyutils
answered_by keyutils
listing >"$work/before"
start_asking
now 'install both'
install_ key-dns key-dns-request-key
answered_by key-dns
request_key_is key-dns
now 'purge'
in_root dpkg --purge key-dns key-dns-request-key
answered_by keyutils
request_key_is keyutils
same_files "$work/before"
none_lost

case_of 'kafs-client is there'
debian
install_ keyutils kafs-client
cell() {
    # A cell's name ends the lookup's memory: the kernel drops what is revoked.
    local key
    key=$(keyctl request2 dns_resolver afsdb:cell.pkg.test srv=1 @s)
    keyctl pipe "$key" | sha256sum
    keyctl invalidate "$key"
}
before=$(cell)
listing >"$work/before"
now 'install both'
install_ key-dns key-dns-request-key
answered_by key-dns
[ "$(cell)" = "$before" ] || die "$now: cells are answered otherwise"
now 'purge'
in_root dpkg --purge key-dns key-dns-request-key
[ "$(cell)" = "$before" ] || die "$now: cells are answered otherwise"
same_files "$work/before"

case_of 'the tests that Debian runs on what is installed (autopkgtest)'
debian
install_ keyutils
cp -R packaging/debian/tests "$root/tests"
now 'without us they fail'
! chroot "$root" /tests/upcall >"$work/autopkgtest" 2>&1 || die "$now: $(cat "$work/autopkgtest")"
for packages_ in key-dns 'key-dns key-dns-request-key'; do
    now "with $packages_"
    # shellcheck disable=SC2086
    install_ $packages_
    in_root /tests/command
    in_root /tests/upcall
done

case_of 'a rule of others that fits any name as well'
debian
install_ keyutils
# keyutils reads them in whatever order the file system has them, and our request-key by their names.
for name in aa cifs.upcall zz; do
    echo 'create dns_resolver * * /bin/false %k' >"$root/etc/request-key.d/$name.conf"
done
answered_by nobody
now 'keyutils runs ours'
install_ key-dns
answered_by key-dns
now 'and so does key-dns-request-key'
install_ key-dns-request-key
answered_by key-dns
now 'with the rule for any name alone, the order decides'
sed -i '/_resolver\t[^*]/d' "$root/$rule"
answered_by nobody

case_of "the admin's rule, settings and programs"
debian
install_ keyutils
now 'a rule of the same name is there before'
echo 'create dns_resolver * * /sbin/key.dns_resolver %k' >"$root/$rule"
sha256sum "$root/$rule" >"$work/rule"
install_ key-dns
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
answered_by keyutils
in_root dpkg --purge key-dns
answered_by keyutils
now 'the rule is changed'
install_ key-dns
sed -i "s/%k/-v %k/" "$root/$rule"
sha256sum "$root/$rule" >"$work/rule"
mkdir -p "$root/etc/keyutils"
echo 'default_ttl = 7' >"$root/etc/keyutils/key.dns_resolver.conf"
start_asking
now 'it is kept by an upgrade'
install_ next-key-dns
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
now 'and by removal and installation'
in_root dpkg --remove key-dns
answered_by keyutils
install_ next-key-dns
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
answered_by key-dns
now 'an installation that fails leaves it set aside'
in_root dpkg --remove key-dns
listing >"$work/before"
(in_root dpkg -i /packages/fails.deb) 2>/dev/null && die "$now: it did not fail"
answered_by keyutils
same_files "$work/before"
install_ next-key-dns
answered_by key-dns
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
now 'a rule that was deleted does not come back'
rm "$root/$rule"
answered_by keyutils
install_ key-dns
answered_by keyutils
in_root dpkg --remove key-dns
install_ key-dns
answered_by keyutils
now 'purge leaves settings alone'
in_root dpkg --purge key-dns
answered_by keyutils
none_lost
grep -qx 'default_ttl = 7' "$root/etc/keyutils/key.dns_resolver.conf" || die "$now: they are gone"
now 'a rule file that others can write to is named'
echo 'create none * * /bin/true' >"$root/etc/request-key.d/zz.conf"
chmod 666 "$root/etc/request-key.d/zz.conf"
install_ key-dns key-dns-request-key
grep -q '^key-dns-request-key: /etc/request-key.d/zz.conf: .*mode 666' "$work/dpkg.log" || die "$now: it is not"
rm "$root/etc/request-key.d/zz.conf"
in_root dpkg --purge key-dns key-dns-request-key
now "an admin's request-key comes back"
in_root dpkg --purge keyutils
printf '#!/bin/sh\n' >"$root/sbin/request-key"
chmod 700 "$root/sbin/request-key"
listing >"$work/before"
install_ key-dns key-dns-request-key
answered_by key-dns
in_root dpkg --purge key-dns key-dns-request-key
same_files "$work/before"
now 'one that replaces ours stays'
install_ keyutils key-dns key-dns-request-key
rm "$root/sbin/request-key"
printf '#!/bin/sh\n' >"$root/sbin/request-key"
install_ next-key-dns next-key-dns-request-key
in_root dpkg --purge key-dns key-dns-request-key
[ "$(cat "$root/sbin/request-key")" = '#!/bin/sh' ] || die "$now: it was overwritten"

case_of 'what was unpacked and not configured is removed'
debian
install_ keyutils
answered_by keyutils
listing >"$work/before"
install_ key-dns key-dns-request-key
now 'of a later version key-dns-request-key alone, which needs key-dns of the same'
(in_root dpkg -i /packages/next-key-dns-request-key.deb) 2>/dev/null && die "$now: it was configured"
now 'it is removed'
in_root dpkg --remove key-dns-request-key
answered_by key-dns
request_key_is keyutils
now 'an upgrade ends at the question about a changed rule'
sed -i 's/%k/-v %k/' "$root/$rule"
(in_root dpkg -i /packages/next-key-dns.deb) 2>/dev/null && die "$now: it was configured"
now 'it is removed'
in_root dpkg --remove key-dns
answered_by keyutils
now 'and purged'
in_root dpkg --purge key-dns key-dns-request-key
same_files "$work/before"

case_of 'an installation that was interrupted goes on'
debian
install_ keyutils
now "keyutils' program has its second name, and not yet the link in its place"
ln "$root/sbin/request-key" "$root/sbin/request-key.distrib"
install_ key-dns key-dns-request-key
answered_by key-dns
request_key_is key-dns
in_root dpkg --purge key-dns key-dns-request-key
request_key_is keyutils

case_of 'apt'
debian
listing >"$work/before"
now 'apt installs and purges both'
in_root apt-get -q -y --no-install-recommends install /packages/key-dns.deb /packages/key-dns-request-key.deb
answered_by key-dns
in_root apt-get -q -y purge key-dns key-dns-request-key
same_files "$work/before"
end_of_cases
