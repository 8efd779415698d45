//! The answer that the kernel would get, computed without the kernel.

use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::repair;
use crate::report::{Finding, Step};
use crate::shell;
use crate::subject::{Consumer, KeyRequest};
use key::Description;
use key::Failure;
use key::Preference;
use key::Request;
use names::Content;
use names::{Address, Origin, Trace, config};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use upcall::Settings;
use upcall::{Log, LookupReport, Purpose, Reply, look_up};

/// The name of the step.
pub(crate) const NAME: &str = "answer";
/// Any port will do to check for a route: nothing is sent.
const PORT: u16 = 6789;
/// The lengths of names that `dns_query()` accepts (net/dns_resolver/dns_query.c).
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=255;

/// What this step passes on to later ones.
#[derive(Debug)]
pub struct DryRun {
    /// The step.
    pub step: Step,
    /// The answer.
    pub reply: Reply,
    /// Whether there is one.
    pub found: bool,
}

/// Looks the request up as the helper would, with the settings in the file `path`.
#[must_use]
pub(crate) fn check(
    look: &HostRoot,
    question: &KeyRequest,
    consumer: Consumer,
    settings: &Settings,
    path: &str,
) -> DryRun {
    let mut step = Step::new(NAME);
    let lookup = dry(question, question.callout, settings);
    let reply = Reply::new(&lookup.outcome, settings);
    for tried in lookup.trace.steps() {
        step.fact(tried.to_string());
    }
    for warning in &lookup.warnings {
        step.fact(format!("warning: {warning}"));
    }
    let length = question.name().len();
    if !LENGTHS.contains(&length) {
        step.find(Finding::broken(
            "name-length",
            "file systems can only request names of 3 to 255 characters; others fail with EINVAL, without a lookup",
            format!("\"{}\" has {length}", question.name()),
            Remedy::advice("use the host's full name"),
        ));
    }
    match &lookup.outcome {
        Ok(answer) => {
            for origin in answer.origins() {
                step.fact(origin);
            }
            match &answer.content {
                Content::Addresses(addresses) => {
                    let origin =
                        addresses.first().map(|address| address.origin.to_string()).unwrap_or_default();
                    let text: Vec<String> = addresses.iter().map(|address| address.ip.to_string()).collect();
                    step.sum(format!("{} for {} s, {origin}", text.join(","), reply.expiry));
                    for address in addresses {
                        usable(&mut step, look, question.name(), address);
                    }
                }
                Content::Servers(list) | Content::Endpoints(list) => {
                    step.sum(format!(
                        "{} servers, {} for {} s",
                        list.servers.len(),
                        list.text(),
                        reply.expiry
                    ));
                }
            }
            step.fact(format!("how {} reads it: {}", consumer.name(), fate(consumer)));
        }
        Err(failure) => {
            let errno = failure.verdict().0;
            step.sum(format!("none: {errno} for {} s", reply.expiry));
            step.find(explain(look, question, settings, path, &lookup, failure));
        }
    }
    let found = lookup.outcome.is_ok();
    DryRun { step, reply, found }
}

/// All addresses of the name, whichever of them would be in the answer.
#[must_use]
pub(crate) fn all_addresses(question: &KeyRequest, settings: &Settings) -> Vec<IpAddr> {
    match dry(question, "list", settings).outcome.map(|answer| answer.content) {
        Ok(Content::Addresses(addresses)) => addresses.iter().map(|address| address.ip).collect(),
        _ => Vec::new(),
    }
}

fn dry(question: &KeyRequest, callout: &str, settings: &Settings) -> LookupReport {
    let description = Description::from_argument(question.description.as_bytes());
    let request = Request { description, callout: callout.as_bytes().to_vec() };
    look_up(&request, settings, Trace::default(), Purpose::GoOn, &Log::none())
}

/// How the file system reads the answer.
const fn fate(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::Ceph => {
            "exactly one address; a list fails with EINVAL, and any failure is ESRCH, \"No such process\""
        }
        Consumer::Cifs => {
            "exactly one address, whose lifetime decides when a reconnect looks the name up again; errors reach mount"
        }
        Consumer::Nfs => "exactly one address; any failure is ENOENT, \"No such file or directory\"",
        Consumer::Afs => "a server list; ENODATA is \"no such cell\", EAGAIN and ECONNREFUSED are temporary",
        Consumer::Anyone => "CephFS, CIFS and NFS read exactly one address",
    }
}

/// Whether this host could connect to an address.
fn usable(step: &mut Step, look: &HostRoot, name: &str, Address { ip, origin }: &Address) {
    let nobody =
        ip.is_unspecified() || ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    if nobody {
        let remedy = match origin {
            Origin::Hosts(line) => repair::hosts::without(look, name, &[*line]),
            Origin::Dns { server: Some(server), .. } => Remedy::advice(format!(
                "correct the record of {name}, or use another name server than {}",
                repair::servers::bare(*server)
            )),
            _ => Remedy::advice(format!(
                "see where the address comes from: key-dns resolve --trace {}",
                shell::name(name)
            )),
        };
        let from = match origin {
            Origin::Dns { server: Some(server), .. } => format!("{origin} at {server}"),
            _ => origin.to_string(),
        };
        step.find(Finding::broken(
            "address-of-nobody",
            format!("{ip} is not a host's address, so no mount can use it: the source blocks the name"),
            format!("{ip} from {from}"),
            remedy,
        ));
        return;
    }
    let any: IpAddr = if ip.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
    let route = UdpSocket::bind(SocketAddr::new(any, 0))
        .and_then(|socket| socket.connect(SocketAddr::new(*ip, PORT)));
    match route {
        Ok(()) => {}
        Err(error) => step.find(Finding::broken(
            "no-route",
            format!("this host has no route to {ip}, so no file system can connect to it"),
            format!("connect to {ip}: {error}"),
            Remedy::advice(format!("add a route to {ip} (ip route add {ip} via GATEWAY)")),
        )),
    }
}

/// Why there is no answer.
fn explain(
    look: &HostRoot,
    question: &KeyRequest,
    settings: &Settings,
    path: &str,
    lookup: &LookupReport,
    failure: &Failure,
) -> Finding {
    let name = question.name();
    let tried = lookup.trace.to_string();
    let evidence = if tried.is_empty() { failure.to_string() } else { format!("{failure}; tried {tried}") };
    if let (Failure::NoAddress { .. } | Failure::NoSuchName { .. }, Preference::Only(family)) =
        (failure, settings.family)
        && !question.is_cell()
        && let Some(other) =
            all_addresses(question, &Settings { family: Preference::Any, ..settings.clone() }).first()
    {
        let family = format!("{family:?}").to_lowercase();
        return Finding::broken(
            "family-excluded",
            format!("the settings allow only {family} addresses, and the name has only others"),
            format!("family = {family}; {name} has {other}"),
            repair::set(look, path, "family", &format!("{family}-first")),
        );
    }
    let add = || Remedy::advice(add(name));
    match failure {
        Failure::NoSuchName { .. } => Finding::broken(
            "no-such-name",
            "the name does not exist: a typo, or DNS lacks it",
            evidence,
            add(),
        ),
        Failure::NoAddress { .. } => {
            Finding::broken("no-address", "the name exists, but has no address", evidence, add())
        }
        Failure::NoServer { .. } => Finding::broken(
            "no-cell-servers",
            "no source has a server for the cell",
            evidence,
            Remedy::advice(format!(
                "add the cell's servers to DNS (_afs3-vlserver._udp.{name}) or to /etc/openafs/CellServDB"
            )),
        ),
        Failure::Temporary(_) | Failure::Deadline(_) | Failure::Refused(_) => Finding::broken(
            "no-answer",
            "no source that could know the name answers",
            evidence,
            Remedy::advice(format!(
                "configure a name server that answers for {0}: nameserver[{0}] = ADDRESS in {path}",
                domain(name)
            )),
        ),
        Failure::BadName { .. } => Finding::broken(
            "bad-name",
            "this is not a valid host name",
            evidence,
            Remedy::advice("use the host's real name"),
        ),
        Failure::UnknownType(_) | Failure::BadOption(_) | Failure::Usage(_) | Failure::Internal(_) => {
            Finding::broken(
                "bad-question",
                "the request can't be answered",
                evidence,
                Remedy::advice(format!("try other options: key-dns resolve --trace {}", shell::name(name))),
            )
        }
    }
}

/// What to do if a name has no address.
fn add(name: &str) -> String {
    let mut text = String::new();
    if !name.trim_end_matches('.').contains('.') {
        text += "use the full name, or add the domain to \"search\" in /etc/resolv.conf (CIFS DFS referrals pass such \
            short names); or ";
    }
    text + &format!("add the name to DNS, or to {} (ADDRESS {name})", config::HOSTS)
}

/// The domain that a name is in.
fn domain(name: &str) -> &str {
    name.split_once('.').map_or(".", |(_, domain)| domain)
}
