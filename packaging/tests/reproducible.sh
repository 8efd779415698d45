# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# Packages from another folder, another umask, time zone and language are the same to the byte.

again=$(mktemp -d)
(
    trap 'rm -rf "$again"' EXIT
    stage "$again/sources"
    cd "$again/sources"
    git init -q
    git add -A
    umask 077
    export TZ=Asia/Tokyo LANG=C.UTF-8 OUTPUT=$again/packages
    if [ "${COMPILE-}" = y ]; then
        # Another home for cargo as well: the path of the crates' sources is another one then.
        mkdir "$again/cargo"
        cp -a "${CARGO_HOME:-$HOME/.cargo}/registry" "$again/cargo"
        export CARGO_HOME=$again/cargo
        unset EXECUTABLE CARGO_TARGET_DIR
    fi
    packaging/build-deb
    packaging/build-rpm
    cd "$packages"
    for file in key-dns*_"$debian".deb key-dns*."$rpm".rpm; do
        cmp "$file" "$again/packages/$file" || die "$file differs"
        sha256sum "$file"
    done
)
