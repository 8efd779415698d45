# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# The image for containers, and what the manifests of packaging/kubernetes do with it: each container is run as a node
# would, on hosts of different kinds, whose kernel asks what is installed there.

for program in skopeo umoci runc; do
    command -v "$program" >/dev/null || die "there is no $program: apt-get install --no-install-recommends $program"
done
# shellcheck source=packaging/tests/host-roots.sh
. packaging/tests/host-roots.sh
# shellcheck source=packaging/tests/debian-root.sh
. packaging/tests/debian-root.sh
flock "$state/lock" .ci/kubernetes

archive=$(packaging/build-oci)
again=$(umask 077 && TZ=Asia/Tokyo OUTPUT=$work/again packaging/build-oci)
cmp "$archive" "$again" || die "$archive is not the same when it is made again"
printf '  %s: %d bytes, the same twice\n' "${archive##*/}" "$(stat -c %s "$archive")"

# By the tools of others: what is in it for each architecture, and that it starts.
rm -rf "$work"/{layout,amd64,arm64}
for name in amd64 arm64; do
    [ "$(skopeo inspect --override-arch "$name" "oci-archive:$archive" | sed -n 's/^ *"Architecture": "\(.*\)",$/\1/p')" = "$name" ] ||
        die "$archive has no image for $name"
    skopeo copy --quiet --override-arch "$name" "oci-archive:$archive" "oci:$work/layout:$name"
    umoci unpack --image "$work/layout:$name" "$work/$name"
    [ "$(cd "$work/$name/rootfs" && find . -type f | sort | tr '\n' ' ')" = \
        './key-dns ./licenses/LICENSE-APACHE ./licenses/LICENSE-MIT ./licenses/THIRD-PARTY-LICENSES ' ] ||
        die "other files are in the image for $name"
    (
        architecture "$name"
        [ "$(started "$work/$name/rootfs/key-dns" --version)" = "key-dns $(version)" ] || die "the image for $name does not start"
    )
done
bundle=$work/$debian
cmp "$bundle/rootfs/key-dns" "$EXECUTABLE"

# Runs a container of a manifest to its end.
container() {
    packaging/tests/runtime-config "$target/kubernetes/$1.yaml" "$2" "$bundle" "$root" KUBE_DNS_SERVICE_HOST="$server"
    # Not in the way of a container that stays, whose configuration is read once.
    runc run --bundle "$bundle" "key-dns-test-$BASHPID" >"$work/said" 2>&1 </dev/null || {
        cat "$work/said" >&2
        die "$now: the container $2 of $1.yaml failed"
    }
}

# The container that stays: a probe of it succeeds or, with another status, fails; it ends when it is told to.
stays() {
    local id=key-dns-test-stays status=0 waited
    packaging/tests/runtime-config "$target/kubernetes/$1.yaml" status "$bundle" "$root"
    undo "runc delete --force $id"
    : >"$work/stays"
    runc run --bundle "$bundle" "$id" >"$work/stays" 2>&1 </dev/null 9>&- &
    waited=$!
    # A signal before the program has begun would be lost: the kernel drops what the first process of a container does
    # not handle.
    for _ in $(seq 300); do
        [ ! -s "$work/stays" ] || break
        sleep 0.1
    done
    [ -s "$work/stays" ] || die "$now: the container has not begun"
    shift
    if [ $# != 0 ]; then
        "$@" "$id"
    fi
    runc kill "$id" TERM
    wait "$waited" || status=$?
    [ "$status" = 0 ] || { cat "$work/stays" >&2; die "$now: the container ended with $status"; }
}
ready() {
    runc exec "$1" /key-dns setup status --root=/host --live >"$work/said" 2>&1 || {
        cat "$work/said" >&2
        die "$now: it is not ready"
    }
    grep -q '^the kernel made a request and got its answer$' "$work/said" || die "$now: the kernel made no request"
}
not_ready() {
    ! runc exec "$1" /key-dns setup status --root=/host --live >"$work/said" 2>&1 || die "$now: it is ready"
}

# A name that only the cluster's server knows: the host's own is one that nobody is.
cluster_name() {
    local name=smb$RANDOM.default.svc.cluster.local got
    printf 'nameserver 127.83.0.99\n' >"$root/etc/resolv.conf"
    got=$(keyctl print "$(keyctl request2 dns_resolver "$name" '' @s)" 2>&1) || true
    printf 'nameserver %s\n' "$server" >"$root/etc/resolv.conf"
    [ "$got" = 192.0.2.9 ] || die "$now: a name of the cluster is '$got'"
}

# "$1" answers before, and key-dns in between; "$2" and "$3" are what the host does for its part.
life() {
    local merge=${2-true} unmerge=${3-true}
    answered_by "$1"
    listing >"$work/before"
    now 'not installed'
    stays install not_ready
    now install
    container install install
    "$merge"
    answered_by key-dns
    cluster_name
    listing >"$work/installed"
    now ready
    stays install ready
    now 'install again'
    container install install
    same_files "$work/installed"
    now upgrade
    start_asking
    printf x >>"$bundle/rootfs/key-dns"
    container install install
    grep -q '^replace .*/key.dns_resolver$' "$work/said" || die "$now: nothing was replaced"
    # systemd-sysext takes the old extension off before it puts the new one on.
    none_lost
    "$merge"
    answered_by key-dns
    cp "$EXECUTABLE" "$bundle/rootfs/key-dns"
    now remove
    container remove install
    stays remove
    "$unmerge"
    same_files "$work/before"
    answered_by "$1"
}

for kind in merged unmerged; do
    case_of "no package manager, $kind"
    new_root "$kind"
    life nobody
done
case_of 'no package manager, keyutils'
new_root with_keyutils merged
life keyutils

debian_root() {
    tar -C "$root" -xf "$base"
}
in_debian() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@" >"$work/dpkg" 2>&1 || {
        cat "$work/dpkg" >&2
        die "$now: '$*' failed"
    }
}
case_of Debian
new_root debian_root
life nobody
case_of 'Debian, keyutils'
new_root debian_root
in_debian sh -c "dpkg --install $debs/keyutils_*.deb"
life keyutils

# As Fedora has its folders, not to be written to but by who may do anything.
rpm_root() {
    local file
    one_folder
    mkdir -p "$root"/usr/{lib,lib64,share/man/man{1,5,7,8}} "$root/var/lib/rpm"
    ln -s usr/bin usr/lib usr/lib64 "$root"
    for file in $(ldd /usr/bin/keyctl "$work/keyutils/sbin/key.dns_resolver" | grep -o '/lib[^ ]*' | sort -u); do
        mkdir -p "$root${file%/*}"
        cp -L "$file" "$root$file"
    done
    chmod 555 "$root" "$root"/usr/{bin,lib,lib64}
    rpm_ --initdb
}
rpm_() {
    rpm --root "$root" --dbpath /var/lib/rpm "$@" >"$work/rpm.log" 2>&1 || {
        cat "$work/rpm.log" >&2
        die "$now: 'rpm $*' failed"
    }
}
rm -rf "$work/keyutils" "$work/rpm"
dpkg-deb -x "$keyutils_deb" "$work/keyutils"
rpmbuild -bb --define "_topdir $work/rpm" --define "_rpmdir $work/rpm" --define 'programs /usr/bin' \
    --define "unpacked $work/keyutils" packaging/tests/keyutils.spec >"$work/rpm.log" 2>&1 || die "$(cat "$work/rpm.log")"
case_of RPM
new_root rpm_root
life nobody
case_of 'RPM, keyutils'
new_root rpm_root
rpm_ --install "$work"/rpm/*/keyutils-*.rpm
life keyutils
rpm_ --verify keyutils

case_of 'a read-only /usr and systemd-sysext'
new_root sysext_root merged
read_only_usr
life nobody merge_extensions unmerge_extensions
writable_usr

# QEMU has no keyctl(2): no upcall can be answered.
foreign=arm64
[ "$debian" != arm64 ] || foreign=amd64
in_foreign() {
    (
        architecture "$foreign"
        started "$work/$foreign/rootfs/key-dns" setup "$@" --root "$root" >"$work/said"
    ) || die "$now: setup $* failed"
}
case_of "$foreign, by QEMU"
new_root merged
listing >"$work/before"
now install
in_foreign install --nameserver cluster.local=192.0.2.53
cmp "$root/usr/libexec/key-dns/key.dns_resolver" "$work/$foreign/rootfs/key-dns"
now status
in_foreign status
now remove
in_foreign remove
same_files "$work/before"

case_of 'files of others'
new_root merged
mkdir -p "$root/etc/keyutils"
echo 'log = all' >"$root/etc/keyutils/key.dns_resolver.conf"
listing >"$work/before"
now refuse
if (container install install) 2>/dev/null; then die "$now: it was installed"; fi
grep -q 'left alone: /etc/keyutils/key.dns_resolver.conf' "$work/said" || die "$now: it is not said why"
same_files "$work/before"
end_of_cases
rm -rf "$work"/{layout,amd64,arm64,again,rpm,keyutils}
