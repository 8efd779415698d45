//! Others in the place of our `/sbin/request-key`: nobody, or a helper that means well.

use linux_keyutils::{Key, KeySerialId};
use std::fs;
use std::os::unix::fs::symlink;

const REQUEST_KEY: &str = "/sbin/request-key";
const ASIDE: &str = "/sbin/request-key.aside";
const PAYLOAD: &str = "/run/payload";
/// In the place of a keyring to link to: none.
const NO_KEYRING: i32 = 0;

/// While this lives, ours is aside.
pub struct Aside;

/// Leaves the kernel without `/sbin/request-key`.
pub fn nobody() -> Aside {
    fs::rename(REQUEST_KEY, ASIDE).unwrap();
    Aside
}

/// Has the kernel get this text and its NUL for every key.
pub fn naive(text: &str) -> Aside {
    let aside = nobody();
    fs::write(PAYLOAD, format!("{text}\0")).unwrap();
    symlink("/init", REQUEST_KEY).unwrap();
    aside
}

impl Drop for Aside {
    fn drop(&mut self) {
        fs::rename(ASIDE, REQUEST_KEY).unwrap();
    }
}

/// What the kernel runs.
pub fn answer(key: i32) {
    let key = Key::from_id(KeySerialId::new(key));
    key.assume_authority().unwrap();
    key.set_timeout(60).unwrap();
    key.instantiate(&fs::read(PAYLOAD).unwrap(), KeySerialId::new(NO_KEYRING)).unwrap();
}
