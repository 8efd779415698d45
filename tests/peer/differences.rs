//! The list of differences, compared with the tests that it names.

use std::fs;
use std::path::Path;

#[test]
fn every_test_named_in_the_list_of_differences_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(root.join("docs/differences.md")).unwrap();
    let named = list.split('`').filter_map(|text| text.split_once(": "));
    let named = named.filter(|(target, _)| ["peer", "kernel", "command", "host"].contains(target));
    let mut count = 0;
    for (target, path) in named {
        let (module, test) = path.split_once("::").unwrap_or((path, ""));
        let file = root.join(format!("tests/{target}/{module}.rs"));
        let tests = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(tests.contains(&format!("fn {test}")), "{test} in {}", file.display());
        count += 1;
    }
    assert!(count > 40, "{count} tests named");
}
