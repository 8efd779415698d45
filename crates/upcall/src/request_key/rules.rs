//! The rules of `request-key.conf(5)`: the parts of a line, and how well it matches a request.

use super::macros::{Argument, MacroFlaw};
use super::subject::Subject;
use std::fmt;

/// A rule: what it matches, and what it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'a> {
    operation: Pattern<'a>,
    key_type: Pattern<'a>,
    description: Pattern<'a>,
    callout: Pattern<'a>,
    /// What it runs.
    pub program: Program<'a>,
}

/// The program of a rule and its arguments, their macros unexpanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// Whether it gets the callout info on standard input and writes the payload to standard output.
    pub piped: bool,
    /// Its path, which contains a `/`.
    pub path: &'a [u8],
    arguments: &'a [u8],
}

/// How many characters the asterisks of a rule stand for, field by field. Fewer is better, and an earlier field takes
/// precedence over all later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skips([usize; 4]);

/// As the numbers of characters, field by field.
impl fmt::Display for Skips {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [operation, key_type, description, callout] = self.0;
        write!(f, "skipping {operation}, {key_type}, {description}, {callout}")
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// There is white space before the operation.
    #[error("a rule must begin at the start of its line; an indented one is ignored, as by keyutils")]
    Indented,
    /// Fewer than five fields.
    #[error("a rule has an operation, a type, a description, a callout and a program; this one has no {0}")]
    Short(&'static str),
    /// The program is not given by a path.
    #[error("the program {0:?} is not a path: it has no /")]
    NoPath(String),
    /// The path is that of a directory.
    #[error("the program {0:?} has no name after its last /")]
    NoName(String),
    /// A byte that no argument can contain.
    #[error("the line holds a NUL")]
    Nul,
    /// An argument looks like a macro but is none.
    #[error("argument {argument:?}: {flaw}")]
    Macro {
        /// The argument, escaped.
        argument: String,
        /// What is wrong with it.
        flaw: MacroFlaw,
    },
}

impl<'a> Rule<'a> {
    /// Parses one line, without its newline; `None` for a blank one and for a comment.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn parse(line: &'a [u8]) -> Result<Option<Self>, BadLine> {
        if line.contains(&0) {
            return Err(BadLine::Nul);
        }
        let mut rest = line.trim_ascii_start();
        if rest.starts_with(b"#") {
            return Ok(None);
        }
        let Some(operation) = word(&mut rest) else {
            return Ok(None);
        };
        if line.first().is_some_and(|&byte| is_space(byte)) {
            return Err(BadLine::Indented);
        }
        let mut field = |name| word(&mut rest).ok_or(BadLine::Short(name));
        let key_type = field("type")?;
        let description = field("description")?;
        let callout = field("callout")?;
        let program = field("program")?;
        Ok(Some(Self {
            operation: Pattern::new(operation),
            key_type: Pattern::new(key_type),
            description: Pattern::new(description),
            callout: Pattern::new(callout),
            program: Program::new(program, rest)?,
        }))
    }

    /// Whether a line may hold a rule that matches `subject`: no field that it has speaks against that. Most lines do not,
    /// and need no more than this.
    #[must_use]
    pub fn may_match(line: &[u8], subject: &Subject<'_>) -> bool {
        let mut rest = line;
        subject.fields().iter().all(|text| {
            let start = rest.iter().take_while(|&&byte| is_space(byte)).count();
            rest = rest.get(start..).unwrap_or_default();
            let same =
                rest.iter().zip(*text).take_while(|(byte, other)| byte == other && **byte != b'*').count();
            match rest.get(same) {
                Some(b'*') => word(&mut rest).is_none_or(|field| Pattern::new(field).skips(text).is_some()),
                Some(&byte) if !is_space(byte) => false,
                _ => {
                    let missing = rest.is_empty();
                    rest = rest.get(same..).unwrap_or_default();
                    missing || same == text.len()
                }
            }
        })
    }

    /// How much of `subject` the rule's asterisks stand for; `None` if the rule does not match.
    #[must_use]
    pub fn fits(&self, subject: &Subject<'_>) -> Option<Skips> {
        Some(Skips([
            self.operation.skips(subject.operation)?,
            self.key_type.skips(subject.key_type)?,
            self.description.skips(subject.description)?,
            self.callout.skips(subject.callout)?,
        ]))
    }
}

impl<'a> Program<'a> {
    fn new(word: &'a [u8], arguments: &'a [u8]) -> Result<Self, BadLine> {
        let (piped, path) = match word.strip_prefix(b"|") {
            Some(path) => (true, path),
            None => (false, word),
        };
        let shown = || path.escape_ascii().to_string();
        if !path.contains(&b'/') {
            return Err(BadLine::NoPath(shown()));
        }
        if path.ends_with(b"/") {
            return Err(BadLine::NoName(shown()));
        }
        let program = Self { piped, path, arguments };
        for argument in program.words() {
            Argument::parse(argument)
                .map_err(|flaw| BadLine::Macro { argument: argument.escape_ascii().to_string(), flaw })?;
        }
        Ok(program)
    }

    /// What follows the last `/` of its path: its `argv[0]`.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
    }

    /// Its arguments, in order.
    pub fn arguments(&self) -> impl Iterator<Item = Argument<'a>> {
        self.words().filter_map(|argument| Argument::parse(argument).ok())
    }

    fn words(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.arguments;
        std::iter::from_fn(move || word(&mut rest))
    }
}

/// A field of a rule: the text itself, or with an asterisk any text with that beginning and that end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern<'a> {
    Exactly(&'a [u8]),
    Between { start: &'a [u8], end: &'a [u8] },
}

impl<'a> Pattern<'a> {
    /// The first asterisk is the wildcard; another one stands for itself.
    fn new(field: &'a [u8]) -> Self {
        match field.iter().position(|&byte| byte == b'*').and_then(|star| field.split_at_checked(star)) {
            Some((start, [_, end @ ..])) => Self::Between { start, end },
            _ => Self::Exactly(field),
        }
    }

    /// How many characters of `text` the asterisk stands for.
    fn skips(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Exactly(field) => (*field == text).then_some(0),
            Self::Between { start, end } => text.strip_prefix(*start)?.strip_suffix(*end).map(<[u8]>::len),
        }
    }
}

/// White space as isspace(3) defines it in the C locale.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Removes the next word from `rest`; white space separates words.
fn word<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = rest.iter().position(|&byte| !is_space(byte))?;
    let (_, text) = rest.split_at_checked(start)?;
    let end = text.iter().position(|&byte| is_space(byte)).unwrap_or(text.len());
    let (word, after) = text.split_at_checked(end)?;
    *rest = after;
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(line: &str) -> Rule<'_> {
        Rule::parse(line.as_bytes()).unwrap().unwrap()
    }

    fn flaw(line: &str) -> String {
        Rule::parse(line.as_bytes()).unwrap_err().to_string()
    }

    fn skips(line: &str, [operation, key_type, description, callout]: [&str; 4]) -> Option<[usize; 4]> {
        let subject = Subject {
            operation: operation.as_bytes(),
            key_type: key_type.as_bytes(),
            description: description.as_bytes(),
            callout: callout.as_bytes(),
        };
        rule(line).fits(&subject).map(|skips| skips.0)
    }

    #[test]
    fn blank_lines_and_comments_are_ignored() {
        for line in ["", "  \t\r", "#create user * * /bin/x", "  # x"] {
            assert_eq!(Rule::parse(line.as_bytes()), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn a_line_is_split_at_any_white_space() {
        let parsed = rule("create\tuser  debug:* *\x0b|/bin/a/b  c\t#d %k\r");
        assert!(parsed.program.piped);
        assert_eq!((parsed.program.path, parsed.program.name()), (&b"/bin/a/b"[..], &b"b"[..]));
        let arguments: Vec<_> = parsed.program.arguments().collect();
        assert_eq!(arguments, [Argument::Text(b"c"), Argument::Text(b"#d"), Argument::Key]);
    }

    #[test]
    fn an_indented_rule_is_an_error() {
        for line in [" create user * * /bin/x", "\tcreate user * * /bin/x", "\x0bx"] {
            assert_eq!(Rule::parse(line.as_bytes()), Err(BadLine::Indented), "{line:?}");
        }
    }

    #[test]
    fn the_error_names_the_missing_field() {
        assert!(flaw("create").ends_with("no type"));
        assert!(flaw("create user").ends_with("no description"));
        assert!(flaw("create user *").ends_with("no callout"));
        assert!(flaw("create user * * ").ends_with("no program"));
    }

    #[test]
    fn a_program_that_is_not_a_path_is_an_error() {
        assert_eq!(flaw("create user * * cat x"), "the program \"cat\" is not a path: it has no /");
        assert_eq!(flaw("create user * * | /bin/cat"), "the program \"\" is not a path: it has no /");
        assert_eq!(flaw("create user * * /bin/"), "the program \"/bin/\" has no name after its last /");
    }

    #[test]
    fn an_unknown_macro_is_an_error() {
        assert_eq!(flaw("create user * * /bin/x %k %z"), "argument \"%z\": there is no such macro");
    }

    proptest! {
        #[test]
        fn a_line_that_is_passed_over_does_not_match(
            line in "[ \t]?(ab|a\\*|\\*|\\*b|a|x)([ \t]+(ab|a\\*b|a\\*|\\*b|\\*\\*|a|x)){3}[ \t]+/x",
            fields in proptest::collection::vec("(a|b|ab|abb| |a b|a\\*|\\*)?", 4),
        ) {
            let [operation, key_type, description, callout] = [0, 1, 2, 3].map(|index: usize| fields[index].as_bytes());
            let subject = Subject { operation, key_type, description, callout };
            let fits = Rule::parse(line.as_bytes()).ok().flatten().is_some_and(|rule| rule.fits(&subject).is_some());
            prop_assert!(Rule::may_match(line.as_bytes(), &subject) || !fits);
        }
    }

    #[test]
    fn an_asterisk_skips_what_lies_between_prefix_and_suffix() {
        let request = ["create", "user", "debug:1234", "hello"];
        assert_eq!(skips("create user debug:* * /x", request), Some([0, 0, 4, 5]));
        assert_eq!(skips("create user de*34 hel*lo /x", request), Some([0, 0, 6, 0]));
        assert_eq!(skips("* us* *1234 hello /x", request), Some([6, 2, 6, 0]));
        assert_eq!(skips("create user debug:1234 * /x", request), Some([0, 0, 0, 5]));
        for other in
            ["negate user * *", "create users * *", "create user debug:12341 *", "create user debug:** *"]
        {
            assert_eq!(skips(&format!("{other} /x"), request), None, "{other}");
        }
    }

    #[test]
    fn prefix_and_suffix_of_a_pattern_do_not_overlap() {
        assert_eq!(skips("create user aba*aba * /x", ["create", "user", "ababa", ""]), None);
        assert_eq!(skips("create user aba*aba * /x", ["create", "user", "abaaba", ""]), Some([0, 0, 0, 0]));
    }

    #[test]
    fn a_second_asterisk_is_literal() {
        assert_eq!(skips("create user a** * /x", ["create", "user", "abc*", ""]), Some([0, 0, 2, 0]));
    }

    #[test]
    fn an_earlier_field_outweighs_all_later_ones() {
        assert!(Skips([0, 0, 4, 0]) > Skips([0, 0, 3, 99]));
        assert!(Skips([1, 0, 0, 0]) > Skips([0, 9, 9, 9]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(line: Vec<u8>, text: Vec<u8>) {
            if let Ok(Some(rule)) = Rule::parse(&line) {
                let subject = Subject { operation: &text, key_type: &text, description: &text, callout: &text };
                let _ = rule.fits(&subject);
                prop_assert_eq!(rule.program.words().count(), rule.program.arguments().count());
                prop_assert!(!rule.program.name().is_empty());
            }
        }

        #[test]
        fn a_field_without_an_asterisk_matches_only_itself(field in "[^*]{0,20}", text in "[a-c*]{0,20}") {
            let skips = Pattern::new(field.as_bytes()).skips(text.as_bytes());
            prop_assert_eq!(skips, (field == text).then_some(0));
        }

        #[test]
        fn a_pattern_matches_prefix_anything_and_suffix(
            start in "[a-c]{0,4}", middle in "[a-c]{0,4}", end in "[a-c]{0,4}",
        ) {
            let field = format!("{start}*{end}");
            let text = format!("{start}{middle}{end}");
            prop_assert_eq!(Pattern::new(field.as_bytes()).skips(text.as_bytes()), Some(middle.len()));
        }
    }
}
