# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# The RPMs in a root that has nothing but folders, and the libraries of keyutils: with keyutils before, after and never.
# keyutils is Debian's, packaged where distributions with RPM have it.

unpacked=$work/keyutils
if [ ! -e "$unpacked/sbin/request-key" ]; then
    (
        cd "$work"
        flock "$state/lock" apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root download keyutils
        rm -rf "$unpacked"
        dpkg-deb -x keyutils_*.deb "$unpacked"
    )
fi

# keyutils_rpm NUMBER FOLDER: that version, with its programs in that folder.
keyutils_rpm() {
    rpmbuild -bb --define "_topdir $work/stand-in" --define "_rpmdir $work/stand-in/$1" \
        --define "number $1" --define "programs $2" --define "unpacked $unpacked" \
        packaging/tests/keyutils.spec >"$work/stand-in.log" 2>&1 || {
        cat "$work/stand-in.log" >&2
        die 'the stand-in for keyutils was not built'
    }
}
rm -rf "$work/stand-in"
keyutils_rpm 1 /usr/sbin
keyutils_rpm 2 /usr/sbin
keyutils_rpm 3 /sbin

OUTPUT=$work/next VERSION=99.0.0 packaging/build-rpm >/dev/null
# Folders that belong to the package `filesystem`, and libraries for keyutils.
skeleton() {
    local folder
    mkdir -p "$root/dev"
    mknod -m 666 "$root/dev/null" c 1 3
    for folder in bin libexec share/bash-completion/completions share/doc share/fish/vendor_completions.d \
        share/man/man1 share/man/man5 share/man/man7 share/man/man8 share/zsh/site-functions; do
        mkdir -p "$root/usr/$folder"
    done

    ldd "$unpacked/sbin/key.dns_resolver" "$unpacked/sbin/request-key" | grep -o '/[^ ]*\.so[^ ]*' | sort -u |
        while read -r file; do
            mkdir -p "$root${file%/*}"
            cp -L "$file" "$root$file"
        done
}

merged() {
    mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64"
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
    skeleton
}

# As Fedora has it since version 42.
sbin_is_bin() {
    mkdir -p "$root/usr/bin" "$root/usr/lib" "$root/usr/lib64"
    ln -s bin "$root/usr/sbin"
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
    skeleton
}

unmerged() {
    mkdir -p "$root/bin" "$root/sbin" "$root/lib" "$root/lib64" "$root/usr/lib"
    skeleton
}

rpm_() {
    rpm --root "$root" --dbpath /var/lib/rpm "$@" >"$work/rpm.log" 2>&1 || {
        cat "$work/rpm.log" >&2
        die "$now: 'rpm $*' failed"
    }
    # A script that fails is a warning. Debian's rpm says that it is not for Debian.
    ! grep -Ev '^$|^rpm: (RPM should not|However assuming)' "$work/rpm.log" || die "$now: 'rpm $*' complains"
}

ours=("$packages"/key-dns-[0-9]*."$rpm".rpm "$packages"/key-dns-request-key-*."$rpm".rpm)
next=("$work"/next/key-dns-[0-9]*."$rpm".rpm "$work"/next/key-dns-request-key-*."$rpm".rpm)
keyutils() {
    printf '%s\n' "$work/stand-in/$1"/*/keyutils-*.rpm
}

request_key_is() {
    case $1 in
    key-dns) [ "$(readlink "$root/sbin/request-key")" = /usr/libexec/key-dns/request-key ] ;;
    keyutils) rpm_ --verify keyutils && [ ! -L "$root/sbin/request-key" ] ;;
    nobody) [ ! -e "$root/sbin/request-key" ] && [ ! -L "$root/sbin/request-key" ] ;;
    esac || die "$now: /sbin/request-key is not that of $1"
}

rule=etc/request-key.d/dns_resolver.conf

for layout in merged sbin_is_bin unmerged; do
    programs=1
    later=2
    if [ "$layout" = unmerged ]; then
        programs=3
        later=
    fi

    case_of "$layout: keyutils is there already"
    new_root "$layout"
    rpm_ --install "$(keyutils "$programs")"
    answered_by keyutils
    listing >"$work/before"
    start_asking
    now 'install key-dns'
    rpm_ --install "${ours[0]}"
    answered_by key-dns
    request_key_is keyutils
    now 'install key-dns-request-key: keyutils stays'
    rpm_ --install "${ours[1]}"
    answered_by key-dns
    request_key_is keyutils
    now 'upgrade both'
    rpm_ --upgrade "${next[@]}"
    answered_by key-dns
    now 'install both again'
    rpm_ --upgrade --replacepkgs "${next[@]}"
    answered_by key-dns
    if [ "$later" ]; then
        now 'upgrade keyutils, and go back'
        rpm_ --upgrade "$(keyutils "$later")"
        answered_by key-dns
        request_key_is keyutils
        rpm_ --upgrade --oldpackage "$(keyutils "$programs")"
        answered_by key-dns
    fi
    request_key_is keyutils
    now 'erase key-dns-request-key'
    rpm_ --erase key-dns-request-key
    answered_by key-dns
    request_key_is keyutils
    now 'erase key-dns'
    rpm_ --erase key-dns
    answered_by keyutils
    same_files "$work/before"
    now 'install both, erase both'
    rpm_ --install "${ours[@]}"
    answered_by key-dns
    rpm_ --erase key-dns key-dns-request-key
    answered_by keyutils
    request_key_is keyutils
    same_files "$work/before"
    none_lost

    case_of "$layout: keyutils is never there"
    new_root "$layout"
    rpm_ --initdb
    answered_by nobody
    listing >"$work/before"
    now 'install key-dns'
    rpm_ --install "${ours[0]}"
    answered_by nobody
    [ -e "$root/usr/lib/systemd/system/key-dns-metrics.timer" ] && [ ! -e "$root/etc/systemd" ] ||
        die "$now: the timer is not there, or on"
    now 'install key-dns-request-key'
    rpm_ --install "${ours[1]}"
    answered_by key-dns
    request_key_is key-dns
    start_asking
    now 'upgrade both'
    rpm_ --upgrade "${next[@]}"
    answered_by key-dns
    request_key_is key-dns
    now 'install both again'
    rpm_ --upgrade --replacepkgs "${next[@]}"
    answered_by key-dns
    rpm_ --verify key-dns key-dns-request-key
    none_lost
    now 'erase key-dns-request-key'
    rpm_ --erase key-dns-request-key
    answered_by nobody
    request_key_is nobody
    now 'erase key-dns'
    rpm_ --erase key-dns
    answered_by nobody
    same_files "$work/before"

    case_of "$layout: keyutils comes later, and goes"
    new_root "$layout"
    rpm_ --initdb
    listing >"$work/before"
    rpm_ --install "${ours[@]}"
    answered_by key-dns
    start_asking
    now 'install keyutils'
    rpm_ --install "$(keyutils "$programs")"
    answered_by key-dns
    request_key_is keyutils
    if [ "$later" ]; then
        now 'upgrade keyutils'
        rpm_ --upgrade "$(keyutils "$later")"
        answered_by key-dns
        request_key_is keyutils
    fi
    now 'erase keyutils'
    rpm_ --erase keyutils
    answered_by key-dns
    request_key_is key-dns
    none_lost
    now 'install keyutils again, and erase all'
    rpm_ --install "$(keyutils "$programs")"
    answered_by key-dns
    rpm_ --erase key-dns key-dns-request-key keyutils
    request_key_is nobody
    same_files "$work/before"
done

case_of 'key-dns setup was there before, of the same version'
new_root merged
rpm_ --initdb
listing >"$work/before"
setup_ install
answered_by key-dns
now 'install both'
rpm_ --install "${ours[@]}"
answered_by key-dns
setup_gives_way
rpm_ --verify key-dns key-dns-request-key
now 'erase both'
rpm_ --erase key-dns key-dns-request-key
answered_by nobody
same_files "$work/before"

case_of 'a root with nothing in it'
new_root true
rpm_ --initdb
now 'without /sbin it is refused, and said'
rpm_ --install "${ours[0]}"
! rpm --root "$root" --dbpath /var/lib/rpm --install "${ours[1]}" 2>"$work/rpm.log" || die "$now: it was installed"
grep -q 'there is no /sbin here' "$work/rpm.log" || die "$now: $(cat "$work/rpm.log")"
! rpm --root "$root" --dbpath /var/lib/rpm --query key-dns-request-key >"$work/rpm.log" || die "$now: it was installed"
now 'with it, the link is made'
mkdir -p "$root/usr/sbin"
ln -s usr/sbin "$root/sbin"
rpm_ --install "${ours[1]}"
request_key_is key-dns
now 'and where it can not be made, that is said'
rpm_ --erase key-dns-request-key
rm "$root/sbin"
touch "$root/sbin"
rpm --root "$root" --dbpath /var/lib/rpm --install "${ours[1]}" 2>"$work/rpm.log" || true
grep -q '/sbin/request-key was not made' "$work/rpm.log" || die "$now: $(cat "$work/rpm.log")"

case_of 'SELinux'
new_root merged
rpm_ --initdb
mkdir -p "$root/sys/fs/selinux"
echo 0 >"$root/sys/fs/selinux/enforce"
now 'permissive: nothing is said'
rpm_ --install "${ours[@]}"
now 'enforcing, without the module: that is said'
echo 1 >"$root/sys/fs/selinux/enforce"
rpm --root "$root" --dbpath /var/lib/rpm --upgrade "${next[@]}" 2>"$work/rpm.log"
grep -q 'SELinux is enforcing, and its policy has no module for key-dns' "$work/rpm.log" || die "$now: $(cat "$work/rpm.log")"
now 'enforcing, with the module'
mkdir -p "$root/var/lib/selinux/targeted/active/modules/200/key_dns"
rpm_ --upgrade --replacepkgs "${next[@]}"

case_of 'a link that leads nowhere'
new_root merged
rpm_ --initdb
ln -s /usr/local/sbin/request-key "$root/sbin/request-key"
listing >"$work/before"
rpm_ --install "${ours[@]}"
answered_by key-dns
request_key_is key-dns
rpm_ --upgrade "${next[@]}"
answered_by key-dns
rpm_ --erase key-dns key-dns-request-key
same_files "$work/before"

case_of "an admin's program"
new_root merged
rpm_ --initdb
printf '#!/bin/false\n' >"$root/sbin/request-key"
chmod 700 "$root/sbin/request-key"
listing >"$work/before"
rpm_ --install "${ours[@]}"
rpm_ --upgrade "${next[@]}"
rpm_ --erase key-dns key-dns-request-key
same_files "$work/before"

case_of "the admin's rule and settings"
new_root merged
rpm_ --install "$(keyutils 1)"
mkdir -p "$root/etc/keyutils"
echo 'default_ttl = 7' >"$root/etc/keyutils/key.dns_resolver.conf"
now 'a rule of the same name is there before'
echo 'create dns_resolver * * /sbin/key.dns_resolver %k' >"$root/$rule"
sha256sum "$root/$rule" >"$work/rule"
rpm --root "$root" --dbpath /var/lib/rpm --install "${ours[0]}" 2>"$work/rpm.log"
grep -q 'created as .*rpmnew' "$work/rpm.log" || die "$now: rpm does not say so"
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
answered_by keyutils
mv "$root/$rule.rpmnew" "$root/$rule"
answered_by key-dns
now 'the rule is changed, and kept by an upgrade'
sed -i 's/%k/-v %k/' "$root/$rule"
sha256sum "$root/$rule" >"$work/rule"
start_asking
rpm_ --upgrade "${next[0]}"
sha256sum --quiet -c "$work/rule" || die "$now: it was overwritten"
answered_by key-dns
now 'erasing sets it aside'
rpm_ --erase key-dns
answered_by keyutils
[ "$(sha256sum <"$root/$rule.rpmsave")" = "$(sed 's/  .*/  -/' "$work/rule")" ] || die "$now: it is gone"
none_lost
grep -qx 'default_ttl = 7' "$root/etc/keyutils/key.dns_resolver.conf" || die "$now: the settings are gone"
end_of_cases
