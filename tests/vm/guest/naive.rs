//! Replacements for our `/sbin/request-key`: nothing, a well-meaning helper, or a confined one.

use crate::confined;
use linux_keyutils::{Key, KeySerialId};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::ExitCode;

const REQUEST_KEY: &str = "/sbin/request-key";
const ASIDE: &str = "/sbin/request-key.aside";
/// What the helper that means well puts into the key.
const PAYLOAD: &str = "/run/payload";
/// What the one that is confined does; no file where it is the other one's turn.
const CONFINED: &str = "/run/confined";
/// In the place of a keyring to link to: none.
const NO_KEYRING: i32 = 0;

/// While this lives, ours is aside.
pub struct Aside;

/// Leaves the kernel without `/sbin/request-key`.
pub fn nobody() -> Aside {
    fs::rename(REQUEST_KEY, ASIDE).unwrap();
    Aside
}

/// Gives the kernel this text and its NUL for every key.
pub fn naive(text: &str) -> Aside {
    let aside = nobody();
    fs::write(PAYLOAD, format!("{text}\0")).unwrap();
    symlink("/init", REQUEST_KEY).unwrap();
    aside
}

/// Makes a process answer every key that first confines itself, and then does this.
pub fn confined(thing: &str) -> Aside {
    let aside = nobody();
    fs::write(CONFINED, thing).unwrap();
    symlink("/init", REQUEST_KEY).unwrap();
    aside
}

impl Drop for Aside {
    fn drop(&mut self) {
        fs::rename(ASIDE, REQUEST_KEY).unwrap();
        let _ = fs::remove_file(CONFINED);
    }
}

/// What the kernel runs.
pub fn answer(key: &str) -> ExitCode {
    if let Ok(thing) = fs::read_to_string(CONFINED) {
        return confined::answer(&thing, key);
    }
    let key = Key::from_id(KeySerialId::new(key.parse().unwrap()));
    key.assume_authority().unwrap();
    key.set_timeout(60).unwrap();
    key.instantiate(&fs::read(PAYLOAD).unwrap(), KeySerialId::new(NO_KEYRING)).unwrap();
    ExitCode::SUCCESS
}
