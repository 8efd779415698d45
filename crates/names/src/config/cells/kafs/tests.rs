use super::*;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// CellFiles in memory, the first of them `/client.conf`.
#[derive(Default)]
struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
    warnings: RefCell<Vec<String>>,
}

impl CellFiles for Memory {
    fn contents(&self, path: &Path, absent: bool) -> Option<Vec<u8>> {
        let found = self.files.get(path).cloned();
        if found.is_none() && !absent {
            self.warn(format!("{} is absent", path.display()));
        }
        found
    }

    fn folder(&self, path: &Path) -> Vec<PathBuf> {
        self.files.keys().filter(|file| file.parent() == Some(path)).cloned().collect()
    }

    fn warn(&self, message: String) {
        self.warnings.borrow_mut().push(message);
    }
}

fn read(cell: &str, files: &[(&str, &str)]) -> (Cell, Vec<String>) {
    let mut memory = Memory::default();
    for (path, text) in files {
        memory.files.insert(path.into(), text.as_bytes().to_vec());
    }
    let cell = find(cell, Path::new("/client.conf"), &memory);
    (cell, memory.warnings.into_inner())
}

/// The servers as `NAME ADDRESS[:PORT]…`.
fn shown(cell: &Cell) -> Vec<String> {
    let endpoint = |&(ip, port): &(std::net::IpAddr, Option<u16>)| match port {
        Some(port) => format!(" {}", std::net::SocketAddr::new(ip, port)),
        None => format!(" {ip}"),
    };
    let server = |server: &DatabaseServer| {
        server.name.clone() + &server.addresses.iter().map(endpoint).collect::<String>()
    };
    cell.servers.iter().map(server).collect()
}

fn parse(cell: &str, text: &str) -> (Option<bool>, Vec<String>, Vec<String>) {
    let (cell, warnings) = read(cell, &[("/client.conf", text)]);
    (cell.use_dns, shown(&cell), warnings)
}

const EXAMPLE: &str = r#"
[defaults]
thiscell = rivendell.example.com
use_dns = no

[cells]
# a comment
corp.example.com = {
  description = "Corporation cell"
  use_dns = yes
  servers = {
    manwe.corp.example.com = {
      address = 2001:db8:123::13
      address = 203.0.113.19
    }
    ulmo.corp.example.com = {
      address = [2001:db8:123::750c:1234]:6666
    }
    namo.corp.example.com = {
      type = ptserver
      address = 203.0.113.88
    }
  }
}
rivendell.example.com = {
  servers = {
    elrond.rivendell.example.com = {
      address = udp/192.0.2.23
    }
  }
}
"#;

#[test]
fn a_cell_has_its_volume_location_servers_and_no_others() {
    let (use_dns, servers, warnings) = parse("corp.example.com", EXAMPLE);
    assert_eq!(use_dns, Some(true));
    assert_eq!(
        servers,
        [
            "manwe.corp.example.com 2001:db8:123::13 203.0.113.19",
            "ulmo.corp.example.com [2001:db8:123::750c:1234]:6666",
        ]
    );
    assert_eq!(warnings, [""; 0]);
    let (use_dns, servers, _) = parse("Rivendell.example.com.", EXAMPLE);
    assert_eq!((use_dns, servers), (None, vec!["elrond.rivendell.example.com 192.0.2.23".to_owned()]));
    assert_eq!(parse("other.example.com", EXAMPLE), (None, vec![], vec![]));
}

#[test]
fn clauses_for_one_cell_are_merged_and_the_last_scalar_wins() {
    let text = "[cells]\nx = {\nuse_dns = no\nservers = {\na = {\naddress = 10.0.0.1\n}\n}\n}\n\
                [defaults]\nx = {\nuse_dns = no\n}\n\
                [cells]\nX = {\nuse_dns = yes\nservers = {\nb = {\n}\nA = {\naddress = 10.0.0.2\n}\n}\n}\n";
    let expected = vec!["a 10.0.0.1 10.0.0.2".to_owned(), "b".to_owned()];
    assert_eq!(parse("x", text), (Some(true), expected, vec![]));
}

#[test]
fn an_asterisk_after_a_brace_makes_the_list_final() {
    let more = "x = {\nuse_dns = yes\nservers = {\nb = {\naddress = 10.0.0.2\n}\na = {\naddress = 10.0.0.3\n}\n}\n}\n";
    for (first, use_dns, servers) in [
        (
            "x = {\nuse_dns = no\nservers = {\na = {\naddress = 10.0.0.1\n}\n}\n}*\n",
            false,
            vec!["a 10.0.0.1"],
        ),
        ("x = {\nuse_dns = no\nservers = {\na = {\naddress = 10.0.0.1\n}\n}*\n}\n", true, vec!["a 10.0.0.1"]),
        (
            "x = {\nuse_dns = no\nservers = {\na = {\naddress = 10.0.0.1\n}*\n}\n}\n",
            true,
            vec!["a 10.0.0.1", "b 10.0.0.2"],
        ),
    ] {
        let (found, read, warnings) = parse("x", &format!("[cells]\n{first}{more}"));
        assert_eq!(
            (found, read, warnings),
            (Some(use_dns), servers.into_iter().map(str::to_owned).collect(), vec![])
        );
    }
}

#[test]
fn files_are_included_in_place_and_directories_without_backup_files() {
    let dns = |value: &str| format!("[cells]\nx = {{\nuse_dns = {value}\n}}\n");
    let server = |name: &str| format!("[cells]\nx = {{\nservers = {{\n{name} = {{\n}}\n}}\n}}\n");
    let files = [
        ("/client.conf", format!("includedir /d\ninclude /last\n{}", server("z"))),
        ("/d/b", server("b")),
        ("/d/a", dns("no") + &server("a")),
        ("/d/.hidden", server("hidden")),
        ("/d/old~", server("old")),
        ("/last", dns("yes")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let (cell, warnings) = read("x", &files);
    assert_eq!((cell.use_dns, shown(&cell)), (Some(true), vec!["a".into(), "b".into(), "z".into()]));
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn the_main_file_may_be_absent_but_included_files_may_not() {
    assert_eq!(read("x", &[]), (Cell::default(), vec![]));
    let (_, warnings) = read("x", &[("/client.conf", "include /nosuch\ninclude relative\n")]);
    assert_eq!(
        warnings,
        ["/nosuch is absent", "/client.conf:2: expected an absolute path, found \"relative\"; line ignored"]
    );
}

#[test]
fn recursive_includes_terminate() {
    let twice = "include /client.conf\n".repeat(2);
    let (_, warnings) = read("x", &[("/client.conf", &twice)]);
    assert!(warnings.len() < 2000 && warnings[0].contains("include each other"));
}

#[test]
fn an_invalid_line_is_skipped_with_a_numbered_warning() {
    for (line, expected) in [
        ("use_dns = maybe", "expected yes or no, found \"maybe\""),
        ("usedns = no", "unknown key \"usedns\""),
        ("servers = { a = { } }", "expected [SECTION]"),
        ("include /x", "inside braces"),
    ] {
        let text = format!("[cells]\nx = {{\n{line}\nservers = {{\na = {{\naddress = 10.0.0.1\n}}\n}}\n}}\n");
        let (_, servers, warnings) = parse("x", &text);
        assert_eq!(servers, ["a 10.0.0.1"]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].starts_with("/client.conf:3: ") && warnings[0].contains(expected),
            "{warnings:?}"
        );
    }
    let text = "[cells]\nx = {\nservers = {\nb ad = {\naddress = 10.0.0.2\n}\na = {\naddress = nil\ntype = fileserver\n";
    let (_, servers, warnings) = parse("x", text);
    assert_eq!(servers, ["a"]);
    for (warning, expected) in warnings.iter().zip([
        "4: \"b ad\" is not a server's name",
        "8: expected [udp/]ADDRESS[:PORT], found \"nil\"",
        "9: expected vlserver or ptserver",
        "a brace is not closed",
    ]) {
        assert!(warning.contains(expected), "{warning}");
    }
    assert_eq!(warnings.len(), 4);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(text: Vec<u8>, cell: String) {
        let mut memory = Memory::default();
        memory.files.insert("/client.conf".into(), text);
        find(&cell, Path::new("/client.conf"), &memory);
    }

    #[test]
    fn arbitrary_sequences_of_valid_lines_do_not_panic(lines in prop::collection::vec(
        "\\[cells\\]|x = \\{|servers = \\{|a = \\{|\\}\\*?|use_dns = no|address = 10.0.0.1|include /client.conf|includedir /", 0..40,
    )) {
        let mut memory = Memory::default();
        memory.files.insert("/client.conf".into(), lines.join("\n").into_bytes());
        find("x", Path::new("/client.conf"), &memory);
    }
}
