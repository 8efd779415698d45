//! What is to be broken in one run: a word of the callout info, which the helper passes over.

use std::fmt;
use std::str::FromStr;

/// The word that holds a plan.
const WORD: &str = "inject=";

/// What is to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing; the numbers of all system calls are noted.
    Trace,
    /// The system call at this place fails with this errno, and is not made.
    Fail(usize, i32),
    /// All calls of this number do.
    Always(i64, i32),
    /// A signal of this number comes with the system call at this place.
    Signal(usize, i32),
    /// Every `read(2)` brings one byte.
    Short,
    /// This happens to the key at the system call at this place.
    Key(usize, Blow),
}

/// What others do to a key that is being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// It is revoked.
    Revoke,
    /// It is given a second to live, which passes.
    Expire,
    /// It is instantiated with the address 192.0.2.99.
    Instantiate,
    /// It is rejected with EKEYREJECTED.
    Reject,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace => write!(f, "{WORD}trace"),
            Self::Fail(place, errno) => write!(f, "{WORD}fail:{place}:{errno}"),
            Self::Always(call, errno) => write!(f, "{WORD}always:{call}:{errno}"),
            Self::Signal(place, signal) => write!(f, "{WORD}signal:{place}:{signal}"),
            Self::Short => write!(f, "{WORD}short"),
            Self::Key(place, blow) => write!(f, "{WORD}key:{place}:{}", *blow as u8),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let bad = || format!("no plan: {word}");
        let mut parts = word.strip_prefix(WORD).ok_or_else(bad)?.split(':');
        let kind = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok()).ok_or_else(bad);
        let place = |number: i64| usize::try_from(number).map_err(|_| bad());
        let small = |number: i64| i32::try_from(number).map_err(|_| bad());
        Ok(match kind {
            "trace" => Self::Trace,
            "short" => Self::Short,
            "fail" => Self::Fail(place(number()?)?, small(number()?)?),
            "always" => Self::Always(number()?, small(number()?)?),
            "signal" => Self::Signal(place(number()?)?, small(number()?)?),
            "key" => {
                let place = place(number()?)?;
                let blows = [Blow::Revoke, Blow::Expire, Blow::Instantiate, Blow::Reject];
                let wanted = number()?;
                let blow = blows.into_iter().find(|blow| *blow as i64 == wanted);
                Self::Key(place, blow.ok_or_else(bad)?)
            }
            _ => return Err(bad()),
        })
    }
}

/// The plan in a callout, if it has one.
pub fn in_callout(callout: &str) -> Option<Plan> {
    callout.split(' ').find_map(|word| word.parse().ok())
}
