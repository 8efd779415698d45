//! The status of a source, which `getent` does not report: it exits with 2 if a name is not found, if a module or its
//! service is missing, and if the service can't answer at the moment.
//!
//! The C library decides by the status whether to continue with the next source. So the source is followed by one that
//! no host has, and the actions decide whether the search reaches it. The messages of the dynamic loader show that
//! (ld.so(8), `LD_DEBUG=files`), because each source's library is loaded when its turn comes. A source that fails is
//! queried a second time, in the same process, because one turn distinguishes only two kinds of status.

/// Makes the loader report what it loads.
pub(super) const LOADER_MESSAGES: (&str, &str) = ("LD_DEBUG", "files");
/// The sources that no host has.
const WITNESSES: [&str; 2] = ["key-dns-1", "key-dns-2"];

/// The `hosts:` configuration for `source` alone, arranged so that its status shows.
pub(super) fn service(source: &str) -> String {
    let [first, second] = WITNESSES;
    format!("{source} [NOTFOUND=return] {first} {source} [NOTFOUND=return TRYAGAIN=return] {second}")
}

/// What the loader's messages reveal about a source without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    /// Nothing: there are no messages, as on a host whose C library is not glibc.
    Unknown,
    /// The search did not reach the source: an old `getent` does not ask for a family that this host has no address of.
    NotAsked,
    /// NOTFOUND
    NotFound,
    /// TRYAGAIN
    TryAgain,
    /// UNAVAIL
    Unavailable,
    /// UNAVAIL, because there is no such library that can be loaded.
    NoLibrary,
}

impl Status {
    const ALL: [Self; 6] =
        [Self::Unknown, Self::NotAsked, Self::NotFound, Self::TryAgain, Self::Unavailable, Self::NoLibrary];

    /// Reads the messages about [`service`] of this source.
    pub(super) fn read(messages: &str, source: &str) -> Self {
        let mut any = false;
        let (mut asked, mut loaded) = (false, false);
        let mut seen = WITNESSES.map(|_| false);
        for line in messages.lines() {
            // As `  1234:	file=libnss_sss.so.2 [0];  dynamically loaded by /lib/libc.so.6 [0]`.
            let Some((library, what)) =
                line.split_once("file=").and_then(|(_, rest)| rest.split_once(" [0];"))
            else {
                continue;
            };
            any = true;
            let name = library.strip_prefix("libnss_").and_then(|name| name.split_once(".so."));
            let Some((name, _)) = name else { continue };
            if name == source {
                asked = true;
                loaded |= what.contains("generating link map");
            }
            for (witness, seen) in WITNESSES.iter().zip(&mut seen) {
                *seen |= name == *witness;
            }
        }
        match (any, asked, seen) {
            (false, ..) => Self::Unknown,
            (_, false, _) => Self::NotAsked,
            (.., [false, _]) => Self::NotFound,
            // If it was missing the second time, it can't answer now, whatever its last status is.
            (.., [true, false]) => Self::TryAgain,
            (.., [true, true]) if loaded => Self::Unavailable,
            (.., [true, true]) => Self::NoLibrary,
        }
    }

    /// The status with this number.
    pub(super) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }

    /// Its number.
    pub(super) fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIBC: &str = "file=libc.so.6 [0];  needed by getent [0]";

    fn asked(source: &str) -> String {
        format!("file=libnss_{source}.so.2 [0];  dynamically loaded by /lib/x86_64-linux-gnu/libc.so.6 [0]")
    }

    fn found(source: &str) -> String {
        format!("file=libnss_{source}.so.2 [0];  generating link map")
    }

    /// The status by these messages, each as the loader writes it.
    fn status(messages: &[&str]) -> Status {
        let lines: Vec<String> = messages.iter().map(|message| format!("     24690:\t{message}\n")).collect();
        Status::read(&lines.concat(), "sss")
    }

    #[test]
    fn the_loader_trace_determines_the_status() {
        let (sss, there) = (asked("sss"), found("sss"));
        let (one, two) = (asked("key-dns-1"), asked("key-dns-2"));
        assert_eq!(status(&[]), Status::Unknown);
        assert_eq!(status(&["calling init: /lib/ld-musl.so.1"]), Status::Unknown);
        assert_eq!(status(&[LIBC]), Status::NotAsked);
        assert_eq!(status(&[LIBC, &sss, &there]), Status::NotFound);
        assert_eq!(status(&[LIBC, &sss, &there, &one]), Status::TryAgain);
        assert_eq!(status(&[LIBC, &sss, &there, &one, &two]), Status::Unavailable);
        assert_eq!(status(&[LIBC, &sss, &one, &two]), Status::NoLibrary);
        // Libraries of others.
        let (other, its) = (asked("ss"), found("sss2"));
        assert_eq!(status(&[LIBC, &other, &its]), Status::NotAsked);
        assert_eq!(status(&[LIBC, &sss, &its, &one, &two]), Status::NoLibrary);
    }

    #[test]
    fn each_status_round_trips_through_its_number() {
        for status in Status::ALL {
            assert_eq!(Status::from_number(status.number()), Some(status));
        }
        assert_eq!(Status::from_number(6), None);
    }

    proptest! {
        #[test]
        fn no_messages_make_it_panic(messages: String, source in "[a-z\\[.]{0,5}") {
            let _ = Status::read(&messages, &source);
            let _ = Status::read(&format!("file=libnss_{source}.so{messages}"), &source);
        }
    }
}
