//! What to do about a finding: a command, where one can't do harm, and words everywhere else.

/// What to do about a finding.
///
/// A command names what it changes by content, so that it changes nothing else; it may be run in any order with others
/// and twice; and where it fails, things are as they were. What can't be done so is said in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A command for a shell, whole as it stands.
    Command(String),
    /// What to do, in words.
    Advice(String),
}

impl Remedy {
    /// Something that only a person can decide or fill in.
    pub fn advice(text: impl Into<String>) -> Self {
        Self::Advice(text.into())
    }

    /// The command where there is one, and otherwise these words.
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
