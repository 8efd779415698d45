//! Whether this process is where the kernel starts helpers: in the initial namespaces, with the same root directory.

use crate::host_root::HostRoot;

/// The inode numbers of the initial namespaces, which are part of the kernel's interface
/// (include/linux/proc_ns.h).
const INITIAL: [(&str, u64); 2] = [("user", 0xEFFF_FFFD), ("pid", 0xEFFF_FFFC)];
/// Those of the initial mount and network namespaces, since Linux 6.18; earlier they have arbitrary numbers.
const SINCE_6_18: [(&str, u64); 2] = [("mnt", 0xEFFF_FFF8), ("net", 0xEFFF_FFF9)];
/// Files that container runtimes leave.
const MARKS: [&str; 3] = ["/run/.containerenv", "/.dockerenv", "/run/systemd/container"];

/// Where this process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Where helpers run: their files are these.
    Host(String),
    /// Elsewhere: files and network are not what helpers see.
    Container(String),
    /// It could not be told.
    Unknown(String),
}

impl Whereabouts {
    /// Whether files and network are known not to be what helpers see.
    #[must_use]
    pub(crate) const fn is_elsewhere(&self) -> bool {
        matches!(self, Self::Container(_))
    }
}

/// Where this process is, and what shows it.
#[must_use]
pub(crate) fn place(look: &HostRoot) -> Whereabouts {
    match namespaces(look) {
        Whereabouts::Host(why) => root_directory(look, why),
        other => other,
    }
}

/// Whether the root directory is that of the kernel's threads, which they share with the first process. In mountinfo, a
/// process sees only those mounts of another that its own root directory leads to.
fn root_directory(look: &HostRoot, why: String) -> Whereabouts {
    // The last one on it counts.
    let root = |process: &str| {
        let text = look.text(format!("/proc/{process}/mountinfo")).ok()?;
        let number = |line: &str| {
            let mut fields = line.split(' ');
            let number = fields.next()?.to_owned();
            (fields.nth(3)? == "/").then_some(number)
        };
        Some(text.lines().rev().find_map(number))
    };
    let Some(own) = root("self") else {
        return Whereabouts::Unknown("/proc/self/mountinfo can't be read".to_owned());
    };
    // A directory that nothing is mounted on.
    let Some(own) = own else {
        return Whereabouts::Container("nothing is mounted on the root directory: it is a chroot".to_owned());
    };
    match ["2", "1"].into_iter().find_map(root) {
        Some(Some(kernels)) if kernels != own => Whereabouts::Container(format!(
            "the root directory is mount {own}, that of the kernel's threads mount {kernels}: it is a chroot"
        )),
        _ => Whereabouts::Host(why),
    }
}

fn namespaces(look: &HostRoot) -> Whereabouts {
    let inode = |process: &str, kind: &str| {
        let link = look.link(format!("/proc/{process}/ns/{kind}")).ok()?;
        link.to_str()?.split_once('[')?.1.strip_suffix(']')?.parse::<u64>().ok()
    };
    for (kind, initial) in INITIAL {
        if let Some(own) = inode("self", kind)
            && own != initial
        {
            return Whereabouts::Container(format!(
                "/proc/self/ns/{kind} is {own}, the initial one is {initial}"
            ));
        }
    }
    let mut evidence = Vec::new();
    for (kind, initial) in SINCE_6_18 {
        match (inode("self", kind), inode("2", kind)) {
            (None, _) => return Whereabouts::Unknown(format!("/proc/self/ns/{kind} can't be read")),
            (Some(own), _) if own == initial => {
                evidence.push(format!("/proc/self/ns/{kind} is {own}, the initial one"));
            }
            (Some(own), Some(threads)) if own == threads => {
                evidence.push(format!("/proc/self/ns/{kind} is that of the kernel's threads"));
            }
            (Some(own), Some(threads)) => {
                let why = format!("/proc/self/ns/{kind} is {own}, that of the kernel's threads is {threads}");
                return Whereabouts::Container(why);
            }
            (Some(_), None) => {
                return match MARKS.into_iter().find(|mark| look.exists(mark)) {
                    Some(mark) => Whereabouts::Container(format!("there is {mark}")),
                    None => Whereabouts::Unknown(format!(
                        "only root can read /proc/2/ns/{kind}, the kernel's own"
                    )),
                };
            }
        }
    }
    Whereabouts::Host(evidence.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;

    #[test]
    fn a_chroot_is_detected_by_the_mount_of_its_root() {
        let host = "22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw - ext4 /dev/vda rw\n";
        let seen = |own: &str, kernels: &str| {
            let files = [("proc/self/mountinfo", own), ("proc/2/mountinfo", kernels)];
            root_directory(&tree("place", &files), "so".to_owned())
        };
        assert_eq!(seen(host, host), Whereabouts::Host("so".to_owned()));
        let folder = "40 27 0:21 / /proc rw - proc proc rw\n";
        let mounted = "39 27 254:0 /jail / rw - ext4 /dev/vda rw\n";
        // Of several on it, the last one counts.
        let over = format!("{host}50 27 0:60 / / rw - overlay overlay rw\n");
        for (own, kernels) in [(folder, host), (mounted, host), (host, over.as_str())] {
            assert!(seen(own, kernels).is_elsewhere(), "{own}");
        }
        assert!(!seen(&over, &over).is_elsewhere());
    }
}
