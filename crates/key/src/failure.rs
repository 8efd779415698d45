//! Why a query has no answer, and what the kernel is told: the one table of errnos.

use crate::errno::Errno;
use crate::ttl::Ttl;

/// The end of a query that found no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The name does not exist (NXDOMAIN).
    #[error("no such name")]
    NoSuchName {
        /// How long that is known to hold (RFC 2308 §5), if it is.
        ttl: Option<Ttl>,
    },
    /// The name exists, with no address of the family asked for (NODATA).
    #[error("the name has no address of the family asked for")]
    NoAddress {
        /// How long that is known to hold (RFC 2308 §5), if it is.
        ttl: Option<Ttl>,
    },
    /// Neither DNS nor a database names a server of the cell, or DNS says that it has none.
    #[error("{reason}")]
    NoServer {
        /// In what way it is known.
        reason: &'static str,
        /// How long that is known to hold, if it is.
        ttl: Option<Ttl>,
    },
    /// A server failed, was silent or made no sense; it may do better soon.
    #[error("no usable answer for now: {0}")]
    Temporary(String),
    /// The time for the whole query is over.
    #[error("no answer within the deadline of {0} s")]
    Deadline(u32),
    /// Every server refuses to serve us, or none is there.
    #[error("no server answers: {0}")]
    Refused(String),
    /// The name can't be one of a host.
    #[error("\"{name}\" can't be resolved: {reason}")]
    BadName {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A type of query that is not answered here.
    #[error("query type \"{0}\" is not supported")]
    UnknownType(String),
    /// A callout word whose value makes no sense.
    #[error("bad option: {0}")]
    BadOption(String),
    /// The rule that runs the helper, or its command line, is wrong.
    #[error("wrong usage: {0}")]
    Usage(String),
    /// Something on our side of the lookup broke.
    #[error("{0}")]
    Internal(String),
}

/// How long a failure is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// This long.
    For(Ttl),
    /// As long as the zone says, within the configured `negative_ttl`, and that where it says nothing.
    Negative(Option<Ttl>),
}

impl Failure {
    /// The errno that `dns_query()` is to return, and how long.
    ///
    /// kAFS reads ENODATA as "no such cell" and EAGAIN and ECONNREFUSED as temporary
    /// (fs/afs/cell.c, `afs_update_cell()`); CIFS hands the number to mount(2).
    #[must_use]
    pub fn verdict(&self) -> (Errno, Lasting) {
        let soon = Lasting::For(Ttl::MIN);
        match self {
            Self::NoSuchName { ttl } | Self::NoAddress { ttl } | Self::NoServer { ttl, .. } => {
                (Errno::ENODATA, Lasting::Negative(*ttl))
            }
            Self::Temporary(_) | Self::Deadline(_) | Self::Internal(_) => (Errno::EAGAIN, soon),
            Self::Refused(_) => (Errno::ECONNREFUSED, Lasting::For(Ttl::from_secs(10))),
            Self::BadName { .. } | Self::UnknownType(_) | Self::BadOption(_) | Self::Usage(_) => {
                (Errno::EINVAL, soon)
            }
        }
    }

    /// A name that can't be resolved, for the reason given.
    #[must_use]
    pub fn bad_name(name: &[u8], reason: &'static str) -> Self {
        Self::BadName { name: name.escape_ascii().to_string(), reason }
    }

    /// Of two failures on the way to one answer, the one to report: what may pass soon comes before
    /// what says that there is nothing to find. Two of the latter hold for as long as both do.
    #[must_use]
    pub fn or_weightier(self, other: Self) -> Self {
        let shorter = match (self.negative_ttl(), other.negative_ttl()) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        match if other.weight() > self.weight() { other } else { self } {
            Self::NoSuchName { .. } => Self::NoSuchName { ttl: shorter },
            Self::NoAddress { .. } => Self::NoAddress { ttl: shorter },
            Self::NoServer { reason, .. } => Self::NoServer { ttl: shorter, reason },
            weightier => weightier,
        }
    }

    /// Whether the same question may bring an answer soon.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Temporary(_) | Self::Refused(_) | Self::Deadline(_) | Self::Internal(_))
    }

    /// How long it is known that there is nothing to find.
    fn negative_ttl(&self) -> Option<Ttl> {
        match self {
            Self::NoSuchName { ttl } | Self::NoAddress { ttl } | Self::NoServer { ttl, .. } => *ttl,
            _ => None,
        }
    }

    fn weight(&self) -> u8 {
        match self {
            Self::NoSuchName { .. } => 0,
            Self::NoAddress { .. } | Self::NoServer { .. } => 1,
            Self::BadName { .. } | Self::UnknownType(_) | Self::BadOption(_) | Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Temporary(_) => 4,
            Self::Deadline(_) | Self::Internal(_) => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_the_errno_and_the_expiry_of_the_table() {
        let ttl = Some(Ttl::from_secs(7));
        let text = || "x".to_owned();
        let secs = |seconds| Lasting::For(Ttl::from_secs(seconds));
        for (failure, errno, lasting) in [
            (Failure::NoSuchName { ttl }, 61, Lasting::Negative(ttl)),
            (Failure::NoAddress { ttl: None }, 61, Lasting::Negative(None)),
            (Failure::NoServer { reason: "x", ttl }, 61, Lasting::Negative(ttl)),
            (Failure::Temporary(text()), 11, secs(1)),
            (Failure::Deadline(20), 11, secs(1)),
            (Failure::Internal(text()), 11, secs(1)),
            (Failure::Refused(text()), 111, secs(10)),
            (Failure::bad_name(b"-", "x"), 22, secs(1)),
            (Failure::UnknownType(text()), 22, secs(1)),
            (Failure::BadOption(text()), 22, secs(1)),
            (Failure::Usage(text()), 22, secs(1)),
        ] {
            let (found, lasts) = failure.verdict();
            assert_eq!((found.number(), lasts), (errno, lasting), "{failure:?}");
        }
    }

    #[test]
    fn what_may_pass_soon_outweighs_what_says_there_is_nothing() {
        let nothing = Failure::NoSuchName { ttl: None };
        let soon = Failure::Temporary("SERVFAIL".into());
        assert_eq!(nothing.clone().or_weightier(soon.clone()), soon);
        assert_eq!(soon.clone().or_weightier(nothing), soon);
    }

    #[test]
    fn what_breaks_on_the_way_may_pass_and_what_is_known_may_not() {
        let text = String::new;
        let passing = [
            Failure::Temporary(text()),
            Failure::Refused(text()),
            Failure::Deadline(1),
            Failure::Internal(text()),
        ];
        assert!(passing.iter().all(Failure::may_pass));
        let lasting = [
            Failure::NoSuchName { ttl: None },
            Failure::NoAddress { ttl: None },
            Failure::NoServer { reason: "", ttl: None },
            Failure::bad_name(b"", ""),
            Failure::UnknownType(text()),
            Failure::BadOption(text()),
            Failure::Usage(text()),
        ];
        assert!(!lasting.iter().any(Failure::may_pass));
    }

    #[test]
    fn two_negative_answers_hold_for_the_shorter_time_that_is_known() {
        let ttl = |seconds| Some(Ttl::from_secs(seconds));
        let none = |ttl| Failure::NoSuchName { ttl };
        let nothing = |ttl| Failure::NoAddress { ttl };
        assert_eq!(none(None).or_weightier(none(None)), none(None));
        assert_eq!(none(None).or_weightier(none(ttl(7))), none(ttl(7)));
        assert_eq!(none(ttl(7)).or_weightier(none(None)), none(ttl(7)));
        assert_eq!(nothing(ttl(9)).or_weightier(nothing(ttl(7))), nothing(ttl(7)));
        assert_eq!(none(ttl(7)).or_weightier(nothing(ttl(9))), nothing(ttl(7)));
        assert_eq!(nothing(None).or_weightier(none(None)), nothing(None));
    }
}
