//! Why a query has no answer, and what the kernel is told: the only table of errnos.

use crate::errno::Errno;
use crate::ttl::Ttl;

/// The outcome of a query that found no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The name does not exist (NXDOMAIN).
    #[error("no such name")]
    NoSuchName {
        /// How long that holds (RFC 2308 §5), if known.
        ttl: Option<Ttl>,
    },
    /// The name exists, but has no address of the requested family (NODATA).
    #[error("the name has no address of the family asked for")]
    NoAddress {
        /// How long that holds (RFC 2308 §5), if known.
        ttl: Option<Ttl>,
    },
    /// Neither DNS nor a database has a server for the cell, or DNS says that it has none.
    #[error("{reason}")]
    NoServer {
        /// What shows that.
        reason: &'static str,
        /// How long that holds, if known.
        ttl: Option<Ttl>,
    },
    /// A server failed, was silent or sent nonsense; a later attempt may succeed.
    #[error("no usable answer for now: {0}")]
    Temporary(String),
    /// The deadline of the whole query has passed.
    #[error("no answer within the deadline of {0} s")]
    Deadline(u32),
    /// Every server refuses to serve us, or none is running.
    #[error("no server answers: {0}")]
    Refused(String),
    /// The name is not a valid host name.
    #[error("\"{name}\" can't be resolved: {reason}")]
    BadName {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A query type that is not supported.
    #[error("query type \"{0}\" is not supported")]
    UnknownType(String),
    /// A callout word with an invalid value.
    #[error("bad option: {0}")]
    BadOption(String),
    /// The rule that runs the helper, or its command line, is wrong.
    #[error("wrong usage: {0}")]
    Usage(String),
    /// An internal error in the lookup.
    #[error("{0}")]
    Internal(String),
}

/// How long a failure is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// This long.
    For(Ttl),
    /// As long as the zone says, at most the configured `negative_ttl`, which is also the default.
    Negative(Option<Ttl>),
}

impl Failure {
    /// The errno that `dns_query()` should return, and for how long.
    ///
    /// kAFS reads ENODATA as "no such cell", and EAGAIN and ECONNREFUSED as temporary (fs/afs/cell.c,
    /// `afs_update_cell()`); CIFS passes the number on to mount(2).
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

    /// A name that can't be resolved, with the reason.
    #[must_use]
    pub fn bad_name(name: &[u8], reason: &'static str) -> Self {
        Self::BadName { name: name.escape_ascii().to_string(), reason }
    }

    /// Of two failures on the way to one answer, the one to report: a temporary failure takes precedence over one that
    /// says that there is nothing to find. Two of the latter hold for as long as both do.
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

    /// Whether a retry may soon bring an answer.
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
    fn each_failure_maps_to_the_errno_and_expiry_of_the_table() {
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
    fn a_temporary_failure_outweighs_a_negative_answer() {
        let nothing = Failure::NoSuchName { ttl: None };
        let soon = Failure::Temporary("SERVFAIL".into());
        assert_eq!(nothing.clone().or_weightier(soon.clone()), soon);
        assert_eq!(soon.clone().or_weightier(nothing), soon);
    }

    #[test]
    fn failures_to_get_an_answer_may_pass_and_definite_ones_may_not() {
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
    fn two_negative_answers_combine_to_the_shorter_known_ttl() {
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
