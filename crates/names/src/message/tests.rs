//! Messages as servers send them, well and badly made.

use super::*;
use proptest::prelude::*;

/// A reply to `query` with these flags, which says that it has so many answers, and has none.
fn reply_to(query: &[u8], flags: u16, answers: u16) -> Vec<u8> {
    let mut decoder = BinDecoder::new(query);
    Header::read(&mut decoder).unwrap();
    question(query, &mut decoder).unwrap();
    let mut reply = query[..2].to_vec();
    for field in [flags, 1, answers, 0, 0] {
        reply.extend(field.to_be_bytes());
    }
    reply.extend(&query[12..decoder.index()]);
    reply
}

/// A reply to `query` with an A record.
fn answer(query: &[u8], address: [u8; 4], ttl: u32) -> Vec<u8> {
    let mut reply = reply_to(query, 0x8180, 1);
    push(&mut reply, 1, 1, ttl, &address);
    reply
}

/// Adds a record of the question's name.
fn push(message: &mut Vec<u8>, record_type: u16, class: u16, ttl: u32, data: &[u8]) {
    message.extend([0xc0, 12]);
    message.extend(record_type.to_be_bytes());
    message.extend(class.to_be_bytes());
    message.extend(ttl.to_be_bytes());
    message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    message.extend(data);
}

fn query(name: &str) -> Vec<u8> {
    let question = Question { name: Name::from_ascii(name).unwrap(), record_type: RecordType::A };
    question.encode(false).unwrap()
}

/// A reply with these records of the question's name: type, class, data.
fn with_records(records: &[(u16, u16, &[u8])]) -> Vec<u8> {
    let count = u16::try_from(records.len()).unwrap();
    let mut message = reply_to(&query("a.test."), 0x8180, count);
    for (record_type, class, data) in records {
        push(&mut message, *record_type, *class, 60, data);
    }
    message
}

#[test]
fn a_compressed_question_is_refused() {
    // Its name would be in the header, which says what the sender likes.
    let reply = *b"\x01\x1a\x81\x80\x00\x01\x00\x02\x00\x00\x00\x01\xc0\x0a\x00\x01\x00\x01";
    assert!(head(&reply).is_err());
    assert!(Response::decode(&reply).is_err());
    let root = query(".");
    let mut reply = reply_to(&root, 0x8180, 0);
    assert!(is_reply_to(&root, &reply));
    // The root, which is a zero byte in the header as well.
    reply.splice(12..13, [0xc0, 8]);
    assert!(!is_reply_to(&root, &reply));
}

#[test]
fn chains_of_compression_pointers_are_limited() {
    // A chain in the data of a first record: each pointer is to the one before it.
    let chain = |length: u16| {
        let first = 12 + 8 + 4 + 12;
        let pointers = (0..length).flat_map(|number| {
            let to = if number == 0 { 12 } else { first + 2 * (number - 1) };
            (0xc000 | to).to_be_bytes()
        });
        let mut message = with_records(&[(99, 1, &pointers.collect::<Vec<u8>>())]);
        message[7] = 2;
        message.extend((0xc000 | (first + 2 * (length - 1))).to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
        Response::decode(&message).unwrap()
    };
    let short = chain(127);
    assert_eq!((short.answers.len(), short.unreadable), (2, 0));
    assert_eq!(short.answers[1].owner, Name::from_ascii("a.test.").unwrap());
    let long = chain(128);
    assert_eq!((long.answers.len(), long.unreadable), (1, 1));
}

#[test]
fn a_message_full_of_pointers_is_decoded_quickly() {
    let mut message = reply_to(&query("a.test."), 0x8180, u16::MAX);
    let start = u16::try_from(message.len()).unwrap();
    // A record of 120 pointers, and then as many records as fit, each with the last of them as its owner.
    let pointers: Vec<u8> = (0..120_u16)
        .flat_map(|number| {
            (0xc000 | if number == 0 { 12 } else { start + 12 + 2 * (number - 1) }).to_be_bytes()
        })
        .collect();
    push(&mut message, 99, 1, 60, &pointers);
    while message.len() < 65_000 {
        message.extend((0xc000 | (start + 12 + 2 * 119)).to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
    }
    let read = Response::decode(&message).unwrap();
    // One for the first record, and 121 for each other.
    assert_eq!(read.answers.len(), 1 + (POINTERS - 1) / 121);
}

proptest! {
    #[test]
    fn mixing_case_changes_only_letters_and_can_be_undone(name in "([a-zA-Z0-9][a-zA-Z0-9-]{0,62}\\.){1,3}") {
        let plain = query(&name);
        let mut mixed = plain.clone();
        mix_case(&mut mixed).unwrap();
        prop_assert!(plain.eq_ignore_ascii_case(&mixed));
        let end = 12 + name.len() + 1;
        prop_assert_eq!((&plain[..12], &plain[end..]), (&mixed[..12], &mixed[end..]));
        let mut reply = reply_to(&mixed, 0x8180, 0);
        prop_assert!(is_reply_to(&plain, &reply) && repeats_name(&mixed, &reply));
        prop_assert_eq!(repeats_name(&plain, &reply), plain == mixed);
        copy_name(&plain, &mut reply);
        prop_assert_eq!(reply, reply_to(&plain, 0x8180, 0));
    }
}

#[test]
fn mixed_case_differs_each_time_and_affects_every_letter() {
    let plain = query(&format!("{0}.{0}.{0}.test.", "a".repeat(63)));
    let mut seen = std::collections::HashSet::new();
    let mut upper = vec![false; plain.len()];
    for _ in 0..64 {
        let mut mixed = plain.clone();
        mix_case(&mut mixed).unwrap();
        upper.iter_mut().zip(&mixed).for_each(|(upper, byte)| *upper |= byte.is_ascii_uppercase());
        assert!(seen.insert(mixed));
    }
    let mut name = plain.iter().zip(upper).skip(12);
    assert!(name.all(|(byte, upper)| upper == byte.is_ascii_lowercase()));
}

#[test]
fn a_label_may_contain_any_bytes_and_all_are_compared() {
    let name = Name::from_labels([&b"a\0b"[..], b"\x05test", b"test"]).unwrap();
    let plain = Question { name, record_type: RecordType::A }.encode(false).unwrap();
    let reply = reply_to(&plain, 0x8180, 0);
    assert!(is_reply_to(&plain, &reply) && repeats_name(&plain, &reply));
    for place in 12..plain.len() {
        let mut other = reply.clone();
        other[place] ^= 1;
        assert!(!is_reply_to(&plain, &other), "byte {place}");
    }
    let mut seen = std::collections::HashSet::new();
    for _ in 0..100 {
        let mut mixed = plain.clone();
        mix_case(&mut mixed).unwrap();
        assert!(mixed.eq_ignore_ascii_case(&plain));
        seen.insert(mixed);
    }
    assert!(seen.len() > 50);
}

#[test]
fn names_pointing_to_the_question_have_the_requested_case() {
    let plain = query("a.test.");
    let mut mixed = plain.clone();
    mixed[12..18].make_ascii_uppercase();
    let mut reply = reply_to(&mixed, 0x8180, 1);
    push(&mut reply, 5, 1, 60, &[2, b'd', b'b', 0xc0, 14]);
    copy_name(&plain, &mut reply);
    let Rdata::Cname(target) = &Response::decode(&reply).unwrap().answers[0].data else { panic!("no alias") };
    assert_eq!(target.to_ascii(), "db.test.");
}

#[test]
fn a_query_has_one_question_asks_for_recursion_and_offers_1232_bytes() {
    let question = Question { name: Name::from_ascii("Mon1.test.").unwrap(), record_type: RecordType::AAAA };
    let message = Message::from_vec(&question.encode(true).unwrap()).unwrap();
    assert!(message.metadata.recursion_desired);
    assert_eq!(message.queries.len(), 1);
    assert_eq!(message.queries[0].query_type(), RecordType::AAAA);
    assert_eq!(message.edns.unwrap().max_payload(), 1232);
    assert!(Message::from_vec(&question.encode(false).unwrap()).unwrap().edns.is_none());
}

#[test]
fn ids_are_rarely_reused() {
    let ids: std::collections::HashSet<[u8; 2]> =
        (0..200).map(|_| query("a.test.")[..2].try_into().unwrap()).collect();
    assert!(ids.len() > 190, "{}", ids.len());
}

#[test]
fn only_a_reply_that_matches_the_query_is_accepted() {
    let query = query("a.test.");
    let good = answer(&query, [1, 2, 3, 4], 60);
    assert!(is_reply_to(&query, &good));
    let mut wrong_id = good.clone();
    wrong_id[0] ^= 1;
    let mut no_response = good.clone();
    no_response[2] &= 0x7f;
    let mut wrong_name = good.clone();
    wrong_name[13] = b'b';
    let mut wrong_type = good.clone();
    wrong_type[21] = 28;
    let mut no_question = good.clone();
    no_question[5] = 0;
    for wrong in [wrong_id, no_response, wrong_name, wrong_type, no_question, vec![], good[..11].to_vec()] {
        assert!(!is_reply_to(&query, &wrong), "{wrong:?}");
    }
    let mut other_case = good.clone();
    other_case[13] = b'A';
    assert!(is_reply_to(&query, &other_case));
}

#[test]
fn an_unreadable_record_is_skipped_and_counted() {
    let message = with_records(&[
        (1, 1, &[1, 2, 3]),       // too short
        (1, 1, &[1, 2, 3, 4, 5]), // too long
        (1, 1, &[]),              // empty
        (1, 3, &[9, 9, 9, 9]),    // class CHAOS
        (5, 1, &[0xc0, 200]),     // an alias of nothing
        (16, 1, b"\x04text"),
        (1, 1, &[1, 2, 3, 4]),
        (28, 1, &[0; 16]),
    ]);
    let reply = Response::decode(&message).unwrap();
    assert_eq!(reply.unreadable, 4);
    let data: Vec<&Rdata> = reply.answers.iter().map(|record| &record.data).collect();
    let [Rdata::Other(RecordType::TXT), Rdata::A(ipv4), Rdata::Aaaa(ipv6)] = data.as_slice() else {
        panic!("{data:?}");
    };
    assert_eq!((*ipv4, *ipv6), (Ipv4Addr::new(1, 2, 3, 4), Ipv6Addr::UNSPECIFIED));
}

#[test]
fn a_truncated_message_yields_the_records_before_its_end() {
    let mut message = with_records(&[(1, 1, &[1, 2, 3, 4]), (1, 1, &[5, 6, 7, 8])]);
    message.truncate(message.len() - 1);
    let reply = Response::decode(&message).unwrap();
    assert_eq!((reply.answers.len(), reply.unreadable), (1, 1));
}

#[test]
fn a_name_that_points_to_itself_is_unreadable() {
    let mut message = reply_to(&query("a.test."), 0x8180, 1);
    let here = u8::try_from(message.len()).unwrap();
    message.extend([0xc0, here, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4]);
    assert_eq!(Response::decode(&message).unwrap().unreadable, 1);
}

#[test]
fn the_negative_ttl_is_the_smaller_of_soa_ttl_and_minimum() {
    for (ttl, minimum, expected) in [(900_u32, 60_u32, 60), (30, 60, 30), (0, 60, 1), (900, 0x8000_0000, 1)] {
        let mut message = reply_to(&query("a.test."), 0x8183, 0);
        message[9] = 1;
        let mut data = vec![0xc0, 12, 0xc0, 12];
        data.extend([0; 16]);
        data.extend(minimum.to_be_bytes());
        push(&mut message, 6, 1, ttl, &data);
        let reply = Response::decode(&message).unwrap();
        assert_eq!(reply.rcode, rcode::NXDOMAIN);
        assert_eq!(reply.negative_ttl, Some(Ttl::from_secs(expected)));
    }
}

#[test]
fn an_empty_answer_is_lame_with_or_without_edns() {
    let mut message = reply_to(&query("a.test."), 0x8100, 0);
    assert!(Response::decode(&message).unwrap().is_lame());
    message[11] = 1;
    message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
    assert!(Response::decode(&message).unwrap().is_lame());
    message[3] |= 0x80;
    assert!(!Response::decode(&message).unwrap().is_lame());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(message: Vec<u8>, tail: Vec<u8>, counts in prop::array::uniform4(0_u8..4)) {
        let _ = Response::decode(&message);
        let query = query("a.test.");
        let _ = is_reply_to(&query, &message);
        let mut shaped = reply_to(&query, 0x8180, 0);
        for (place, count) in [5, 7, 9, 11].into_iter().zip(counts) {
            shaped[place] = count;
        }
        shaped.extend(tail);
        let _ = Response::decode(&shaped);
    }

    #[test]
    fn every_address_and_ttl_is_decoded(address: [u8; 4], ttl: u32) {
        let reply = Response::decode(&answer(&query("a.test."), address, ttl)).unwrap();
        prop_assert_eq!(&reply.answers[0].data, &Rdata::A(Ipv4Addr::from(address)));
        prop_assert_eq!(reply.answers[0].ttl, Ttl::from_record(ttl));
    }
}
