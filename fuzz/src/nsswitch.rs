use key_dns::config::nsswitch::{Entry, Status, parse};
use key_dns::resolve::sources::{Facts, Plan, plan};

const STATUSES: [(&str, Status); 4] = [
    ("SUCCESS", Status::Success),
    ("NOTFOUND", Status::NotFound),
    ("UNAVAIL", Status::Unavail),
    ("TRYAGAIN", Status::TryAgain),
];

/// The `hosts:` line of `nsswitch.conf`, and what is done in the place of each source.
pub fn nsswitch(input: &[u8]) {
    let (order, warnings) = parse(input);
    crate::check_lines(&warnings, input);
    for Entry { source, .. } in &order {
        assert!(!source.is_empty() && !source.contains(['[', ' ', '\n']));
    }
    // Written out, it says the same; a source's name may hold what begins a comment elsewhere.
    let text: Vec<String> = order.iter().map(written).collect();
    let (again, warnings) = parse(format!("hosts: {}", text.join(" ")).as_bytes());
    assert_eq!(warnings, []);
    assert_eq!(again, order);
    for Entry { source, .. } in &order {
        let bare = Bare { stub: source.len() % 2 == 0 };
        match plan(source, "mon1.example.org", &bare) {
            Plan::Files => assert_eq!(source, "files"),
            Plan::Dns => assert!(source == "dns" || source == "resolve" && bare.stub),
            Plan::Localhost => panic!("mon1 is not localhost"),
            Plan::Skip(_) | Plan::Child => {}
        }
    }
}

fn written(entry: &Entry) -> String {
    let action = |&(name, status)| {
        let action = if entry.actions.ends_at(status) { "return" } else { "continue" };
        format!("{name}={action}")
    };
    let actions: Vec<String> = STATUSES.iter().map(action).collect();
    format!("{} [{}]", entry.source, actions.join(" "))
}

/// A host without anything.
struct Bare {
    stub: bool,
}

impl Facts for Bare {
    fn host_name(&self) -> String {
        "node7".to_owned()
    }

    fn stub_resolver(&self) -> bool {
        self.stub
    }

    fn own_servers(&self, _: &str) -> bool {
        false
    }

    fn exists(&self, _: &str) -> bool {
        false
    }
}
