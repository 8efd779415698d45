//! The user that an unprivileged process becomes.

use nix::errno::Errno;
use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::process;

/// The process becomes the user and group with this number plus its process ID, which nobody else has. A process with
/// the same UID could send it signals, and trace it.
///
/// Nothing that allocates numbers by itself uses these: `useradd` and its subordinate IDs end at 600,100,000
/// (login.defs(5)), systemd's containers at 1,879,048,191 (systemd.io/UIDS-GIDS), the users that SSSD maps at
/// 2,000,200,000 (`ldap_idmap_range_max` of sssd-ad(5)); above, newer systemd takes 2,147,352,576 to 2,147,418,111 for
/// foreign images, and Podman and FreeIPA take subordinate IDs from 2³¹ - 1 and 2³¹ on. Process IDs go up to 4,194,304
/// (proc_sys_kernel(5), `pid_max`).
const FIRST: u32 = 2_100_000_000;

/// Becomes a user and a group that no other process and no file has, without supplementary groups. A process that is
/// not root stays who it is. It is for a process of one thread: other threads would stay who they are.
///
/// The kernel runs no helper in a user namespace, but people run `key-dns resolve` there, as in a rootless container.
///
/// # Errors
/// As for `setresuid(2)`; EINVAL in a user namespace that has no such user or group.
pub fn become_nobody() -> Result<(), Errno> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let number = FIRST.saturating_add(process::id());
    let (group, user) = (Gid::from_raw(number), Uid::from_raw(number));
    set_thread_res_gid(group, group, group)
        .and_then(|()| set_thread_groups(&[]))
        .and_then(|()| set_thread_res_uid(user, user, user))
        .map_err(|error| Errno::from_raw(error.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_user_ids_overlaps_no_other_range() {
        const LAST: u32 = FIRST + (1 << 22);
        // First and last of those that others give out, as above.
        for (low, high) in [(0, 600_100_000), (524_288, 1_879_048_191), (200_000, 2_000_200_000)] {
            assert!(LAST < low || FIRST > high, "{low}..{high}");
        }
        for low in [2_147_352_576, i32::MAX as u32, 1 << 31] {
            assert!(LAST < low, "{low}");
        }
    }
}
