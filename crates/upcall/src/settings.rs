//! `key.dns_resolver.conf`: the helper's own settings.
//!
//! The format is keyutils': a line is `KEY = VALUE`, blank, or a comment from `#` on; a value may be in single or
//! double quotes, and a backslash makes the next character literal.

use crate::log::Log;
use key::{Description, Failure, Family, Preference, RejectErrno, Ttl};
use names::file::{self, Warning, expected, lines};
use names::{DomainServers, LookupOptions, Reject};
use std::borrow::Cow;
use std::fmt::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Where the settings are read from unless the command line names another file.
pub const DEFAULT_PATH: &str = "/etc/keyutils/key.dns_resolver.conf";

/// The helper's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The settings that lookups use; `default_ttl` and `negative_ttl` are the lifetimes of answers that have no TTL of
    /// their own, and of "no such name" if the zone gives none, or more.
    pub lookup: LookupOptions,
    /// The longest lifetime of an answer from DNS.
    pub max_ttl: Ttl,
    /// Which outcomes are logged.
    pub log: LogChoice,
    /// The address that a request without options gets.
    pub family: Preference,
    /// The key types that only the kernel and root may request.
    pub root_only: RootOnly,
    /// Whether the process gives up its rights before it reads what others send.
    pub confine: bool,
}

/// Which outcomes are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogChoice {
    /// Only failures.
    Failures,
    /// Answers as well.
    All,
    /// Neither; warnings about files and internal errors are still logged.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lookup: LookupOptions::default(),
            max_ttl: Ttl::from_secs(86400),
            log: LogChoice::Failures,
            family: Preference::First(Family::Ipv4),
            root_only: RootOnly::default(),
            confine: true,
        }
    }
}

/// The key types that only root may request, as the kernel does for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootOnly(Cow<'static, [Cow<'static, str>]>);

/// The types that only the kernel has a use for: it requests them with credentials of its own, whose user is 0
/// (fs/smb/client/cifs_spnego.c, `cifs_get_spnego_key()`; fs/smb/client/cifsacl.c, `id_to_sid()` and `sid_to_id()`;
/// fs/nfs/nfs4idmap.c, `nfs_idmap_get_key()`).
impl Default for RootOnly {
    fn default() -> Self {
        const TYPES: &[Cow<'static, str>] = &[
            Cow::Borrowed("cifs.spnego"),
            Cow::Borrowed("cifs.idmap"),
            Cow::Borrowed("id_resolver"),
            Cow::Borrowed("id_legacy"),
        ];
        Self(Cow::Borrowed(TYPES))
    }
}

impl RootOnly {
    /// `TYPE, …`, or `none`.
    fn parse(value: &str) -> Result<Self, String> {
        if value == "none" {
            return Ok(Self(Cow::Borrowed(&[])));
        }
        let types: Vec<_> = value.split(',').map(|name| Cow::Owned(name.trim().to_owned())).collect();
        let is_type =
            |name: &Cow<'_, str>| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        if types.iter().all(is_type) {
            Ok(Self(Cow::Owned(types)))
        } else {
            Err(expected("types of keys, or none", value))
        }
    }

    /// Checks whether the owner of this key may request it.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, Description { key_type, owner, .. }: &Description) -> Result<(), NotForUsers> {
        if *owner == Some(0) || !self.0.iter().any(|other| other == key_type) {
            return Ok(());
        }
        let owner = owner.map_or_else(|| "(unknown)".to_owned(), |owner| owner.to_string());
        Err(NotForUsers { key_type: key_type.clone(), owner })
    }
}

/// A key whose owner may not request it.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error(
    "user {owner} requests a key of type \"{key_type}\", which root_only reserves for the kernel and root"
)]
pub struct NotForUsers {
    key_type: String,
    /// By user ID.
    owner: String,
}

impl NotForUsers {
    /// The errno that the key is rejected with, and for how long.
    #[must_use]
    pub const fn verdict(&self) -> (RejectErrno, Ttl) {
        (RejectErrno::EPERM, Ttl::from_secs(10))
    }
}

impl fmt::Display for RootOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "" })?;
        f.write_str(&self.0.join(", "))
    }
}

/// The words for families, as written in the file.
const FAMILIES: [(&str, Preference); 5] = [
    ("ipv4-first", Preference::First(Family::Ipv4)),
    ("ipv6-first", Preference::First(Family::Ipv6)),
    ("ipv4", Preference::Only(Family::Ipv4)),
    ("ipv6", Preference::Only(Family::Ipv6)),
    ("any", Preference::Any),
];

/// The words for `log`, as written in the file.
const LOG_CHOICES: [(&str, LogChoice); 3] =
    [("failures", LogChoice::Failures), ("all", LogChoice::All), ("none", LogChoice::None)];

/// Yes and no, as written in the file.
const SWITCH: [(&str, bool); 2] = [("yes", true), ("no", false)];

/// Any timeout in seconds that a key can have.
const SECONDS: RangeInclusive<u32> = 1..=0x7fff_ffff;

impl Settings {
    /// The settings in a file, or in [`DEFAULT_PATH`]. Mistakes in it are logged.
    ///
    /// # Errors
    /// [`Failure::Internal`] if the file was given explicitly and can't be read.
    pub fn load(path: Option<&Path>, log: &Log) -> Result<Self, Failure> {
        Self::load_or(path, Path::new(DEFAULT_PATH), log)
    }

    /// The settings in a file, or if none is given, in `usual`.
    pub(crate) fn load_or(path: Option<&Path>, usual: &Path, log: &Log) -> Result<Self, Failure> {
        let file = path.unwrap_or(usual);
        let text = match file::read(file) {
            Ok(text) => text,
            Err(unreadable) if path.is_some() => return Err(Failure::Internal(unreadable.to_string())),
            Err(unreadable) => {
                if !unreadable.is_absent() {
                    log.warning(format_args!("{unreadable}; the defaults apply"));
                }
                Vec::new()
            }
        };
        let (settings, warnings) = Self::parse(&text);
        for warning in &warnings {
            log.warning(Warning::at(warning, file));
        }
        Ok(settings)
    }

    /// Parses a file. An invalid line costs only itself: it is among the warnings, and the default applies.
    #[must_use]
    pub fn parse(file: &[u8]) -> (Self, Vec<Warning>) {
        let mut settings = Self::default();
        let mut warnings = Vec::new();
        for (number, line) in (1..).zip(lines(file)) {
            let outcome = match std::str::from_utf8(line) {
                Ok(text) => assignment(text).and_then(|found| match found {
                    Some((key, value)) => settings.set(&key, &value),
                    None => Ok(()),
                }),
                Err(_) => Err("the line is not UTF-8".to_owned()),
            };
            if let Err(message) = outcome {
                warnings.push(Warning::new(number, format!("{message}; line ignored")));
            }
        }
        (settings, warnings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        if let Some(domain) = bracketed(key, "nameserver") {
            let entry = DomainServers::parse(domain, value)?;
            self.lookup.name_servers.push(entry);
            return Ok(());
        }
        match key {
            "default_ttl" => self.lookup.default_ttl = Ttl::from_secs(number(value, &SECONDS)?),
            "max_ttl" => self.max_ttl = Ttl::from_secs(number(value, &SECONDS)?),
            "negative_ttl" => self.lookup.negative_ttl = Ttl::from_secs(number(value, &SECONDS)?),
            "deadline" => self.lookup.deadline = number(value, &(1..=3600))?,
            "hedge" => self.lookup.hedge = Duration::from_millis(number(value, &(10..=60_000))?.into()),
            "log" => self.log = choice(value, &LOG_CHOICES)?,
            "family" => self.family = choice(value, &FAMILIES)?,
            "root_only" => self.root_only = RootOnly::parse(value)?,
            "confine" => self.confine = choice(value, &SWITCH)?,
            "mixed_case" => self.lookup.mixed_case = choice(value, &SWITCH)?,
            "reject" => self.lookup.reject = Reject::parse(value)?,
            _ => return Err(format!("unknown key {key:?}")),
        }
        Ok(())
    }
}

/// `DOMAIN` of `NAME[DOMAIN]`.
fn bracketed<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.trim_start().strip_prefix('[')?.strip_suffix(']')
}

/// Splits a line into key and value; `None` for a blank line or a comment.
fn assignment(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (key, value) = line.split_once('=').ok_or("expected KEY = VALUE")?;
    Ok(Some((key.trim().to_owned(), unquote(value.trim())?)))
}

/// A value without its quotes, its escapes and the comment after it.
fn unquote(text: &str) -> Result<String, String> {
    let mut value = String::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => value.push(characters.next().ok_or("nothing follows the backslash")?),
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if open == character => quote = None,
            ('#', None) => break,
            _ => value.push(character),
        }
    }
    match quote {
        Some(open) => Err(format!("the quote {open} is not closed")),
        None => Ok(value.trim().to_owned()),
    }
}

fn number(value: &str, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let what = || expected(format_args!("a number from {} to {}", range.start(), range.end()), value);
    let number = value.parse().map_err(|_| what())?;
    if range.contains(&number) { Ok(number) } else { Err(what()) }
}

fn choice<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        expected(format_args!("one of {}", names.join(", ")), value)
    })
}

fn name_of<T: PartialEq>(choices: &[(&'static str, T)], value: &T) -> &'static str {
    let found = choices.iter().find(|(_, choice)| choice == value);
    found.map_or("", |(name, _)| name)
}

/// The settings as a file that would set them: the output of `--dump-config`.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "default_ttl = {}", self.lookup.default_ttl)?;
        writeln!(f, "max_ttl = {}", self.max_ttl)?;
        writeln!(f, "negative_ttl = {}", self.lookup.negative_ttl)?;
        writeln!(f, "deadline = {}", self.lookup.deadline)?;
        writeln!(f, "hedge = {}", self.lookup.hedge.as_millis())?;
        writeln!(f, "log = {}", name_of(&LOG_CHOICES, &self.log))?;
        writeln!(f, "family = {}", name_of(&FAMILIES, &self.family))?;
        writeln!(f, "root_only = {}", self.root_only)?;
        writeln!(f, "confine = {}", name_of(&SWITCH, &self.confine))?;
        writeln!(f, "mixed_case = {}", name_of(&SWITCH, &self.lookup.mixed_case))?;
        writeln!(f, "reject = {}", self.lookup.reject)?;
        for entry in &self.lookup.name_servers {
            let domain = if entry.domain.is_empty() { "." } else { &entry.domain };
            write!(f, "nameserver[{domain}] = ")?;
            for (index, server) in entry.servers.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ", " })?;
                server.fmt(f)?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Daemon, Folder};
    use proptest::prelude::*;
    use std::net::SocketAddr;

    #[test]
    fn a_named_settings_file_must_exist_but_the_default_one_need_not() {
        let (folder, daemon) = (Folder::new(), Daemon::start());
        let file = folder.write("settings", "max_ttl = 60\nmax_ttl = 0\n");
        let (missing, log) = (folder.path("missing"), daemon.log());
        let settings = Settings { max_ttl: Ttl::from_secs(60), ..Settings::default() };
        let warning = format!(
            "warning: {}:2: expected a number from 1 to 2147483647, found \"0\"; line ignored",
            file.display()
        );

        assert_eq!(Settings::load_or(Some(&file), &missing, &log), Ok(settings.clone()));
        assert_eq!(daemon.messages(), [warning.as_str()]);
        assert_eq!(Settings::load_or(None, &file, &log), Ok(settings.clone()));
        assert_eq!(daemon.messages(), [warning.as_str()]);
        assert_eq!(Settings::load(Some(&file), &Log::none()), Ok(settings));

        assert_eq!(Settings::load_or(None, &missing, &log), Ok(Settings::default()));
        assert_eq!(daemon.messages(), [""; 0]);
        let Err(Failure::Internal(told)) = Settings::load_or(Some(&missing), &file, &log) else { panic!() };
        assert!(told.starts_with(&format!("can't read {}: ", missing.display())), "{told}");

        // A folder is there and can't be read.
        assert_eq!(Settings::load_or(None, folder.as_ref(), &log), Ok(Settings::default()));
        let [told] = &daemon.messages()[..] else { panic!() };
        assert!(told.starts_with("warning: can't read ") && told.ends_with("; the defaults apply"), "{told}");
    }

    #[test]
    fn the_bounds_of_a_range_are_valid() {
        for line in [
            "default_ttl = 1",
            "max_ttl = 2147483647",
            "negative_ttl = 1",
            "deadline = 1",
            "deadline = 3600",
            "hedge = 10",
            "hedge = 60000",
            " nameserver [ x ] = ::1",
            "reject = none",
        ] {
            assert_eq!(parse(line).1, [], "{line}");
        }
        for line in ["deadline = 0", "deadline = 3601", "hedge = 9", "hedge = 60001", "nameserver[x = ::1"] {
            let (settings, warnings) = parse(line);
            assert_eq!((settings, warnings.len()), (Settings::default(), 1), "{line}");
        }
    }

    fn parse(text: &str) -> (Settings, Vec<Warning>) {
        Settings::parse(text.as_bytes())
    }

    #[test]
    fn every_key_is_read() {
        let (settings, warnings) = parse(
            "default_ttl = 7\nmax_ttl=600\nnegative_ttl =5\ndeadline= 3\nhedge = 50\nlog = all\nfamily = any\nconfine=no\n\
             mixed_case = no\n\
             nameserver[Cluster.Local.] = 10.96.0.10, [2001:db8::1]:5353\nnameserver[.] = ::1\n",
        );
        assert_eq!(warnings, []);
        assert_eq!(settings.lookup.default_ttl, Ttl::from_secs(7));
        assert_eq!(settings.max_ttl, Ttl::from_secs(600));
        assert_eq!(settings.lookup.negative_ttl, Ttl::from_secs(5));
        assert_eq!((settings.lookup.deadline, settings.lookup.hedge), (3, Duration::from_millis(50)));
        assert_eq!((settings.log, settings.family), (LogChoice::All, Preference::Any));
        assert!(!settings.confine && !settings.lookup.mixed_case);
        let servers = |name| settings.lookup.name_servers_for(name).unwrap().servers.clone();
        assert_eq!(
            servers("mon.ROOK.cluster.local."),
            ["10.96.0.10:53".parse().unwrap(), "[2001:db8::1]:5353".parse().unwrap()]
        );
        assert_eq!(servers("xcluster.local"), ["[::1]:53".parse().unwrap()]);
    }

    #[test]
    fn some_key_types_are_reserved_for_root() {
        let refuses = |line: &str, key_type: &str, owner| {
            let key_type = key_type.to_owned();
            parse(line).0.root_only.check(&Description { key_type, owner, name: Vec::new() }).is_err()
        };
        for key_type in ["cifs.spnego", "cifs.idmap", "id_resolver", "id_legacy"] {
            for (owner, refused) in [(Some(0), false), (Some(1000), true), (None, true)] {
                assert_eq!(refuses("", key_type, owner), refused, "{key_type} {owner:?}");
            }
            assert!(!refuses("root_only = none", key_type, Some(1000)));
        }
        for key_type in ["user", "dns_resolver", "logon", "cifs.spnego2"] {
            assert!(!refuses("", key_type, Some(1000)), "{key_type}");
        }
        let more = "root_only = dns_resolver, user";
        assert_eq!(
            ["user", "dns_resolver", "id_legacy"].map(|name| refuses(more, name, Some(1))),
            [true, true, false]
        );
    }

    #[test]
    fn quotes_escapes_comments_and_a_missing_final_newline_are_fine() {
        for text in [
            "default_ttl = '9' # nine",
            "default_ttl = \"9\"",
            "default_ttl=\\9#",
            "\t # x\n\r\n  default_ttl\t=\t9\r",
        ] {
            let (settings, warnings) = parse(text);
            assert_eq!((settings.lookup.default_ttl.as_secs(), warnings), (9, vec![]), "{text:?}");
        }
    }

    #[test]
    fn an_invalid_line_keeps_the_default_and_warns_with_its_number() {
        for (line, expected) in [
            ("bogus = 1", "unknown key \"bogus\""),
            ("default_ttl = 0", "expected a number from 1 to 2147483647, found \"0\""),
            ("default_ttl = 2147483648", "expected a number from 1 to 2147483647"),
            ("default_ttl = -1", "expected a number"),
            ("default_ttl = ", "expected a number"),
            ("default_ttl", "expected KEY = VALUE"),
            ("= 3", "unknown key \"\""),
            ("default_ttl = '3", "the quote ' is not closed"),
            ("default_ttl = 3\\", "nothing follows the backslash"),
            ("log = some", "expected one of failures, all, none, found \"some\""),
            ("family = v4", "expected one of ipv4-first, ipv6-first, ipv4, ipv6, any"),
            ("root_only = ", "expected types of keys, or none, found \"\""),
            ("root_only = a b", "expected types of keys, or none, found \"a b\""),
            ("nameserver[x] = ", "expected ADDRESS[:PORT]"),
            ("nameserver[x] = host", "expected an address, with or without a port, found \"host\""),
            ("nameserver[a b] = 1.2.3.4", "is not a domain"),
            ("nameserver = 1.2.3.4", "unknown key \"nameserver\""),
        ] {
            let (settings, warnings) = parse(&format!("# first\n{line}\nmax_ttl = 60\n"));
            let [warning] = warnings.as_slice() else { panic!("{line}: {warnings:?}") };
            assert_eq!(warning.line, 2);
            assert!(warning.message.contains(expected), "{line}: {}", warning.message);
            assert!(warning.message.ends_with("; line ignored"));
            let untouched = Settings { max_ttl: Ttl::from_secs(60), ..Settings::default() };
            assert_eq!(settings, untouched);
        }
        let (_, warnings) = Settings::parse(b"default_ttl = \xff");
        assert_eq!(warnings, [Warning::new(1, "the line is not UTF-8; line ignored")]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(file: Vec<u8>) {
            let _ = Settings::parse(&file);
        }

        #[test]
        fn dumped_settings_parse_to_the_same_settings(
            ttls in prop::array::uniform3(1_u32..0x7fff_ffff), deadline in 1_u32..3600, hedge in 10_u64..60_000,
            log in prop::sample::select(&LOG_CHOICES), family in prop::sample::select(&FAMILIES),
            root_only in prop::sample::select(vec!["none", "a", "user, cifs.spnego"]), confine: bool, mixed_case: bool, reject in prop::sample::select(vec!["none", "loopback, multicast"]),
            servers in prop::collection::vec(("([a-z0-9]{1,5}(\\.[a-z0-9]{1,5})?)?", prop::collection::vec(any::<SocketAddr>(), 1..4)), 0..4),
        ) {
            let settings = Settings {
                lookup: LookupOptions {
                    default_ttl: Ttl::from_secs(ttls[0]),
                    negative_ttl: Ttl::from_secs(ttls[2]),
                    deadline,
                    hedge: Duration::from_millis(hedge),
                    mixed_case,
                    reject: Reject::parse(reject).unwrap(),
                    name_servers: servers.into_iter().map(|(domain, servers)| DomainServers {
                        domain,
                        servers: servers.iter().map(|s| SocketAddr::new(s.ip(), s.port())).collect(),
                    }).collect(),
                },
                max_ttl: Ttl::from_secs(ttls[1]),
                log: log.1,
                family: family.1,
                root_only: RootOnly::parse(root_only).unwrap(),
                confine,
            };
            let (read, warnings) = parse(&settings.to_string());
            prop_assert_eq!(warnings, vec![]);
            prop_assert_eq!(read, settings);
        }
    }
}
