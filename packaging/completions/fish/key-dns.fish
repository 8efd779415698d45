# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_key_dns_global_optspecs
    string join \n h/help V/version
end

function __fish_key_dns_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_key_dns_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_key_dns_using_subcommand
    set -l cmd (__fish_key_dns_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c key-dns -n "__fish_key_dns_needs_command" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_needs_command" -s V -l version -d 'Print version'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "doctor" -d 'Say why a mount by name fails: follow the lookup as the kernel would, step by step'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "resolve" -d 'Look up what a file system would, and say who answered; without key and kernel'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "cache" -d 'Show or drop what the kernel remembers of names'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "explain" -d 'Say what an error of a mount means where names are looked up, and what to try'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "setup" -d 'Install this executable on a host without packages, and take it back'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "key.dns_resolver" -d 'Answer a dns_resolver key that the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "request-key" -d 'Find and run the program that answers a key which the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l pid -d 'The mounts of this process, as of a container' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l mounts -d 'Look at what is mounted instead: bind mounts of deleted folders, dead FUSE daemons, silent servers'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -s v -l verbose -d 'Say all that was seen'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s c -l config -d 'Read the settings from FILE instead of /etc/keyutils/key.dns_resolver.conf' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s t -l trace -d 'Print each query and each decision'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "list" -d 'Show the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that names are asked anew (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from flush" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "list" -d 'Show the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that names are asked anew (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand explain" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand explain" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "install" -d 'Install or upgrade, and have the kernel ask once (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "remove" -d 'Leave the host as it was before, file by file (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "status" -d 'Say what is installed, and whether the kernel is answered'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l root -d 'The root folder of the host, where it is not this one\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l nameserver -d 'Name servers for a domain, separated by commas, as settings; an empty value takes them back' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l live -d 'DIR is the root folder of the host that runs here, as in a container: have its kernel ask'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l dry-run -d 'Say what would be done'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -l root -d 'The root folder of the host, where it is not this one\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -l dry-run -d 'Say what would be done'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l root -d 'The root folder of the host, where it is not this one\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l live -d 'DIR is the root folder of the host that runs here, as in a container: have its kernel ask'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l stay -d 'Then stay until SIGTERM, as the process of a container'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "install" -d 'Install or upgrade, and have the kernel ask once (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Leave the host as it was before, file by file (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say what is installed, and whether the kernel is answered'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s c -l config -d 'Read the settings from FILE instead of /etc/keyutils/key.dns_resolver.conf' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s D -l debug -d 'Look DESC up without a key and print payload and expiry'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s v -l verbose -d 'Log answers too; with -D, say what was asked and where each address came from'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -l dump-config -d 'Print the settings in force'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s V -l version -d 'Print the version'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s D -d 'With -d, the key\'s description, TYPE;UID;GID;PERM;NAME, in place of user;0;0;1f0000;debug:1234' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s d -d 'Touch no key and run no program: say what would be run'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s l -d 'Read request-key.d and request-key.conf in the current folder'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s n -d 'Don\'t log to syslog'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s v -d 'Say what is done; twice: which rules fit'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -l version -d 'Print the version'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "doctor" -d 'Say why a mount by name fails: follow the lookup as the kernel would, step by step'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "resolve" -d 'Look up what a file system would, and say who answered; without key and kernel'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "cache" -d 'Show or drop what the kernel remembers of names'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "explain" -d 'Say what an error of a mount means where names are looked up, and what to try'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "setup" -d 'Install this executable on a host without packages, and take it back'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "key.dns_resolver" -d 'Answer a dns_resolver key that the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "request-key" -d 'Find and run the program that answers a key which the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "list" -d 'Show the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that names are asked anew (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "install" -d 'Install or upgrade, and have the kernel ask once (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "remove" -d 'Leave the host as it was before, file by file (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "status" -d 'Say what is installed, and whether the kernel is answered'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -f -a "ipv4 ipv6 list srv=1"
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list flush" -f -a "(key-dns cache list 2>/dev/null | sed -n 's/^[0-9a-f]\\{8\\}  \\([^ ]*\\)  .*/\\1/p')"
