//! The order of turns, with scripted servers and a clock that doesn't wait.

use super::*;
use crate::script::{Act, Script, Table, block_on};
use hickory_resolver::proto::rr::{Name, RecordType};
use std::io;
use tokio::time::Instant;

/// With so many letters that hardly ever all of them stay as they are.
const NAME: &str = "monitor-of-the-cluster-with-the-most-letters.in-the-domain-of-tests.test.";

struct Seen {
    outcome: Result<Response, NoAnswer>,
    /// The last number of the server and the time of each query, in milliseconds.
    asked: Vec<(u8, u128)>,
    took: u128,
    protocols: Vec<Protocol>,
    edns: Vec<bool>,
    /// The queries whose letters are not all small.
    mixed: Vec<bool>,
    trace: Trace,
}

/// The options of the tests where they don't say others.
fn options() -> QueryOptions {
    let hedge = Duration::from_millis(300);
    QueryOptions { timeout: 5, attempts: 2, hedge, use_vc: false, mixed_case: true }
}

/// Asks the servers 192.0.2.1, 192.0.2.2, …, each of which does as told.
fn ask(acts: &[Act], attempts: u32) -> Seen {
    let servers: Vec<String> = (1..=acts.len()).map(|number| format!("192.0.2.{number}")).collect();
    let lines = servers.iter().map(String::as_str).zip(acts.iter().cloned());
    ask_table(Table::new(lines), acts.len(), QueryOptions { attempts, ..options() })
}

fn ask_table(table: Table, servers: usize, options: QueryOptions) -> Seen {
    block_on(async {
        let start = Instant::now();
        let (script, trace) = (Script::new(table), Trace::detailed());
        let servers: Vec<SocketAddr> =
            (1..=servers).map(|number| format!("192.0.2.{number}:53").parse().unwrap()).collect();
        let client = Client { transport: &script, servers: &servers, options: &options, trace: &trace };
        let question = Question { name: Name::from_ascii(NAME).unwrap(), record_type: RecordType::A };
        let outcome = client.ask(&question).await;
        let asked = script.asked();
        let last =
            |server: SocketAddr| server.to_string()["192.0.2.".len()..].split(':').next().unwrap().parse();
        Seen {
            outcome,
            took: start.elapsed().as_millis(),
            asked: asked.iter().map(|asked| (last(asked.server).unwrap(), asked.at.as_millis())).collect(),
            protocols: asked.iter().map(|asked| asked.protocol).collect(),
            edns: asked.iter().map(|asked| asked.edns).collect(),
            mixed: asked.iter().map(|asked| asked.query[12..].iter().any(u8::is_ascii_uppercase)).collect(),
            trace,
        }
    })
}

fn obstacles(seen: &Seen) -> Vec<Obstacle> {
    let unanswered = seen.outcome.as_ref().unwrap_err();
    unanswered.obstacles.iter().map(|(_, obstacle)| obstacle.clone()).collect()
}

fn good() -> Act {
    Act::answer(&[&format!("{NAME} 60 A 192.0.2.100")])
}

fn no_such_name() -> Act {
    Act::rcode(rcode::NXDOMAIN)
}

fn servfail() -> Act {
    Act::rcode(rcode::SERVFAIL)
}

fn nobody() -> Act {
    Act::error(io::ErrorKind::ConnectionRefused)
}

#[test]
fn the_first_server_s_answer_stands_and_no_other_is_asked() {
    for act in [good(), no_such_name(), good().after(299)] {
        let seen = ask(&[act, good()], 2);
        assert_eq!(seen.outcome.unwrap().server, Some("192.0.2.1:53".parse().unwrap()));
        assert_eq!(seen.asked, [(1, 0)]);
    }
}

#[test]
fn the_next_server_is_asked_at_once_where_one_fails() {
    for act in [
        servfail(),
        Act::rcode(rcode::REFUSED),
        Act::rcode(rcode::NOTIMP),
        nobody(),
        Act::error(io::ErrorKind::NetworkUnreachable),
        Act::lame(),
        Act::answer(&[&format!("{NAME} 60 A \\# 3 c00002")]),
        Act::rcode(rcode::NOERROR).truncated(),
    ] {
        let seen = ask(&[act, good()], 2);
        let reply = seen.outcome.unwrap();
        assert_eq!((reply.answers.len(), reply.server), (1, Some("192.0.2.2:53".parse().unwrap())));
        assert_eq!(seen.took, 0);
    }
}

#[test]
fn a_silent_server_is_hedged_after_the_set_time() {
    let seen = ask(&[Act::silence(), good(), good()], 2);
    assert_eq!(seen.asked, [(1, 0), (2, 300)]);
    assert_eq!(seen.took, 300);
    let seen = ask(&[Act::silence(), Act::silence(), good()], 2);
    assert_eq!(seen.asked, [(1, 0), (2, 300), (3, 600)]);
}

#[test]
fn a_slow_server_s_answer_still_counts() {
    let seen = ask(&[no_such_name().after(400), good().after(500)], 2);
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NXDOMAIN);
    assert_eq!(seen.took, 400);
}

#[test]
fn of_two_answers_in_hand_the_earlier_server_s_counts() {
    let seen = ask(&[no_such_name().after(400), good().after(100)], 2);
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NXDOMAIN);
    // Also where it is the second one to be looked at.
    let servers = Table::new([
        ("192.0.2.1 udp", no_such_name().cut_off().after(350)),
        ("192.0.2.1 tcp", no_such_name().after(50)),
        ("192.0.2.2", good().after(100)),
    ]);
    let seen = ask_table(servers, 2, options());
    assert_eq!((seen.outcome.unwrap().rcode, seen.took), (rcode::NXDOMAIN, 400));
    let seen = ask(&[servfail().after(400), good().after(100)], 2);
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NOERROR);
}

#[test]
fn a_dead_server_costs_its_time_out_in_every_attempt() {
    let seen = ask(&[Act::silence()], 2);
    assert_eq!(seen.asked, [(1, 0), (1, 5000)]);
    assert_eq!(seen.took, 10_000);
    assert_eq!(obstacles(&seen), [Obstacle::TimedOut, Obstacle::TimedOut]);
    // Once at least, whatever the options say.
    assert_eq!(ask(&[Act::silence()], 0).asked, [(1, 0)]);
}

#[test]
fn later_servers_are_waited_for_as_long_as_glibc_does() {
    // 5 s for the first, twice and four times as long for the others, divided by their number.
    let silent = || [Act::silence(), Act::silence(), Act::silence()];
    assert_eq!(ask(&silent(), 1).took, 600 + 20_000 / 3 / 1000 * 1000);
    assert_eq!(ask(&silent()[..2], 1).took, 300 + 5000);
    // A second at least.
    let short = QueryOptions { timeout: 1, attempts: 1, ..options() };
    let table = || Table::new([("A", Act::silence())]);
    assert_eq!(ask_table(table(), 3, short.clone()).took, 600 + 1000);
    let zero = QueryOptions { timeout: 0, ..short };
    assert_eq!(ask_table(table(), 1, zero).took, 1000);
}

#[test]
fn a_new_round_begins_when_all_turns_of_the_last_have_ended() {
    let seen = ask(&[Act::silence(), servfail()], 2);
    assert_eq!(seen.asked, [(1, 0), (2, 300), (1, 5000), (2, 5300)]);
    assert!(matches!(seen.outcome.unwrap_err().failure(), Failure::Temporary(_)));
}

#[test]
fn a_truncated_answer_is_fetched_over_tcp() {
    let seen = ask(&[good().cut_off()], 1);
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp]);
    assert_eq!(seen.edns, [true, true]);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    // Where it is cut off by TCP as well, what is there counts, and where nothing is, nothing is known.
    let seen = ask(&[good().truncated()], 1);
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp]);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    let seen = ask(&[Act::no_data(60).truncated()], 1);
    let cut_off = Obstacle::Undecodable("the answer is cut off, by TCP as well".to_owned());
    assert_eq!(obstacles(&seen), [cut_off]);
    // A connection that does not come about is its turn's end.
    let table = Table::new([("udp", good().cut_off()), ("tcp", nobody())]);
    let seen = ask_table(table, 1, QueryOptions { attempts: 1, ..options() });
    assert_eq!(obstacles(&seen), [Obstacle::ConnectionRefused]);
}

#[test]
fn edns_is_left_away_where_it_is_not_understood() {
    for code in [rcode::FORMERR, rcode::NOTIMP, rcode::BADVERS] {
        let table = Table::new([("edns", Act::rcode(code)), ("plain", good())]);
        let seen = ask_table(table, 2, options());
        assert_eq!(seen.asked, [(1, 0), (1, 0)], "{code}");
        assert_eq!(seen.edns, [true, false]);
        assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    }
    // A server that says so without EDNS too has no answer.
    let seen = ask(&[Act::rcode(rcode::FORMERR)], 1);
    assert_eq!(seen.edns, [true, false]);
    assert_eq!(obstacles(&seen), [Obstacle::Rcode(rcode::FORMERR)]);
    // What is cut off then is fetched whole.
    let table = Table::new([("edns udp", Act::rcode(rcode::FORMERR)), ("", good().cut_off())]);
    let seen = ask_table(table, 1, options());
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Udp, Protocol::Tcp]);
}

#[test]
fn an_answer_in_other_letters_is_asked_for_by_tcp_and_where_there_is_none_by_udp_as_it_is() {
    let lower = || good().lower_case();
    let seen = ask(&[lower()], 1);
    assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp]);
    assert_eq!(seen.mixed, [true, false]);
    let reply = seen.outcome.unwrap();
    assert!(reply.other_letters && reply.answers.len() == 1);
    for (by_tcp, after) in [(nobody(), 0), (Act::silence(), 1000)] {
        let table = Table::new([("udp", lower()), ("tcp", by_tcp)]);
        let seen = ask_table(table, 1, QueryOptions { attempts: 1, ..options() });
        assert_eq!(seen.protocols, [Protocol::Udp, Protocol::Tcp, Protocol::Udp]);
        assert_eq!(seen.mixed, [true, false, false]);
        assert_eq!(seen.took, after);
        let reply = seen.outcome.unwrap();
        assert!(reply.other_letters && reply.answers.len() == 1);
    }
    let seen = ask(&[good()], 1);
    assert!(!seen.outcome.unwrap().other_letters);
}

#[test]
fn names_in_the_answer_are_in_the_letters_of_the_name_that_was_asked_for() {
    let seen = ask(&[good()], 1);
    assert_eq!(seen.mixed, [true]);
    assert_eq!(seen.outcome.unwrap().answers[0].owner.to_ascii(), NAME);
}

#[test]
fn a_second_round_asks_as_it_is_and_without_edns() {
    let seen = ask(&[Act::silence()], 3);
    assert_eq!(seen.mixed, [true, false, false]);
    assert_eq!(seen.edns, [true, false, false]);
    let table = Table::new([("edns", Act::silence()), ("plain", good())]);
    let seen = ask_table(table, 1, options());
    assert_eq!(seen.asked, [(1, 0), (1, 5000)]);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
}

#[test]
fn with_use_vc_all_is_asked_by_tcp_and_without_mixed_case_as_it_is() {
    let seen = ask_table(Table::new([("tcp", good())]), 1, QueryOptions { use_vc: true, ..options() });
    assert_eq!((seen.protocols, seen.mixed, seen.edns), (vec![Protocol::Tcp], vec![false], vec![true]));
    let seen = ask_table(
        Table::new([("udp", good().lower_case())]),
        1,
        QueryOptions { mixed_case: false, ..options() },
    );
    assert_eq!((seen.protocols, seen.mixed, seen.edns), (vec![Protocol::Udp], vec![false], vec![true]));
    assert!(!seen.outcome.unwrap().other_letters);
}

#[test]
fn refusals_by_all_are_told_from_what_may_pass() {
    let refused = || Act::rcode(rcode::REFUSED);
    let failure = |acts: &[Act]| ask(acts, 2).outcome.unwrap_err().failure();
    assert!(matches!(failure(&[refused(), nobody()]), Failure::Refused(_)));
    assert!(matches!(failure(&[refused(), servfail()]), Failure::Temporary(_)));
    assert!(matches!(failure(&[nobody(), Act::silence()]), Failure::Temporary(_)));
    assert!(ask(&[nobody()], 2).outcome.unwrap_err().nobody_there());
    assert!(ask(&[Act::error(io::ErrorKind::HostUnreachable)], 2).outcome.unwrap_err().nobody_there());
    assert!(!ask(&[nobody(), refused()], 2).outcome.unwrap_err().nobody_there());
    assert!(ask(&[refused(), servfail()], 2).outcome.unwrap_err().servfail());
    assert!(!ask(&[servfail(), refused()], 2).outcome.unwrap_err().servfail());
    // Each obstacle of a server is told once.
    let Failure::Refused(text) = failure(&[nobody(), refused()]) else { panic!("no refusal") };
    assert_eq!(text, "192.0.2.1:53: connection refused, 192.0.2.2:53: REFUSED");
}

#[test]
fn each_turn_is_in_the_trace_and_why_there_is_another_one() {
    let seen = ask(&[good().lower_case().cut_off().after(400), nobody()], 1);
    let question = format!("{NAME} A");
    let expected = [
        "no answer after 300 ms: the next server too".to_owned(),
        format!("{question} at 192.0.2.2:53: connection refused"),
        "the answer of 192.0.2.1:53 has other letters: once more by TCP".to_owned(),
        format!("{question} at 192.0.2.1:53: NOERROR, 1 records"),
    ];
    let steps: Vec<String> = seen.trace.steps().iter().map(ToString::to_string).collect();
    assert_eq!(steps, expected);
    let seen = ask(&[Act::silence(), good().after(50)], 1);
    let steps: Vec<String> = seen.trace.steps().iter().skip(1).map(ToString::to_string).collect();
    // What is given up is in it, too.
    let given_up = format!("{question} at 192.0.2.1:53: no answer yet");
    assert_eq!(steps, [format!("{question} at 192.0.2.2:53: NOERROR, 1 records"), given_up]);
}
