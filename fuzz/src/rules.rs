use std::io;
use std::os::unix::ffi::OsStrExt;
use upcall::request_key::{Argument, Call, MacroValues, Rule, Skips, Subject};

/// A file of request-key's rules, and what they do with a request.
///
/// The first four lines are the request: operation, type, description, callout info.
pub fn rules(input: &[u8]) {
    let (operation, rest) = crate::first_line(input);
    let (key_type, rest) = crate::first_line(rest);
    let (description, rest) = crate::first_line(rest);
    let (callout, file) = crate::first_line(rest);
    let subject = Subject { operation, key_type, description, callout };
    let values = MacroValues {
        subject,
        key: b"123",
        uid: b"0",
        gid: b"0",
        thread_keyring: b"1",
        process_keyring: b"2",
        session_keyring: b"3",
    };
    for line in file.split(|&byte| byte == b'\n').filter(|line| !line.contains(&0)) {
        match Rule::parse(line) {
            Ok(Some(rule)) => {
                assert_eq!(rule.fits(&subject), naively(line, &subject).as_deref().and_then(skips));
                run(&rule, line, &values);
            }
            Ok(None) => {
                let word = words(line).first().copied();
                assert!(word.is_none_or(|word| word.starts_with(b"#")), "{line:?}");
            }
            Err(error) => assert!(error.to_string().chars().all(|character| !character.is_control())),
        }
    }
}

/// The arguments of a rule's program.
fn run(rule: &Rule<'_>, line: &[u8], values: &MacroValues<'_>) {
    assert!(rule.program.path.contains(&b'/') && !rule.program.name().is_empty());
    let content = |_: &[u8], description: &[u8]| match description.first() {
        Some(b'!') => Err(io::Error::from(io::ErrorKind::NotFound)),
        _ => Ok(description.to_vec()),
    };
    let words = words(line);
    let unexpanded = Call::unexpanded(&rule.program, values);
    // Whatever a request says, it is one argument, and the program is the rule's own.
    assert_eq!(unexpanded.args.len(), words.len() - 4);
    assert_eq!(unexpanded.path.as_bytes(), rule.program.path);
    if let Ok(call) = Call::new(&rule.program, values, content) {
        assert_eq!(call.args.len(), unexpanded.args.len());
        assert_eq!(call.path, unexpanded.path);
        assert!(call.args.iter().all(|argument| !argument.as_bytes().contains(&0)));
        for (argument, word) in rule.program.arguments().zip(&words[5..]) {
            if let Argument::Text(text) = argument {
                assert!(word.ends_with(text) && word.len() - text.len() <= 1);
            }
        }
    }
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).filter(|word| !word.is_empty()).collect()
}

/// How much each asterisk of a rule stands for, by trying all lengths.
fn naively(line: &[u8], subject: &Subject<'_>) -> Option<Vec<usize>> {
    let Subject { operation, key_type, description, callout } = *subject;
    let texts = [operation, key_type, description, callout];
    texts.into_iter().zip(words(line)).map(|(text, field)| length(field, text)).collect()
}

fn length(field: &[u8], text: &[u8]) -> Option<usize> {
    let Some(star) = field.iter().position(|&byte| byte == b'*') else {
        return (field == text).then_some(0);
    };
    let (start, end) = (&field[..star], &field[star + 1..]);
    (0..=text.len()).find(|&length| {
        start.len() + length + end.len() == text.len() && text.starts_with(start) && text.ends_with(end)
    })
}

/// The same lengths as the rule itself tells them, by a rule that fits them for certain.
fn skips(lengths: &[usize]) -> Option<Skips> {
    let texts: Vec<Vec<u8>> = lengths.iter().map(|&length| vec![b'x'; length]).collect();
    let [operation, key_type, description, callout] = texts.as_slice() else { return None };
    let rule = Rule::parse(b"* * * * /x").ok()??;
    rule.fits(&Subject { operation, key_type, description, callout })
}
