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
use probe::{Probe, Pulse};
use std::net::IpAddr;
use upcall::Settings;

/// The name of the step.
pub(crate) const NAME: &str = "servers";

/// Checks the name service for these keys, a step for each; without any, whether the servers answer at all. The settings
/// are in the file `path`.
#[must_use]
pub(crate) fn check(look: &HostRoot, questions: &[Asked], settings: &Settings, path: &str) -> Vec<Step> {
    let trace = Trace::default();
    let host = Host::open(None, &settings.lookup, &trace);
    let dns = host.dns(NameKind::Host);
    let asked: Vec<Option<&Asked>> =
        if questions.is_empty() { vec![None] } else { questions.iter().map(Some).collect() };
    let inquiries: Vec<Inquiry<'_>> =
        asked.into_iter().map(|asked| inquire(look, &host, &dns, asked, settings)).collect();
    let pulse = Pulse::take(inquiries.iter().flat_map(|inquiry| &inquiry.probes), &dns);
    let context = Context { look, settings, path, pulse };
    inquiries.into_iter().map(|inquiry| inquiry.judge(&context)).collect()
}

/// What all keys have in common.
struct Context<'a> {
    look: &'a HostRoot,
    settings: &'a Settings,
    /// The file of the settings.
    path: &'a str,
    pulse: Pulse,
}

/// What was learned about one key.
struct Inquiry<'a> {
    step: Step,
    asked: Option<&'a Asked>,
    /// The name's addresses in the hosts file, with their lines.
    hosts: Vec<(IpAddr, usize)>,
    /// Nothing if the step is complete without them.
    probes: Vec<Probe>,
}

fn inquire<'a>(
    look: &HostRoot,
    host: &Host<'_, Network>,
    dns: &Dns<'_, &Network>,
    asked: Option<&'a Asked>,
    settings: &Settings,
) -> Inquiry<'a> {
    let mut inquiry = Inquiry { step: Step::new(NAME), asked, hosts: Vec::new(), probes: Vec::new() };
    let step = &mut inquiry.step;
    let order: Vec<&str> = host.order().iter().map(|entry| entry.name.as_str()).collect();
    step.fact(format!("sources: {}", order.join(" ")));
    let family = match settings.family {
        Preference::Only(family) | Preference::First(family) => family,
        Preference::Any => Family::Ipv4,
    };
    if !dns.search.is_empty() {
        step.fact(format!("search list: {}, ndots {}", dns.search.join(" "), dns.ndots));
    }
    let here = asked.filter(|asked| !asked.is_cell()).map(Asked::name);
    inquiry.hosts =
        here.filter(|_| order.contains(&"files")).map_or_else(Vec::new, |name| entries(name, family));
    for (ip, line) in &inquiry.hosts {
        step.fact(format!("{}:{line}: {ip}", config::HOSTS));
    }
    if !order.iter().any(|source| ["dns", "resolve"].contains(source)) {
        step.sum(format!("sources {}: DNS is not queried", order.join(" ")));
        if asked.is_some() && inquiry.hosts.is_empty() && order.iter().all(|source| *source == "files") {
            step.find(Finding::broken(
                "dns-not-asked",
                "the name is not in the hosts file, and nothing else is queried",
                format!("/etc/nsswitch.conf: hosts: {}", order.join(" ")),
                crate::repair::source(look, "dns"),
            ));
        }
        return inquiry;
    }
    if let Some(name) = here
        && special::lookup(name, Families::Both).is_some()
    {
        step.sum("DNS is not queried for this name");
        return inquiry;
    }
    match probe::run(asked, family, dns, settings) {
        Ok(probes) => {
            for probe in &probes {
                step.fact(probe.to_string());
            }
            if probes.is_empty() {
                step.sum(format!("sources {}", order.join(" ")));
            }
            inquiry.probes = probes;
        }
        Err(why) => {
            step.sum("the servers could not be queried");
            step.unseen("the name servers", why);
        }
    }
    inquiry
}

impl Inquiry<'_> {
    /// The complete step.
    fn judge(self, context: &Context<'_>) -> Step {
        let Self { mut step, asked, hosts, probes } = self;
        // Of the names that the search list makes, the last one decided: the others do not exist.
        let Some(last) = probes.last().map(|probe| probe.question.clone()) else { return step };
        let last: Vec<&Probe> = probes.iter().filter(|probe| probe.question == last).collect();
        step.sum(last.iter().map(|probe| probe.short()).collect::<Vec<_>>().join(", "));
        let needed = asked.is_some() && hosts.is_empty();
        let all = last.len();
        let last = if asked.is_some() { name_fails(&mut step, &context.pulse, last, needed) } else { last };
        let alive_is_enough = asked.is_none();
        obstacles(&mut step, context, (&last, all), needed, alive_is_enough);
        disagreement(&mut step, &last, needed);
        quirks(&mut step, context, &last);
        let here = asked.filter(|asked| !asked.is_cell()).map(Asked::name);
        overridden(&mut step, here.unwrap_or_default(), &hosts, &last);
        step
    }
}

/// The name's addresses in the hosts file, with their lines.
fn entries(name: &str, family: Family) -> Vec<(IpAddr, usize)> {
    let found = hosts::lookup(&Files::open(), name, Families::Only(family)).ok().flatten();
    let addresses = found.map(|found| found.addresses).unwrap_or_default();
    let line = |origin: &Origin| if let Origin::Hosts(line) = origin { *line } else { 0 };
    addresses.iter().map(|address| (address.ip, line(&address.origin))).collect()
}

/// Servers that answer other queries, but not those for this name: the fault is not theirs. Returns the others.
fn name_fails<'a>(step: &mut Step, pulse: &Pulse, probes: Vec<&'a Probe>, needed: bool) -> Vec<&'a Probe> {
    let (failing, others): (Vec<&Probe>, Vec<&Probe>) =
        probes.into_iter().partition(|probe| pulse.excuses(probe));
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

/// Servers that give no usable answer. There are `all` servers with those whose fault it is not.
fn obstacles(
    step: &mut Step,
    &Context { look, settings, path, ref pulse }: &Context<'_>,
    (probes, all): (&[&Probe], usize),
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
    if bad.len() == all {
        let problem = match all {
            1 => "the only name server gives no usable answer",
            _ => "no name server gives a usable answer",
        };
        let none_named = repair::names_no_server(look);
        let evidence = if none_named {
            format!("/etc/resolv.conf names no server, so 127.0.0.1 is queried; {}", evidence(&bad))
        } else {
            evidence(&bad)
        };
        let remedy = repair::replace(look, (settings, path), &first.question, first.server);
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
            repair::remove(
                look,
                (settings, path),
                &probe.question,
                probe.server,
                pulse.is_dead(probe.server),
            ),
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
fn quirks(step: &mut Step, context: &Context<'_>, probes: &[&Probe]) {
    let as_it_is = || crate::repair::set(context.look, context.path, "mixed_case", "no");
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
                        context.settings.lookup.hedge.as_millis()
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
fn overridden(step: &mut Step, name: &str, hosts: &[(IpAddr, usize)], probes: &[&Probe]) {
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
        crate::repair::hosts::differ(name, &lines),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_root::tree;
    use names::ServerError;
    use names::dns::Protocol;
    use names::message::Response;

    const RESOLV: (&str, &str) = ("etc/resolv.conf", "nameserver 10.0.0.1\nnameserver 10.0.0.2\n");
    const COMMAND: &str = "sed -i 's|^nameserver 10[.]0[.]0[.]1$|# &|' /etc/resolv.conf";

    fn silence() -> Result<Response, ServerError> {
        Err(Obstacle::TimedOut.over(Protocol::Udp))
    }

    fn rcode(number: u16) -> Result<Response, ServerError> {
        match number {
            rcode::NOERROR => Ok(Response::default()),
            _ => Err(Obstacle::Rcode(number).over(Protocol::Udp)),
        }
    }

    fn answer() -> Result<Response, ServerError> {
        rcode(rcode::NOERROR)
    }

    /// The findings for keys that two servers answered like this, and for what they were queried about afterwards.
    fn found(
        keys: &[[Result<Response, ServerError>; 2]],
        again: &[(&str, &str, Result<Response, ServerError>)],
    ) -> Vec<(&'static str, Option<String>)> {
        const SERVERS: [&str; 2] = ["10.0.0.1", "10.0.0.2"];
        let look = tree("servers", &[RESOLV]);
        let question = |at: usize| Asked { description: format!("mon{at}.test"), callout: "" };
        let questions: Vec<Asked> = (0..keys.len()).map(question).collect();
        let inquiries: Vec<Inquiry<'_>> = keys
            .iter()
            .zip(&questions)
            .map(|(outcomes, asked)| Inquiry {
                step: Step::new(NAME),
                asked: Some(asked),
                hosts: Vec::new(),
                probes: std::iter::zip(SERVERS, outcomes)
                    .map(|(server, outcome)| Probe::made(server, asked.name(), outcome.clone()))
                    .collect(),
            })
            .collect();
        let mut pulse = Pulse::default();
        pulse.add(inquiries.iter().flat_map(|inquiry| &inquiry.probes));
        let again: Vec<Probe> =
            again.iter().map(|(server, name, outcome)| Probe::made(server, name, outcome.clone())).collect();
        pulse.add(again.iter());
        let settings = Settings::default();
        let context = Context { look: &look, settings: &settings, path: "/etc/site.conf", pulse };
        let steps = inquiries.into_iter().map(|inquiry| inquiry.judge(&context));
        let findings = steps.flat_map(|step| step.findings);
        findings.map(|finding| (finding.id, finding.remedy.command().map(str::to_owned))).collect()
    }

    #[test]
    fn only_a_server_that_answers_nothing_is_removed() {
        let dead = [("server-silent", Some(COMMAND.to_owned()))];
        assert_eq!(found(&[[silence(), answer()]], &[]), dead);
        assert_eq!(found(&[[silence(), answer()]], &[("10.0.0.1", ".", silence())]), dead);
        // It resolves other names, and is still waiting for the servers of this one.
        let slow = [("name-fails", None)];
        assert_eq!(found(&[[silence(), answer()]], &[("10.0.0.1", ".", answer())]), slow);
        // It can't resolve names, but may have some of its own.
        let alive = [("server-silent", None)];
        for outcome in [answer(), rcode(5)] {
            assert_eq!(found(&[[silence(), answer()]], &[("10.0.0.1", "here.test", outcome)]), alive);
        }
        assert_eq!(found(&[[silence(), answer()]], &[("10.0.0.1", ".", rcode(2))]), alive);
        assert_eq!(found(&[[rcode(5), answer()]], &[]), [("server-refuses", None)]);
        assert_eq!(found(&[[rcode(2), answer()]], &[]), [("server-fails", None)]);
        let by_tcp = Err(Obstacle::ConnectionRefused.over(Protocol::Tcp));
        assert_eq!(found(&[[by_tcp, answer()]], &[]), [("server-not-there", None)]);
    }

    #[test]
    fn a_setting_is_changed_in_the_file_that_the_rule_gives() {
        let changes_letters = Ok(Response { quirks: vec![Quirk::OtherLetters], ..Response::default() });
        let found = found(&[[changes_letters, answer()]], &[]);
        let [("server-changes-letters", Some(command))] = found.as_slice() else { panic!("{found:?}") };
        assert!(command.ends_with(" >>/etc/site.conf; })"), "{command}");
    }

    #[test]
    fn an_entry_of_the_hosts_file_that_dns_contradicts_is_not_removed() {
        let record = names::message::Record {
            owner: names::message::Name::root(),
            ttl: key::Ttl::MIN,
            data: names::message::Rdata::A([10, 0, 1, 1].into()),
        };
        let dns = Response { answers: vec![record], ..Response::default() };
        let mut step = Step::new(NAME);
        let probe = Probe::made("10.0.0.1", "mon1.test", Ok(dns));
        overridden(&mut step, "mon1.test", &[([10, 9, 1, 1].into(), 3)], &[&probe]);
        let words = "remove mon1.test from line 3 of /etc/hosts, if DNS is right";
        assert_eq!(step.findings[0].remedy, Remedy::advice(words));
    }

    #[test]
    fn the_remedies_of_one_report_never_remove_all_servers() {
        let crosswise = [[silence(), answer()], [answer(), silence()]];
        assert_eq!(found(&crosswise, &[]), [("server-silent", None), ("server-silent", None)]);
        let down = || Err(Obstacle::ConnectionRefused.over(Protocol::Udp));
        let crosswise = [[down(), answer()], [answer(), down()]];
        assert_eq!(found(&crosswise, &[]), [("server-not-there", None), ("server-not-there", None)]);
    }

    #[test]
    fn a_dead_server_beside_one_that_fails_for_the_name_is_not_called_the_only_one() {
        let both = found(&[[silence(), rcode(2)]], &[("10.0.0.2", ".", answer())]);
        assert_eq!(both, [("name-fails", None), ("server-silent", Some(COMMAND.to_owned()))]);
    }
}
