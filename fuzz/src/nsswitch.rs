use names::config::nsswitch::{NssStatus, Service, parse};
use names::plan::{HostFacts, Plan, plan};

const STATUSES: [(&str, NssStatus); 4] = [
    ("SUCCESS", NssStatus::Success),
    ("NOTFOUND", NssStatus::NotFound),
    ("UNAVAIL", NssStatus::Unavail),
    ("TRYAGAIN", NssStatus::TryAgain),
];

/// The `hosts:` line of `nsswitch.conf`, and what is done in the place of each source.
pub fn nsswitch(input: &[u8]) {
    let (order, warnings) = parse(input);
    crate::check_lines(&warnings, input);
    for Service { name, .. } in &order {
        assert!(!name.is_empty() && !name.contains(['[', ' ', '\n']));
    }
    // Written out, it says the same; a source's name may hold what begins a comment elsewhere.
    let text: Vec<String> = order.iter().map(written).collect();
    let (again, warnings) = parse(format!("hosts: {}", text.join(" ")).as_bytes());
    assert_eq!(warnings, []);
    assert_eq!(again, order);
    for Service { name, .. } in &order {
        let bare = Bare { stub: name.len() % 2 == 0 };
        match plan(name, "mon1.example.org", &bare) {
            Plan::Files => assert_eq!(name, "files"),
            Plan::Dns => assert!(name == "dns" || name == "resolve" && bare.stub),
            Plan::Localhost => panic!("mon1 is not localhost"),
            Plan::Skip(_) | Plan::Module => {}
        }
    }
}

fn written(entry: &Service) -> String {
    let action = |&(name, status)| {
        let action = if entry.actions.ends_at(status) { "return" } else { "continue" };
        format!("{name}={action}")
    };
    let actions: Vec<String> = STATUSES.iter().map(action).collect();
    format!("{} [{}]", entry.name, actions.join(" "))
}

/// A host without anything.
struct Bare {
    stub: bool,
}

impl HostFacts for Bare {
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
