# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# Programs that are missing are named, with the package to install, before anything is made.

# lacks "PROGRAM..." "PACKAGE..." SCRIPT [ARGUMENT...]: the script, without these programs.
lacks() {
    local programs=$1 wanted=$2 folder output said name
    shift 2
    folder=$work/bin
    output=$work/output
    rm -rf "$folder" "$output"
    mkdir -p "$folder"
    # The first of a name counts, as in PATH.
    for name in $(tr ':' '\n' <<<"$PATH" | tac); do
        [ ! -d "$name" ] || cp -sf "$name"/* "$folder" 2>/dev/null || true
    done
    for name in $programs; do rm "$folder/$name"; done
    ! said=$(PATH=$folder OUTPUT=$output "$@" 2>&1) || die "$1 does without $programs"
    grep -qF "missing: $programs; apt-get install --no-install-recommends $wanted" <<<"$said" ||
        die "$1, without $programs, says: $said"
    [ ! -e "$output" ] || die "$1, without $programs, begins"
    printf '  %s: %s\n' "$1" "$programs"
}

lacks 'python3 dh' 'python3 debhelper' packaging/build-deb
lacks 'python3 rpmbuild' 'python3 rpm' packaging/build-rpm
lacks 'cargo python3 dpkg-source rpmbuild' 'cargo python3 dpkg-dev rpm' packaging/build-source
lacks mksquashfs squashfs-tools packaging/build-sysext
lacks 'cargo gcc readelf' 'cargo gcc binutils' packaging/build-static
lacks cargo cargo packaging/static-cargo x86_64 build
lacks cargo cargo packaging/dynamic-cargo build
lacks 'cargo python3 dh rpmbuild mksquashfs' 'cargo python3 debhelper rpm squashfs-tools' packaging/release
lacks 'lintian rpmlint' 'lintian rpmlint' packaging/test static
lacks readelf binutils packaging/check-static x86_64 "$EXECUTABLE"
