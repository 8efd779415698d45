//! Which source can answer for a name, and what replaces it.

use crate::config::nsswitch::NssStatus;

/// What to do in a source's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Read the hosts file.
    Files,
    /// Query DNS.
    Dns,
    /// Return `localhost`'s addresses.
    Localhost,
    /// Nothing: the source would answer with this status.
    Skip(NssStatus),
    /// Query the NSS module.
    Module,
}

/// What is known about this host without a query.
pub trait HostFacts {
    /// The host's own name.
    fn host_name(&self) -> String;
    /// Whether resolv.conf names systemd-resolved's stub as a server.
    fn stub_resolver(&self) -> bool;
    /// Whether the settings have servers for this name.
    fn own_servers(&self, name: &str) -> bool;
    /// Whether a file exists; a library's is given without its directory.
    fn exists(&self, path: &str) -> bool;
}

/// What to do in the place of `source` when `name` is looked up.
///
/// A module is skipped exactly if it would itself decline the name: NSS modules are libraries, and none is loaded into
/// this process.
#[must_use]
pub fn plan(source: &str, name: &str, facts: &impl HostFacts) -> Plan {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    match source {
        "files" => Plan::Files,
        "dns" => Plan::Dns,
        // Whoever configures servers for a domain wants those queried, and nothing that queries others.
        "resolve" if facts.own_servers(&name) => Plan::Dns,
        _ if source.starts_with("mdns") && facts.own_servers(&name) => Plan::Skip(NssStatus::Unavail),
        // nss-resolve(8): the stub gives the same answers, if the module is installed.
        "resolve" if facts.stub_resolver() && has_module(source, facts) => Plan::Dns,
        "resolve" if !facts.stub_resolver() && !facts.exists("/run/systemd/resolve/io.systemd.Resolve") => {
            Plan::Skip(NssStatus::Unavail)
        }
        // nss-myhostname(8)
        "myhostname" => match name.as_str() {
            _ if is_localhost(&name) => Plan::Localhost,
            "_gateway" | "_outbound" => Plan::Module,
            _ if facts.host_name().eq_ignore_ascii_case(&name) => Plan::Module,
            _ => Plan::Skip(none_of_its_names(source, facts)),
        },
        // nss-mymachines(8): a machine's name is that of its file.
        "mymachines" if name.contains('/') || !facts.exists(&format!("/run/systemd/machines/{name}")) => {
            Plan::Skip(none_of_its_names(source, facts))
        }
        // nss-mdns: the minimal modules only know .local, the others also what /etc/mdns.allow adds.
        _ if source.starts_with("mdns") && !is_local(&name) => {
            if source.ends_with("_minimal") || !facts.exists("/etc/mdns.allow") {
                Plan::Skip(NssStatus::Unavail)
            } else {
                Plan::Module
            }
        }
        _ => Plan::Module,
    }
}

/// Whether [`Plan::Module`] is possible for `source`, for names that are not known yet.
#[must_use]
pub fn may_ask_modules(source: &str, facts: &impl HostFacts) -> bool {
    match source {
        "files" | "dns" => false,
        "resolve" => plan(source, "", facts) == Plan::Module,
        _ => true,
    }
}

/// Whether the module's library is where libraries usually are.
fn has_module(source: &str, facts: &impl HostFacts) -> bool {
    facts.exists(&library(source))
}

/// The file of a source's module.
#[must_use]
pub fn library(source: &str) -> String {
    format!("libnss_{source}.so.2")
}

/// The status that a source with names of its own has for another name.
fn none_of_its_names(source: &str, facts: &impl HostFacts) -> NssStatus {
    if has_module(source, facts) { NssStatus::NotFound } else { NssStatus::Unavail }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix(".localdomain").unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

fn is_local(name: &str) -> bool {
    name.rsplit('.').next() == Some("local")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told {
        stub: bool,
        own: &'static str,
        files: &'static [&'static str],
    }

    impl HostFacts for Told {
        fn host_name(&self) -> String {
            "node7.example.org".to_owned()
        }

        fn stub_resolver(&self) -> bool {
            self.stub
        }

        fn own_servers(&self, name: &str) -> bool {
            !self.own.is_empty() && name.ends_with(self.own)
        }

        fn exists(&self, path: &str) -> bool {
            self.files.contains(&path)
        }
    }

    #[test]
    fn hosts_lines_of_distributions_need_no_module_for_ordinary_names() {
        for line in [
            "files dns",                                                 // Debian server, SUSE
            "files mdns4_minimal [NOTFOUND=return] dns",                 // Debian and Ubuntu desktop
            "files mdns4_minimal [NOTFOUND=return] dns mymachines",      // Ubuntu with containers
            "files resolve [!UNAVAIL=return] dns",                       // Ubuntu, systemd
            "files myhostname resolve [!UNAVAIL=return] dns",            // Fedora
            "files dns myhostname",                                      // RHEL
            "mymachines resolve [!UNAVAIL=return] files myhostname dns", // Arch
            "files mdns_minimal [NOTFOUND=return] dns",                  // SUSE desktop
        ] {
            let (order, _) = crate::config::nsswitch::parse(format!("hosts: {line}").as_bytes());
            let files = &["libnss_resolve.so.2"];
            for facts in [Told::default(), Told { stub: true, files, ..Told::default() }] {
                for entry in &order {
                    let plan = plan(&entry.name, "mon1.storage.example.org", &facts);
                    assert_ne!(plan, Plan::Module, "{line}: {}", entry.name);
                }
            }
        }
    }

    #[test]
    fn a_module_is_queried_only_for_names_it_can_answer() {
        let facts = Told {
            files: &[
                "/run/systemd/machines/box",
                "/run/systemd/resolve/io.systemd.Resolve",
                "libnss_myhostname.so.2",
                "libnss_mymachines.so.2",
            ],
            ..Told::default()
        };
        for (source, name, expected) in [
            ("mdns4_minimal", "printer.local", Plan::Module),
            ("mdns4", "printer.LOCAL.", Plan::Module),
            ("mdns", "printer.example", Plan::Skip(NssStatus::Unavail)),
            ("myhostname", "NODE7.example.org", Plan::Module),
            ("myhostname", "_gateway", Plan::Module),
            ("myhostname", "a.localhost", Plan::Localhost),
            ("myhostname", "localhost.localdomain", Plan::Localhost),
            ("myhostname", "other", Plan::Skip(NssStatus::NotFound)),
            ("mymachines", "box", Plan::Module),
            ("mymachines", "other", Plan::Skip(NssStatus::NotFound)),
            ("mymachines", "../machines/box", Plan::Skip(NssStatus::NotFound)),
            ("resolve", "mon1", Plan::Module),
            ("sss", "mon1", Plan::Module),
            ("wins", "mon1", Plan::Module),
        ] {
            assert_eq!(plan(source, name, &facts), expected, "{source} {name}");
        }
        let allowed = Told { files: &["/etc/mdns.allow"], ..Told::default() };
        assert_eq!(plan("mdns4", "printer.example", &allowed), Plan::Module);
        assert_eq!(plan("mdns4_minimal", "printer.example", &allowed), Plan::Skip(NssStatus::Unavail));
        assert_eq!(plan("resolve", "mon1", &allowed), Plan::Skip(NssStatus::Unavail));
    }

    #[test]
    fn a_module_without_a_visible_library_is_unavailable_or_still_queried() {
        let facts = Told { stub: true, files: &["/run/systemd/machines/box"], ..Told::default() };
        for (source, name, expected) in [
            ("resolve", "mon1", Plan::Module),
            ("myhostname", "other", Plan::Skip(NssStatus::Unavail)),
            ("mymachines", "other", Plan::Skip(NssStatus::Unavail)),
            ("mymachines", "box", Plan::Module),
        ] {
            assert_eq!(plan(source, name, &facts), expected, "{source} {name}");
        }
    }

    #[test]
    fn a_name_with_configured_servers_is_looked_up_in_dns() {
        let files = &["/run/systemd/resolve/io.systemd.Resolve", "/etc/mdns.allow"];
        let facts = Told { own: "cluster.local", files, ..Told::default() };
        for (source, name, expected) in [
            ("resolve", "mon1.cluster.local", Plan::Dns),
            ("resolve", "MON1.Cluster.Local.", Plan::Dns),
            ("resolve", "mon1.local", Plan::Module),
            ("mdns4_minimal", "mon1.cluster.local", Plan::Skip(NssStatus::Unavail)),
            ("mdns4", "mon1.cluster.local", Plan::Skip(NssStatus::Unavail)),
            ("mdns4_minimal", "printer.local", Plan::Module),
            ("files", "mon1.cluster.local", Plan::Files),
            ("sss", "mon1.cluster.local", Plan::Module),
        ] {
            assert_eq!(plan(source, name, &facts), expected, "{source} {name}");
        }
    }
}
