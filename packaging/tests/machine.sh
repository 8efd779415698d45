# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# This machine's kernel, borrowed: its upcalls run in a root of the test's own, where packages come and go.

state=/run/key-dns-tests
server=127.83.0.53
root=$work/root
# What is being tried.
now=start

# Notes how to take back what is done next; the note is on disk first. Lines are shell commands, undone from the last.
undo() {
    printf '%s\n' "$1" >>"$state/undo"
}

put_back() {
    local command
    if [ -e "$state/undo" ]; then
        tac "$state/undo" | while read -r command; do sh -c "$command" || true; done
        rm -f "$state/undo"
    fi
}

# Takes the machine, until it is given back. `root` is where upcalls run.
take_machine() {
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock 9
    put_back
    trap 'end=$?; stop_asking; put_back; exit $end' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexec chroot %s /sbin/request-key "$@"\n' "$root" >"$work/upcall"
    chmod 755 "$work/upcall"
    undo 'umount -l /sbin/request-key'
    mount --bind "$work/upcall" /sbin/request-key

    # The one before may still be about to end.
    for _ in $(seq 50); do
        ss -Hlun "src $server:53" | grep -q . || break
        sleep 0.1
    done
    dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --bind-interfaces --listen-address="$server" --local-ttl=7200 \
        --address=/host.pkg.test/192.0.2.7 --address=/cluster.local/192.0.2.9 --local=/pkg.test/host.pkg.test/ \
        --host-record=vl1.pkg.test,192.0.2.21 \
        --srv-host=_afs3-vlserver._udp.cell.pkg.test,vl1.pkg.test,7003,1,1 9>&- &
    undo "kill $!"
    for _ in $(seq 50); do
        if ss -Hlun "src $server:53" | grep -q .; then
            return
        fi
        sleep 0.1
    done
    die 'dnsmasq does not listen'
}

# Lets others have the machine.
give_machine_back() {
    put_back
    trap - EXIT HUP INT TERM
    exec 9>&-
}

# An empty root; /proc is this machine's, which upcalls see.
new_root() {
    local mounted
    if [ -e "$root" ]; then
        for mounted in "$root"/{usr,sys,proc} "$root"; do
            ! mountpoint -q "$mounted" || umount -l "$mounted"
        done
        rm -rf --one-file-system "$root"
    fi
    mkdir -p "$root"
    "$@"
    mkdir -p "$root/proc" "$root/etc"
    undo "umount -lq $root/proc"
    mount -t proc proc "$root/proc"
    rm -f "$root/etc/resolv.conf"
    printf 'nameserver %s\n' "$server" >"$root/etc/resolv.conf"
    printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
}

# Asks the kernel for the address of a host that nobody has asked for; prints it, and for how long it stands, or what
# went wrong. The name server says two hours; keyutils, for addresses, seconds.
asked=0
ask() {
    local name=${1-h} key
    asked=$((asked + 1))
    # A subshell's counter is not its parent's: its number is what no other one has.
    # A serial is compared as text (""): as a number, 12e45678 is infinite, and so is the next such one.
    if key=$(keyctl request2 dns_resolver "$name$asked-$BASHPID-$RANDOM.host.pkg.test" '' @s 2>&1); then
        printf '%s %s\n' "$(keyctl print "$key")" \
            "$(awk -v key="$(printf '%08x' "$key")" '$1 == key "" { print $4; exit }' /proc/keys)"
    else
        printf '%s\n' "$key"
    fi
}

# Fails unless a host's name is answered by this program: key-dns, keyutils, or nobody.
answered_by() {
    local got who
    got=$(ask); [ -z "${DEBUG-}" ] || echo "$got"
    case $got in
    '192.0.2.7 '*h) who=key-dns ;;
    '192.0.2.7 '*s | '192.0.2.7 '*m) who=keyutils ;;
    'request_key: Required key not available') who=nobody ;;
    *) who="'$got'" ;;
    esac
    [ "$who" = "$1" ] || die "$now: answered by $who, not by $1: $got"
}

# key-dns' own installation in the root. By its own name, the executable is the command for people.
setup_() {
    install -D "$EXECUTABLE" "$work/setup/key-dns"
    "$work/setup/key-dns" setup "$@" --root "$root" >/dev/null
}

# It changes nothing once packages of the same version have come, and leaves what is theirs.
setup_gives_way() {
    now 'setup changes nothing, and leaves what is theirs'
    ! setup_ install 2>/dev/null || die "$now: it was installed"
    setup_ remove
    [ ! -e "$root/var/lib/key-dns" ] || die "$now: /var/lib/key-dns is still there"
    answered_by key-dns
    request_key_is key-dns
}

# Asks without a pause while things change; each answer has to be an address.
start_asking() {
    rm -f "$work/asking"
    (
        trap - EXIT
        exec 9>&-
        while [ ! -e "$work/asking.stop" ]; do
            # No variable is shared with the asker's parent.
            asked=$((asked + 1))
            ask "during$BASHPID-"
        done >"$work/asking"
    ) &
    asker=$!
    # On a busy machine, what is to be watched would be over before the first.
    local tries
    for tries in {1..100}; do
        [ ! -s "$work/asking" ] || return 0
        sleep 0.1
    done
    die "$now: no lookup ended in $((tries / 10)) s"
}

stop_asking() {
    [ -n "${asker-}" ] || return 0
    touch "$work/asking.stop"
    wait "$asker"
    rm -f "$work/asking.stop"
    asker=
}

# Fails if a lookup has failed meanwhile.
none_lost() {
    stop_asking
    [ -s "$work/asking" ] || die "$now: nothing was asked meanwhile"
    if grep -v '^192\.0\.2\.7 ' "$work/asking"; then
        die "$now: lookups were lost"
    fi
    printf '    %d lookups meanwhile, none lost\n' "$(wc -l <"$work/asking")"
}

# The file system of the root: types, modes, owners, links and contents. The package manager's memory is not part of it.
listing() {
    local passed_over=(-xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/cache -o -path ./var/log
        -o -path ./var/lib/rpm -o -path ./var/lib/apt -o -path './var/lib/dpkg/*-old' -o -path ./var/lib/dpkg/status
        -o -path ./var/lib/dpkg/lock -o -path ./var/lib/dpkg/triggers \) -prune)
    (
        cd "$root"
        find . "${passed_over[@]}" -o -type l -printf '%p %y %l\n' -o -printf '%p %y %m %U:%G\n'
        find . "${passed_over[@]}" -o -type f -exec sha256sum {} +
    ) | sort
}

# Fails unless the file system is the one of this listing.
same_files() {
    listing >"$work/listing"
    diff "$1" "$work/listing" >&2 || die "$now: the file system differs"
}

# Says what is being tried.
now() {
    now=$*
    printf '  %s\n' "$now"
}

# One root's life. Others may have the machine between two of them.
case_of() {
    [ -z "${in_case-}" ] || give_machine_back
    in_case=y
    printf '\n %s\n' "$*"
    take_machine
}

end_of_cases() {
    give_machine_back
    in_case=
    rm -rf --one-file-system "$root"
}
