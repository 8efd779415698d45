#!/bin/bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Host names for a root on a network file system, answered by key-dns: the program that the kernel calls, its rule and
# settings, and how names are looked up on this host.

# What dracut sets:
# shellcheck disable=SC2154

helper=/usr/libexec/key-dns/key.dns_resolver

# Whether a file system that this host is booted from is of one of these types.
booted_from() {
    local type wanted
    for type in "${host_fs_types[@]}"; do
        for wanted in "$@"; do
            [[ $type == "$wanted" ]] && return 0
        done
    done
    return 1
}

# called by dracut
check() {
    require_binaries "$helper" || return 1
    if [[ $hostonly ]] || [[ $mount_needs ]]; then
        booted_from ceph nfs nfs3 nfs4 cifs smb3 afs && return 0
        # Only where it is asked for.
        return 255
    fi
    # An image for any host has it where it has network roots at all.
    compgen -G "$dracutbasedir/modules.d/??network" >/dev/null && return 0
    return 255
}

# called by dracut
depends() {
    echo network
}

# called by dracut
installkernel() {
    hostonly=$(optional_hostonly) instmods dns_resolver
    # dracut's own modules see to those of NFS and CIFS; it has none for CephFS. The ciphers are libceph's, which it
    # loads by these names when a session begins.
    if [[ ! $hostonly ]] || booted_from ceph; then
        hostonly='' instmods ceph \
            crypto-aes crypto-cbc crypto-ctr crypto-gcm crypto-ghash crypto-hmac crypto-sha256
    fi
}

# The file with this host's name servers, where they can be reached at boot as well: nobody listens on loopback then.
name_servers() {
    local file real
    for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
        real=$(readlink -e "$dracutsysrootdir$file") || continue
        grep -Eqs '^nameserver[[:space:]]' "$real" || continue
        grep -Eqs '^nameserver[[:space:]]+(127\.|::1)' "$real" && continue
        printf '%s\n' "${real#"$dracutsysrootdir"}"
        return 0
    done
    return 1
}

# called by dracut
install() {
    local servers
    inst_simple "$helper"
    # Here it is request-key as well, and needs no keyutils.
    ln_r "$helper" /sbin/request-key
    inst_multiple -o \
        /etc/request-key.d/dns_resolver.conf \
        /etc/keyutils/key.dns_resolver.conf \
        /etc/nsswitch.conf \
        /etc/host.conf \
        /etc/gai.conf
    # The names and servers of the machine that an image for any host was made on mean nothing elsewhere.
    [[ $hostonly ]] || return 0
    inst_multiple -H -o /etc/hosts
    # They stand in until the network has brought its own.
    if servers=$(name_servers); then
        inst_simple -H "$servers" /etc/resolv.conf
    fi
}
