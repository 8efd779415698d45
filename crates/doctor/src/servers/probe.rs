//! One query to each server.

use crate::subject::KeyRequest as Asked;
use futures_util::future::join_all;
use key::Failure;
use key::Family;
use names::dns::Protocol;
use names::dns::{Answered, Client, Dns, Network, QueryOptions, Search, Verdict, absolute};
use names::message::{Name, Question, Quirk, Rdata, RecordType, Response, rcode};
use names::{Obstacle, ServerError, Trace};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use upcall::Settings;

/// The longest wait for a server, in seconds, whatever resolv.conf says.
const LONGEST: u32 = 3;
/// How many of the names that the search list makes are queried.
const MOST_NAMES: usize = 4;

/// The result for one server.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    pub(super) server: SocketAddr,
    pub(super) question: Question,
    pub(super) outcome: Result<Response, ServerError>,
    /// Whether it rejects random case, and not EDNS.
    pub(super) by_letters: bool,
    took: Duration,
}

/// Queries each server that a lookup would query; without a name, for the root's name servers, which any of them knows.
pub(super) fn run(
    asked: Option<&Asked>,
    family: Family,
    dns: &Dns<'_, &Network>,
    settings: &Settings,
) -> Result<Vec<Probe>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| format!("can't start the event loop: {error}"))?;
    let Some(asked) = asked else {
        let question = Question { name: Name::root(), record_type: RecordType::NS };
        return Ok(runtime.block_on(all(&question, dns, settings)));
    };
    if asked.is_cell() {
        let Some(name) = absolute(&format!("_afs3-vlserver._udp.{}", asked.name())) else {
            return Ok(Vec::new());
        };
        return Ok(runtime.block_on(all(&Question { name, record_type: RecordType::SRV }, dns, settings)));
    }
    let record_type = match family {
        Family::Ipv4 => RecordType::A,
        Family::Ipv6 => RecordType::AAAA,
    };
    let mut probes = Vec::new();
    let mut search = Search::new(asked.name(), &dns.search, dns.ndots, dns.no_tld_query);
    for _ in 0..MOST_NAMES {
        let Some(candidate) = search.next_candidate() else { break };
        let Some(name) = absolute(&candidate) else { continue };
        let found = runtime.block_on(all(&Question { name, record_type }, dns, settings));
        let goes_on = found.iter().all(Probe::is_no_such_name);
        probes.extend(found);
        if !goes_on {
            break;
        }
        search.report(Verdict::NoSuchName, Failure::NoSuchName { ttl: None });
    }
    Ok(probes)
}

/// What the servers that failed do otherwise.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Those that have answered anything, even an error.
    answering: Vec<SocketAddr>,
    /// Those that know the root's name servers, as any server does that resolves names.
    resolving: Vec<SocketAddr>,
}

impl Pulse {
    /// Queries the servers that failed in any of these again, for other names.
    pub(super) fn take<'a>(probes: impl Iterator<Item = &'a Probe> + Clone, dns: &Dns<'_, &Network>) -> Self {
        let mut pulse = Self::default();
        pulse.add(probes.clone());
        let mut failing: Vec<SocketAddr> =
            probes.filter(|probe| probe.fails() || !probe.answered()).map(|probe| probe.server).collect();
        failing.sort_unstable();
        failing.dedup();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let (false, Ok(runtime)) = (failing.is_empty(), runtime) else { return pulse };
        let root = Question { name: Name::root(), record_type: RecordType::NS };
        // RFC 6303, section 4.2: a server answers this by itself, even if those that it asks are silent.
        let here =
            absolute("1.0.0.127.in-addr.arpa").map(|name| Question { name, record_type: RecordType::PTR });
        let options =
            QueryOptions { attempts: 1, timeout: dns.queries.timeout.min(LONGEST), ..dns.queries.clone() };
        let questions: Vec<&Question> = [&root].into_iter().chain(&here).collect();
        let asked = failing
            .iter()
            .flat_map(|server| questions.iter().map(|question| one(*server, question, &options)));
        pulse.add(runtime.block_on(join_all(asked)).iter());
        pulse
    }

    /// Records who answered these.
    pub(super) fn add<'a>(&mut self, probes: impl Iterator<Item = &'a Probe>) {
        for probe in probes {
            self.answering.extend(probe.answered().then_some(probe.server));
            let resolves = probe.outcome.is_ok() && probe.question.name.is_root();
            self.resolving.extend(resolves.then_some(probe.server));
        }
    }

    /// Whether the name is the reason of a failure, and not the server.
    pub(super) fn excuses(&self, probe: &Probe) -> bool {
        probe.fails() && self.resolving.contains(&probe.server)
    }

    /// Whether a server has answered nothing at all.
    pub(super) fn is_dead(&self, server: SocketAddr) -> bool {
        !self.answering.contains(&server)
    }
}

async fn all(question: &Question, dns: &Dns<'_, &Network>, settings: &Settings) -> Vec<Probe> {
    let special = settings.lookup.name_servers_for(&question.name.to_ascii());
    let servers = special.map_or(&dns.servers, |domain| &domain.servers);
    let timeout = dns.queries.timeout.min(LONGEST);
    let options = QueryOptions { attempts: 1, timeout, ..dns.queries.clone() };
    join_all(servers.iter().map(|server| one(*server, question, &options))).await
}

async fn one(server: SocketAddr, question: &Question, options: &QueryOptions) -> Probe {
    let start = Instant::now();
    let outcome = ask(server, question, options).await;
    let took = start.elapsed();
    let mut by_letters = false;
    if options.mixed_case && outcome.as_ref().is_ok_and(|reply| reply.quirks.iter().any(is_of_the_question)) {
        // Only with EDNS.
        let options = QueryOptions { mixed_case: false, ..options.clone() };
        let again = ask(server, question, &options).await;
        by_letters = again.is_ok_and(|reply| !reply.quirks.iter().any(is_of_the_question));
    }
    Probe { server, question: question.clone(), outcome, by_letters, took }
}

/// The server's answer; a truncated one counts.
async fn ask(
    server: SocketAddr,
    question: &Question,
    options: &QueryOptions,
) -> Result<Response, ServerError> {
    let (answered, trace) = (Answered::default(), Trace::default());
    let client =
        Client { transport: &Network, servers: &[server], options, answered: &answered, trace: &trace };
    client.ask(question).await.or_else(|mut unanswered| match unanswered.partial.take() {
        Some(partial) => Ok(partial),
        None => Err(unanswered
            .errors
            .into_iter()
            .next()
            .map_or(Obstacle::TimedOut.over(Protocol::Udp), |(_, error)| error)),
    })
}

/// Whether EDNS or random case in the query causes it.
fn is_of_the_question(quirk: &Quirk) -> bool {
    matches!(quirk, Quirk::DeniesAltered | Quirk::FailsAltered(_) | Quirk::SilentToAltered)
}

impl Probe {
    /// Whether it denies the name, so that the search continues.
    fn is_no_such_name(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|reply| reply.rcode == rcode::NXDOMAIN)
    }

    /// Whether it answered that it can't tell, or says nothing, perhaps because it waits for others.
    fn fails(&self) -> bool {
        let Err(error) = &self.outcome else { return false };
        matches!(error.obstacle, Obstacle::Rcode(_) | Obstacle::Lame)
            || (error.obstacle == Obstacle::TimedOut && !self.answered())
    }

    /// Whether anything came from the server. Over TCP it is queried because of what it said over UDP, if resolv.conf does
    /// not demand TCP.
    fn answered(&self) -> bool {
        let Err(error) = &self.outcome else { return true };
        error.protocol == Protocol::Tcp
            || !matches!(
                error.obstacle,
                Obstacle::TimedOut | Obstacle::ConnectionRefused | Obstacle::Unreachable(_)
            )
    }

    /// Whether it has something, including an alias.
    pub(super) fn has_records(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|reply| !reply.answers.is_empty())
    }

    /// What is odd about the server.
    pub(super) fn quirks(&self) -> &[Quirk] {
        self.outcome.as_ref().map_or(&[], |reply| reply.quirks.as_slice())
    }

    /// The addresses in the answer.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let answers = self.outcome.as_ref().map(|reply| reply.answers.as_slice()).unwrap_or_default();
        let address = |data: &Rdata| match data {
            Rdata::A(address) => Some(IpAddr::V4(*address)),
            Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        };
        answers.iter().filter_map(|record| address(&record.data)).collect()
    }

    /// Server, outcome and time.
    pub(super) fn short(&self) -> String {
        format!("{} {} in {}", self.server, self.said(), time(self.took))
    }

    fn said(&self) -> String {
        match &self.outcome {
            Err(obstacle) => obstacle.to_string(),
            Ok(reply) if reply.rcode != rcode::NOERROR => rcode::name(reply.rcode),
            Ok(_) => {
                let addresses: Vec<String> = self.addresses().iter().map(ToString::to_string).collect();
                match (addresses.is_empty(), self.has_records()) {
                    (false, _) => format!("NOERROR, {}", addresses.join(", ")),
                    (true, true) => "NOERROR".to_owned(),
                    (true, false) => "NOERROR, no records".to_owned(),
                }
            }
        }
    }
}

/// The question as well.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}, in {}", self.question, self.server, self.said(), time(self.took))
    }
}

fn time(took: Duration) -> String {
    match took.as_millis() {
        0 => "less than 1 ms".to_owned(),
        ms => format!("{ms} ms"),
    }
}

#[cfg(test)]
impl Probe {
    /// One that was not sent.
    pub(super) fn made(server: &str, name: &str, outcome: Result<Response, ServerError>) -> Self {
        let question = Question { name: Name::from_ascii(name).unwrap(), record_type: RecordType::A };
        let server = SocketAddr::new(server.parse().unwrap(), 53);
        Self { server, question, outcome, by_letters: false, took: Duration::ZERO }
    }
}
