//! The JSON, validated against its schema.

use crate::host::{FIRST, Host, NAME, doctor, on_a_host};
use crate::support::schema::hold;

#[test]
fn reports_match_their_schema() {
    on_a_host(hold_reports_against_the_schema);
}

fn hold_reports_against_the_schema(host: &mut Host<'_>) {
    let mut reports: Vec<Vec<u8>> = [
        &["--json", NAME][..],
        &["--json"],
        &["--json", "mon1.doctor.test:6789,six.doctor.test,192.0.2.1:/"],
        &["--json", "%cell.doctor.test:root.cell"],
    ]
    .into_iter()
    .map(|args| doctor(args).stdout)
    .collect();
    host.servers.clear();
    host.name_servers(&[FIRST]);
    reports.push(doctor(&["--json", NAME]).stdout);
    hold("doctor", &reports);
}
