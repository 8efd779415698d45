//! Zone-file text (RFC 1035 §5.1, RFC 2308 §4).

use std::mem::take;
use std::str::FromStr;

use super::wire::Name;
use super::zone::Zone;

pub(super) fn parse(text: &str) -> Result<Zone, String> {
    let mut zone = None;
    let mut owner = "@".to_owned();
    let mut default_ttl = 3600;
    for entry in entries(text)? {
        let mut fields = entry.fields.iter().map(String::as_str);
        let at = |error: String| format!("line {}: {error}", entry.line);
        match (entry.fields[0].as_str(), &mut zone) {
            ("$ORIGIN", None) => {
                let origin = fields.nth(1).ok_or_else(|| at("no origin".to_owned()))?;
                zone = Some(Zone::new(Name::parse(origin)));
            }
            ("$TTL", _) => default_ttl = ttl(fields.nth(1)).ok_or_else(|| at("no TTL".into()))?,
            (word, Some(zone)) if !word.starts_with('$') => {
                if !entry.indented {
                    fields.next().unwrap().clone_into(&mut owner);
                }
                let rest: Vec<&str> = fields.collect();
                *zone = record(zone.clone(), &owner, default_ttl, &rest).map_err(at)?;
            }
            (word, _) => return Err(at(format!("{word} here"))),
        }
    }
    zone.ok_or_else(|| "no $ORIGIN".to_owned())
}

fn record(zone: Zone, owner: &str, default_ttl: u32, fields: &[&str]) -> Result<Zone, String> {
    if !zone.has(&zone.full(owner)) {
        return Err(format!("{owner} is not in the zone"));
    }
    let mut fields = fields.iter().copied().peekable();
    let mut own_ttl = default_ttl;
    while let Some(&word) = fields.peek() {
        match ttl(Some(word)) {
            Some(ttl) => own_ttl = ttl,
            None if word.eq_ignore_ascii_case("IN") => (),
            None => break,
        }
        fields.next();
    }
    let rtype = fields.next().ok_or("no type")?.to_ascii_uppercase();
    let rest: Vec<&str> = fields.collect();
    Ok(match (rtype.as_str(), rest.as_slice()) {
        ("SOA", [_, _, .., minimum]) => zone.soa(own_ttl, ttl(Some(minimum)).ok_or("bad minimum")?),
        ("A", [address]) => zone.a(owner, read::<std::net::Ipv4Addr>(address)?, own_ttl),
        ("AAAA", [address]) => zone.aaaa(owner, read::<std::net::Ipv6Addr>(address)?, own_ttl),
        ("CNAME", [target]) => zone.cname(owner, target, own_ttl),
        ("NS", [host]) => zone.ns(owner, host, own_ttl),
        ("AFSDB", [subtype, host]) => zone.afsdb(owner, read(subtype)?, host, own_ttl),
        ("SRV", [priority, weight, port, target]) => {
            let (priority, weight) = (read(priority)?, read(weight)?);
            zone.srv(owner, priority, weight, read(port)?, target, own_ttl)
        }
        ("TXT", [text]) => zone.txt(owner, text, own_ttl),
        _ => return Err(format!("not understood: {rtype} {}", rest.join(" "))),
    })
}

fn read<T: FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("bad value {word:?}"))
}

/// Seconds, or a number with a unit (`90`, `5m`, `1h`, `2d`, `1w`).
fn ttl(word: Option<&str>) -> Option<u32> {
    let word = word?;
    let (digits, unit) = match word.char_indices().last()? {
        (at, unit) if !unit.is_ascii_digit() => (&word[..at], unit),
        _ => (word, 's'),
    };
    let unit = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86400,
        'w' => 604_800,
        _ => return None,
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

#[derive(Default)]
struct Entry {
    line: usize,
    /// The line starts with a space, so the owner is the last one.
    indented: bool,
    fields: Vec<String>,
}

/// The entries, with comments gone and lines in parentheses joined.
fn entries(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut entry = Entry::default();
    let mut depth = 0;
    for (line, text) in text.lines().enumerate() {
        if depth == 0 {
            entry.line = line + 1;
            entry.indented = text.starts_with([' ', '\t']);
        }
        let mut chars = text.chars();
        let mut word: Option<String> = None;
        while let Some(char) = chars.next() {
            match char {
                ';' => break,
                '(' => depth += 1,
                ')' if depth > 0 => depth -= 1,
                '"' => {
                    let quoted = chars.as_str().split_once('"');
                    let (quoted, rest) = quoted.ok_or(format!("line {}: open quote", line + 1))?;
                    word.get_or_insert_default().push_str(quoted);
                    chars = rest.chars();
                    continue;
                }
                _ if char.is_whitespace() => (),
                _ => {
                    word.get_or_insert_default().push(char);
                    continue;
                }
            }
            entry.fields.extend(word.take());
        }
        entry.fields.extend(word);
        if depth == 0 && !entry.fields.is_empty() {
            entries.push(take(&mut entry));
        }
    }
    match depth {
        0 => Ok(entries),
        _ => Err(format!("line {}: open parenthesis", entry.line)),
    }
}
