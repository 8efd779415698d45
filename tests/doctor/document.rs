//! `docs/doctor.md`: what it shows is what the program prints.
//!
//! With `KEY_DNS_WRITE` set, the page is rewritten instead.

use crate::dns::{Action, Script, Server};
use crate::host::{FIRST, Host, NAME, SECOND, doctor, for_anybody, on_a_host};
use crate::support::machine::UPCALL;
use crate::support::{run, until};
use std::time::Duration;
use std::{env, fs};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md");

/// The text between `<!-- NAME -->` and `<!-- end -->` in the page must be `text`.
pub fn shows(name: &str, text: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let begin = format!("<!-- {name} -->\n");
    let start = page.find(&begin).unwrap_or_else(|| panic!("no {begin} in the page")) + begin.len();
    let end = start + page[start..].find("<!-- end -->").unwrap();
    let text = format!("\n{text}\n");
    if env::var_os("KEY_DNS_WRITE").is_some() {
        fs::write(PAGE, format!("{}{text}{}", &page[..start], &page[end..])).unwrap();
        return;
    }
    assert_eq!(
        same(&text),
        same(&page[start..end]),
        "{name}: run with KEY_DNS_WRITE=1 to write the page anew"
    );
}

/// Without what differs from run to run and from machine to machine: times, the kernel's release, numbers.
fn same(text: &str) -> String {
    let text = text.replace("less than 1 ms", "0 ms");
    let words = text.split(' ').map(|word| {
        let release = word.starts_with(|c: char| c.is_ascii_digit())
            && word.matches('.').count() >= 2
            && word.contains('-');
        if release || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())) {
            "N"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ").replace("N,", "N")
}

/// What a run prints, as a block of the page.
fn block(command: &str, output: &[u8]) -> String {
    let text = String::from_utf8(output.to_vec()).unwrap();
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}").trim_end().to_owned()).collect();
    format!("    $ {command}\n{}\n", lines.join("\n"))
}

/// Waits until the kernel has collected the keys that other tests have requested.
fn no_key_is_left_of(domain: &str) {
    let left = || {
        let keys = fs::read_to_string("/proc/keys").unwrap();
        keys.lines().filter(|key| key.contains(domain)).map(str::to_owned).collect::<Vec<_>>()
    };
    let none = until(Duration::from_secs(60), || left().is_empty());
    assert!(none, "keys of {domain} are still there: {:?}", left());
}

/// A host whose kernel has no key from an earlier run: it collects them at some point, and the doctor reports them.
fn on_a_clean_host(scene: impl FnOnce(&mut Host<'_>)) {
    // Not before the machine is ours: until then other tests make requests.
    on_a_host(|host| {
        no_key_is_left_of("doctor.test");
        scene(host);
    });
}

#[test]
fn the_examples_in_the_doctor_page_are_real_output() {
    let mons = "mon1.doctor.test:6789,mon2.doctor.test:6789:/";
    on_a_clean_host(|_| {
        shows("healthy", &block(&format!("key-dns doctor {mons}"), &doctor(&[mons]).stdout));
    });
    on_a_clean_host(|host| {
        host.machine.take_away(UPCALL);
        shows("no request-key", &block(&format!("key-dns doctor {mons}"), &doctor(&[mons]).stdout));
    });
    on_a_clean_host(|host| {
        let silent = Server::builder().script(Script::new().on_all(Action::Silence));
        host.servers.push(silent.at(&format!("{SECOND}:53")).start());
        host.name_servers(&[SECOND, FIRST]);
        shows("silent server", &block(&format!("key-dns doctor {NAME}"), &doctor(&[NAME]).stdout));
    });
    on_a_clean_host(|host| {
        let program = for_anybody(host);
        let user = ["--reuid=65534", "--regid=65534", "--clear-groups", program, "doctor", NAME];
        shows("user", &block(&format!("key-dns doctor {NAME}"), &run("setpriv", &user).stdout));
    });
    on_a_clean_host(|host| {
        host.name_servers(&[SECOND]);
        let output = doctor(&["--json", NAME]).stdout;
        let report: serde_json::Value = serde_json::from_slice(&output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(report["exit"], 1);
        // The step with the finding is enough to show the form.
        let head = text.split("  \"steps\": [").next().unwrap();
        let steps = text.split("\n    {\n").find(|step| step.contains("\"findings\": [\n")).unwrap();
        let step = steps.trim_end().trim_end_matches(',');
        let shown = format!("{head}  \"steps\": [\n    …\n    {{\n{step},\n    …\n  ]\n}}\n");
        shows("json", &block(&format!("key-dns doctor --json {NAME}"), shown.as_bytes()));
    });
}
