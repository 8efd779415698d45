//! The two lookups that are compared.

use crate::support::executable;
use std::fmt;
use std::net::IpAddr;
use std::process::Command;

/// Which families are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Ipv4,
    Ipv6,
    Both,
}

/// What a lookup brought: addresses in order, or the kind of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Addresses(Vec<IpAddr>),
    /// There is no such name, or it can't be one.
    Nothing,
    /// It may be answered later.
    Later,
    Other(String),
}

impl Outcome {
    /// With each address once, where it comes first.
    pub fn each_once(self) -> Self {
        let Self::Addresses(all) = self else { return self };
        let mut once: Vec<IpAddr> = Vec::new();
        for address in all {
            if !once.contains(&address) {
                once.push(address);
            }
        }
        Self::Addresses(once)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" "))
            }
            Self::Nothing => f.write_str("nothing"),
            Self::Later => f.write_str("later"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Set in the child that calls `getaddrinfo()`: the family and the name.
const CHILD: &str = "KEY_DNS_GETADDRINFO";

/// The helper in debug mode.
pub fn ours(name: &str, family: Family) -> Outcome {
    let callout = match family {
        Family::Ipv4 => "ipv4 list",
        Family::Ipv6 => "ipv6 list",
        Family::Both => "list",
    };
    helper(name, callout)
}

/// The helper in debug mode, with this callout info.
pub fn helper(name: &str, callout: &str) -> Outcome {
    let output =
        Command::new(executable()).args(["key.dns_resolver", "-D", "--", name, callout]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let payload = text.lines().find_map(|line| line.strip_prefix("payload ")).unwrap_or_default();
    match payload {
        "#dnserror=61" | "#dnserror=22" => Outcome::Nothing,
        "#dnserror=11" | "#dnserror=111" => Outcome::Later,
        _ => match payload.split(',').map(str::parse).collect() {
            Ok(addresses) => Outcome::Addresses(addresses),
            Err(_) => Outcome::Other(text),
        },
    }
}

/// `getaddrinfo()` as keyutils calls it, in a process of its own, because it caches the configuration.
pub fn glibc(name: &str, family: Family) -> Outcome {
    let family = match family {
        Family::Ipv4 => "4",
        Family::Ipv6 => "6",
        Family::Both => "0",
    };
    // Over TCP it waits forever.
    let output = Command::new("timeout")
        .args(["25", std::env::current_exe().unwrap().to_str().unwrap()])
        .args(["--exact", "lookups::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{family}{name}"))
        .output()
        .unwrap();
    if output.status.code() == Some(124) {
        return Outcome::Other("waits for ever".to_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    // The test runner writes on the same line before.
    let result = text.split_once("<<<").and_then(|(_, rest)| rest.split_once(">>>"));
    match result.map(|(result, _)| result) {
        // EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY
        Some("error -2" | "error -5" | "error -9") => Outcome::Nothing,
        // EAI_AGAIN
        Some("error -3") => Outcome::Later,
        Some(addresses) => match addresses.split_whitespace().map(str::parse).collect() {
            Ok(addresses) => Outcome::Addresses(addresses),
            Err(_) => Outcome::Other(addresses.to_owned()),
        },
        None => Outcome::Other(text),
    }
}

#[test]
#[allow(unsafe_code)]
fn child() {
    use nix::libc;
    use std::ffi::{CStr, CString};
    let Ok(task) = std::env::var(CHILD) else { return };
    let (family, name) = task.split_at(1);
    let name = CString::new(name).unwrap();
    // SAFETY: all zeros is a valid value of this plain structure.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_family = match family {
        "4" => libc::AF_INET,
        "6" => libc::AF_INET6,
        _ => libc::AF_UNSPEC,
    };
    let mut list = std::ptr::null_mut();
    // SAFETY: the name is NUL-terminated, and the two structures outlive the call.
    let error =
        unsafe { libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list) };
    if error != 0 {
        println!("<<<error {error}>>>");
        return;
    }
    let mut texts = Vec::new();
    while !list.is_null() {
        let mut text = [0; 100];
        // SAFETY: `list` is an element of the list that getaddrinfo() made, and `text` as long as is said.
        unsafe {
            let size = u32::try_from(text.len()).unwrap();
            let flag = libc::NI_NUMERICHOST;
            let info = &*list;
            libc::getnameinfo(
                info.ai_addr,
                info.ai_addrlen,
                text.as_mut_ptr(),
                size,
                std::ptr::null_mut(),
                0,
                flag,
            );
            texts.push(CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned());
            list = info.ai_next;
        }
    }
    println!("<<<{}>>>", texts.join(" "));
}
