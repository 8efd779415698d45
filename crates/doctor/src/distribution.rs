//! The distribution: its package manager, for remedies, and the package that a file belongs to.

use crate::child::{self, Ended};
use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// How long a package manager may take to find the owner of a file.
const LIMIT: Duration = Duration::from_secs(2);

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manager {
    /// Debian, Ubuntu and derivatives.
    Apt,
    /// Fedora, RHEL and derivatives.
    Dnf,
    /// SUSE.
    Zypper,
    /// Arch.
    Pacman,
    /// Alpine.
    Apk,
    /// Any other, whose commands are not known.
    Other,
}

/// What may have to be installed, whatever its package is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// `request-key`, `keyctl` and `key.dns_resolver`.
    Keyutils,
    /// The library that keyutils' programs need.
    KeyutilsLibrary,
    /// `mount.ceph`, which looks names up itself.
    CephCommon,
    /// The running kernel's modules.
    KernelModules,
}

impl Manager {
    /// The one of this distribution, by `ID` and `ID_LIKE` in os-release(5), or if they are not known, by the programs
    /// present.
    #[must_use]
    pub(crate) fn of(look: &HostRoot) -> Self {
        let text = ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| look.text(path).ok());
        let text = text.unwrap_or_default();
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let ids = format!("{} {}", field("ID"), field("ID_LIKE"));
        let known = ids.split_whitespace().find_map(|id| match id {
            "debian" | "ubuntu" => Some(Self::Apt),
            "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "amzn" | "ol" => Some(Self::Dnf),
            "suse" | "opensuse" | "sles" => Some(Self::Zypper),
            "arch" | "archlinux" | "manjaro" => Some(Self::Pacman),
            "alpine" => Some(Self::Apk),
            _ if id.starts_with("opensuse") => Some(Self::Zypper),
            _ => None,
        });
        let there = || {
            let programs =
                [("dnf", Self::Dnf), ("zypper", Self::Zypper), ("pacman", Self::Pacman), ("apk", Self::Apk)];
            let folders = ["/usr/bin", "/sbin", "/bin"];
            let has = |name: &str| folders.iter().any(|folder| look.exists(format!("{folder}/{name}")));
            programs.into_iter().find(|(name, _)| has(name)).map(|(_, manager)| manager)
        };
        let other = !text.is_empty() && !look.exists("/usr/bin/apt-get");
        known.or_else(there).unwrap_or(if other { Self::Other } else { Self::Apt })
    }

    /// The package's name there.
    fn name(self, package: Package, look: &HostRoot) -> String {
        let name = match (package, self) {
            (Package::KeyutilsLibrary, Self::Apt | Self::Zypper) => "libkeyutils1",
            (Package::KeyutilsLibrary, Self::Dnf | Self::Apk) => "keyutils-libs",
            (Package::Keyutils | Package::KeyutilsLibrary, _) => "keyutils",
            (Package::CephCommon, Self::Pacman) => "ceph",
            (Package::CephCommon, _) => "ceph-common",
            (Package::KernelModules, _) => return self.kernel_modules(look),
        };
        name.to_owned()
    }

    fn kernel_modules(self, look: &HostRoot) -> String {
        let running = look.word("/proc/sys/kernel/osrelease");
        let last = running.as_deref().and_then(|release| release.rsplit('-').next()).unwrap_or_default();
        let kind = |usual| if last.starts_with(|c: char| c.is_ascii_alphabetic()) { last } else { usual };
        let release = running.as_deref().unwrap_or("$(uname -r)");
        let ubuntu = || look.text("/etc/os-release").is_ok_and(|text| text.contains("ID=ubuntu"));
        match self {
            Self::Apt if ubuntu() => format!("linux-modules-extra-{release}"),
            Self::Apt => format!("linux-image-{release}"),
            Self::Dnf => format!("kernel-modules-{release}"),
            // The kind of kernel is the last part of its release: another kind would not help the running one.
            Self::Zypper => format!("kernel-{}", kind("default")),
            Self::Pacman => match kind("") {
                kind @ ("lts" | "zen" | "hardened") => format!("linux-{kind}"),
                _ => "linux".to_owned(),
            },
            Self::Apk => format!("linux-{}", kind("lts")),
            Self::Other => format!("the modules of Linux {release}"),
        }
    }

    /// Installs a package.
    #[must_use]
    pub(crate) fn install(self, package: Package, look: &HostRoot) -> Remedy {
        let name = self.name(package, look);
        Remedy::Command(match self {
            Self::Apt => format!("apt-get install -y --no-remove {name}"),
            Self::Dnf => format!("dnf install -y {name}"),
            Self::Zypper => format!("zypper --non-interactive install {name}"),
            Self::Pacman => format!("pacman -S --noconfirm {name}"),
            Self::Apk => format!("apk add {name}"),
            Self::Other => return Remedy::advice(format!("install {name}")),
        })
    }

    /// Restores the files of an installed package.
    #[must_use]
    pub(crate) fn reinstall(self, name: &str) -> Remedy {
        Remedy::Command(match self {
            Self::Apt => format!("apt-get install -y --no-remove --reinstall {name}"),
            Self::Dnf => format!("dnf reinstall -y {name}"),
            Self::Zypper => format!("zypper --non-interactive install --force {name}"),
            Self::Pacman => format!("pacman -S --noconfirm {name}"),
            Self::Apk => format!("apk fix {name}"),
            Self::Other => return Remedy::advice(format!("install {name} again")),
        })
    }

    /// Restores a package: reinstalls it if it is installed, otherwise installs it.
    #[must_use]
    pub(crate) fn bring_back(self, package: Package, look: &HostRoot) -> Remedy {
        let name = self.name(package, look);
        if self.has(&name, look) { self.reinstall(&name) } else { self.install(package, look) }
    }

    /// Whether a package is installed.
    fn has(self, name: &str, look: &HostRoot) -> bool {
        let ask = |command: &str, args: &[&str]| look.is_host() && says(command, args).is_some();
        match self {
            Self::Apt => look.text("/var/lib/dpkg/status").is_ok_and(|status| dpkg_has(&status, name)),
            Self::Dnf | Self::Zypper => ask("rpm", &["-q", name]),
            Self::Pacman => ask("pacman", &["-Q", name]),
            Self::Apk => ask("apk", &["info", "-e", name]),
            Self::Other => false,
        }
    }

    /// The package that a file belongs to, even if the file is gone; `None` if nothing says.
    #[must_use]
    pub(crate) fn owner(self, path: &str, look: &HostRoot) -> Option<String> {
        match self {
            Self::Apt => dpkg_owner(path, look),
            _ if !look.is_host() => None,
            // A line for each: key-dns-request-key and keyutils may have the same path.
            Self::Dnf | Self::Zypper => says("rpm", &["-qf", "--qf", "%{NAME}\\n", path]),
            Self::Pacman => says("pacman", &["-Qoq", path]),
            Self::Apk => apk_owner(&says("apk", &["info", "--who-owns", path])?),
            Self::Other => None,
        }
    }

    /// Who keeps the packages' files away from a path: the package that diverts it, or `local` for an administrator.
    /// [`Self::owner`] heeds it.
    #[must_use]
    pub(crate) fn diverter(self, path: &str, look: &HostRoot) -> Option<String> {
        let found = match self {
            Self::Apt => Diversions::read(look).0,
            _ => Vec::new(),
        };
        let names = names_of(path);
        let found = found.into_iter().find(|(diverted, _)| names.contains(diverted));
        found.map(|(_, package)| if package == ":" { "local".to_owned() } else { package })
    }
}

/// A path as dpkg may have it, with and without a merged /usr.
fn names_of(path: &str) -> [String; 2] {
    let other = path.strip_prefix("/usr").map_or_else(|| format!("/usr{path}"), str::to_owned);
    [path.to_owned(), other]
}

/// dpkg-divert(1): paths where no package but one puts its files, and that package, `:` if there is none.
struct Diversions(Vec<(String, String)>);

impl Diversions {
    fn read(look: &HostRoot) -> Self {
        let text = look.text("/var/lib/dpkg/diversions").unwrap_or_default();
        let mut lines = text.lines();
        let mut found = Vec::new();
        // Of each: the path, where files of others go, the package.
        while let (Some(path), Some(_), Some(package)) = (lines.next(), lines.next(), lines.next()) {
            found.push((path.to_owned(), package.to_owned()));
        }
        Self(found)
    }

    /// Whether the file of this package is elsewhere.
    fn moves(&self, path: &str, package: &str) -> bool {
        self.0.iter().any(|(diverted, own)| diverted == path && own != package)
    }
}

/// The package in the words of apk: `FILE is owned by NAME-VERSION`. The version begins with the last digit that follows a
/// hyphen (apk-package(5)).
fn apk_owner(text: &str) -> Option<String> {
    let package = text.rsplit(' ').next()?;
    let mut hyphens = package.rmatch_indices('-');
    let version = hyphens.find(|(at, _)| {
        let after = package.get(at + 1..).unwrap_or_default();
        after.starts_with(|c: char| c.is_ascii_digit())
    });
    Some(version.map_or(package, |(at, _)| package.get(..at).unwrap_or_default()).to_owned())
}

/// Whether dpkg's status has the package as installed.
fn dpkg_has(status: &str, name: &str) -> bool {
    status.split("\n\n").any(|entry| {
        let is = |field: &str, value: &str| {
            entry.lines().any(|line| line.strip_prefix(field).is_some_and(|rest| rest.trim() == value))
        };
        is("Package:", name) && is("Status:", "install ok installed")
    })
}

/// The package whose file list has the path, and whose file is not diverted.
fn dpkg_owner(path: &str, look: &HostRoot) -> Option<String> {
    const LISTS: &str = "/var/lib/dpkg/info";
    let names = names_of(path);
    let diversions = Diversions::read(look);
    let name = |list: &str| Some(list.strip_suffix(".list")?.split(':').next()?.to_owned());
    let has = |list: &str| {
        let text = fs::read_to_string(look.path(format!("{LISTS}/{list}"))).unwrap_or_default();
        let package = name(list).unwrap_or_default();
        text.lines().any(|line| names.iter().any(|name| name == line) && !diversions.moves(line, &package))
    };
    // The likeliest first: there are hundreds.
    let likely = ["keyutils.list", "key-dns.list"].into_iter().find(|list| has(list));
    if let Some(list) = likely {
        return name(list);
    }
    let lists = look.names(LISTS);
    let owner = lists.iter().find(|list| name(list).is_some() && has(list));
    owner.and_then(|list| name(list))
}

/// The first line that a command prints, if it succeeds in time.
fn says(command: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(command);
    command.args(args).env("LC_ALL", "C");
    match child::run(command, LIMIT).ok()? {
        Ended::Done { status, output, .. } if status.success() => {
            let text = String::from_utf8_lossy(&output);
            Some(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;

    #[test]
    fn each_distribution_has_its_package_manager() {
        for (text, command) in [
            ("ID=debian\n", "apt-get install -y --no-remove keyutils"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt-get install -y --no-remove keyutils"),
            ("NAME=Rocky\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install -y keyutils"),
            ("ID=\"opensuse-leap\"\n", "zypper --non-interactive install keyutils"),
            ("ID=arch\n", "pacman -S --noconfirm keyutils"),
            ("ID=alpine\n", "apk add keyutils"),
        ] {
            let look = tree("manager", &[("etc/os-release", text)]);
            assert_eq!(Manager::of(&look).install(Package::Keyutils, &look).command(), Some(command));
        }
        let other = [("etc/os-release", "ID=nixos\n")];
        let look = tree("manager-other", &other);
        let remedy = Manager::of(&look).bring_back(Package::Keyutils, &look);
        assert_eq!(remedy, Remedy::advice("install keyutils"));
        let look = tree("manager-apt", &[other[0], ("usr/bin/apt-get", "")]);
        assert_eq!(Manager::of(&look), Manager::Apt);
    }

    #[test]
    fn the_package_of_a_file_is_found_with_and_without_a_merged_usr() {
        let look = tree(
            "owner",
            &[
                ("var/lib/dpkg/info/a:amd64.list", "/.\n/usr\n/usr/sbin/request-key\n"),
                ("var/lib/dpkg/info/b.list", "/lib/x\n"),
            ],
        );
        let owner = |path| Manager::Apt.owner(path, &look);
        assert_eq!(owner("/sbin/request-key").as_deref(), Some("a"));
        assert_eq!(owner("/usr/lib/x").as_deref(), Some("b"));
        assert_eq!(owner("/sbin/y"), None);
    }

    #[test]
    fn a_diverted_path_belongs_to_the_package_that_diverts_it() {
        let look = tree(
            "diverted",
            &[
                (
                    "var/lib/dpkg/diversions",
                    "/sbin/request-key\n/sbin/request-key.distrib\nkey-dns-request-key\n/bin/x\n/bin/x.real\n:\n\
                     /bin/y\n/bin/y.b\nb\n",
                ),
                ("var/lib/dpkg/info/keyutils.list", "/sbin/request-key\n/sbin/key.dns_resolver\n"),
                ("var/lib/dpkg/info/a.list", "/bin/x\n/bin/y\n"),
                ("var/lib/dpkg/info/b.list", "/bin/y\n"),
            ],
        );
        let both = |path| (Manager::Apt.owner(path, &look), Manager::Apt.diverter(path, &look));
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(both("/sbin/request-key"), (None, some("key-dns-request-key")));
        assert_eq!(both("/sbin/key.dns_resolver"), (some("keyutils"), None));
        assert_eq!(both("/bin/x"), (None, some("local")));
        assert_eq!(both("/usr/bin/y"), (some("b"), some("b")));
    }

    #[test]
    fn the_version_is_no_part_of_the_name_in_apk() {
        let text = "/sbin/request-key is owned by keyutils-libs-1.6.3-r4";
        assert_eq!(apk_owner(text).as_deref(), Some("keyutils-libs"));
        assert_eq!(apk_owner("/x is owned by a-2b-3.1_p2").as_deref(), Some("a-2b"));
        assert_eq!(apk_owner("/x is owned by keyutils").as_deref(), Some("keyutils"));
    }

    #[test]
    fn the_modules_are_those_of_the_running_kind_of_kernel() {
        for (manager, release, package) in [
            (Manager::Zypper, "6.4.0-150600.23.25-azure", "kernel-azure"),
            (Manager::Zypper, "6.4.0-150600.23.25-default", "kernel-default"),
            (Manager::Pacman, "6.12.1-arch1-1", "linux"),
            (Manager::Pacman, "6.12.1-zen1-1-zen", "linux-zen"),
            (Manager::Pacman, "6.6.60-1-lts", "linux-lts"),
            (Manager::Apk, "6.6.60-0-virt", "linux-virt"),
            (Manager::Apk, "6.6.60-0-lts", "linux-lts"),
        ] {
            let look = tree("kind", &[("proc/sys/kernel/osrelease", release)]);
            assert_eq!(manager.kernel_modules(&look), package, "{release}");
        }
        let unknown = tree("kind-unknown", &[]);
        assert_eq!(Manager::Apk.kernel_modules(&unknown), "linux-lts");
        assert_eq!(Manager::Zypper.kernel_modules(&unknown), "kernel-default");
    }

    #[test]
    fn an_installed_package_is_reinstalled() {
        let status = "Package: keyutils\nStatus: install ok installed\nVersion: 1\n\nPackage: other\nStatus: \
                      deinstall ok config-files\n";
        let look = tree("status", &[("var/lib/dpkg/status", status)]);
        assert_eq!(
            Manager::Apt.bring_back(Package::Keyutils, &look).command(),
            Some("apt-get install -y --no-remove --reinstall keyutils")
        );
        assert!(!dpkg_has(status, "other"));
    }
}
