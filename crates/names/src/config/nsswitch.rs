//! The `hosts:` line of `nsswitch.conf(5)`: where names are looked up, in which order, and when to stop.

use crate::file::{Warning, lines};

/// Its path.
pub const PATH: &str = "/etc/nsswitch.conf";

/// A source and the actions after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The source's name: `files`, `dns`, `mdns4_minimal`, …
    pub name: String,
    /// Whether the search stops there, by the source's status.
    pub actions: Actions,
}

/// The outcome of searching a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NssStatus {
    /// It has the name.
    Success,
    /// It answers, but does not have the name.
    NotFound,
    /// It can't be queried.
    Unavail,
    /// It can't answer at the moment.
    TryAgain,
}

/// For each status, whether the search stops there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions {
    success: bool,
    not_found: bool,
    unavail: bool,
    try_again: bool,
}

impl Default for Actions {
    fn default() -> Self {
        Self { success: true, not_found: false, unavail: false, try_again: false }
    }
}

impl Actions {
    /// Whether the search stops after a source with this status.
    #[must_use]
    pub const fn ends_at(self, status: NssStatus) -> bool {
        match status {
            NssStatus::Success => self.success,
            NssStatus::NotFound => self.not_found,
            NssStatus::Unavail => self.unavail,
            NssStatus::TryAgain => self.try_again,
        }
    }

    fn set(&mut self, status: NssStatus, ends: bool) {
        match status {
            NssStatus::Success => self.success = ends,
            NssStatus::NotFound => self.not_found = ends,
            NssStatus::Unavail => self.unavail = ends,
            NssStatus::TryAgain => self.try_again = ends,
        }
    }

    /// Parses what is between the brackets: `NOTFOUND=return !UNAVAIL=continue`.
    fn parse(&mut self, text: &str) -> Result<(), String> {
        for item in text.split_whitespace() {
            let (status, action) =
                item.split_once('=').ok_or_else(|| format!("{item:?} is not STATUS=ACTION"))?;
            let (negated, status) = match status.strip_prefix('!') {
                Some(status) => (true, status),
                None => (false, status),
            };
            let named = STATUSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(status));
            let (_, named) = named.ok_or_else(|| format!("{status:?} is not a status"))?;
            let ends = match action.to_ascii_lowercase().as_str() {
                "return" => true,
                // Host names are never merged; the search just continues.
                "continue" | "merge" => false,
                _ => return Err(format!("{action:?} is not an action")),
            };
            for (_, status) in &STATUSES {
                if (status == named) != negated {
                    self.set(*status, ends);
                }
            }
        }
        Ok(())
    }
}

const STATUSES: [(&str, NssStatus); 4] = [
    ("success", NssStatus::Success),
    ("notfound", NssStatus::NotFound),
    ("unavail", NssStatus::Unavail),
    ("tryagain", NssStatus::TryAgain),
];

/// The order if the file or its line is missing: `files dns`.
#[must_use]
pub fn default_order() -> Vec<Service> {
    ["files", "dns"].map(|source| Service { name: source.to_owned(), actions: Actions::default() }).to_vec()
}

/// The sources of host names in order. For brackets that can't be parsed, the source before them keeps its defaults,
/// with a warning.
#[must_use]
pub fn parse(file: &[u8]) -> (Vec<Service>, Vec<Warning>) {
    let mut order = None;
    let mut warnings = Vec::new();
    for (number, line) in (1..).zip(lines(file)) {
        if !line.trim_ascii_start().starts_with(b"hosts") {
            continue;
        }
        let line = String::from_utf8_lossy(line);
        let text = line.split('#').next().unwrap_or_default().trim_start();
        let Some(value) = text.strip_prefix("hosts").and_then(|rest| rest.trim_start().strip_prefix(':'))
        else {
            continue;
        };
        let (entries, messages) = sources(value);
        warnings.extend(messages.into_iter().map(|message| Warning::new(number, message)));
        order = Some(entries);
    }
    (order.unwrap_or_else(default_order), warnings)
}

fn sources(mut text: &str) -> (Vec<Service>, Vec<String>) {
    let mut entries: Vec<Service> = Vec::new();
    let mut messages = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return (entries, messages);
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (inside, rest) = rest.split_once(']').unwrap_or((rest, ""));
            match entries.last_mut() {
                None => messages.push(format!("[{inside}] comes before any source; ignored")),
                Some(entry) => {
                    let mut actions = entry.actions;
                    match actions.parse(inside) {
                        Ok(()) => entry.actions = actions,
                        Err(message) => messages.push(format!("{message}; [{inside}] ignored")),
                    }
                }
            }
            text = rest;
        } else {
            let end = text.find(|c: char| c.is_whitespace() || c == '[').unwrap_or(text.len());
            let (source, rest) = text.split_at(end);
            entries.push(Service { name: source.to_owned(), actions: Actions::default() });
            text = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The order as text: a source, and in brackets the letters of the statuses that end the search.
    fn order(text: &str) -> String {
        let (entries, _) = parse(text.as_bytes());
        let shown = entries.iter().map(|entry| {
            let letters = STATUSES.iter().filter(|(_, status)| entry.actions.ends_at(*status));
            let letters: String = letters.filter_map(|(name, _)| name.chars().next()).collect();
            format!("{}[{letters}]", entry.name)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn common_hosts_lines_are_parsed() {
        for (line, expected) in [
            ("hosts: files dns", "files[s] dns[s]"),
            ("hosts:  files mdns4_minimal [NOTFOUND=return] dns", "files[s] mdns4_minimal[sn] dns[s]"),
            (
                "hosts: files myhostname mdns4_minimal [NOTFOUND=return] resolve [!UNAVAIL=return] dns",
                "files[s] myhostname[s] mdns4_minimal[sn] resolve[snt] dns[s]",
            ),
            (
                "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns # Arch",
                "mymachines[s] resolve[snt] files[s] myhostname[s] dns[s]",
            ),
        ] {
            assert_eq!(order(line), expected);
        }
    }

    #[test]
    fn without_a_line_the_order_is_files_and_dns() {
        assert_eq!(order(""), "files[s] dns[s]");
        assert_eq!(order("passwd: files\n#hosts: dns\nhostsx: dns\n"), "files[s] dns[s]");
    }

    #[test]
    fn brackets_are_parsed_regardless_of_blanks_and_case() {
        assert_eq!(order("hosts:dns[notfound=RETURN success=continue]files"), "dns[n] files[s]");
        assert_eq!(order("hosts: dns [ !SUCCESS=return ] files"), "dns[snut] files[s]");
    }

    #[test]
    fn an_invalid_action_is_skipped_with_a_warning() {
        for (line, expected) in [
            ("hosts: dns [NOTFOUND=stop] files", "\"stop\" is not an action; [NOTFOUND=stop] ignored"),
            ("hosts: dns [GONE=return] files", "\"GONE\" is not a status"),
            ("hosts: dns [NOTFOUND] files", "\"NOTFOUND\" is not STATUS=ACTION"),
            ("hosts: [NOTFOUND=return] dns files", "comes before any source"),
        ] {
            let (_, warnings) = parse(line.as_bytes());
            assert!(warnings[0].message.contains(expected), "{warnings:?}");
            assert_eq!(order(line), "dns[s] files[s]");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(file: Vec<u8>, line in "hosts:[\\[\\]a-zA-Z!= #]{0,40}") {
            let _ = parse(&file);
            let _ = parse(line.as_bytes());
        }
    }
}
