# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# What packaging/check-static refuses: programs that the C compiler makes, each with one thing wrong.

version=$(version)
mkdir -p "$work"
program() {
    printf '#include <stdio.h>\nint main(void) { puts("%s"); return 0; }\n' "$1" >"$work/program.c"
    shift
    gcc -O2 "$@" -o "$work/program" "$work/program.c"
}
right=(-static-pie -s -Wl,-z,relro -Wl,-z,now)

# Fails unless the program is refused for this alone.
refused() {
    local expected=$1 said
    shift
    program "$@"
    if said=$(packaging/check-static "$arch" "$work/program" 2>&1); then
        die "check-static lets a program pass of which $expected"
    fi
    [ "$(sed 1d <<<"$said")" = "    $expected" ] || die "of a program of which $expected, check-static says: $said"
    printf '  refused: %s\n' "$expected"
}

program "key-dns $version" "${right[@]}"
packaging/check-static "$arch" "$work/program"
refused 'it is not PIE
    symbols are bound late (no BIND_NOW)
    it has no full relro' "key-dns $version" -static -no-pie -s
refused 'it has an interpreter (INTERP)
    it needs a library (NEEDED)' "key-dns $version" -pie -s -Wl,-z,relro -Wl,-z,now
refused 'symbols are bound late (no BIND_NOW)' "key-dns $version" -static-pie -s -Wl,-z,relro -Wl,-z,lazy
refused 'it has no full relro' "key-dns $version" -static-pie -s -Wl,-z,norelro -Wl,-z,now
refused 'its stack is executable' "key-dns $version" "${right[@]}" -Wl,-z,execstack
refused 'it is not stripped' "key-dns $version" -static-pie -Wl,-z,relro -Wl,-z,now
refused "it has the path $PWD of this machine" "key-dns $version" "${right[@]}" "-DPATH=\"$PWD/src\"" \
    -include "$(printf 'const char path[] __attribute__((used)) = PATH;\n' >"$work/path.h" && echo "$work/path.h")"
refused "--version prints 'key-dns 99'" 'key-dns 99' "${right[@]}"
