//! The JSON of each subcommand, held against its schema in docs.

use crate::dns::{Action, Script, qtype};
use crate::key_dns;
use crate::resolve::{resolve, server};
use crate::support::schema::hold;

#[test]
fn explanations_match_their_schema() {
    let messages =
        ["61", "libceph: resolve 'mon1.test' (ret=-3): failed", "no mds server is up", "mount error(2)"];
    hold("explain", &messages.map(|message| key_dns(&["explain", "--json", message]).stdout));
}

#[test]
fn lookups_match_their_schema() {
    let Some(broken) = server(Script::new().on("broken.example.test", qtype::A, Action::SERVFAIL)) else {
        return;
    };
    let lookups = [
        &["both.example.test", "list"][..],
        &["--trace", "alias.example.test"],
        &["--trace", "broken.example.test"],
        &["nosuch.example.test", "bogus"],
        &["afsdb:cell.example.test", "srv=1"],
        &["127.1"],
        &["localhost"],
        &["mx:x"],
    ];
    hold("resolve", &lookups.map(|args| resolve(&[&broken], &[&["--json"], args].concat()).stdout));
}

#[test]
fn cache_listings_match_their_schema() {
    let Some(lists) = crate::cache::session(
        r#"
        printf '192.0.2.1\0' | keyctl padd dns_resolver schema-a.test @s >&2
        k=$(printf '192.0.2.1\0' | keyctl padd dns_resolver schema-b.test @s)
        keyctl timeout $k 1000
        printf '#dnserror=61\0' | keyctl padd dns_resolver a:schema-a.test @s >&2
        "$0" cache list --json; echo ---
        "$0" cache list --json nosuch.test; echo ---
        "$0" cache flush --json schema-a.test"#,
    ) else {
        return;
    };
    let lists: Vec<String> = lists.split("---\n").map(str::to_owned).collect();
    assert!(lists[0].contains("schema-b.test") && lists[2].contains("\"outcome\""), "{lists:?}");
    hold("cache", &lists);
}
