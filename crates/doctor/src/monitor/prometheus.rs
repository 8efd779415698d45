//! The text format that Prometheus reads ("Exposition formats", text-based format 0.0.4).

use super::short::cut;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The longest value of a label, in bytes. A server may have a limit, and takes nothing at all of a host that goes beyond.
const LONGEST: usize = 256;

/// The value of a label: any text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LabelValue(String);

impl LabelValue {
    /// Of bytes, with those that are not UTF-8, and control characters, as `\xNN`; cut where it is too long.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() && c != '\n' {
                    c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_hex(&mut text, byte));
                } else {
                    text.push(c);
                }
            }
            chunk.invalid().iter().for_each(|byte| push_hex(&mut text, *byte));
        }
        Self(cut(text, LONGEST))
    }

    pub(super) fn of_path(path: &Path) -> Self {
        Self::of_bytes(path.as_os_str().as_bytes())
    }

    /// As it stands between quotes.
    fn escaped(&self) -> String {
        self.0.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
    }
}

impl From<&str> for LabelValue {
    fn from(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }
}

fn push_hex(text: &mut String, byte: u8) {
    // Writing to a string does not fail.
    let _ = write!(text, "\\x{byte:02x}");
}

/// All values of one gauge. Two of the same labels are one, their sum: a second one would make the file worthless.
#[derive(Debug)]
pub(super) struct Gauge {
    name: &'static str,
    help: &'static str,
    values: BTreeMap<Vec<(&'static str, LabelValue)>, f64>,
}

impl Gauge {
    /// One without values. A help text has neither backslashes nor newlines.
    pub(super) const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, values: BTreeMap::new() }
    }

    /// Adds to the value with these labels, which is there from now on.
    pub(super) fn add<const N: usize>(&mut self, labels: [(&'static str, LabelValue); N], value: f64) {
        *self.values.entry(labels.into()).or_default() += value;
    }

    /// Sets the value with these labels.
    pub(super) fn set<const N: usize>(&mut self, labels: [(&'static str, LabelValue); N], value: f64) {
        self.values.insert(labels.into(), value);
    }

    /// Its lines. One without values has none.
    pub(super) fn render(&self, out: &mut String) {
        if self.values.is_empty() {
            return;
        }
        let Self { name, help, .. } = self;
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in &self.values {
            let pairs: Vec<String> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", value.escaped())).collect();
            let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(values: &[(&[u8], f64)]) -> String {
        let mut gauge = Gauge::new("some_gauge", "A gauge.");
        for (name, value) in values {
            gauge.add([("kind", "nfs".into()), ("mountpoint", LabelValue::of_bytes(name))], *value);
        }
        let mut out = String::new();
        gauge.render(&mut out);
        out
    }

    /// Reads a line as Prometheus' parser does (`lexer.l` and `parse.go` of its package textparse), and returns its labels.
    fn read(line: &str) -> Option<Vec<(String, String)>> {
        let mut rest = line.strip_prefix("some_gauge{")?;
        let mut labels = Vec::new();
        loop {
            let (name, after) = rest.split_once("=\"")?;
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return None;
            }
            let (mut value, mut escaped, mut end) = (String::new(), false, None);
            for (at, c) in after.char_indices() {
                match (escaped, c) {
                    (true, 'n') => value.push('\n'),
                    (true, '\\' | '"') => value.push(c),
                    (true, _) => return None,
                    (false, '\\') => {}
                    (false, '"') => {
                        end = Some(at);
                        break;
                    }
                    (false, c) => value.push(c),
                }
                escaped = !escaped && c == '\\';
            }
            labels.push((name.to_owned(), value));
            rest = &after[end? + 1..];
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest.strip_prefix("} ")?.parse::<f64>().ok().map(|_| labels)
    }

    #[test]
    fn special_characters_in_label_values_are_escaped() {
        assert_eq!(
            rendered(&[(b"/a\"b\\c\nd", 1.0), (b"/\xff\x00\t", 2.0), ("/ü".as_bytes(), 0.5)]),
            "# HELP some_gauge A gauge.\n# TYPE some_gauge gauge\n\
             some_gauge{kind=\"nfs\",mountpoint=\"/\\\\xff\\\\x00\\\\x09\"} 2\n\
             some_gauge{kind=\"nfs\",mountpoint=\"/a\\\"b\\\\c\\nd\"} 1\n\
             some_gauge{kind=\"nfs\",mountpoint=\"/ü\"} 0.5\n"
        );
    }

    #[test]
    fn values_with_equal_labels_are_merged() {
        let text = rendered(&[(b"/\xff", 1.0), (b"/\\xff", 1.0)]);
        assert!(text.ends_with("mountpoint=\"/\\\\xff\"} 2\n"), "{text}");
        let long = |end: &str| format!("/{}{end}", "a".repeat(4096));
        let text = rendered(&[(long("b").as_bytes(), 1.0), (long("c").as_bytes(), 1.0)]);
        assert!(text.ends_with("a…\"} 2\n") && text.lines().count() == 3, "{text}");
    }

    #[test]
    fn a_metric_without_values_is_omitted() {
        assert_eq!(rendered(&[]), "");
    }

    /// Names of all kinds, with what is special in the format more often than chance has it.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\n".to_vec()),
            Just(b"\"".to_vec()),
            Just(b"\\".to_vec()),
            Just(b"\"} 1\nevil 2\n".to_vec()),
            Just(b"\r\0\x7f\xc3".to_vec()),
            prop::collection::vec(any::<u8>(), 0..16),
            "\\PC{0,8}".prop_map(String::into_bytes),
            Just(vec![b'x'; 4096]),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_format(names in prop::collection::vec(hostile(), 1..8)) {
            let values: Vec<(&[u8], f64)> = names.iter().map(|name| (name.as_slice(), 1.0)).collect();
            let text = rendered(&values);
            prop_assert!(text.ends_with('\n'));
            let mut seen = Vec::new();
            for line in text.split_terminator('\n').skip(2) {
                let labels = read(line);
                prop_assert!(labels.is_some(), "{line:?}");
                let labels = labels.unwrap();
                prop_assert_eq!(labels[0].clone(), ("kind".to_owned(), "nfs".to_owned()));
                prop_assert_eq!(labels.len(), 2);
                prop_assert!(labels[1].1.len() <= LONGEST);
                // What is there as it was is read as it was.
                prop_assert!(!labels[1].1.chars().any(|c| c.is_control() && c != '\n'));
                prop_assert!(!seen.contains(&labels), "{line:?} twice");
                seen.push(labels);
            }
            for name in &names {
                if let Ok(plain) = std::str::from_utf8(name)
                    && plain.len() <= LONGEST
                    && !plain.chars().any(|c| c.is_control() && c != '\n')
                {
                    prop_assert!(seen.iter().any(|labels| labels[1].1 == plain), "{plain:?}");
                }
            }
        }
    }
}
