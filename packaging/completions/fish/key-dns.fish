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
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "doctor" -d 'Find out why a mount by name fails: follow the lookup step by step, as the kernel would'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "resolve" -d 'Look a name up as for a file system, and show where the answer came from; uses no key and no kernel'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "cache" -d 'List or drop the answers that the kernel has cached'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "explain" -d 'Explain what an error message of a mount means for name lookups, and what to try'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "setup" -d 'Install this executable on a host without a package manager, or remove it'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "key.dns_resolver" -d 'Answer a dns_resolver key that the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "request-key" -d 'Run the program that answers the key for which the kernel is waiting'
complete -c key-dns -n "__fish_key_dns_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l pid -d 'Check the mounts that this process sees, such as one in a container' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l output -d 'Write the metrics to this file, whole or not at all' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l node-problem-detector -d 'Judge this condition, as a custom plugin of node-problem-detector' -r -f -a "DeadMount\t''
KernelNameLookupBroken\t''"
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l timeout -d 'How long the checks may take, for --prometheus and --node-problem-detector; 60 by default' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l mounts -d 'Check the current mounts instead: bind mounts of deleted directories, dead FUSE daemons, silent servers'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -s v -l verbose -d 'Show all observations'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -l prometheus -d 'Print metrics for Prometheus instead: of lookups, and with --mounts of mounts as well'
complete -c key-dns -n "__fish_key_dns_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s c -l config -d 'Read settings from FILE instead of /etc/keyutils/key.dns_resolver.conf' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s t -l trace -d 'Show every query and every decision'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "list" -d 'List the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that the next request looks the name up (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and not __fish_seen_subcommand_from list flush help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from flush" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from flush" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that the next request looks the name up (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand explain" -l json -d 'Print JSON'
complete -c key-dns -n "__fish_key_dns_using_subcommand explain" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "install" -d 'Install or upgrade, then test with one request by the kernel (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "remove" -d 'Restore the host to its state before the installation (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "status" -d 'Show what is installed, and whether the kernel gets an answer'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and not __fish_seen_subcommand_from install remove status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l root -d 'The host\'s root directory, if it is not this system\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l nameserver -d 'Write settings with name servers for a domain, separated by commas; an empty value removes them' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l live -d 'DIR is the root directory of the running host, as in a container: have its kernel make a request'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -l dry-run -d 'Show what would be done'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -l root -d 'The host\'s root directory, if it is not this system\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -l dry-run -d 'Show what would be done'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l root -d 'The host\'s root directory, if it is not this system\'s own' -r -F
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l live -d 'DIR is the root directory of the running host, as in a container: have its kernel make a request'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -l stay -d 'Then wait for SIGTERM, as the main process of a container'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "install" -d 'Install or upgrade, then test with one request by the kernel (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Restore the host to its state before the installation (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show what is installed, and whether the kernel gets an answer'
complete -c key-dns -n "__fish_key_dns_using_subcommand setup; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s c -l config -d 'Read settings from FILE instead of /etc/keyutils/key.dns_resolver.conf' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s D -l debug -d 'Look DESC up without a key, and print payload and expiry'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s v -l verbose -d 'Log answers too; with -D, show every query and the source of each address'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -l dump-config -d 'Print the settings in force'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s V -l version -d 'Print the version'
complete -c key-dns -n "__fish_key_dns_using_subcommand key.dns_resolver" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s D -d 'With -d, the key\'s description, TYPE;UID;GID;PERM;NAME, instead of user;0;0;1f0000;debug:1234' -r
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s d -d 'Touch no key and run no program: show what would be run'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s l -d 'Read request-key.d and request-key.conf in the current directory'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s n -d 'Do not log to syslog'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s v -d 'Show what is done; given twice, show which rules match'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -l version -d 'Print the version'
complete -c key-dns -n "__fish_key_dns_using_subcommand request-key" -s h -l help -d 'Print help'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "doctor" -d 'Find out why a mount by name fails: follow the lookup step by step, as the kernel would'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "resolve" -d 'Look a name up as for a file system, and show where the answer came from; uses no key and no kernel'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "cache" -d 'List or drop the answers that the kernel has cached'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "explain" -d 'Explain what an error message of a mount means for name lookups, and what to try'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "setup" -d 'Install this executable on a host without a package manager, or remove it'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "key.dns_resolver" -d 'Answer a dns_resolver key that the kernel is waiting for'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "request-key" -d 'Run the program that answers the key for which the kernel is waiting'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and not __fish_seen_subcommand_from doctor resolve cache explain setup key.dns_resolver request-key help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "list" -d 'List the kernel\'s DNS keys'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from cache" -f -a "flush" -d 'Drop the kernel\'s DNS keys, so that the next request looks the name up (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "install" -d 'Install or upgrade, then test with one request by the kernel (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "remove" -d 'Restore the host to its state before the installation (root)'
complete -c key-dns -n "__fish_key_dns_using_subcommand help; and __fish_seen_subcommand_from setup" -f -a "status" -d 'Show what is installed, and whether the kernel gets an answer'
complete -c key-dns -n "__fish_key_dns_using_subcommand resolve" -f -a "ipv4 ipv6 list srv=1"
complete -c key-dns -n "__fish_key_dns_using_subcommand cache; and __fish_seen_subcommand_from list flush" -f -a "(key-dns cache list 2>/dev/null | sed -n 's/^[0-9a-f]\\{8\\}  \\([^ ]*\\)  .*/\\1/p')"
