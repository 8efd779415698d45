//! A host for unit tests: its files as text, its name servers as a table, and a simulated clock.

use crate::address::{Address, AddressSet, Families, Origin};
use crate::config::cells::{self, Cell};
use crate::config::resolv::ResolvConf;
use crate::config::{self, gai, host_conf, nsswitch};
use crate::dns::absolute;
use crate::file::DeferredFile;
use crate::host::Host;
use crate::hosts::Files;
use crate::message::{Question, RecordType};
use crate::modules::{ModuleAnswer, NssModules};
use crate::options::LookupOptions;
use crate::order::host::HostSources;
use crate::script::{Act, Asked, Script, Table, block_on};
use crate::trace::Trace;
use key::{Failure, Ttl};
use std::cell::RefCell;
use std::pin::Pin;
use tokio::time::Instant;

/// The contents of a host's files. Unless told otherwise, only DNS is queried, and 192.0.2.1 once for each name.
pub(crate) struct TestHost<'a> {
    /// What follows `hosts:` in `nsswitch.conf`.
    pub(crate) order: &'a str,
    pub(crate) resolv: &'a str,
    pub(crate) hosts: Option<&'a str>,
    /// The location of the hosts file.
    pub(crate) hosts_path: Option<&'static str>,
    pub(crate) host_conf: &'a str,
    pub(crate) gai: &'a str,
    /// The host's own name.
    pub(crate) name: &'a str,
    /// Files that exist.
    pub(crate) present: &'a [&'a str],
    /// Whether its routes are those of this machine.
    pub(crate) has_routes: bool,
    pub(crate) kafs: Option<Cell>,
    /// The text of OpenAFS's first database.
    pub(crate) openafs: &'a str,
    pub(crate) options: LookupOptions,
    pub(crate) modules: Option<&'a dyn NssModules>,
}

impl Default for TestHost<'_> {
    fn default() -> Self {
        Self {
            order: "dns",
            resolv: "nameserver 192.0.2.1\noptions attempts:1",
            hosts: None,
            hosts_path: None,
            host_conf: "",
            gai: "",
            name: "",
            present: &[],
            has_routes: false,
            kafs: None,
            openafs: "",
            options: LookupOptions::default(),
            modules: None,
        }
    }
}

/// The outcome of something on such a host.
pub(crate) struct Seen<T> {
    pub(crate) outcome: T,
    /// The queries, in their order.
    pub(crate) asked: Vec<Asked>,
    /// In milliseconds.
    pub(crate) took: u128,
    /// The steps as text, decisions included.
    pub(crate) trace: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl<T> Seen<T> {
    /// The queries except the plain ones that follow at once what a server has just denied or failed: the tests of
    /// `dns::client` cover those.
    fn first_asked(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().enumerate().filter_map(|(place, asked)| {
            let same = |earlier: &Asked| {
                (earlier.server, earlier.at, earlier.edns) == (asked.server, asked.at, true)
                    && earlier.question == asked.question
            };
            let again = !asked.edns && self.asked.iter().take(place).any(same);
            (!again).then_some(asked)
        })
    }

    /// The question, as `mon1.test. A`.
    pub(crate) fn questions(&self) -> Vec<String> {
        self.first_asked().map(|asked| asked.question.to_string()).collect()
    }

    /// Its time, in milliseconds.
    pub(crate) fn times(&self) -> Vec<u128> {
        self.first_asked().map(|asked| asked.at.as_millis()).collect()
    }

    /// The server, without its port.
    pub(crate) fn servers(&self) -> Vec<String> {
        self.first_asked().map(|asked| asked.server.ip().to_string()).collect()
    }
}

impl TestHost<'_> {
    /// Does something on this host, with these servers.
    pub(crate) fn run<T>(
        &self,
        servers: Table,
        task: impl AsyncFnOnce(&Host<'_, Script<Table>>) -> T,
    ) -> Seen<T> {
        let trace = Trace::detailed();
        let (order, _) = nsswitch::parse(format!("hosts: {}", self.order).as_bytes());
        let (resolv, _) = ResolvConf::parse(self.resolv.as_bytes());
        let cell = self.kafs.clone();
        let mut host = Host::with_files(order, resolv, cell, &self.options, &trace, Script::new(servers));
        let text = |text| DeferredFile::holding(config::HOSTS, text);
        let file = self.hosts_path.map(DeferredFile::open).or(self.hosts.map(text));
        host.files.files = file
            .map(|hosts| Files { hosts, host_conf: DeferredFile::holding(host_conf::PATH, self.host_conf) });
        host.files.gai = DeferredFile::holding(gai::PATH, self.gai);
        self.name.clone_into(&mut host.files.name);
        host.files.present = self.present.iter().map(|&path| path.to_owned()).collect();
        if self.has_routes {
            host.files.addresses = HostSources::open();
        }
        if let Some(files) = &mut host.files.cell {
            let [first, second] = cells::OPENAFS;
            files.openafs = [DeferredFile::holding(first, self.openafs), DeferredFile::absent(second)];
        }
        if let Some(modules) = self.modules {
            host.ask_modules_by(modules);
        }
        let (outcome, took) = block_on(async {
            let start = Instant::now();
            let outcome = task(&host).await;
            (outcome, start.elapsed().as_millis())
        });
        Seen {
            outcome,
            asked: host.transport().asked(),
            took,
            trace: trace.steps().iter().map(ToString::to_string).collect(),
            warnings: host.warnings(),
        }
    }
}

/// NSS modules that answer by source and name, and record what they were asked.
#[derive(Debug, Default)]
pub(crate) struct FakeModules<'a> {
    /// Source, name and addresses, or `UNAVAIL`, `TRYAGAIN` or `not asked` in their place.
    pub(crate) answers: &'a [(&'a str, &'a str, &'a str)],
    pub(crate) asked: RefCell<Vec<String>>,
}

impl NssModules for FakeModules<'_> {
    fn lookup<'a>(
        &'a self,
        source: &'a str,
        name: &'a str,
        families: Families,
    ) -> Pin<Box<dyn Future<Output = ModuleAnswer> + 'a>> {
        Box::pin(async move {
            self.asked.borrow_mut().push(format!("{source}: {name} ({families})"));
            let answer = self.answers.iter().find(|(of, about, _)| (*of, *about) == (source, name));
            let address =
                |ip: &str| Address { ip: ip.parse().unwrap(), origin: Origin::Getent(source.to_owned()) };
            match answer {
                None => ModuleAnswer::NotFound,
                Some((.., "not asked")) => ModuleAnswer::NotAsked,
                Some((.., "UNAVAIL")) => ModuleAnswer::Unavailable("it is not there".to_owned()),
                Some((.., "TRYAGAIN")) => ModuleAnswer::TryAgain("it is busy".to_owned()),
                Some((.., addresses)) => ModuleAnswer::Found(AddressSet {
                    addresses: addresses.split(' ').map(address).collect(),
                    ..AddressSet::default()
                }),
            }
        })
    }
}

/// A table of these lines.
pub(crate) fn table(lines: &[(&str, Act)]) -> Table {
    Table::new(lines.iter().cloned())
}

/// Addresses as `192.0.2.1 192.0.2.2 for 60 s`, or a failure as its text, with how long it holds, if known.
pub(crate) fn shown(outcome: &Result<AddressSet, Failure>) -> String {
    match outcome {
        Ok(found) => {
            let addresses: Vec<String> = found.addresses.iter().map(|one| one.ip.to_string()).collect();
            lasting(&addresses.join(" "), found.ttl)
        }
        Err(failure) => shown_failure(failure),
    }
}

/// A failure in that form.
pub(crate) fn shown_failure(failure: &Failure) -> String {
    match failure {
        Failure::NoSuchName { ttl } => lasting("no such name", *ttl),
        Failure::NoAddress { ttl } => lasting("no address", *ttl),
        Failure::NoServer { ttl, .. } => lasting("no server", *ttl),
        other => other.to_string(),
    }
}

fn lasting(text: &str, ttl: Option<Ttl>) -> String {
    match ttl {
        Some(ttl) => format!("{text} for {ttl} s"),
        None => text.to_owned(),
    }
}

/// A question.
pub(crate) fn question(name: &str, record_type: RecordType) -> Question {
    Question { name: absolute(name).unwrap(), record_type }
}
