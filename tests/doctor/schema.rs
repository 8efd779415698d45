//! The JSON, held against its schema.

use crate::host::{FIRST, Host, NAME, doctor, on_a_host};
use crate::support::{run, scratch, skip};
use std::fs;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.schema.json");
const VALIDATE: &str = "
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for path in sys.argv[2:]:
    validator.validate(json.load(open(path)))
wrong = json.load(open(sys.argv[2]))
wrong['steps'][0]['status'] = 'fine'
sys.exit(0 if not validator.is_valid(wrong) else 'the schema takes anything')
";

/// A Python that has the package, if there is one.
fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        let found = std::process::Command::new(python).args(["-c", "import jsonschema"]).output();
        found.is_ok_and(|output| output.status.success())
    };
    ["/usr/bin/python3", "python3"].into_iter().find(has)
}

#[test]
fn reports_are_as_their_schema_says() {
    let Some(python) = python() else { return skip("it needs Python's jsonschema") };
    on_a_host(|host| hold_reports_against_the_schema(python, host));
}

fn hold_reports_against_the_schema(python: &str, host: &mut Host<'_>) {
    let mut paths = vec![SCHEMA.to_owned()];
    let mut keep = |name: &str, args: &[&str]| {
        let path = scratch(&format!("report-{name}.json"));
        fs::write(&path, doctor(args).stdout).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    };
    keep("well", &["--json", NAME]);
    keep("nothing", &["--json"]);
    keep("several", &["--json", "mon1.doctor.test:6789,six.doctor.test,192.0.2.1:/"]);
    keep("cell", &["--json", "%cell.doctor.test:root.cell"]);
    host.servers.clear();
    host.name_servers(&[FIRST]);
    keep("broken", &["--json", NAME]);
    let arguments: Vec<&str> = ["-c", VALIDATE].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let done = run(python, &arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
