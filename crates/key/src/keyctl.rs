//! System calls on keys: linux-keyutils' where it has them, and `keyctl(2)` itself for those that it lacks or can't do
//! for `dns_resolver` keys. This is the crate's only `unsafe` code.

#![allow(unsafe_code)]

use crate::errno::RejectErrno;
use crate::serial::KeySerial;
use crate::ttl::Ttl;
use libc::{c_long, c_ulong};
use linux_keyutils::{Key, KeyRing, KeyRingIdentifier, KeySerialId};
use std::ffi::CStr;
use std::io;

/// The session keyring: for a helper that the kernel started, `_req.SERIAL`.
pub const SESSION_KEYRING: i32 = -3;
/// The authorisation key whose authority was assumed; reading it returns the callout info.
pub const AUTH_KEY: i32 = -7;
/// Stands for "no keyring to link to".
const NO_KEYRING: i32 = 0;

/// The shortest timeout, in seconds, with which the caller is certain to see the key.
///
/// The kernel counts whole seconds of its clock, so a timeout of one second may end the next moment. The caller waits
/// until this process has exited, and gets ENOKEY if the key has expired by then (security/keys/request_key.c,
/// `call_sbin_request_key()`).
pub const SHORTEST_TIMEOUT: u32 = 2;

/// Large enough for the description of a host name and a mount's callout info; anything longer takes a second call.
const FIRST_BUFFER: usize = 512;
/// No payload of any key type is longer (security/keys/keyctl.c, `MAX_USER_DATA`…: 1 MiB - 1).
const LONGEST: usize = 1 << 20;

/// `KEYCTL_DESCRIBE`: the description of a key or special keyring, `TYPE;UID;GID;PERM;NAME`.
///
/// # Errors
/// As for `keyctl(2)`: ENOKEY, EKEYREVOKED, EKEYEXPIRED, EACCES.
pub fn describe(key: i32) -> io::Result<Vec<u8>> {
    let mut text = fill(|buffer| {
        let arguments = [serial(key), buffer.as_mut_ptr() as c_ulong, buffer.len() as c_ulong, 0];
        // SAFETY: the second argument points to as many writable bytes as the third says, and `buffer` outlives the
        // call.
        let length = checked(unsafe { raw(libc::KEYCTL_DESCRIBE, arguments) })?;
        usize::try_from(length).map_err(io::Error::other)
    })?;
    if text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

/// `KEYCTL_READ`: the contents of a key; of [`AUTH_KEY`], the callout info.
///
/// # Errors
/// As for `keyctl(2)`: ENOKEY, EKEYREVOKED, EKEYEXPIRED, EACCES, EOPNOTSUPP.
pub fn read(key: i32) -> io::Result<Vec<u8>> {
    let key = Key::from_id(KeySerialId::new(key));
    // Not `read_to_vec()`, which mistakes the length of what does not fit for the length of what it has read.
    fill(|buffer| key.read(buffer).map_err(|_| io::Error::last_os_error()))
}

/// `KEYCTL_REJECT`: ends the construction of `key`; everyone who searches for it gets `errno` for the duration of
/// `ttl`.
///
/// # Errors
/// As for `keyctl(2)`: EPERM without authority over the key.
pub fn reject(key: KeySerial, ttl: Ttl, errno: RejectErrno) -> io::Result<()> {
    let arguments = [serial(key.get()), c_ulong::from(timeout(ttl)), c_ulong::from(errno.number()), 0];
    // SAFETY: no argument is a pointer.
    checked(unsafe { raw(libc::KEYCTL_REJECT, arguments) }).map(drop)
}

/// The timeout, in seconds, for this TTL.
#[must_use]
pub fn timeout(ttl: Ttl) -> u32 {
    ttl.as_secs().max(SHORTEST_TIMEOUT)
}

/// `request_key(2)`: searches for a key of type `dns_resolver`, and has it constructed if there is none. It is linked
/// to the session keyring.
///
/// # Errors
/// As for `request_key(2)`; a key whose payload is an error returns that error when it is read, not here.
pub fn request(description: &CStr, callout: &CStr) -> io::Result<i32> {
    // SAFETY: the three pointers are to NUL-terminated strings that outlive the call.
    let key = checked(unsafe {
        libc::syscall(
            libc::SYS_request_key,
            c"dns_resolver".as_ptr(),
            description.as_ptr(),
            callout.as_ptr(),
            c_long::from(SESSION_KEYRING),
        )
    })?;
    i32::try_from(key).map_err(io::Error::other)
}

/// `request_key(2)` as a search: the key of this type and description on the keyrings of the requester whose authority
/// was assumed, or else on our own. No key is constructed.
///
/// # Errors
/// As for `request_key(2)`: ENOKEY, EKEYREVOKED, EKEYEXPIRED, EACCES.
pub fn find(key_type: &CStr, description: &CStr) -> io::Result<i32> {
    let no_callout = std::ptr::null::<libc::c_char>();
    // SAFETY: two pointers are to NUL-terminated strings that outlive the call, and the third may be null.
    let key = checked(unsafe {
        libc::syscall(
            libc::SYS_request_key,
            key_type.as_ptr(),
            description.as_ptr(),
            no_callout,
            c_long::from(NO_KEYRING),
        )
    })?;
    i32::try_from(key).map_err(io::Error::other)
}

/// `KEYCTL_JOIN_SESSION_KEYRING`: a new anonymous session keyring for this process.
///
/// # Errors
/// As for `keyctl(2)`: EDQUOT, ENOMEM.
pub fn join_new_session() -> io::Result<()> {
    // SAFETY: the pointer to a name may be null.
    checked(unsafe { raw(libc::KEYCTL_JOIN_SESSION_KEYRING, [0; 4]) }).map(drop)
}

/// `KEYCTL_INVALIDATE`: drops a key at once. Never use it on a key under construction: the kernel deadlocks.
///
/// # Errors
/// As for `keyctl(2)`.
pub fn invalidate(key: i32) -> io::Result<()> {
    Key::from_id(KeySerialId::new(key)).invalidate().map_err(|_| io::Error::last_os_error())
}

/// `KEYCTL_CLEAR`: clears a keyring. For the kernel's `.dns_resolver`, CAP_SYS_ADMIN is enough.
///
/// # Errors
/// As for `keyctl(2)`: EACCES.
pub fn clear(keyring: i32) -> io::Result<()> {
    // linux-keyutils can only clear a keyring of this process. SAFETY: no argument is a pointer.
    checked(unsafe { raw(libc::KEYCTL_CLEAR, [serial(keyring), 0, 0, 0]) }).map(drop)
}

/// `KEYCTL_UNLINK`: removes a key from this process's own, session and user keyrings. Returns how many of them had it.
#[must_use]
pub fn unlink_from_own_keyrings(key: i32) -> usize {
    let own = [
        KeyRingIdentifier::Thread,
        KeyRingIdentifier::Process,
        KeyRingIdentifier::Session,
        KeyRingIdentifier::User,
        KeyRingIdentifier::UserSession,
    ];
    let key = Key::from_id(KeySerialId::new(key));
    let unlink =
        |keyring| KeyRing::from_special_id(keyring, false).and_then(|keyring| keyring.unlink_key(key));
    own.into_iter().filter(|&keyring| unlink(keyring).is_ok()).count()
}

/// Repeats a call that fills a buffer and returns the total length, until everything fits.
fn fill(call: impl Fn(&mut Vec<u8>) -> io::Result<usize>) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0_u8; FIRST_BUFFER];
    loop {
        let length = call(&mut buffer)?;
        if length <= buffer.len() {
            buffer.truncate(length);
            return Ok(buffer);
        }
        if length > LONGEST {
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        }
        buffer.resize(length, 0);
    }
}

/// A key's serial number as the system call takes it: sign-extended to a whole word.
#[must_use]
pub fn serial(key: i32) -> c_ulong {
    // On 32-bit machines the two types are the same.
    #[allow(clippy::useless_conversion)]
    c_long::from(key).cast_unsigned()
}

/// `keyctl(2)` unchanged: the result, or -1 with `errno` set. It allocates nothing, so a signal handler may call it.
///
/// # Safety
/// What `operation` takes as a pointer must be valid for what the kernel does with it.
#[must_use]
pub unsafe fn raw(operation: u32, [two, three, four, five]: [c_ulong; 4]) -> c_long {
    // SAFETY: the caller guarantees that the pointers are valid.
    unsafe { libc::syscall(libc::SYS_keyctl, operation, two, three, four, five) }
}

fn checked(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Session keyrings for tests, which any user may have, and keys in them.
#[cfg(test)]
pub(crate) mod session {
    use super::*;
    use std::ffi::CString;
    use std::thread;

    /// Runs a scene on a thread that has a new session keyring of this name to itself. If the system allows no keys, as
    /// in many containers, says so and runs nothing.
    pub(crate) fn in_session(name: &str, scene: impl FnOnce() + Send) {
        thread::scope(|scope| {
            // The thread is named after its test.
            let builder =
                thread::Builder::new().name(thread::current().name().unwrap_or_default().to_owned());
            let spawned = builder.spawn_scoped(scope, || {
                let name = CString::new(name).unwrap();
                // Not the function under test, whose failure must not be mistaken for the system's.
                let join = || {
                    // SAFETY: the pointer is to a NUL-terminated string that outlives the call.
                    checked(unsafe {
                        libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr())
                    })
                };
                match within_quota(join) {
                    Ok(_) => scene(),
                    Err(error) => skip::skip(&format!("no session keyring: {error}")),
                }
            });
            spawned.unwrap();
        });
    }

    /// What comes of a call that makes a key, where the user's other processes may have used up the quota for a moment.
    pub(crate) fn within_quota<T>(call: impl Fn() -> io::Result<T>) -> io::Result<T> {
        for _ in 0..100 {
            match call() {
                Err(error) if error.raw_os_error() == Some(libc::EDQUOT) => {}
                done => return done,
            }
            thread::sleep(std::time::Duration::from_millis(100));
        }
        call()
    }

    /// Adds a key to a keyring.
    pub(crate) fn add(keyring: i32, key_type: &CStr, description: &str, payload: &[u8]) -> io::Result<i32> {
        let description = CString::new(description).unwrap();
        let data = if payload.is_empty() { std::ptr::null() } else { payload.as_ptr() };
        let key = within_quota(|| {
            // SAFETY: two pointers are to NUL-terminated strings, and one to as many bytes as the number after it says;
            // all outlive the call.
            checked(unsafe {
                libc::syscall(
                    libc::SYS_add_key,
                    key_type.as_ptr(),
                    description.as_ptr(),
                    data,
                    payload.len(),
                    c_long::from(keyring),
                )
            })
        })?;
        Ok(i32::try_from(key).unwrap())
    }

    /// Adds a key of type `user` to the session keyring.
    pub(crate) fn add_user(description: &str, payload: &[u8]) -> i32 {
        add(SESSION_KEYRING, c"user", description, payload).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::session::{add, add_user, in_session, within_quota};
    use super::*;
    use std::cell::Cell;

    /// The errno of a call that fails.
    #[track_caller]
    fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> i32 {
        result.unwrap_err().raw_os_error().unwrap()
    }

    /// The number of no key.
    const NO_KEY: i32 = i32::MAX;

    #[test]
    fn a_long_key_is_described_and_read_completely() {
        in_session("test", || {
            for length in [1, 100, FIRST_BUFFER, FIRST_BUFFER + 1, 3000] {
                let (name, payload) = ("n".repeat(length), "p".repeat(length));
                let key = add_user(&name, payload.as_bytes());
                let text = String::from_utf8(describe(key).unwrap()).unwrap();
                let fields: Vec<&str> = text.splitn(5, ';').collect();
                assert_eq!((fields[0], fields[4]), ("user", name.as_str()));
                assert_eq!(read(key).unwrap(), payload.as_bytes());
            }
            assert!(describe(SESSION_KEYRING).unwrap().ends_with(b";test"));
            assert_eq!([errno(describe(NO_KEY)), errno(read(NO_KEY))], [libc::ENOKEY; 2]);
            // Nobody has assumed authority.
            assert_eq!(errno(read(AUTH_KEY)), libc::ENOKEY);
        });
    }

    #[test]
    fn a_buffer_grows_until_everything_fits() {
        // What there is may grow between two calls.
        let lengths = Cell::new([600, 700, 700].as_slice());
        let filled = fill(|buffer| {
            let (&length, rest) = lengths.get().split_first().unwrap();
            lengths.set(rest);
            buffer.fill(b'x');
            Ok(length)
        });
        assert_eq!((filled.unwrap(), lengths.get().len()), (vec![b'x'; 700], 0));
        assert_eq!(fill(|_| Ok(LONGEST)).unwrap().len(), LONGEST);
        assert_eq!(errno(fill(|_| Ok(LONGEST + 1))), libc::EMSGSIZE);
        assert_eq!(fill(|_| Ok(0)).unwrap(), b"");
        assert_eq!(errno(fill(|_| Err(io::Error::from_raw_os_error(libc::EACCES)))), libc::EACCES);
    }

    #[test]
    fn no_timeout_is_too_short_for_the_caller_to_see_the_key() {
        let seconds = [1, 2, 3, 86_400].map(|seconds| timeout(Ttl::from_secs(seconds)));
        assert_eq!(seconds, [2, 2, 3, 86_400]);
    }

    #[test]
    fn find_returns_an_existing_key_and_creates_none() {
        in_session("test", || {
            let key = add_user("a", b"x");
            assert_eq!(find(c"user", c"a").unwrap(), key);
            assert_eq!(errno(find(c"user", c"b")), libc::ENOKEY);
            assert_eq!(errno(find(c"keyring", c"a")), libc::ENOKEY);
            // Where the kernel knows the type; a key that is there is not asked for anew.
            if let Ok(key) = add(SESSION_KEYRING, c"dns_resolver", "a", b"192.0.2.1\0") {
                assert_eq!(request(c"a", c"").unwrap(), key);
                assert_eq!(read(key).unwrap(), b"192.0.2.1");
            }
        });
    }

    #[test]
    fn a_new_session_has_none_of_the_old_keys() {
        in_session("test", || {
            add_user("a", b"x");
            within_quota(join_new_session).unwrap();
            assert!(describe(SESSION_KEYRING).unwrap().ends_with(b";_ses"));
            assert_eq!(errno(find(c"user", c"a")), libc::ENOKEY);
        });
    }

    #[test]
    fn a_key_that_is_invalidated_is_gone() {
        in_session("test", || {
            let key = add_user("a", b"x");
            invalidate(key).unwrap();
            // By which errno depends on how far the kernel has cleared it away.
            assert!(read(key).is_err());
            assert_eq!(errno(invalidate(NO_KEY)), libc::ENOKEY);
        });
    }

    #[test]
    fn clear_empties_a_keyring() {
        in_session("test", || {
            let keyring = add(SESSION_KEYRING, c"keyring", "ring", b"").unwrap();
            add(keyring, c"user", "a", b"x").unwrap();
            assert_eq!(read(keyring).unwrap().len(), 4);
            clear(keyring).unwrap();
            assert_eq!(read(keyring).unwrap(), b"");
            assert_eq!(errno(clear(NO_KEY)), libc::ENOKEY);
        });
    }

    #[test]
    fn a_key_is_unlinked_from_each_own_keyring() {
        in_session("test", || {
            let key = add_user("a", b"x");
            let thread = KeyRing::from_special_id(KeyRingIdentifier::Thread, true).unwrap();
            thread.link_key(Key::from_id(KeySerialId::new(key))).unwrap();
            assert_eq!([unlink_from_own_keyrings(key), unlink_from_own_keyrings(key)], [2, 0]);
        });
    }

    #[test]
    fn a_key_that_is_not_under_construction_cannot_be_rejected() {
        in_session("test", || {
            let key = KeySerial::new(add_user("a", b"x")).unwrap();
            assert_eq!(errno(reject(key, Ttl::MIN, RejectErrno::EINVAL)), libc::EPERM);
            assert_eq!(read(key.get()).unwrap(), b"x");
        });
    }

    #[test]
    fn a_special_keyring_id_is_sign_extended() {
        assert_eq!(serial(SESSION_KEYRING), c_ulong::MAX - 2);
        assert_eq!(serial(7), 7);
    }
}
