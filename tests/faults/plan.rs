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
    /// The process is stopped at the system call at this place, and goes on after so many milliseconds; after 0, it does
    /// not.
    Stop(usize, u32),
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
    /// Its owner takes all rights to it away.
    SetPerm,
    /// Its owner gives it to a group.
    ChangeGroup,
    /// It is given to another user.
    ChangeOwner,
    /// It is taken out of the keyring that it was requested into.
    Unlink,
    /// That keyring is cleared.
    Clear,
    /// That keyring takes no more keys.
    Restrict,
    /// That keyring is revoked.
    RevokeKeyring,
}

impl Blow {
    const ALL: [Self; 11] = [
        Self::Revoke,
        Self::Expire,
        Self::Instantiate,
        Self::Reject,
        Self::SetPerm,
        Self::ChangeGroup,
        Self::ChangeOwner,
        Self::Unlink,
        Self::Clear,
        Self::Restrict,
        Self::RevokeKeyring,
    ];
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trace => write!(f, "{WORD}trace"),
            Self::Fail(place, errno) => write!(f, "{WORD}fail:{place}:{errno}"),
            Self::Always(call, errno) => write!(f, "{WORD}always:{call}:{errno}"),
            Self::Signal(place, signal) => write!(f, "{WORD}signal:{place}:{signal}"),
            Self::Stop(place, time) => write!(f, "{WORD}stop:{place}:{time}"),
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
            "stop" => Self::Stop(place(number()?)?, u32::try_from(number()?).map_err(|_| bad())?),
            "key" => {
                let place = place(number()?)?;
                let wanted = number()?;
                let blow = Blow::ALL.into_iter().find(|blow| *blow as i64 == wanted);
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
