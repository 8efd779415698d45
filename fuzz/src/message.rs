use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::{DNSClass, Name, RData, RecordType};
use key::Ttl;
use names::message::{Question, Rdata, Response, is_reply_to};
use std::net::IpAddr;

/// A DNS message, as a server may send it.
///
/// The first two bytes say where it is cut off.
pub fn message(input: &[u8]) {
    let Some((&[high, low], message)) = input.split_first_chunk() else { return };
    let Ok(reply) = Response::decode(message) else {
        assert!(!is_reply_to(message, message) || message.len() < 12);
        return;
    };
    let counted = usize::from(u16::from_be_bytes([message[6], message[7]]));
    assert!(reply.answers.len() + usize::from(reply.unreadable) <= counted);
    for record in reply.answers.iter().chain(&reply.glue) {
        assert!(record.ttl >= Ttl::MIN);
    }
    // What one message says has a place in it: of names alone a few bytes can make long ones.
    assert!(reply.answers.len() + reply.glue.len() <= message.len() / 11);
    like_hickory(message, &reply);
    cut_off(&message[..usize::from(u16::from_be_bytes([high, low])) % (message.len() + 1)], &reply);
    answered(message);
}

/// Where hickory can read the whole message, it reads the same addresses.
fn like_hickory(message: &[u8], reply: &Response) {
    let Ok(theirs) = Message::from_vec(message) else { return };
    let records = theirs.answers.iter().filter(|record| record.dns_class == DNSClass::IN);
    let theirs: Vec<(&Name, IpAddr)> = records
        .filter_map(|record| match &record.data {
            RData::A(address) => Some((&record.name, IpAddr::V4(address.0))),
            RData::AAAA(address) => Some((&record.name, IpAddr::V6(address.0))),
            _ => None,
        })
        .collect();
    let ours: Vec<(&Name, IpAddr)> = reply
        .answers
        .iter()
        .filter_map(|record| match record.data {
            Rdata::A(address) => Some((&record.owner, IpAddr::V4(address))),
            Rdata::Aaaa(address) => Some((&record.owner, IpAddr::V6(address))),
            _ => None,
        })
        .collect();
    // Chains of pointers are not followed as far as there.
    if reply.unreadable == 0 {
        assert_eq!(ours, theirs);
    } else {
        assert!(theirs.starts_with(&ours));
    }
}

/// The beginning of a message says nothing that the whole does not.
fn cut_off(message: &[u8], whole: &Response) {
    let Ok(part) = Response::decode(message) else { return };
    assert!(whole.answers.starts_with(&part.answers));
    assert!(whole.glue.starts_with(&part.glue));
    let total = |reply: &Response| reply.answers.len() + usize::from(reply.unreadable);
    assert!(total(&part) >= total(whole));
}

/// A message is the answer to the question in it, and to no other.
fn answered(message: &[u8]) {
    let others = ["mon1.example.org.", "."]
        .map(|name| Question { name: Name::from_ascii(name).unwrap(), record_type: RecordType::A });
    let own = Message::from_vec(message).ok().and_then(|message| {
        let query = message.queries.into_iter().next()?;
        Some(Question { record_type: query.query_type(), name: query.name })
    });
    for question in others.into_iter().chain(own) {
        let mut query = question.encode(false).unwrap();
        query[..2].copy_from_slice(&message[..2]);
        // The question is there byte by byte, but for case: it can't be compressed that early.
        let asked = &query[12..];
        let same = message[12..].get(..asked.len()).is_some_and(|there| there.eq_ignore_ascii_case(asked));
        let expected = same && message[2] & 0x80 != 0 && message[4..6] == [0, 1];
        assert_eq!(is_reply_to(&query, message), expected, "{question}");
    }
}
