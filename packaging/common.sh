# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash disable=SC2034
#
# Common to the scripts of this folder. They change to the repository's top folder first.

export LC_ALL=C TZ=UTC
umask 022

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# OUTPUT names another folder for the packages.
packages=$(realpath -m "${OUTPUT:-$target/packages}")

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Ends unless programs are here, and names all that are missing, with Debian's packages: need PROGRAM[=PACKAGE]...
need() {
    local each missing=() wanted=()
    for each in "$@"; do
        if ! command -v "${each%%=*}" >/dev/null; then
            missing+=("${each%%=*}")
            wanted+=("${each#*=}")
        fi
    done
    [ "${#missing[@]}" != 0 ] || return 0
    [[ " ${missing[*]} " != *' cargo '* ]] || printf '%s: Rust is at https://rustup.rs, and in Debian 12 as cargo-web\n' "${0##*/}" >&2
    die "missing: ${missing[*]}; apt-get install --no-install-recommends ${wanted[*]}"
}

# Reads who publishes the packages. PUBLISHER names another file.
publisher() {
    local name
    # shellcheck source=packaging/publisher
    . "$(realpath -e "${PUBLISHER:-packaging/publisher}")"
    for name in maintainer homepage vcs; do
        [ -n "${!name}" ] || printf '%s: packaging/publisher has no %s: the packages are not to be published so\n' "${0##*/}" "$name" >&2
    done
    export MAINTAINER=$maintainer
}

# The version in Cargo.toml, once it is known that the list of changes begins with it.
version() {
    local manifest changes
    manifest=$(sed -n '/^\[workspace\.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
    changes=$(sed -n 's/^## \([^ ]*\) - .*/\1/p' CHANGELOG.md | head -n 1)
    [ -n "$manifest" ] || die 'Cargo.toml has no version'
    [ "$manifest" = "$changes" ] ||
        die "Cargo.toml has version $manifest, and CHANGELOG.md begins with '$changes'"
    printf '%s\n' "$manifest"
}

# Sets what an architecture is called, by any of its names: arch is ours, and the others are those of rustc, GNU's tools,
# Debian, RPM and QEMU.
architecture() {
    case $1 in
    x86_64 | amd64)
        arch=x86_64 triple=x86_64-unknown-linux-musl gnu=x86_64-linux-gnu debian=amd64 rpm=x86_64 qemu=x86_64 ;;
    aarch64 | arm64)
        arch=aarch64 triple=aarch64-unknown-linux-musl gnu=aarch64-linux-gnu debian=arm64 rpm=aarch64 qemu=aarch64 ;;
    riscv64 | riscv64gc)
        arch=riscv64 triple=riscv64gc-unknown-linux-musl gnu=riscv64-linux-gnu debian=riscv64 rpm=riscv64 qemu=riscv64 ;;
    armv7 | armv7l | armv7hl | armhf)
        arch=armv7 triple=armv7-unknown-linux-musleabihf gnu=arm-linux-gnueabihf debian=armhf rpm=armv7hl qemu=arm ;;
    i686 | i386)
        arch=i686 triple=i686-unknown-linux-musl gnu=i686-linux-gnu debian=i386 rpm=i686 qemu=i386 ;;
    ppc64le | powerpc64le | ppc64el)
        arch=ppc64le triple=powerpc64le-unknown-linux-musl gnu=powerpc64le-linux-gnu debian=ppc64el rpm=ppc64le
        qemu=ppc64le ;;
    s390x)
        arch=s390x triple=s390x-unknown-linux-musl gnu=s390x-linux-gnu debian=s390x rpm=s390x qemu=s390x ;;
    *) die "there is no architecture '$1'; there are x86_64, aarch64, riscv64, armv7, i686, ppc64le and s390x" ;;
    esac
}

# Runs a program that was built for the architecture, under QEMU where this machine can't execute it.
started() {
    local status=0
    "$@" 2>/dev/null || status=$?
    # 126: it can't be executed (POSIX, Shell Command Language, Exit Status for Commands).
    [ "$status" = 126 ] || return "$status"
    command -v "qemu-$qemu-static" >/dev/null ||
        die "an executable for $arch can't be started here: apt-get install --no-install-recommends qemu-user-static"
    "qemu-$qemu-static" "$@"
}

# The static executable for the architecture; nothing is built where it is fresh. EXECUTABLE names another one, which is
# taken as it is.
executable() {
    if [ -z "${EXECUTABLE-}" ]; then
        EXECUTABLE=$(packaging/build-static "$arch")
    fi
    realpath -e "$EXECUTABLE"
}

# Copies the sources to a new folder.
stage() {
    rm -rf "$1"
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done | xargs -0 cp -P --parents -t "$1"
    # Modes as git keeps them, whatever the umask was here.
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -perm /111 -exec chmod 755 {} +
    find "$1" -type f ! -perm /111 -exec chmod 644 {} +
}

# Sets crates to the options by which cargo takes those of a source package (packaging/vendor), if this is one; there may be
# no network then.
vendored() {
    crates=()
    [ ! -d vendor ] || crates=(--offline --config 'source.crates-io.replace-with="vendor"' --config "source.vendor.directory='$PWD/vendor'")
}

# Seconds of the date of the release: the time stamp of what is made of these sources.
released() {
    date -d "$(sed -n 's/^## [^ ]* - //p' CHANGELOG.md | head -n 1)" +%s
}

# Packs a folder, under its own name, into a compressed archive, whose bytes depend on nothing but its files.
pack() {
    tar --create --directory "$(dirname "$1")" --sort=name --format=gnu --mtime="@$(released)" --owner=0 --group=0 \
        --numeric-owner --mode=go=rX,u+w "$(basename "$1")" | gzip --best --no-name >"$2"
}

# Puts the folder debian into a copy of the sources, for a version.
debian_folder() {
    cp -R "$1/packaging/debian" "$1/debian"
    [ -z "$maintainer" ] || sed -i "s|^Maintainer: .*|Maintainer: $maintainer|" "$1/debian/control"
    [ -z "$homepage" ] || sed -i "/^Standards-Version:/a Homepage: $homepage" "$1/debian/control"
    [ -z "$vcs" ] || sed -i "/^Standards-Version:/a Vcs-Git: $vcs" "$1/debian/control"
    packaging/changelog deb >"$1/debian/changelog"
    sed -i -e "1s/(.*)/($2-1)/" -e '${/^$/d}' "$1/debian/changelog"
}

# Prints the spec file for a version, with what it says of the publisher.
spec_file() {
    printf '%%global version_of_cargo %s\n' "$1"
    [ -z "$maintainer" ] || printf '%%global packager %s\n' "$maintainer"
    [ -z "$homepage" ] || printf '%%global homepage %s\n' "$homepage"
    [ -z "$vcs" ] || printf '%%global vcs %s\n' "$vcs"
    cat packaging/rpm/key-dns.spec
    packaging/changelog rpm
}

# rpmbuild, of whose packages the host's name and its clock are no part.
reproducible_rpmbuild() {
    local log=$1
    shift
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(released)} rpmbuild --define '_buildhost reproducible' \
        --define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
}
