# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# What the distributions' own checkers say. Overrides are in packaging/debian and packaging/rpm, each with its reason.

# Instructions may look like a misspelled word in one build and not in the next.
lintian --allow-root --suppress-tags spelling-error-in-binary --display-info --pedantic --fail-on error,warning,info,pedantic \
    "$packages"/key-dns_*.changes
rpm -K --nosignature "$packages"/key-dns*.rpm
rpmlint --strict --config packaging/rpm/rpmlint.toml "$packages"/key-dns*.rpm

# What the executable is linked from is named, with its licences, in the packages and in their terms.
packaging/third-party --check
licence=$(packaging/third-party --expression)
for file in "$packages"/key-dns*.rpm; do
    [ "$(rpm -qp --qf '%{license}' "$file")" = "$licence" ] || die "$file is not under '$licence'"
done
for file in "$packages"/key-dns_*.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -tf - | grep '/THIRD-PARTY-LICENSES' >/dev/null || die "$file has no notices"
done

# Nothing at run time but what is named.
for file in "$packages"/key-dns_*.deb; do
    [ -z "$(dpkg-deb --field "$file" Depends)" ] || die "$file depends on something"
done
for file in "$packages"/key-dns-[0-9]*.rpm; do
    ! rpm -qp --requires "$file" | grep -v '^rpmlib(' || die "$file depends on something"
done

# Each script that the spec has. A mistake in one makes rpmbuild leave it out.
for script in pre:prein post:postin preun:preun; do
    [ "$(rpm -qp --qf "%{${script#*:}}" "$packages"/key-dns-[0-9]*."$rpm".rpm)" != '(none)' ] || die "there is no %${script%:*}"
done
[ "$(rpm -qp --qf '%{postin}' "$packages"/key-dns-request-key-*."$rpm".rpm)" != '(none)' ] || die 'there is no %post'

# The versions of all of them, of the program, and of Cargo.toml.
version=$(version)
[ "$("$EXECUTABLE" --version)" = "key-dns $version" ] || die "the executable is not version $version"
for file in "$packages"/key-dns*.deb; do
    [ "$(dpkg-deb --field "$file" Version)" = "$version-1" ] || die "$file is not version $version-1"
done
for file in "$packages"/key-dns*.rpm; do
    [ "$(rpm -qp --qf '%{version}-%{release}' "$file")" = "$version-1" ] || die "$file is not version $version-1"
done
printf 'all are version %s\n' "$version"

# The example of a configuration: without its comment signs it is all understood, and says what is the default.
sed 's/^#\([a-z].* = \)/\1/' packaging/key.dns_resolver.conf >"$work/example.conf"
"$EXECUTABLE" key.dns_resolver --dump-config -c "$work/example.conf" >"$work/example" 2>"$work/warnings"
[ ! -s "$work/warnings" ] || die "packaging/key.dns_resolver.conf: $(cat "$work/warnings")"
"$EXECUTABLE" key.dns_resolver --dump-config -c /dev/null >"$work/defaults"
diff "$work/defaults" <(grep -v '^nameserver' "$work/example") || die 'the example does not have the defaults'

# Who publishes them is in one file; nothing is made up where it is empty.
cat >"$work/publisher" <<'END'
maintainer='A Person <person@example.org>'
homepage='https://example.org/key-dns'
vcs='https://example.org/key-dns.git'
END
export PUBLISHER=$work/publisher
OUTPUT=$work/published packaging/build-deb >/dev/null
OUTPUT=$work/published packaging/build-rpm >/dev/null
unset PUBLISHER
file=$(echo "$work"/published/key-dns_*_"$debian".deb)
[ "$(dpkg-deb --field "$file" Maintainer Homepage)" = 'Maintainer: A Person <person@example.org>
Homepage: https://example.org/key-dns' ] || die "$file does not say who publishes it"
file=$(echo "$work"/published/key-dns-[0-9]*."$rpm".rpm)
[ "$(rpm -qp --qf '%{packager} %{url} %{vcs}' "$file")" = \
    'A Person <person@example.org> https://example.org/key-dns git:https://example.org/key-dns.git' ] ||
    die "$file does not say who publishes it"
file=$(echo "$packages"/key-dns_*_"$debian".deb)
[ -z "$(dpkg-deb --field "$file" Homepage)" ] || die "$file has a homepage from nowhere"
