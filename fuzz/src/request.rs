use key::{Description, Failure, Family, Preference, Query, Selection, ServerListForm};

/// A key's description, as the kernel gives it, and its callout info: the query, or why it is invalid.
///
/// The first line is the description, the rest the callout info.
pub fn request(input: &[u8]) {
    let (description, callout) = crate::first_line(input);
    let typed = Description::from_argument(description);
    query(&typed.name, callout);
    match Description::parse(description) {
        Ok(parsed) => {
            // Nothing is lost but the three numbers.
            assert!(description.ends_with(&parsed.name));
            assert_eq!(description.iter().filter(|&&byte| byte == b';').count().min(4), 4);
            query(&parsed.name, callout);
        }
        Err(error) => assert!(error.to_string().bytes().all(|byte| matches!(byte, b' '..=b'~'))),
    }
}

fn query(name: &[u8], callout: &[u8]) {
    let default = Preference::First(Family::Ipv4);
    let parsed = match Query::parse(name, callout, default) {
        Ok(parsed) => parsed,
        Err(failure) => {
            assert!(matches!(
                failure,
                Failure::UnknownType(_) | Failure::BadName { .. } | Failure::BadOption(_)
            ));
            assert_eq!(failure.verdict().0.number(), 22);
            printable(&failure.to_string());
            return;
        }
    };
    parsed.unknown_words.iter().for_each(|word| printable(word));
    let words: Vec<&[u8]> = callout.split(|&byte| matches!(byte, b' ' | b',' | 0)).collect();
    let said = |word: &[u8]| words.contains(&word);
    let (asked, preference) = match &parsed.query {
        Query::Host(query) => {
            assert_eq!(query.selection == Selection::All, said(b"list"));
            (&query.name, query.preference)
        }
        Query::Cell(query) => {
            assert!(name.len() > 6 && name[..6].eq_ignore_ascii_case(b"afsdb:"));
            assert!(query.form == ServerListForm::Text || words.iter().any(|word| word.starts_with(b"srv=")));
            assert!(!matches!(query.preference, Preference::First(_)));
            (&query.cell, query.preference)
        }
    };
    assert!(name.ends_with(asked.as_bytes()));
    assert!(!asked.as_bytes().is_empty() && !asked.as_bytes().contains(&0));
    printable(&asked.to_string());
    match (said(b"ipv4"), said(b"ipv6")) {
        (true, false) => assert_eq!(preference, Preference::Only(Family::Ipv4)),
        (false, true) => assert_eq!(preference, Preference::Only(Family::Ipv6)),
        (true, true) => assert_eq!(preference, Preference::Any),
        (false, false) => {}
    }
    // Case and a type before the name are all that the kernel sees as the same key; the order of the words
    // and what divides them say nothing.
    let mut turned = words;
    turned.reverse();
    let turned = turned.join(&b','.to_be_bytes()[..]);
    let again = Query::parse(name, &turned, default);
    if !callout.windows(4).any(|word| word == b"srv=" || word == b"srv,") && !callout.ends_with(b"srv") {
        assert_eq!(again.map(|again| again.query).ok(), Some(parsed.query));
    }
}

/// A log line can't be forged.
fn printable(text: &str) {
    assert!(text.chars().all(|character| !character.is_control()), "{text:?}");
}
