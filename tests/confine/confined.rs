//! A helper that confines itself and does one thing.

use key::{Errno, KernelKeyring, KeySerial, Keyring, Payload, Ttl, keyctl};
use std::fs::File;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use upcall::{Guard, Log, Needs, confine};

/// What the kernel runs in the helper's place.
pub fn answer(how: &str, key: &str) -> ExitCode {
    let key: KeySerial = key.parse().unwrap();
    let ring = KernelKeyring;
    ring.assume_authority(key).unwrap();
    let log = Log::new("key.dns_resolver", false);
    log.connect();
    let guard = Guard::arm(Some(key), &log);
    guard.allow_payload();
    assert_eq!(confine(&Needs { key: Some(key), log: log.keep_connection(), ..Needs::default() }), []);
    let address = Payload::Addresses(vec![Ipv4Addr::new(192, 0, 2, 9).into()]).encode();
    match how {
        "instantiate" => {
            ring.set_timeout(key, Ttl::from_secs(77)).unwrap();
            ring.instantiate(key, &address).unwrap();
        }
        "reject" => ring.reject(key, Ttl::from_secs(77), Errno::ENODATA.into()).unwrap(),
        "file" => drop(File::open("/etc/passwd")),
        "program" => drop(nix::unistd::execv(c"/bin/true", &[c"true"])),
        "another-key" => {
            drop(ring.reject(KeySerial::new(i32::MAX).unwrap(), Ttl::MIN, Errno::ENODATA.into()));
        }
        "read" => drop(keyctl::read(keyctl::AUTH_KEY)),
        "abort" => std::process::abort(),
        other => panic!("{other}"),
    }
    ExitCode::SUCCESS
}
