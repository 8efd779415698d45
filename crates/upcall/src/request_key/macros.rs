//! The arguments of a rule's program: text, or a macro that stands for part of the request.

use super::subject::Subject;
use std::borrow::Cow;

/// An argument, as written in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// The text itself; of two percent signs at its start, only the second.
    Text(&'a [u8]),
    /// `%o`: the operation.
    Operation,
    /// `%k`: the key's serial number.
    Key,
    /// `%t`: its type.
    Type,
    /// `%d`: its description.
    Description,
    /// `%c`: the callout info.
    Callout,
    /// `%u`: the user ID of the key's owner.
    Uid,
    /// `%g`: the group ID.
    Gid,
    /// `%T`: the requester's thread keyring.
    ThreadKeyring,
    /// `%P`: the requester's process keyring.
    ProcessKeyring,
    /// `%S`: the requester's session keyring.
    SessionKeyring,
    /// `%{TYPE:DESCRIPTION}`: the content of another key of the requester's.
    Contents {
        /// The type of that key.
        key_type: &'a [u8],
        /// Its description.
        description: &'a [u8],
    },
}

/// What is wrong with an argument that begins with a percent sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MacroFlaw {
    /// `%` alone.
    #[error("a percent sign begins a macro; write %% for the sign itself")]
    NoName,
    /// A letter that is not a macro.
    #[error("there is no such macro")]
    Unknown,
    /// `%{…` without its end, or with more after it.
    #[error("a macro that begins with %{{ ends with }}")]
    Open,
    /// `%{…}` without one of its parts.
    #[error("%{{TYPE:DESCRIPTION}} needs a type, a colon and a description")]
    Part,
}

impl<'a> Argument<'a> {
    /// Parses an argument. Macros are whole arguments: `x%k` and `%kx` are text.
    ///
    /// # Errors
    /// What is wrong with a macro.
    pub fn parse(word: &'a [u8]) -> Result<Self, MacroFlaw> {
        match word {
            [b'%'] => Err(MacroFlaw::NoName),
            [b'%', text @ ..] if text.starts_with(b"%") => Ok(Self::Text(text)),
            [b'%', b'{', inner @ ..] => Self::parse_contents(inner),
            [b'%', letter] => match letter {
                b'o' => Ok(Self::Operation),
                b'k' => Ok(Self::Key),
                b't' => Ok(Self::Type),
                b'd' => Ok(Self::Description),
                b'c' => Ok(Self::Callout),
                b'u' => Ok(Self::Uid),
                b'g' => Ok(Self::Gid),
                b'T' => Ok(Self::ThreadKeyring),
                b'P' => Ok(Self::ProcessKeyring),
                b'S' => Ok(Self::SessionKeyring),
                _ => Err(MacroFlaw::Unknown),
            },
            text => Ok(Self::Text(text)),
        }
    }

    fn parse_contents(inner: &'a [u8]) -> Result<Self, MacroFlaw> {
        let inner = inner.strip_suffix(b"}").filter(|inner| !inner.contains(&b'}')).ok_or(MacroFlaw::Open)?;
        let mut parts = inner.splitn(2, |&byte| byte == b':');
        match (parts.next(), parts.next()) {
            (Some(key_type), Some(description)) if !key_type.is_empty() && !description.is_empty() => {
                Ok(Self::Contents { key_type, description })
            }
            _ => Err(MacroFlaw::Part),
        }
    }
}

/// The values of the macros in one request.
#[derive(Clone, Copy, Debug)]
pub struct MacroValues<'a> {
    /// Operation, type, description and callout.
    pub subject: Subject<'a>,
    /// The key's serial number, and the IDs that follow it, as the kernel wrote them.
    pub key: &'a [u8],
    /// The user.
    pub uid: &'a [u8],
    /// The group.
    pub gid: &'a [u8],
    /// The thread keyring.
    pub thread_keyring: &'a [u8],
    /// The process keyring.
    pub process_keyring: &'a [u8],
    /// The session keyring.
    pub session_keyring: &'a [u8],
}

impl<'a> MacroValues<'a> {
    /// The value of `argument`. `contents` reads the key of an [`Argument::Contents`].
    ///
    /// A value is truncated at its first NUL, which no argument can contain.
    ///
    /// # Errors
    /// As for `contents`.
    pub fn expand<E>(
        &self,
        argument: Argument<'a>,
        contents: impl FnOnce(&'a [u8], &'a [u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Cow<'a, [u8]>, E> {
        let value = match argument {
            Argument::Text(text) => text,
            Argument::Operation => self.subject.operation,
            Argument::Key => self.key,
            Argument::Type => self.subject.key_type,
            Argument::Description => self.subject.description,
            Argument::Callout => self.subject.callout,
            Argument::Uid => self.uid,
            Argument::Gid => self.gid,
            Argument::ThreadKeyring => self.thread_keyring,
            Argument::ProcessKeyring => self.process_keyring,
            Argument::SessionKeyring => self.session_keyring,
            Argument::Contents { key_type, description } => {
                let mut bytes = contents(key_type, description)?;
                let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
                bytes.truncate(end);
                return Ok(Cow::Owned(bytes));
            }
        };
        Ok(Cow::Borrowed(value.split(|&byte| byte == 0).next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: MacroValues<'_> = MacroValues {
        subject: Subject {
            operation: b"create",
            key_type: b"user",
            description: b"debug:1",
            callout: b"a b\0c",
        },
        key: b"5",
        uid: b"-2",
        gid: b"7",
        thread_keyring: b"0",
        process_keyring: b"8",
        session_keyring: b"9",
    };

    fn expand(word: &str) -> String {
        let argument = Argument::parse(word.as_bytes()).unwrap();
        let contents = |key_type: &[u8], description: &[u8]| -> Result<Vec<u8>, ()> {
            Ok([b"<", key_type, b"|", description, b">\0x"].concat())
        };
        String::from_utf8(VALUES.expand(argument, contents).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn every_macro_expands_to_its_part_of_the_request() {
        let macros = ["%o", "%k", "%t", "%d", "%c", "%u", "%g", "%T", "%P", "%S"];
        assert_eq!(macros.map(expand), ["create", "5", "user", "debug:1", "a b", "-2", "7", "0", "8", "9"]);
        assert_eq!(expand("%{user:a:b}"), "<user|a:b>");
    }

    #[test]
    fn a_leading_double_percent_sign_becomes_a_single_one() {
        assert_eq!(["%%", "%%k", "%%%%", "%%{x"].map(expand), ["%", "%k", "%%%", "%{x"]);
    }

    #[test]
    fn a_macro_must_be_the_whole_argument() {
        assert_eq!(["x%k", "%kx", "%u:%g", "k%"].map(expand), ["x%k", "%kx", "%u:%g", "k%"]);
    }

    #[test]
    fn an_invalid_macro_is_refused() {
        for (word, flaw) in [
            ("%", MacroFlaw::NoName),
            ("%z", MacroFlaw::Unknown),
            ("%{", MacroFlaw::Open),
            ("%{user:x", MacroFlaw::Open),
            ("%{user:x}y", MacroFlaw::Open),
            ("%{user:x}y}", MacroFlaw::Open),
            ("%{user}", MacroFlaw::Part),
            ("%{:x}", MacroFlaw::Part),
            ("%{user:}", MacroFlaw::Part),
        ] {
            assert_eq!(Argument::parse(word.as_bytes()), Err(flaw), "{word}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_words_do_not_panic_and_no_value_contains_a_nul(word: Vec<u8>, bytes: Vec<u8>) {
            if let Ok(argument) = Argument::parse(&word) {
                let value = VALUES.expand(argument, |_, _| Ok::<_, ()>(bytes)).unwrap();
                prop_assert!(!value.contains(&0) || matches!(argument, Argument::Text(_)));
            }
        }

        #[test]
        fn a_word_without_a_percent_sign_is_itself(word in "[^%\0]{0,40}") {
            prop_assert_eq!(Argument::parse(word.as_bytes()), Ok(Argument::Text(word.as_bytes())));
        }
    }
}
