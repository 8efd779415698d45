//! docs/install.md: its commands install the program from source, and those that undo it leave nothing.

use crate::support::world::no_namespaces;
use crate::support::{copy_program, executable, scratch, skip};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The code of one section, block by block, for a root shell.
fn blocks(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let mut blocks = vec![String::new()];
    for line in section.lines() {
        match line.strip_prefix("    ") {
            Some(code) => blocks.last_mut().unwrap().extend([&code.replace("sudo ", ""), "\n"]),
            None if !blocks.last().unwrap().is_empty() => blocks.push(String::new()),
            None => {}
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// A working directory with the results of a build.
fn sources(name: &str) -> PathBuf {
    let folder = scratch(name);
    let _ = fs::remove_dir_all(&folder);
    let built = folder.join("target/static").join(std::env::consts::ARCH);
    for inner in [&built, &folder.join("request-key.d")] {
        fs::create_dir_all(inner).unwrap();
    }
    copy_program(&executable(), &built.join("key-dns"));
    let rule = Path::new(env!("CARGO_MANIFEST_DIR")).join("request-key.d/dns_resolver.conf");
    fs::copy(rule, folder.join("request-key.d/dns_resolver.conf")).unwrap();
    folder
}

/// Runs a script with `/usr` and `/etc` of its own, and returns its output. It must leave both as they were, without
/// these files, which are removed first.
fn apart(name: &str, without: &str, script: &str) -> Option<String> {
    if let Some(reason) = no_namespaces() {
        skip(reason);
        return None;
    }
    let layers = scratch(&format!("{name}-layers"));
    fs::create_dir_all(&layers).unwrap();
    let layers = layers.display();
    let script = format!(
        "set -eu
        layers='{layers}'
        mount -t tmpfs none \"$layers\"
        for folder in usr etc; do
            mkdir \"$layers/$folder\" \"$layers/$folder.work\"
            mount -t overlay none -o \"lowerdir=/$folder,upperdir=$layers/$folder,workdir=$layers/$folder.work\" /$folder
        done
        rm -rf /usr/libexec/key-dns /usr/bin/key-dns /etc/request-key.d/dns_resolver.conf {without}
        files() {{ find /usr/bin /usr/sbin /sbin/ /usr/libexec /etc ! -type d -printf '%p %s %m %l\n' | sort; }}
        files >\"$layers/before\"
        {script}
        files | diff \"$layers/before\" -"
    );
    let mut unshare = Command::new("unshare");
    let output =
        unshare.args(["--mount", "--net", "sh", "-c", &script]).current_dir(sources(name)).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{script}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    Some(printed)
}

/// What shows the rule that wins.
const WINS: &str = "key-dns request-key -d -D 'dns_resolver;0;0;0;localhost' create 1 0 0 0 0 0";

#[test]
fn the_source_install_works_beside_keyutils_and_its_removal_leaves_nothing() {
    let [install, _, check, back] = blocks("From source").try_into().unwrap();
    let install = install.strip_prefix("packaging/build-static\n").unwrap();
    let check = check.lines().next().unwrap().replace("mon1.example.org", "localhost");
    assert!(check.starts_with("key-dns resolve "), "{check}");
    let script = format!("{install}{check}\n{WINS}\n{back}");
    let Some(printed) = apart("from-source", "", &script) else { return };
    assert!(printed.contains("127.0.0.1"), "{printed}");
    let wins = "/etc/request-key.d/dns_resolver.conf:22: run /usr/libexec/key-dns/key.dns_resolver\n";
    assert!(printed.contains(wins), "{printed}");
}

#[test]
fn the_source_install_provides_request_key_if_there_is_none() {
    let [install, link, _, back] = blocks("From source").try_into().unwrap();
    let install = install.strip_prefix("packaging/build-static\n").unwrap();
    let asked = "/sbin/request-key -d -D 'dns_resolver;0;0;0;localhost' create 1 0 0 0 0 0";
    let none = "/sbin/request-key /etc/request-key.d /etc/request-key.conf";
    let script = format!("{install}{link}{asked}\n{back}");
    let Some(printed) = apart("from-source-alone", none, &script) else { return };
    assert!(printed.contains("run /usr/libexec/key-dns/key.dns_resolver\n"), "{printed}");
}
