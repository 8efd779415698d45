//! The name service: its sources, the hosts file, and each name server, checked with one query.

mod probe;

use crate::host_root::HostRoot;
use crate::remedy::Remedy;
use crate::repair::servers as repair;
use crate::report::{Finding, Step};
use crate::subject::KeyRequest as Asked;
use key::{Family, Preference};
use names::Obstacle;
use names::Trace;
use names::dns::{Dns, Network};
use names::hosts::Files;
use names::message::{Quirk, rcode};
use names::special;
use names::{Families, Origin, config, hosts};
use names::{Host, NameKind};
use probe::Probe;
use std::net::{IpAddr, SocketAddr};
use upcall::{DEFAULT_PATH, Settings};

/// The name of the step.
pub(crate) const NAME: &str = "servers";

/// Checks the name service for one key; without one, whether the servers answer at all.
#[must_use]
pub(crate) fn check(look: &HostRoot, asked: Option<&Asked>, settings: &Settings) -> Step {
    let mut step = Step::new(NAME);
    let trace = Trace::default();
    let host = Host::open(None, &settings.lookup, &trace);
    let order: Vec<&str> = host.order().iter().map(|entry| entry.name.as_str()).collect();
    step.fact(format!("sources: {}", order.join(" ")));
    let family = match settings.family {
        Preference::Only(family) | Preference::First(family) => family,
        Preference::Any => Family::Ipv4,
    };
    let dns = host.dns(NameKind::Host);
    if !dns.search.is_empty() {
        step.fact(format!("search list: {}, ndots {}", dns.search.join(" "), dns.ndots));
    }
    let here = asked.filter(|asked| !asked.is_cell()).map(Asked::name);
    let hosts = here.filter(|_| order.contains(&"files")).map_or_else(Vec::new, |name| entries(name, family));
    for (ip, line) in &hosts {
        step.fact(format!("{}:{line}: {ip}", config::HOSTS));
    }
    if !order.iter().any(|source| ["dns", "resolve"].contains(source)) {
        step.sum(format!("sources {}: DNS is not queried", order.join(" ")));
        if asked.is_some() && hosts.is_empty() && order.iter().all(|source| *source == "files") {
            step.find(Finding::broken(
                "dns-not-asked",
                "the name is not in the hosts file, and nothing else is queried",
                format!("/etc/nsswitch.conf: hosts: {}", order.join(" ")),
                crate::repair::source(look, "dns"),
            ));
        }
        return step;
    }
    if let Some(name) = here
        && special::lookup(name, Families::Both).is_some()
    {
        step.sum("DNS is not queried for this name");
        return step;
    }
    let probes = match probe::run(asked, family, &dns, settings) {
        Ok(probes) => probes,
        Err(why) => {
            step.sum("the servers could not be queried");
            step.unseen("the name servers", why);
            return step;
        }
    };
    for probe in &probes {
        step.fact(probe.to_string());
    }
    // Of the names that the search list makes, the last one decided: the others do not exist.
    let Some(last) = probes.last().map(|probe| probe.question.clone()) else {
        step.sum(format!("sources {}", order.join(" ")));
        return step;
    };
    let last: Vec<&Probe> = probes.iter().filter(|probe| probe.question == last).collect();
    step.sum(last.iter().map(|probe| probe.short()).collect::<Vec<_>>().join(", "));
    let needed = asked.is_some() && hosts.is_empty();
    let last = if asked.is_some() { name_fails(&mut step, &dns, last, needed) } else { last };
    obstacles(&mut step, look, settings, &last, needed, asked.is_none());
    disagreement(&mut step, &last, needed);
    quirks(&mut step, look, settings, &last);
    overridden(&mut step, look, here.unwrap_or_default(), &hosts, &last);
    step
}

/// The name's addresses in the hosts file, with their lines.
fn entries(name: &str, family: Family) -> Vec<(IpAddr, usize)> {
    let found = hosts::lookup(&Files::open(), name, Families::Only(family)).ok().flatten();
    let addresses = found.map(|found| found.addresses).unwrap_or_default();
    let line = |origin: &Origin| if let Origin::Hosts(line) = origin { *line } else { 0 };
    addresses.iter().map(|address| (address.ip, line(&address.origin))).collect()
}

/// Servers that answer other queries, but not those for this name: the fault is not theirs. Returns the others.
fn name_fails<'a>(
    step: &mut Step,
    dns: &Dns<'_, &Network>,
    probes: Vec<&'a Probe>,
    needed: bool,
) -> Vec<&'a Probe> {
    let failing: Vec<SocketAddr> =
        probes.iter().filter(|probe| probe.fails()).map(|probe| probe.server).collect();
    if failing.is_empty() {
        return probes;
    }
    let alive = probe::alive(&failing, dns);
    let (failing, others): (Vec<&Probe>, Vec<&Probe>) =
        probes.into_iter().partition(|probe| probe.fails() && alive.contains(&probe.server));
    let Some(first) = failing.first() else { return others };
    let name = first.question.name.to_ascii();
    let evidence = failing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let short = !name.trim_end_matches('.').contains('.');
    let (why, remedy) = if short {
        (
            ": systemd-resolved, for example, queries no server for a name without a dot",
            "use the full name, or add the domain to \"search\" in /etc/resolv.conf (systemd-resolved: Domains=); \
             CIFS DFS referrals pass such short names",
        )
    } else {
        (
            ": the name's own servers are silent, or its zone is broken (DNSSEC)",
            "repair the name's zone or its servers; key-dns resolve --trace shows the queries",
        )
    };
    let problem = format!("the name servers answer other queries, but not those for {name}{why}");
    let remedy = Remedy::advice(remedy);
    step.find(if needed && others.iter().all(|probe| probe.outcome.is_err()) {
        Finding::broken("name-fails", problem, evidence, remedy)
    } else {
        Finding::warn("name-fails", problem, evidence, remedy)
    });
    others
}

/// Servers that give no usable answer.
fn obstacles(
    step: &mut Step,
    look: &HostRoot,
    settings: &Settings,
    probes: &[&Probe],
    needed: bool,
    alive_is_enough: bool,
) {
    let bad: Vec<(&&Probe, &Obstacle)> = probes
        .iter()
        .filter_map(|probe| Some((probe, &probe.outcome.as_ref().err()?.obstacle)))
        .filter(|(_, obstacle)| !(alive_is_enough && matches!(obstacle, Obstacle::Rcode(_) | Obstacle::Lame)))
        .collect();
    let evidence = |probes: &[(&&Probe, &Obstacle)]| {
        probes.iter().map(|(probe, _)| probe.to_string()).collect::<Vec<_>>().join("; ")
    };
    let Some((first, obstacle)) = bad.first() else { return };
    let id = match obstacle {
        Obstacle::TimedOut => "server-silent",
        Obstacle::ConnectionRefused => "server-not-there",
        Obstacle::Unreachable(_) => "server-unreachable",
        Obstacle::Rcode(rcode::REFUSED) => "server-refuses",
        Obstacle::Rcode(_) | Obstacle::Lame | Obstacle::Undecodable(_) | Obstacle::Forged => "server-fails",
    };
    if bad.len() == probes.len() {
        let problem = match probes.len() {
            1 => "the only name server gives no usable answer",
            _ => "no name server gives a usable answer",
        };
        let none_named = repair::names_no_server(look);
        let evidence = if none_named {
            format!("/etc/resolv.conf names no server, so 127.0.0.1 is queried; {}", evidence(&bad))
        } else {
            evidence(&bad)
        };
        let remedy = repair::replace(look, settings, &first.question, first.server);
        step.find(if needed || alive_is_enough {
            Finding::broken(id, problem, evidence, remedy)
        } else {
            Finding::warn(id, problem, evidence, remedy)
        });
        return;
    }
    for (probe, _) in &bad {
        step.find(Finding::warn(
            id,
            format!(
                "the name server {} gives no usable answer, and each lookup loses time to it",
                probe.server
            ),
            probe.to_string(),
            repair::remove(look, settings, &probe.question, probe.server),
        ));
    }
}

/// Servers that have nothing although others have addresses.
fn disagreement(step: &mut Step, probes: &[&Probe], needed: bool) {
    let Some(knows) = probes.iter().find(|probe| probe.has_records()) else { return };
    for (index, probe) in probes.iter().enumerate() {
        if probe.outcome.is_err() || probe.has_records() {
            continue;
        }
        let problem = format!(
            "the name server {} has no answer, although another one does; the first server that answers decides",
            probe.server
        );
        let evidence = format!("{probe}; {knows}");
        let remedy = repair::disagree(probe.server, knows.server);
        step.find(if index == 0 && needed {
            Finding::broken("servers-disagree", problem, evidence, remedy)
        } else {
            Finding::warn("servers-disagree", problem, evidence, remedy)
        });
    }
}

/// Servers that answer, but not as they should.
fn quirks(step: &mut Step, look: &HostRoot, settings: &Settings, probes: &[&Probe]) {
    let as_it_is = || crate::repair::set(look, DEFAULT_PATH, "mixed_case", "no");
    for probe in probes {
        let server = probe.server;
        let advise = |what: &str| Remedy::advice(format!("{what}, or replace it by another server"));
        // What it does not accept; the random case can be turned off.
        let either =
            |letters: &'static str, edns: &'static str| if probe.by_letters { letters } else { edns };
        let questions = either("names in random case (0x20)", "queries with EDNS");
        let remedy = || {
            if probe.by_letters {
                return as_it_is();
            }
            advise(&format!(
                "this only costs time; make {server}, or what is in front of it, accept queries with EDNS (RFC 6891)"
            ))
        };
        for quirk in probe.quirks() {
            let (id, problem, remedy) = match quirk {
                Quirk::OtherLetters => (
                    "server-changes-letters",
                    "changes the letter case in answers, so each lookup repeats the query over TCP, because such an \
                     answer may be forged"
                        .to_owned(),
                    as_it_is(),
                ),
                Quirk::DeniesAltered => (
                    either("server-denies-letters", "server-denies-edns"),
                    format!("denies names that it has to {questions}, so each lookup queries it twice"),
                    remedy(),
                ),
                Quirk::FailsAltered(why) => (
                    either("server-fails-at-letters", "server-fails-at-edns"),
                    format!("fails for {questions} ({why}), so each lookup queries it twice"),
                    remedy(),
                ),
                Quirk::SilentToAltered => (
                    either("server-drops-letters", "server-drops-edns"),
                    format!(
                        "does not answer {questions}, or something in between drops them: each lookup loses {} ms",
                        settings.lookup.hedge.as_millis()
                    ),
                    remedy(),
                ),
                Quirk::CutOff(why) => (
                    "server-without-tcp",
                    format!("truncates its answer, and the rest can't be had ({why}): a list of addresses fails"),
                    advise(&format!("make {server}, and the firewalls in front of it, accept TCP as well")),
                ),
                Quirk::Late => (
                    "server-late",
                    "answers after its timeout".to_owned(),
                    advise("raise the timeout (options timeout:N in /etc/resolv.conf)"),
                ),
            };
            let problem = format!("the name server {server} {problem}");
            step.find(Finding::warn(id, problem, probe.to_string(), remedy));
        }
    }
}

/// A hosts file that contradicts DNS.
fn overridden(step: &mut Step, look: &HostRoot, name: &str, hosts: &[(IpAddr, usize)], probes: &[&Probe]) {
    let Some((ip, line)) = hosts.first() else { return };
    let Some(probe) = probes.iter().find(|probe| !probe.addresses().is_empty()) else { return };
    let theirs = probe.addresses();
    if hosts.iter().any(|(ip, _)| theirs.contains(ip)) {
        return;
    }
    let mut lines: Vec<usize> = hosts.iter().map(|(_, line)| *line).collect();
    lines.dedup();
    step.find(Finding::warn(
        "hosts-override",
        "the hosts file has a different address for the name than DNS, and comes first",
        format!("{}:{line}: {ip}; {probe}", config::HOSTS),
        crate::repair::hosts::without(look, name, &lines),
    ));
}
