//! Rule files as found in distributions, packages and how-tos, given to keyutils' `request-key` and to ours in debug
//! mode: the same choice and the same arguments, or a row with the reason.

use super::differential::{Call, Request, ours, theirs};
use crate::support::machine::Machine;
use crate::support::scratch;
use std::fs;
use std::path::Path;

/// What both are asked.
fn asked(key_type: &str, description: &str, callout: &str) -> Request {
    let text = str::to_owned;
    Request {
        operation: text("create"),
        key_type: text(key_type),
        description: text(description),
        callout: text(callout),
    }
}

/// How the two compare.
#[derive(Clone, Copy)]
enum Is {
    /// Both choose this program, with so many arguments beside its name.
    Same(&'static str, usize),
    /// Neither finds a rule.
    None,
    /// They differ: keyutils chooses the first, or nothing, and we the second. The reason is in docs/request-key.md.
    Other(Option<&'static str>, Option<&'static str>),
}
use Is::{None as Nothing, Other, Same};

struct Form {
    what: &'static str,
    /// Files by their names.
    files: Vec<(&'static str, Vec<u8>)>,
    asked: Request,
    is: Is,
}

const LAST: &str = "request-key.conf";

fn form(what: &'static str, text: &str, asked: Request, is: Is) -> Form {
    Form { what, files: vec![(LAST, text.as_bytes().to_vec())], asked, is }
}

#[allow(clippy::too_many_lines)] // it is a table
fn forms() -> Vec<Form> {
    let spnego = || asked("cifs.spnego", "ver=0x2;host=srv;ip4=192.0.2.1;sec=krb5;uid=0x0;pid=0x1", "");
    let idmap = || asked("id_resolver", "uid:alice@example.org", "");
    let debug = || asked("user", "debug:1234", "hello");
    let dns = || asked("dns_resolver", "afsdb:example.org", "srv=1");
    let many = |count| (0..count).map(|number| format!(" {number}")).collect::<String>();
    let usual = "# comment\n#OP\tTYPE\tDESCRIPTION\tCALLOUT INFO\tPROGRAM ARG1 ARG2 ...\n\
                 #======\t=======\t===============\t===============\t===============================\n\n\
                 create  dns_resolver *\t\t*\t\t/sbin/key.dns_resolver %k\n\
                 create\tuser\tdebug:*\tnegate\t/bin/keyctl negate %k 30 %S\n\
                 create\tuser\tdebug:*\trejected\t/bin/keyctl reject %k 30 %c %S\n\
                 create\tuser\tdebug:loop:*\t*\t|/bin/cat\n\
                 create\tuser\tdebug:*\t*\t/usr/share/keyutils/request-key-debug.sh %k %d %c %S\n\
                 negate\t*\t*\t*\t/bin/keyctl negate %k 30 %S\n";
    let mut forms = vec![
        form(
            "the file that comes with keyutils",
            usual,
            debug(),
            Same("/usr/share/keyutils/request-key-debug.sh", 4),
        ),
        form("its rule for a callout", usual, asked("user", "debug:1", "negate"), Same("/bin/keyctl", 4)),
        form("its rule with a pipe", usual, asked("user", "debug:loop:9", "x"), Same("/bin/cat", 0)),
        form("its rule for names", usual, dns(), Same("/sbin/key.dns_resolver", 1)),
        form("its rules for another type", usual, spnego(), Nothing),
        form(
            "cifs.upcall",
            "create cifs.spnego * * /usr/sbin/cifs.upcall %k\n",
            spnego(),
            Same("/usr/sbin/cifs.upcall", 1),
        ),
        form(
            "cifs.upcall with options",
            "create cifs.spnego * * /usr/sbin/cifs.upcall -t -l --krb5conf=/etc/k %k\n",
            spnego(),
            Same("/usr/sbin/cifs.upcall", 4),
        ),
        form(
            "cifs.upcall for names, as there was",
            "create dns_resolver * * /usr/sbin/cifs.upcall %k\n",
            dns(),
            Same("/usr/sbin/cifs.upcall", 1),
        ),
        form(
            "cifs.idmap",
            "create\tcifs.idmap\t*\t*\t/usr/sbin/cifs.idmap %k\n",
            asked("cifs.idmap", "os:S-1-5-21-1", ""),
            Same("/usr/sbin/cifs.idmap", 1),
        ),
        form(
            "nfsidmap with a timeout",
            "create id_resolver * * /usr/sbin/nfsidmap -t 600 %k %d\n",
            idmap(),
            Same("/usr/sbin/nfsidmap", 4),
        ),
        form(
            "nfsidmap for kinds of ids",
            "create\tid_resolver\tuid:*\t*\t/usr/sbin/nfsidmap %k %d 600\ncreate id_resolver gid:* * /usr/bin/other %k\n",
            idmap(),
            Same("/usr/sbin/nfsidmap", 3),
        ),
        form(
            "kafs-client beside the usual rule",
            "create dns_resolver * * /sbin/key.dns_resolver %k\ncreate dns_resolver afsdb:* * /usr/libexec/kafs-dns %k\n",
            dns(),
            Same("/usr/libexec/kafs-dns", 1),
        ),
        form(
            "Lustre's contexts",
            "create lgssc * * /usr/sbin/lgss_keyring %o %k %t %d %c %u %g %T %P %S\n",
            asked("lgssc", "1:2:3", "secpart"),
            Same("/usr/sbin/lgss_keyring", 10),
        ),
        form(
            "a path of NixOS",
            "create cifs.spnego * * /run/current-system/sw/bin/cifs.upcall %k\n",
            spnego(),
            Same("/run/current-system/sw/bin/cifs.upcall", 1),
        ),
        form(
            "a path of the store",
            "create dns_resolver * * /nix/store/0c5kz9dqqj4v8xmi3w9h-keyutils-1.6.3/bin/key.dns_resolver %k\n",
            dns(),
            Same("/nix/store/0c5kz9dqqj4v8xmi3w9h-keyutils-1.6.3/bin/key.dns_resolver", 1),
        ),
        form(
            "a variable by env",
            "create cifs.spnego * * /usr/bin/env KRB5CCNAME=FILE:/run/cc /usr/sbin/cifs.upcall %k\n",
            spnego(),
            Same("/usr/bin/env", 3),
        ),
        form(
            "a shell with quotes, which are characters",
            "create user * * /bin/sh -c \"echo $1\" %k\n",
            debug(),
            Same("/bin/sh", 4),
        ),
        form(
            "a pipe with arguments",
            "create user debug:* * |/usr/bin/awk {print} %d\n",
            debug(),
            Same("/usr/bin/awk", 2),
        ),
        form(
            "a pipe within a pipe, which is an argument",
            "create user debug:* * |/bin/sh -c \"cat | tr a b\"\n",
            debug(),
            Same("/bin/sh", 6),
        ),
        form("a pipe that is apart from its program", "create user * * | /bin/cat\n", debug(), Nothing),
        form("words in capitals", "CREATE user * * /bin/x\n", debug(), Nothing),
        form(
            "single quotes and backslashes",
            "create user * * /bin/x 'a b' c\\ d \\%k\n",
            debug(),
            Same("/bin/x", 5),
        ),
        form(
            "every macro",
            "create user * * /bin/x %o %k %t %d %c %u %g %T %P %S %%\n",
            debug(),
            Same("/bin/x", 11),
        ),
        form("macros within words", "create user * * /bin/x --key=%k %d%c %%d\n", debug(), Same("/bin/x", 3)),
        form("a wildcard in each column", "c* u* d* h* /bin/x\n", debug(), Same("/bin/x", 0)),
        form("wildcards alone", "* * * * /bin/x %o\n", debug(), Same("/bin/x", 1)),
        form(
            "a narrow rule after a wide one",
            "create * * * /bin/a\ncreate user debug:* * /bin/b\n",
            debug(),
            Same("/bin/b", 0),
        ),
        form(
            "a wide column before a narrow one",
            "create * debug:1234 hello /bin/a\ncreate user * * /bin/b\n",
            debug(),
            Same("/bin/b", 0),
        ),
        form(
            "equal rules in one file",
            "create user debug:* * /bin/a\ncreate user debug:* * /bin/b\n",
            debug(),
            Same("/bin/a", 0),
        ),
        form(
            "tabs and runs of blanks",
            "create\t \tuser\t\tdebug:*   *\t\t/bin/x\t\t%k   %d\t\n",
            debug(),
            Same("/bin/x", 2),
        ),
        form(
            "blank lines and comments between",
            "\n\n#\n# x\ncreate user * * /bin/x\n\n#end\n",
            debug(),
            Same("/bin/x", 0),
        ),
        form(
            "what looks like a comment at the end of a rule",
            "create user * * /bin/x %k # the usual\n",
            debug(),
            Same("/bin/x", 4),
        ),
        form(
            "lines that end as on Windows",
            "create user * * /bin/x %k\r\ncreate dns_resolver * * /bin/y %k\r\n",
            debug(),
            Same("/bin/x", 1),
        ),
        form("blank lines that end so", "\r\ncreate user * * /bin/x\r\n\r\n", debug(), Same("/bin/x", 0)),
        form(
            "a byte order mark before a comment",
            "\u{feff}# rules\ncreate user * * /bin/x\n",
            debug(),
            Same("/bin/x", 0),
        ),
        form(
            "a byte order mark before a rule",
            "\u{feff}create user * * /bin/y\ncreate user * * /bin/x\n",
            debug(),
            Same("/bin/x", 0),
        ),
        form(
            "no newline at the end",
            "create user * * /bin/x %k yy",
            debug(),
            Other(Some("/bin/x"), Some("/bin/x")),
        ),
        form(
            "an indented rule",
            "create user * * /bin/x\n  create user debug:* * /bin/y\n",
            debug(),
            Same("/bin/x", 0),
        ),
        form("an indented comment", "\t# x\ncreate user * * /bin/x\n", debug(), Same("/bin/x", 0)),
        form(
            "a wildcard in the middle",
            "create user de*34 * /bin/y\ncreate user * * /bin/x\n",
            debug(),
            Other(Some("/bin/x"), Some("/bin/y")),
        ),
        form(
            "as many arguments as keyutils takes",
            &format!("create user * * /bin/x{}\n", many(253)),
            debug(),
            Same("/bin/x", 253),
        ),
        form(
            "one more",
            &format!("create user * * /bin/x{}\n", many(254)),
            debug(),
            Other(None, Some("/bin/x")),
        ),
        form(
            "letters of other scripts",
            "create user * * /bin/gr\u{fc}n \u{e4}\u{f6} %k\n",
            debug(),
            Same("/bin/gr\u{fc}n", 2),
        ),
        form(
            "a semicolon in a description",
            "create user a;* * /bin/x\n",
            asked("user", "a;b", ""),
            Same("/bin/x", 0),
        ),
        form(
            "an empty callout and a rule that wants one",
            "create user * x* /bin/y\ncreate user * * /bin/x\n",
            asked("user", "a", ""),
            Same("/bin/x", 0),
        ),
        form("a rule for negate alone", "negate user * * /bin/x\n", debug(), Nothing),
        form("an empty file", "", debug(), Nothing),
    ];
    forms.push(Form {
        what: "equal rules in the folder and in the last file",
        files: vec![
            ("request-key.d/a.conf", b"create user * * /bin/a\n".to_vec()),
            (LAST, b"create user * * /bin/z\n".to_vec()),
        ],
        asked: debug(),
        is: Same("/bin/a", 0),
    });
    forms.push(Form {
        what: "a narrow rule in the last file",
        files: vec![
            ("request-key.d/a.conf", b"create user * * /bin/a\n".to_vec()),
            (LAST, b"create user debug:* * /bin/z\n".to_vec()),
        ],
        asked: debug(),
        is: Same("/bin/z", 0),
    });
    forms.push(Form {
        what: "files that are no rule files",
        files: vec![
            ("request-key.d/a.conf.bak", b"create user * * /bin/a\n".to_vec()),
            ("request-key.d/.a.conf", b"create user * * /bin/b\n".to_vec()),
            ("request-key.d/README", b"create user * * /bin/c\n".to_vec()),
            (LAST, b"create user * * /bin/z\n".to_vec()),
        ],
        asked: debug(),
        is: Same("/bin/z", 0),
    });
    forms.push(Form {
        what: "the folder alone",
        files: vec![("request-key.d/a.conf", b"create user * * /bin/a %k\n".to_vec())],
        asked: debug(),
        is: Same("/bin/a", 1),
    });
    forms
}

fn fill(folder: &Path, files: &[(&str, Vec<u8>)]) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("request-key.d")).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn rule_files_from_the_wild_mean_the_same_to_both() {
    // Taken for keyutils to be in its place while it is called.
    let Some(_machine) = Machine::take() else { return };
    let folder = scratch("wild");
    let mut wrong = Vec::new();
    for Form { what, files, asked, is } in forms() {
        fill(&folder, &files);
        let (theirs, ours) = (theirs(&folder, &asked), ours(&folder, &asked));
        let path = |call: &Option<Call>| call.as_ref().map(|call| call.1.clone());
        let right = match is {
            Same(program, arguments) => {
                theirs == ours
                    && ours
                        .as_ref()
                        .is_some_and(|call| (call.1.as_str(), call.2.len()) == (program, arguments + 1))
            }
            Nothing => theirs.is_none() && ours.is_none(),
            Other(first, second) => {
                theirs != ours && (path(&theirs).as_deref(), path(&ours).as_deref()) == (first, second)
            }
        };
        if !right {
            wrong.push(format!("{what}:\n  keyutils {theirs:?}\n  ours     {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rule_file_that_is_a_symbolic_link_is_read_only_by_us() {
    let Some(_machine) = Machine::take() else { return };
    let folder = scratch("wild-link");
    fill(
        &folder,
        &[
            ("elsewhere", b"create user * * /bin/linked\n".to_vec()),
            (LAST, b"create user * * /bin/z\n".to_vec()),
        ],
    );
    std::os::unix::fs::symlink("../elsewhere", folder.join("request-key.d/a.conf")).unwrap();
    let asked = asked("user", "debug:1", "x");
    let program = |call: Option<Call>| call.unwrap().1;
    assert_eq!(program(theirs(&folder, &asked)), "/bin/z");
    assert_eq!(program(ours(&folder, &asked)), "/bin/linked");
}
