# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# What build-deb and build-rpm have in common. They are started in the repository's top folder.

export LC_ALL=C TZ=UTC

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# OUTPUT names another folder for the packages.
packages=$(realpath -m "${OUTPUT:-$target/packages}")

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The version in Cargo.toml, once it is known that the list of changes begins with it.
version() {
    local manifest changes
    manifest=$(sed -n '/^\[package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
    changes=$(sed -n 's/^## \([^ ]*\) - .*/\1/p' CHANGELOG.md | head -n 1)
    [ -n "$manifest" ] || die 'Cargo.toml has no version'
    [ "$manifest" = "$changes" ] ||
        die "Cargo.toml has version $manifest, and CHANGELOG.md begins with '$changes'"
    printf '%s\n' "$manifest"
}

# The executable; cargo does nothing where it is fresh. EXECUTABLE names another one, which is taken as it is.
executable() {
    if [ -z "${EXECUTABLE-}" ]; then
        cargo build --release --locked >&2
        EXECUTABLE=$target/release/key-dns
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
