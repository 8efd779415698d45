//! Writes the servers' answers to files, as seeds of the fuzz target `message`.

use crate::program::{by_tcp, by_udp};
use names::message::{AFSDB, Name, Question, RecordType, is_reply_to};
use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::PathBuf;

/// The questions of the cases, with or without EDNS: what differs by it alone is one record.
const QUESTIONS: [(&str, RecordType, bool); 14] = [
    ("mon.example.test.", RecordType::A, true),
    ("V6.Example.TEST.", RecordType::AAAA, true),
    ("alias.example.test.", RecordType::A, true),
    ("any.thing.wild.example.test.", RecordType::A, true),
    ("nosuch.example.test.", RecordType::A, true),
    ("nosuch.example.test.", RecordType::A, false),
    ("text.example.test.", RecordType::A, true),
    ("gone.example.test.", RecordType::A, true),
    ("many.example.test.", RecordType::A, true),
    ("many.example.test.", RecordType::A, false),
    ("_afs3-vlserver._udp.cell.example.test.", RecordType::SRV, true),
    ("old.example.test.", AFSDB, true),
    ("none.example.test.", AFSDB, true),
    ("host.elsewhere.test.", RecordType::A, true),
];

/// The ID of all queries, so that equal answers are equal files.
const ID: [u8; 2] = *b"BB";

/// Where the answers go, and what is there already.
pub struct Captures {
    folder: PathBuf,
    written: HashSet<Vec<u8>>,
}

impl Captures {
    /// In the folder that `KEY_DNS_CAPTURE` names, if it names one.
    pub fn from_environment() -> Option<Self> {
        let folder = PathBuf::from(env::var_os("KEY_DNS_CAPTURE")?);
        fs::create_dir_all(&folder).unwrap();
        Some(Self { folder, written: HashSet::new() })
    }

    /// Asks a server each question, and over TCP too where the answer to a query with EDNS is truncated.
    pub fn take(&mut self, server: &str, address: &str) {
        for (name, record_type, edns) in QUESTIONS {
            let question = Question { name: Name::from_ascii(name).unwrap(), record_type };
            let mut query = question.encode(edns).unwrap();
            query[..2].copy_from_slice(&ID);
            let Ok(answer) = by_udp(address, &query) else {
                println!("{server} does not answer {question}");
                continue;
            };
            let plain = if edns { "" } else { "-plain" };
            let file = format!("{server}-{question}{plain}").replace(' ', "-").replace(".-", "-");
            let truncated = answer[2] & 0x02 != 0;
            self.write(&file, &query, &answer);
            // tinydns does not listen there.
            if let Some(answer) = (truncated && edns).then(|| by_tcp(address, &query).ok()).flatten() {
                self.write(&format!("{file}-tcp"), &query, &answer);
            }
        }
    }

    /// Writes an answer that no file has yet.
    fn write(&mut self, file: &str, query: &[u8], answer: &[u8]) {
        assert!(is_reply_to(query, answer), "{file}: not an answer: {answer:?}");
        if self.written.insert(answer.to_owned()) {
            // The target cuts the message off at the place that the first two bytes tell: halfway.
            let half = u16::try_from(answer.len() / 2).unwrap();
            fs::write(self.folder.join(file), [&half.to_be_bytes(), answer].concat()).unwrap();
        }
    }
}
