complete -c key.dns_resolver -s c -l config -d 'Read settings from FILE instead of /etc/keyutils/key.dns_resolver.conf' -r
complete -c key.dns_resolver -s D -l debug -d 'Look DESC up without a key, and print payload and expiry'
complete -c key.dns_resolver -s v -l verbose -d 'Log answers too; with -D, show every query and the source of each address'
complete -c key.dns_resolver -l dump-config -d 'Print the settings in force'
complete -c key.dns_resolver -s V -l version -d 'Print the version'
complete -c key.dns_resolver -s h -l help -d 'Print help'
