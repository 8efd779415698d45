//! The faces of the program: which command it acts as, by dispatch on `argv[0]`.

use std::ffi::OsString;
use std::path::Path;

/// The name of the face for people.
pub const PEOPLE: &str = "key-dns";

/// A face with its arguments, its own name first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// `key.dns_resolver`, which a rule runs.
    Helper(Vec<OsString>),
    /// `request-key`, which the kernel runs.
    RequestKey(Vec<OsString>),
    /// `key-dns`, for people.
    People(Vec<OsString>),
}

impl Face {
    /// The face that the first argument names.
    ///
    /// If it is called as `key-dns`, the first argument may name a face, so that every face works without a link.
    #[must_use]
    pub(crate) fn of(mut args: Vec<OsString>) -> Self {
        if base_name(args.first()) == Some(PEOPLE)
            && matches!(base_name(args.get(1)), Some(upcall::HELPER_NAME | upcall::request_key::NAME))
        {
            args.remove(0);
        }
        match base_name(args.first()) {
            Some(PEOPLE) => Self::People(args),
            Some(upcall::request_key::NAME) => Self::RequestKey(args),
            // Any other name is a link that an administrator made for the rule.
            _ => Self::Helper(args),
        }
    }
}

fn base_name(argument: Option<&OsString>) -> Option<&str> {
    Path::new(argument?).file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Face {
        Face::of(words.iter().map(OsString::from).collect())
    }

    fn args(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_face_is_chosen_by_argv0_or_by_the_subcommand_of_key_dns() {
        assert_eq!(
            of(&["/sbin/request-key", "create"]),
            Face::RequestKey(args(&["/sbin/request-key", "create"]))
        );
        assert_eq!(
            of(&["x/key-dns", "request-key", "create"]),
            Face::RequestKey(args(&["request-key", "create"]))
        );
        assert_eq!(of(&["key-dns", "key.dns_resolver", "5"]), Face::Helper(args(&["key.dns_resolver", "5"])));
        assert_eq!(of(&["key-dns", "doctor"]), Face::People(args(&["key-dns", "doctor"])));
        assert_eq!(of(&["key-dns", "key-dns", "5"]), Face::People(args(&["key-dns", "key-dns", "5"])));
        for link in ["/usr/sbin/key.dns_resolver", "my-helper", ""] {
            assert_eq!(of(&[link, "5"]), Face::Helper(args(&[link, "5"])));
        }
        assert_eq!(of(&[]), Face::Helper(Vec::new()));
    }
}
