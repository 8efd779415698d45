//! JSON, validated against its schema by Python's jsonschema.

use super::{run, scratch, skip};
use std::fs;
use std::path::Path;

/// Each document is valid, and one of another version is not.
const VALIDATE: &str = "
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for path in sys.argv[2:]:
    validator.validate(json.load(open(path)))
wrong = json.load(open(sys.argv[2]))
wrong['version'] = 'fine'
sys.exit(0 if not validator.is_valid(wrong) else 'the schema takes anything')
";

/// A Python that has the package, if there is one.
pub fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        let found = std::process::Command::new(python).args(["-c", "import jsonschema"]).output();
        found.is_ok_and(|output| output.status.success())
    };
    ["/usr/bin/python3", "python3"].into_iter().find(has)
}

/// Validates documents against `docs/NAME.schema.json`.
#[track_caller]
pub fn hold<D: AsRef<[u8]>>(name: &str, documents: &[D]) {
    let Some(python) = python() else { return skip("it needs Python's jsonschema") };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/{name}.schema.json"));
    let mut arguments = vec!["-c".to_owned(), VALIDATE.to_owned(), schema.to_str().unwrap().to_owned()];
    for (number, document) in documents.iter().enumerate() {
        let path = scratch(&format!("{name}-{number}.json"));
        fs::write(&path, document).unwrap();
        arguments.push(path.to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = run(python, &arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
