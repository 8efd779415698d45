//! The order of turns, with scripted servers and a clock that doesn't wait.

use super::*;
use crate::dns::servers::{Answered, QueryOptions};
use crate::message::Quirk;
use crate::protocol::Protocol;
use crate::script::{Act, Script, Table, block_on};
use crate::trace::Trace;
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
        let answered = Answered::default();
        let client = Client {
            transport: &script,
            servers: &servers,
            options: &options,
            answered: &answered,
            trace: &trace,
        };
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

/// What stood in the way, turn by turn, as text.
fn errors(seen: &Seen) -> Vec<String> {
    let unanswered = seen.outcome.as_ref().unwrap_err();
    unanswered.errors.iter().map(|(_, error)| error.to_string()).collect()
}

/// What was odd about the server that answered.
fn quirks(seen: &Seen) -> Vec<Quirk> {
    seen.outcome.as_ref().unwrap().quirks.clone()
}

/// How each query was put: `alt` with EDNS and in mixed letters, `mix` in those alone, `udp` and `tcp` in plain.
fn forms(seen: &Seen) -> String {
    let form = |((protocol, edns), mixed): ((&Protocol, &bool), &bool)| match (protocol, edns, mixed) {
        (Protocol::Udp, true, true) => "alt",
        (Protocol::Udp, false, true) => "mix",
        (Protocol::Udp, false, false) => "udp",
        (Protocol::Tcp, false, false) => "tcp",
        _ => "other",
    };
    let forms: Vec<&str> = seen.protocols.iter().zip(&seen.edns).zip(&seen.mixed).map(form).collect();
    forms.join(" ")
}

fn one_attempt() -> QueryOptions {
    QueryOptions { attempts: 1, ..options() }
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
fn the_answer_of_the_first_server_is_final() {
    let alias = format!("{NAME} 60 CNAME other.test.");
    for (act, asked) in [
        (good(), &[(1, 0)][..]),
        (good().after(299), &[(1, 0)]),
        (Act::answer(&[&alias]), &[(1, 0)]),
        (no_such_name().answering(&[&alias]), &[(1, 0)]),
        // A denial is to be confirmed.
        (no_such_name(), &[(1, 0), (1, 0)]),
        (Act::no_data(60), &[(1, 0), (1, 0)]),
    ] {
        let seen = ask(&[act, good()], 2);
        assert_eq!(quirks(&seen), []);
        assert_eq!(seen.outcome.unwrap().server, Some("192.0.2.1:53".parse().unwrap()));
        assert_eq!(seen.asked, asked);
    }
}

#[test]
fn the_next_server_is_queried_at_once_if_one_fails() {
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
fn a_silent_server_is_hedged_after_the_configured_delay() {
    let seen = ask(&[Act::silence(), good(), good()], 2);
    assert_eq!(seen.asked, [(1, 0), (2, 300)]);
    assert_eq!(seen.took, 300);
    let seen = ask(&[Act::silence(), Act::silence(), good()], 2);
    assert_eq!(seen.asked, [(1, 0), (2, 300), (3, 600)]);
}

#[test]
fn the_answer_of_a_slow_server_is_still_accepted() {
    let seen = ask(&[good().after(400), no_such_name().after(500)], 2);
    assert_eq!((seen.took, seen.outcome.unwrap().server), (400, Some("192.0.2.1:53".parse().unwrap())));
}

#[test]
fn of_two_pending_answers_the_one_from_the_earlier_server_wins() {
    let number = |seen: Seen| (seen.took, seen.outcome.unwrap().server.unwrap().ip().to_string());
    let seen = ask(&[good().after(400), good().after(100)], 2);
    assert_eq!(number(seen), (400, "192.0.2.1".to_owned()));
    // Also where it is the second one to be looked at.
    let servers = Table::new([
        ("192.0.2.1 udp", good().cut_off().after(350)),
        ("192.0.2.1 tcp", good().after(50)),
        ("192.0.2.2", good().after(100)),
    ]);
    assert_eq!(number(ask_table(servers, 2, options())), (400, "192.0.2.1".to_owned()));
    let seen = ask(&[servfail().after(400), good().after(100)], 2);
    assert_eq!(number(seen), (400, "192.0.2.2".to_owned()));
}

#[test]
fn a_dead_server_costs_its_timeout_in_every_attempt() {
    let seen = ask(&[Act::silence()], 2);
    assert_eq!(seen.asked, [(1, 0), (1, 300), (1, 5000)]);
    assert_eq!(seen.took, 10_000);
    assert_eq!(errors(&seen), ["timed out over UDP"; 2]);
    // Once at least, whatever the options say.
    assert_eq!(ask(&[Act::silence()], 0).asked, [(1, 0), (1, 300)]);
}

#[test]
fn timeouts_of_later_servers_are_those_of_glibc() {
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
fn a_new_round_begins_when_all_queries_of_the_last_have_ended() {
    let seen = ask(&[Act::silence(), servfail()], 2);
    // In the first round, each is asked in plain as well.
    assert_eq!(seen.asked, [(1, 0), (2, 300), (2, 300), (1, 600), (1, 5000), (2, 5300)]);
    assert!(matches!(seen.outcome.unwrap_err().failure(), Failure::Temporary(_)));
}

#[test]
fn a_truncated_answer_is_fetched_over_tcp() {
    let seen = ask(&[good().cut_off()], 1);
    assert_eq!(forms(&seen), "alt tcp");
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    // Where it is cut off by TCP as well, what is there counts, and where nothing is, nothing is known.
    let seen = ask(&[good().truncated()], 1);
    assert_eq!(forms(&seen), "alt tcp");
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    let seen = ask(&[Act::no_data(60).truncated()], 1);
    assert_eq!(errors(&seen), ["the answer is truncated, over TCP as well over TCP"]);
}

#[test]
fn if_tcp_fails_the_records_of_the_truncated_answer_are_returned() {
    for (by_tcp, error, took) in [
        (nobody(), "connection refused over TCP", 0),
        (Act::error(io::ErrorKind::UnexpectedEof), "connection closed over TCP", 0),
        (Act::silence(), "timed out over TCP", 5000),
    ] {
        let table = Table::new([("udp", good().more_by_tcp()), ("tcp", by_tcp.clone())]);
        let seen = ask_table(table, 1, one_attempt());
        assert_eq!((errors(&seen), seen.took), (vec![error.to_owned()], took));
        let partial = seen.outcome.unwrap_err().partial.unwrap();
        assert_eq!((partial.answers.len(), partial.server), (1, Some("192.0.2.1:53".parse().unwrap())));
        // Another server may have it whole.
        let lines = [("192.0.2.2", good()), ("udp", good().more_by_tcp()), ("tcp", by_tcp.clone())];
        let seen = ask_table(Table::new(lines), 2, one_attempt());
        assert_eq!(seen.outcome.unwrap().server, Some("192.0.2.2:53".parse().unwrap()));
    }
    // Nothing is made of an answer that holds nothing.
    let seen = ask_table(Table::new([("udp", good().cut_off()), ("tcp", nobody())]), 1, one_attempt());
    assert_eq!(seen.outcome.unwrap_err().partial, None);
}

/// What a server may do with a question that has EDNS, or mixed letters, instead of answering it.
#[test]
fn any_reply_without_records_is_followed_by_the_plain_query() {
    let alike = |act: Act| (act.clone(), act);
    for (what, (act, bare), quirk) in [
        ("FORMERR", (Act::rcode(rcode::FORMERR), Act::rcode(rcode::FORMERR).bare()), "FORMERR"),
        ("NOTIMP", (Act::rcode(rcode::NOTIMP), Act::rcode(rcode::NOTIMP).bare()), "NOTIMP"),
        ("REFUSED", (Act::rcode(rcode::REFUSED), Act::rcode(rcode::REFUSED).bare()), "REFUSED"),
        ("SERVFAIL", (servfail(), servfail().bare()), "SERVFAIL"),
        ("BADVERS", alike(Act::rcode(rcode::BADVERS)), "BADVERS"),
        ("lame", alike(Act::lame()), "an empty answer without authority or recursion"),
        (
            "records that can't be read",
            alike(Act::answer(&[&format!("{NAME} 60 A \\# 3 c00002")])),
            "no record of the answer can be read",
        ),
        (
            "EDNS in the answer, and the answer elsewhere",
            alike(Act::answer(&[]).opt_in_answer().additional(&[&format!("{NAME} 60 A 192.0.2.100")])),
            "an EDNS record where none belongs",
        ),
        ("EDNS in the answer", alike(good().opt_in_answer()), "an EDNS record where none belongs"),
    ] {
        for act in [act, bare] {
            let seen = ask_table(Table::new([("edns", act), ("plain", good())]), 2, options());
            assert_eq!(
                (seen.asked.as_slice(), forms(&seen)),
                (&[(1, 0), (1, 0)][..], "alt udp".to_owned()),
                "{what}"
            );
            assert_eq!(quirks(&seen), [Quirk::FailsAltered(quirk.to_owned())], "{what}");
            assert_eq!(seen.outcome.unwrap().answers.len(), 1);
        }
    }
    for denial in [no_such_name(), Act::no_data(60), Act::rcode(rcode::NOERROR)] {
        let seen = ask_table(Table::new([("edns", denial), ("plain", good())]), 2, options());
        assert_eq!(forms(&seen), "alt udp");
        assert_eq!(quirks(&seen), [Quirk::DeniesAltered]);
        assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    }
}

#[test]
fn a_failing_plain_query_counts_as_another_attempt() {
    for (code, attempts, expected) in
        [(rcode::FORMERR, 1, "alt udp"), (rcode::SERVFAIL, 2, "alt udp"), (rcode::REFUSED, 3, "alt udp udp")]
    {
        let seen = ask(&[Act::rcode(code)], attempts);
        assert_eq!(forms(&seen), expected);
        assert_eq!(errors(&seen)[0], format!("{} over UDP", rcode::name(code)));
    }
    // Where there are others, each attempt has its own time.
    let seen = ask(&[servfail(), servfail()], 2);
    assert_eq!(forms(&seen), "alt udp alt udp udp udp");
    // What is cut off then is fetched whole, and EDNS not tried again.
    let table =
        Table::new([("edns udp", Act::rcode(rcode::FORMERR)), ("edns", nobody()), ("", good().cut_off())]);
    let seen = ask_table(table, 1, options());
    assert_eq!(forms(&seen), "alt udp tcp");
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
}

#[test]
fn an_unconfirmed_denial_has_the_shortest_ttl() {
    let table = Table::new([("edns", no_such_name().soa(300)), ("plain", Act::silence())]);
    let seen = ask_table(table, 1, options());
    assert_eq!(seen.took, 1000);
    let reply = seen.outcome.unwrap();
    assert_eq!((reply.rcode, reply.negative_ttl), (rcode::NXDOMAIN, Some(key::Ttl::MIN)));
    // An error instead of a confirmation is the answer, as glibc has it.
    let table = Table::new([("edns", no_such_name()), ("plain", servfail())]);
    assert_eq!(errors(&ask_table(table, 1, one_attempt())), ["SERVFAIL over UDP"]);
}

#[test]
fn a_plain_query_is_not_repeated_for_confirmation() {
    let plain = QueryOptions { use_vc: true, ..options() };
    assert_eq!(forms(&ask_table(Table::new([("", no_such_name())]), 1, plain)), "tcp");
    let second = Table::default().on("edns", [Act::silence()]).on("plain", [Act::silence(), no_such_name()]);
    let seen = ask_table(second, 1, options());
    assert_eq!(forms(&seen), "alt udp udp");
    assert_eq!(seen.outcome.unwrap().rcode, rcode::NXDOMAIN);
}

#[test]
fn a_silent_server_soon_gets_the_plain_query() {
    for (servers, at) in [(1, 300), (2, 600), (3, 900)] {
        let table = Table::new([("192.0.2.1 plain", good()), ("", Act::silence())]);
        let seen = ask_table(table, servers, options());
        assert_eq!(seen.took, at);
        assert_eq!(quirks(&seen), [Quirk::SilentToAltered]);
    }
    // One that is slow just has two questions.
    let seen = ask(&[good().after(400)], 1);
    assert_eq!((seen.took, forms(&seen)), (400, "alt udp".to_owned()));
    assert_eq!(quirks(&seen), []);
}

#[test]
fn a_late_answer_is_accepted_until_the_last_attempt_ends() {
    // Of a server that always takes longer than its time.
    let short = QueryOptions { timeout: 1, ..options() };
    let seen = ask_table(Table::new([("", good().after(1500))]), 1, short.clone());
    assert_eq!((seen.took, seen.asked.len()), (1500, 3));
    assert_eq!(quirks(&seen), [Quirk::Late]);
    assert_eq!(ask_table(Table::new([("", good().after(6000))]), 1, options()).took, 6000);
    let seen = ask_table(Table::new([("", good().after(2500))]), 1, short.clone());
    assert_eq!((seen.took, errors(&seen)), (2000, vec!["timed out over UDP".to_owned(); 2]));
    // A late denial is asked for in plain, if it is not already on its way.
    let seen = ask_table(Table::new([("", no_such_name().after(1500))]), 1, short.clone());
    assert_eq!((seen.took, seen.outcome.unwrap().rcode), (1800, rcode::NXDOMAIN));
    // A late error is told, and ends nothing.
    let late = Table::default()
        .on("edns", [Act::silence()])
        .on("plain", [servfail().after(1200), good().after(400)]);
    let seen = ask_table(late, 1, short);
    assert_eq!((seen.took, seen.outcome.unwrap().answers.len()), (1400, 1));
    // The other server may be the late one.
    let table = Table::new([("192.0.2.1", good().after(5200)), ("192.0.2.2", Act::silence())]);
    assert_eq!(ask_table(table, 2, options()).took, 5200);
}

#[test]
fn an_answer_with_changed_case_is_repeated_over_tcp_then_plain_over_udp() {
    let lower = || good().lower_case();
    let seen = ask(&[lower()], 1);
    assert_eq!(forms(&seen), "alt tcp");
    assert_eq!(quirks(&seen), [Quirk::OtherLetters]);
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    for by_tcp in [nobody(), Act::silence()] {
        let table = Table::new([("udp", lower()), ("tcp", by_tcp)]);
        let seen = ask_table(table, 1, one_attempt());
        assert_eq!((forms(&seen), seen.took), ("alt tcp udp".to_owned(), 300));
        assert_eq!(quirks(&seen), [Quirk::OtherLetters]);
        assert_eq!(seen.outcome.unwrap().answers.len(), 1);
    }
}

#[test]
fn the_right_answer_is_accepted_after_one_with_changed_case() {
    let forged = || Act::answer(&[&format!("{NAME} 60 A 203.0.113.66")]).lower_case();
    let table = Table::new([("udp", forged().then(good().after(200))), ("tcp", nobody())]);
    let seen = ask_table(table, 1, one_attempt());
    assert_eq!((forms(&seen), seen.took), ("alt tcp".to_owned(), 200));
    assert_eq!(seen.outcome.unwrap().answers[0].data, crate::message::Rdata::A([192, 0, 2, 100].into()));
}

#[test]
fn messages_that_do_not_answer_the_query_are_ignored() {
    let strays =
        good().wrong_id(1).then(Act::rcode(rcode::NOERROR).bare()).then(Act::no_data(1).missing(1000));
    let seen = ask(&[strays.then(good().after(50))], 1);
    assert_eq!((seen.took, forms(&seen)), (50, "alt".to_owned()));
    assert_eq!(seen.outcome.unwrap().answers.len(), 1);
}

/// Who guesses ids makes many wrong guesses.
#[test]
fn when_ids_are_guessed_only_answers_with_the_right_case_or_tcp_are_trusted() {
    let guesses =
        |last: Act| (1..=5).rev().fold(last, |then, by| good().lower_case().wrong_id(by).then(then));
    let forged = || Act::answer(&[&format!("{NAME} 60 A 203.0.113.66")]);
    // The right letters count.
    let seen = ask(&[guesses(good().after(2000))], 1);
    assert_eq!((seen.took, forms(&seen)), (2000, "alt".to_owned()));
    // Neither an answer in other letters nor an error without any leads to a plain question.
    for guess in [forged().lower_case(), Act::rcode(rcode::FORMERR).bare()] {
        let table = Table::new([("udp", guesses(guess)), ("tcp", nobody())]);
        let seen = ask_table(table, 1, options());
        assert!(!forms(&seen).contains("udp"), "{}", forms(&seen));
        assert_eq!(seen.took, 10_000);
        assert_eq!(errors(&seen)[0], "many answers with wrong IDs, so none is trusted over UDP");
    }
    // Later attempts are in mixed letters too.
    let table = Table::default().on("edns", [guesses(Act::silence())]).on("", [good()]);
    let seen = ask_table(table, 1, options());
    assert_eq!((forms(&seen), seen.took), ("alt mix".to_owned(), 5000));
    // An answer to the plain question is asked for by TCP.
    let table = Table::new([("edns", no_such_name()), ("tcp", good()), ("plain", guesses(forged()))]);
    let seen = ask_table(table, 1, options());
    assert_eq!(forms(&seen), "alt udp tcp");
    assert_eq!(seen.outcome.unwrap().answers[0].data, crate::message::Rdata::A([192, 0, 2, 100].into()));
    let table = Table::new([("edns", no_such_name()), ("tcp", nobody()), ("plain", guesses(forged()))]);
    assert_eq!(ask_table(table, 1, options()).outcome.unwrap().rcode, rcode::NXDOMAIN);
    // Few of them may be strays.
    let few = (1..=4).rev().fold(forged(), |then, by| good().wrong_id(by).then(then));
    let table = Table::new([("edns", Act::rcode(rcode::FORMERR)), ("plain", few)]);
    assert_eq!(forms(&ask_table(table, 1, options())), "alt udp");
}

#[test]
fn names_in_the_answer_have_the_case_of_the_requested_name() {
    let seen = ask(&[good()], 1);
    assert_eq!(seen.mixed, [true]);
    assert_eq!(seen.outcome.unwrap().answers[0].owner.to_ascii(), NAME);
}

#[test]
fn a_second_round_sends_plain_queries() {
    assert_eq!(forms(&ask(&[Act::silence()], 3)), "alt udp udp udp");
}

#[test]
fn use_vc_sends_queries_over_tcp_and_mixed_case_can_be_disabled() {
    let seen = ask_table(Table::new([("tcp", good())]), 1, QueryOptions { use_vc: true, ..options() });
    assert_eq!(forms(&seen), "tcp");
    let as_it_is = || QueryOptions { mixed_case: false, ..options() };
    let seen = ask_table(Table::new([("udp", good().lower_case())]), 1, as_it_is());
    assert_eq!(
        (seen.protocols.as_slice(), seen.mixed.as_slice(), seen.edns.as_slice()),
        (&[Protocol::Udp][..], &[false][..], &[true][..])
    );
    assert_eq!(quirks(&seen), []);
    // EDNS may be what it denies.
    let seen = ask_table(Table::new([("edns", no_such_name()), ("plain", good())]), 1, as_it_is());
    assert_eq!((seen.edns.as_slice(), quirks(&seen)), (&[true, false][..], vec![Quirk::DeniesAltered]));
}

#[test]
fn refusals_by_all_servers_are_distinguished_from_temporary_failures() {
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
    assert_eq!(text, "192.0.2.1:53: connection refused over UDP, 192.0.2.2:53: REFUSED over UDP");
}

#[test]
fn the_trace_shows_each_query_and_the_reason_for_the_next() {
    let seen = ask(&[good().lower_case().after(400), nobody()], 1);
    let question = format!("{NAME} A");
    let expected = [
        "no answer after 300 ms: querying the next server too".to_owned(),
        format!("{question} at 192.0.2.2:53: connection refused over UDP"),
        "the answer from 192.0.2.1:53 changes the letter case: repeating the query over TCP".to_owned(),
        "192.0.2.1:53 sends nothing usable: repeating the query plain".to_owned(),
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
