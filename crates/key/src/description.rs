//! The description of a key, as `KEYCTL_DESCRIBE` gives it: `TYPE;UID;GID;PERM;NAME`.

/// A parsed key description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The key type, `dns_resolver` for every key that is ours.
    pub key_type: String,
    /// The key's owner, who is the requester (security/keys/request_key.c, `construct_alloc_key()`); `None` if that is
    /// not known.
    pub owner: Option<u32>,
    /// What was requested: everything after the fourth semicolon, whatever bytes it holds.
    pub name: Vec<u8>,
}

/// A description that lacks fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key's description \"{0}\" is not of the form TYPE;UID;GID;PERM;NAME")]
pub struct MalformedDescription(String);

impl Description {
    /// Parses the kernel's text.
    ///
    /// The name may itself contain semicolons, so only the first four separate fields (`keyctl_describe_key()` prints
    /// the name last and unchanged).
    ///
    /// # Errors
    /// If there are fewer than five fields.
    pub fn parse(text: &[u8]) -> Result<Self, MalformedDescription> {
        let malformed = || MalformedDescription(text.escape_ascii().to_string());
        let mut fields = text.splitn(5, |&byte| byte == b';');
        let key_type = fields.next().ok_or_else(malformed)?;
        let owner = fields.next().ok_or_else(malformed)?;
        let name = fields.nth(2).ok_or_else(malformed)?;
        Ok(Self {
            key_type: String::from_utf8_lossy(key_type).into_owned(),
            owner: user(owner),
            name: name.to_vec(),
        })
    }

    /// What a person types in debug mode: a complete description, or only the name.
    #[must_use]
    pub fn from_argument(text: &[u8]) -> Self {
        let whole = text.starts_with(b"dns_resolver;") && numbers_lead(text);
        match Self::parse(text) {
            Ok(description) if whole => description,
            _ => Self { key_type: "dns_resolver".to_owned(), owner: None, name: text.to_vec() },
        }
    }
}

/// A user ID, which the kernel prints as a signed number (security/keys/keyctl.c, `keyctl_describe_key()`).
fn user(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok().map(i32::cast_unsigned)
}

/// Whether fields two to four are UID, GID and permissions, as in a description from the kernel.
fn numbers_lead(text: &[u8]) -> bool {
    let mut fields = text.split(|&byte| byte == b';').skip(1).take(3);
    fields.all(|field| {
        let digits = field.strip_prefix(b"-").unwrap_or(field);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_name_is_everything_after_the_fourth_semicolon() {
        let parsed = Description::parse(b"dns_resolver;0;0;3f010000;afsdb:foo;a:localhost").unwrap();
        assert_eq!(parsed.key_type, "dns_resolver");
        assert_eq!(parsed.name, b"afsdb:foo;a:localhost");
    }

    #[test]
    fn the_owner_is_the_second_field() {
        let owner = |text: &str| Description::parse(text.as_bytes()).unwrap().owner;
        assert_eq!(owner("user;0;1;3f010000;a"), Some(0));
        assert_eq!(owner("user;1000;0;3f010000;a"), Some(1000));
        assert_eq!(owner("user;-2;0;3f010000;a"), Some(u32::MAX - 1));
        assert_eq!([owner("user;;0;3f010000;a"), owner("user;x;0;3f010000;a")], [None; 2]);
    }

    #[test]
    fn the_error_shows_a_description_with_too_few_fields() {
        let error = Description::parse(b"dns_resolver;0;0;3f010000").unwrap_err();
        assert!(error.to_string().contains("dns_resolver;0;0;3f010000"));
    }

    #[test]
    fn an_argument_is_a_full_description_only_with_numeric_fields() {
        let name = |text: &[u8]| Description::from_argument(text).name;
        assert_eq!(name(b"dns_resolver;-1;-1;3f;a;b"), b"a;b");
        assert_eq!(name(b"foo;localhost"), b"foo;localhost");
        assert_eq!(name(b"a;b;c;d;e"), b"a;b;c;d;e");
        assert_eq!(name(b"dns_resolver;x;y;z;e"), b"dns_resolver;x;y;z;e");
        assert_eq!(name(b""), b"");
    }

    proptest! {
        #[test]
        fn any_name_round_trips_through_the_kernel_format(name: Vec<u8>, uid: i32, gid: i32, perm: u32) {
            let mut text = format!("dns_resolver;{uid};{gid};{perm:08x};").into_bytes();
            text.extend_from_slice(&name);
            prop_assert_eq!(&Description::parse(&text).unwrap().name, &name);
            prop_assert_eq!(&Description::from_argument(&text).name, &name);
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _ = Description::parse(&text);
            let _ = Description::from_argument(&text);
        }
    }
}
