//! What to do about a finding: a command if one is safe, and words otherwise.

/// What to do about a finding.
///
/// A command locates what it changes by content, so it changes nothing else; it may be run in any order with others,
/// and twice; and if it fails, everything is as before. Everything else is advice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A shell command, complete as it is.
    Command(String),
    /// What to do, in words.
    Advice(String),
}

impl Remedy {
    /// Something that only a person can decide or fill in.
    pub fn advice(text: impl Into<String>) -> Self {
        Self::Advice(text.into())
    }

    /// The command if there is one, otherwise these words.
    pub fn command_or(command: Option<String>, advice: impl Into<String>) -> Self {
        command.map_or_else(|| Self::advice(advice), Self::Command)
    }

    /// The command.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::Command(command) => Some(command),
            Self::Advice(_) => None,
        }
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Command(_) => None,
            Self::Advice(words) => Some(words),
        }
    }
}
