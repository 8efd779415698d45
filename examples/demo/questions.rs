//! What is asked, and what must come of it.

use crate::server_list;
use crate::world::FARM;
use nix::errno::Errno;
use std::net::{IpAddr, SocketAddr};

/// One question and its answer.
pub(crate) struct Question {
    pub(crate) title: &'static str,
    pub(crate) asker: Asker,
    /// The key's description: the name, with or without a type before it.
    pub(crate) description: &'static str,
    /// The key's callout info: options.
    pub(crate) callout: &'static str,
    pub(crate) answer: Answer,
    /// Seconds.
    pub(crate) expiry: u32,
}

/// What must come of a question.
pub(crate) enum Answer {
    /// These addresses.
    Is(&'static str),
    /// All addresses of the farm.
    Farm,
    /// A list of these servers, each with an address.
    Servers(&'static [(&'static str, &'static str)]),
    /// This error.
    Fails(Errno),
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) enum Asker {
    Ceph,
    Cifs,
    Nfs,
    Afs,
    Keyctl,
}

/// What a key is filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Addresses; in a list, their order is the host's own.
    Addresses(Vec<IpAddr>),
    /// A server list for kAFS: names, each with addresses and ports, in order.
    Servers(Vec<(String, Vec<SocketAddr>)>),
    /// An errno in place of an answer.
    Error(i32),
    /// Neither.
    Other(String),
}

impl Question {
    /// The name alone.
    pub(crate) fn name(&self) -> &'static str {
        self.description.split_once(':').map_or(self.description, |(_, name)| name)
    }

    /// The key, as the kernel makes it.
    pub(crate) fn asked(&self) -> String {
        format!("\"{}\", callout \"{}\"", self.description, self.callout)
    }

    /// What is wrong with an answer, if anything.
    pub(crate) fn fault(&self, payload: &Payload, expiry: u32) -> Option<String> {
        let expected = match self.answer {
            Answer::Is(text) => Payload::parse(text),
            Answer::Farm => Payload::Addresses((1..=FARM).map(|last| [198, 51, 100, last].into()).collect()),
            Answer::Servers(servers) => Payload::Servers(servers.iter().map(server).collect()),
            Answer::Fails(errno) => Payload::Error(errno as i32),
        };
        let right = payload.sorted() == expected.sorted() && expiry == self.expiry;
        (!right).then(|| format!("expected {} for {} s", expected.shown(), self.expiry))
    }
}

impl Asker {
    /// What it does with an answer.
    pub(crate) fn does(self, payload: &Payload) -> String {
        let address = match payload {
            Payload::Addresses(addresses) => addresses.first().map(ToString::to_string).unwrap_or_default(),
            Payload::Servers(_) => String::new(),
            Payload::Error(number) => return self.fails(*number),
            Payload::Other(_) => return "nobody can read that".to_owned(),
        };
        match self {
            Self::Ceph => format!("libceph connects to the monitor at {address}"),
            Self::Cifs => format!("CIFS connects to the server at {address}"),
            Self::Nfs => format!("the referral is followed to {address}"),
            Self::Afs => "kAFS asks the cell's servers where its volumes are".to_owned(),
            Self::Keyctl => "`keyctl print` shows it".to_owned(),
        }
    }

    fn fails(self, number: i32) -> String {
        match self {
            Self::Ceph | Self::Nfs => {
                format!("the mount fails with {}, as with any failure", error(Errno::ESRCH as i32))
            }
            Self::Cifs | Self::Afs => format!("the mount fails with {}", error(number)),
            Self::Keyctl => format!("`keyctl print` fails with {}", error(number)),
        }
    }
}

impl Payload {
    /// The payload as a key is read.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        match server_list::decode(bytes) {
            Some(servers) => Self::Servers(servers),
            None => Self::parse(&String::from_utf8_lossy(bytes)),
        }
    }

    /// The payload as text.
    pub(crate) fn parse(text: &str) -> Self {
        let number = text.strip_prefix("#dnserror=").map(str::parse);
        let addresses: Result<Vec<IpAddr>, _> = text.split(',').map(str::parse).collect();
        match (number, addresses) {
            (Some(Ok(number)), _) => Self::Error(number),
            (None, Ok(addresses)) => Self::Addresses(addresses),
            _ => Self::Other(text.to_owned()),
        }
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Addresses(addresses) => match addresses.as_slice() {
                [first, second, .., last] if addresses.len() > 8 => {
                    format!("{first},{second},…,{last} ({} addresses)", addresses.len())
                }
                few => few.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            },
            Self::Servers(servers) => {
                let server = |(name, endpoints): &(String, Vec<SocketAddr>)| {
                    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
                    format!("{} {}", name.split('.').next().unwrap_or_default(), endpoints.join(" "))
                };
                servers.iter().map(server).collect::<Vec<_>>().join(", ")
            }
            Self::Error(number) => format!("#dnserror={number} ({:?})", Errno::from_raw(*number)),
            Self::Other(text) => format!("{text:?}"),
        }
    }

    fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        if let Self::Addresses(addresses) = &mut sorted {
            addresses.sort_unstable();
        }
        sorted
    }
}

fn server((name, endpoint): &(&str, &str)) -> (String, Vec<SocketAddr>) {
    ((*name).to_owned(), endpoint.parse().into_iter().collect())
}

/// An errno by name and in words.
pub(crate) fn error(number: i32) -> String {
    let words = std::io::Error::from_raw_os_error(number).to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    format!("{:?} ({words})", Errno::from_raw(number))
}

/// The questions, from the everyday to the odd.
pub(crate) const QUESTIONS: [Question; 18] = [
    Question {
        title: "CephFS: a monitor",
        asker: Asker::Ceph,
        description: "mon1.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("192.0.2.11"),
        expiry: 300,
    },
    Question {
        title: "CephFS: a monitor with both kinds of address; libceph reads exactly one",
        asker: Asker::Ceph,
        description: "mon2.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("192.0.2.12"),
        expiry: 60,
    },
    Question {
        title: "CephFS: a monitor with IPv6 alone",
        asker: Asker::Ceph,
        description: "mon3.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("2001:db8::13"),
        expiry: 120,
    },
    Question {
        title: "CIFS: an alias; of two TTLs the smaller counts",
        asker: Asker::Cifs,
        description: "storage.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("192.0.2.21"),
        expiry: 30,
    },
    Question {
        title: "NFS: a referral, with TTL 0; an expiry of 0 would mean \"for ever\"",
        asker: Asker::Nfs,
        description: "moving.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("192.0.2.31"),
        expiry: 1,
    },
    Question {
        title: "kAFS: the servers of a cell, by SRV records; a binary list",
        asker: Asker::Afs,
        description: "afsdb:cell.key-dns-demo.test",
        callout: "srv=1",
        answer: Answer::Servers(&[
            ("db1.cell.key-dns-demo.test", "192.0.2.51:7003"),
            ("db2.cell.key-dns-demo.test", "[2001:db8::52]:7003"),
        ]),
        expiry: 450,
    },
    Question {
        title: "A script: all addresses",
        asker: Asker::Keyctl,
        description: "mons.key-dns-demo.test",
        callout: "list",
        answer: Answer::Is("192.0.2.11,192.0.2.12,2001:db8::12,2001:db8::13"),
        expiry: 90,
    },
    Question {
        title: "A script: IPv6, by the type before the name",
        asker: Asker::Keyctl,
        description: "aaaa:mon2.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("2001:db8::12"),
        expiry: 60,
    },
    Question {
        title: "A script: more addresses than a datagram holds",
        asker: Asker::Keyctl,
        description: "farm.key-dns-demo.test",
        callout: "ipv4,list",
        answer: Answer::Farm,
        expiry: 300,
    },
    Question {
        title: "A script: an address for a name",
        asker: Asker::Keyctl,
        description: "192.0.2.77",
        callout: "",
        answer: Answer::Is("192.0.2.77"),
        expiry: 5,
    },
    Question {
        title: "CephFS: a silent name server; the next one is asked after 0.3 s",
        asker: Asker::Ceph,
        description: "mon.backup.key-dns-demo.test",
        callout: "",
        answer: Answer::Is("192.0.2.41"),
        expiry: 300,
    },
    Question {
        title: "CIFS: a name that does not exist",
        asker: Asker::Cifs,
        description: "nosuch.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::ENODATA),
        expiry: 60,
    },
    Question {
        title: "A script: a name without an address of the family",
        asker: Asker::Keyctl,
        description: "aaaa:mon1.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::ENODATA),
        expiry: 60,
    },
    Question {
        title: "CephFS: the name server fails; asked again soon, it may not",
        asker: Asker::Ceph,
        description: "broken.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::EAGAIN),
        expiry: 1,
    },
    Question {
        title: "CIFS: a silent name server; the deadline (20 s, here 1 s) frees the mount",
        asker: Asker::Cifs,
        description: "nas.silent.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::EAGAIN),
        expiry: 1,
    },
    Question {
        title: "CIFS: no name server is there",
        asker: Asker::Cifs,
        description: "nas.absent.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::ECONNREFUSED),
        expiry: 10,
    },
    Question {
        title: "CIFS: no host can have this name",
        asker: Asker::Cifs,
        description: "file server.key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::EINVAL),
        expiry: 1,
    },
    Question {
        title: "A script: a type of query that is not answered here",
        asker: Asker::Keyctl,
        description: "mx:key-dns-demo.test",
        callout: "",
        answer: Answer::Fails(Errno::EINVAL),
        expiry: 1,
    },
];
