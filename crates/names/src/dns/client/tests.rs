//! The order of turns, with scripted servers and a clock that doesn't wait.

use super::*;
use crate::message::tests::{answer, reply_to};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::cell::RefCell;
use std::io;
use tokio::time::Instant;

/// What a scripted server does with a query.
#[derive(Clone)]
enum Act {
    /// Answers with this code, and an address where it is NOERROR, after so many milliseconds.
    Reply(u16, u64),
    Silence,
    Fail(io::ErrorKind),
    /// Truncates over UDP.
    Truncate,
    /// FORMERR to EDNS.
    NoEdns,
    /// Answers by UDP in lower case, and by TCP as it then says.
    Lower(Box<Act>),
    /// Does not answer what is not in lower case.
    OnlyLower,
    Broken,
}

/// Servers 127.0.0.1, 127.0.0.2, … that do as told, and a record of who was asked when.
struct Script {
    acts: Vec<Act>,
    start: Instant,
    asked: RefCell<Vec<(usize, u128, Protocol)>>,
}

impl Transport for Script {
    async fn exchange(&self, server: SocketAddr, protocol: Protocol, query: &[u8]) -> io::Result<Vec<u8>> {
        let index = usize::from(server.port()) - 1;
        let at = self.start.elapsed().as_millis();
        self.asked.borrow_mut().push((index, at, protocol));
        let edns = query.get(11) == Some(&1);
        let good = || answer(query, [10, 0, 0, 1], 60);
        match self.acts[index].clone() {
            Act::Reply(0, delay) => {
                sleep(Duration::from_millis(delay)).await;
                Ok(good())
            }
            Act::Reply(code, delay) => {
                sleep(Duration::from_millis(delay)).await;
                Ok(reply_to(query, 0x8180 | code, 0))
            }
            Act::Silence => std::future::pending().await,
            Act::Fail(kind) => Err(kind.into()),
            Act::Truncate if protocol == Protocol::Udp => Ok(reply_to(query, 0x8380, 0)),
            Act::NoEdns if edns => Ok(reply_to(query, 0x8180 | rcode::FORMERR, 0)),
            Act::Lower(_) if protocol == Protocol::Udp => Ok(good().to_ascii_lowercase()),
            Act::Lower(by_tcp) => match *by_tcp {
                Act::Silence => std::future::pending().await,
                Act::Fail(kind) => Err(kind.into()),
                _ => Ok(good()),
            },
            Act::OnlyLower if query[12..].iter().any(u8::is_ascii_uppercase) => std::future::pending().await,
            Act::Truncate | Act::NoEdns | Act::OnlyLower => Ok(good()),
            Act::Broken => Ok(reply_to(query, 0x8180, 1)),
        }
    }
}

/// With so many letters that hardly ever all of them stay as they are.
const NAME: &str = "monitor-of-the-cluster-with-the-most-letters.in-the-domain-of-tests.test.";

struct Seen {
    outcome: Result<Reply, NoAnswer>,
    /// Server and time of each query, in milliseconds.
    asked: Vec<(usize, u128)>,
    took: u128,
    protocols: Vec<Protocol>,
}

fn ask(acts: &[Act], attempts: u32) -> Seen {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let script = Script { acts: acts.to_vec(), start, asked: RefCell::default() };
        let trace = Trace::default();
        let servers: Vec<SocketAddr> =
            (1..=acts.len()).map(|port| format!("127.0.0.1:{port}").parse().unwrap()).collect();
        let options = QueryOptions {
            timeout: 5,
            attempts,
            hedge: Duration::from_millis(300),
            use_vc: false,
            mixed_case: true,
        };
        let client = Client { transport: &script, servers: &servers, options: &options, trace: &trace };
        let name = Name::from_ascii(NAME).unwrap();
        let question = Question { name, record_type: RecordType::A };
        let outcome = client.ask(&question).await;
        let asked = script.asked.take();
        Seen {
            outcome,
            took: start.elapsed().as_millis(),
            protocols: asked.iter().map(|(.., protocol)| *protocol).collect(),
            asked: asked.into_iter().map(|(index, at, _)| (index, at)).collect(),
        }
    })
}

fn kinds(seen: &Seen) -> Vec<Obstacle> {
    let unanswered = seen.outcome.as_ref().unwrap_err();
    unanswered.obstacles.iter().map(|(_, obstacle)| obstacle.clone()).collect()
}

const GOOD: Act = Act::Reply(rcode::NOERROR, 0);
const NXDOMAIN: Act = Act::Reply(rcode::NXDOMAIN, 0);
const SERVFAIL: Act = Act::Reply(rcode::SERVFAIL, 0);

#[test]
fn the_first_server_s_answer_stands_and_no_other_is_asked() {
    for act in [GOOD, NXDOMAIN, Act::Reply(rcode::NOERROR, 299)] {
        let seen = ask(&[act, GOOD], 2);
        assert!(seen.outcome.is_ok());
        assert_eq!(seen.asked, [(0, 0)]);
    }
}

#[test]
fn the_next_server_is_asked_at_once_where_one_fails() {
    for act in [
        SERVFAIL,
        Act::Reply(rcode::REFUSED, 0),
        Act::Reply(rcode::NOTIMP, 0),
        Act::Fail(io::ErrorKind::ConnectionRefused),
        Act::Fail(io::ErrorKind::NetworkUnreachable),
        Act::Broken,
    ] {
        let seen = ask(&[act, GOOD], 2);
        assert_eq!(seen.outcome.unwrap().answers.len(), 1);
        assert_eq!(seen.took, 0);
    }
}

#[test]
fn a_silent_server_is_hedged_after_the_set_time() {
    let seen = ask(&[Act::Silence, GOOD, GOOD], 2);
    assert_eq!(seen.asked, [(0, 0), (1, 300)]);
    assert_eq!(seen.took, 300);
    let seen = ask(&[Act::Silence, Act::Silence, GOOD], 2);
    assert_eq!(seen.asked, [(0, 0), (1, 300), (2, 600)]);
}

#[test]
fn a_slow_server_s_answer_still_counts() {
    let seen = ask(&[Act::Reply(rcode::NXDOMAIN, 400), Act::Reply(rcode::NOERROR, 500)], 2);
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NXDOMAIN);
    assert_eq!(seen.took, 400);
}

#[test]
fn of_two_answers_in_hand_the_earlier_server_s_counts() {
    let seen = ask(&[Act::Reply(rcode::NXDOMAIN, 400), Act::Reply(rcode::NOERROR, 100)], 2);
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NXDOMAIN);
}

#[test]
fn a_dead_server_costs_its_time_out_in_every_attempt() {
    let seen = ask(&[Act::Silence], 2);
    assert_eq!(seen.asked, [(0, 0), (0, 5000)]);
    assert_eq!(seen.took, 10_000);
    assert_eq!(kinds(&seen), [Obstacle::TimedOut, Obstacle::TimedOut]);
}

#[test]
fn a_new_round_begins_when_all_turns_of_the_last_have_ended() {
    let seen = ask(&[Act::Silence, SERVFAIL], 2);
    assert_eq!(seen.asked, [(0, 0), (1, 300), (0, 5000), (1, 5300)]);
    assert!(matches!(seen.outcome.unwrap_err().failure(), Failure::Temporary(_)));
}

#[test]
fn a_truncated_answer_is_fetched_over_tcp_and_edns_left_away_where_it_is_not_understood() {
    let seen = ask(&[Act::Truncate], 1);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp]);
    let seen = ask(&[Act::NoEdns, GOOD], 1);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    assert_eq!(seen.asked, [(0, 0), (0, 0)]);
}

#[test]
fn an_answer_in_other_letters_is_asked_for_by_tcp_and_where_there_is_none_by_udp_as_it_is() {
    let lower = |by_tcp| Act::Lower(Box::new(by_tcp));
    let seen = ask(&[lower(GOOD)], 1);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp]);
    for (by_tcp, after) in [(Act::Fail(io::ErrorKind::ConnectionRefused), 0), (Act::Silence, 1000)] {
        let seen = ask(&[lower(by_tcp)], 1);
        assert_eq!(seen.outcome.unwrap().answers.len(), 1);
        assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp, Protocol::Udp]);
        assert_eq!(seen.took, after);
    }
}

#[test]
fn a_second_round_asks_as_it_is() {
    let seen = ask(&[Act::OnlyLower], 2);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    assert_eq!(seen.asked, [(0, 0), (0, 5000)]);
}

#[test]
fn refusals_by_all_are_told_from_what_may_pass() {
    let refused = Act::Reply(rcode::REFUSED, 0);
    let nobody = Act::Fail(io::ErrorKind::ConnectionRefused);
    let failure = |acts: &[Act]| ask(acts, 2).outcome.unwrap_err().failure();
    assert!(matches!(failure(&[refused.clone(), nobody.clone()]), Failure::Refused(_)));
    assert!(matches!(failure(&[refused.clone(), SERVFAIL]), Failure::Temporary(_)));
    assert!(matches!(failure(&[nobody.clone(), Act::Silence]), Failure::Temporary(_)));
    assert!(ask(std::slice::from_ref(&nobody), 2).outcome.unwrap_err().nobody_there());
    assert!(ask(&[refused, SERVFAIL], 2).outcome.unwrap_err().servfail());
}
