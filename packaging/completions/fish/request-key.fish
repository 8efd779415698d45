complete -c request-key -s D -d 'With -d, the key\'s description, TYPE;UID;GID;PERM;NAME, instead of user;0;0;1f0000;debug:1234' -r
complete -c request-key -s d -d 'Touch no key and run no program: show what would be run'
complete -c request-key -s l -d 'Read request-key.d and request-key.conf in the current directory'
complete -c request-key -s n -d 'Do not log to syslog'
complete -c request-key -s v -d 'Show what is done; given twice, show which rules match'
complete -c request-key -l version -d 'Print the version'
complete -c request-key -s h -l help -d 'Print help'
