//! The threads, and the log they write.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::script::{Context, Reply};
use super::server::Config;
use super::timer::Timer;
use super::wire::{Name, Query, Transport};

/// A query as the log has it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The qname in lower case, without a final dot; `query` has it as it came in.
    pub name: String,
    pub qtype: u16,
    pub transport: Transport,
    /// The EDNS payload size, if the query has EDNS.
    pub edns: Option<u16>,
    pub at: Instant,
    pub peer: SocketAddr,
    /// The rest of it.
    pub query: Query,
}

#[derive(Default)]
pub(super) struct Log {
    pub(super) queries: Vec<Logged>,
    pub(super) asked: HashMap<(Name, u16), usize>,
    pub(super) malformed: usize,
}

/// What the threads of a server share.
pub(super) struct Shared {
    pub(super) addr: SocketAddr,
    pub(super) udp: Arc<UdpSocket>,
    pub(super) config: Mutex<Arc<Config>>,
    pub(super) log: Mutex<Log>,
    pub(super) logged: Condvar,
    pub(super) timer: Timer,
    pub(super) stop: AtomicBool,
}

/// A TCP connection's writing side.
type Stream = Arc<Mutex<TcpStream>>;

impl Shared {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub(super) fn serve_udp(&self) {
        let mut buffer = vec![0; 65536];
        while !self.stopped() {
            let Ok((len, peer)) = self.udp.recv_from(&mut buffer) else {
                continue;
            };
            if !self.stopped() {
                self.serve(&buffer[..len], Transport::Udp, peer, |reply, at| {
                    self.send_datagram(reply, at, peer);
                });
            }
        }
        self.wake_tcp();
    }

    /// Has the thread that accepts, if there is one, see that it is to stop.
    pub(super) fn wake_tcp(&self) {
        let _ = TcpStream::connect_timeout(&self.addr, Duration::from_secs(1));
    }

    pub(super) fn serve_tcp(self: &Arc<Self>, listener: &TcpListener, close: bool) {
        let mut connections: Vec<(Weak<Mutex<TcpStream>>, JoinHandle<()>)> = Vec::new();
        for accepted in listener.incoming() {
            if self.stopped() {
                break;
            }
            let Ok(stream) = accepted else { continue };
            for (_, thread) in connections.extract_if(.., |(_, thread)| thread.is_finished()) {
                thread.join().expect("the connection's thread");
            }
            if !close {
                let writer = Arc::new(Mutex::new(stream.try_clone().unwrap()));
                let weak = Arc::downgrade(&writer);
                let shared = Arc::clone(self);
                let thread = thread::spawn(move || {
                    let _ = shared.serve_connection(stream, &writer);
                });
                connections.push((weak, thread));
            }
        }
        for writer in connections.iter().filter_map(|(weak, _)| weak.upgrade()) {
            let _ = writer.lock().unwrap().shutdown(Shutdown::Both);
        }
        for (_, thread) in connections {
            thread.join().expect("the connection's thread");
        }
    }

    fn serve_connection(&self, mut reader: TcpStream, writer: &Stream) -> io::Result<()> {
        let peer = reader.peer_addr()?;
        reader.set_nodelay(true)?;
        reader.set_write_timeout(Some(Duration::from_secs(1)))?;
        loop {
            let mut len = [0; 2];
            reader.read_exact(&mut len)?;
            let mut message = vec![0; u16::from_be_bytes(len).into()];
            reader.read_exact(&mut message)?;
            self.serve(&message, Transport::Tcp, peer, |reply, at| {
                self.send_stream(&reply, at, writer);
            });
        }
    }

    /// Logs a message, and has the replies to it sent.
    fn serve(&self, message: &[u8], transport: Transport, peer: SocketAddr, send: impl Fn(Reply, Instant)) {
        let at = Instant::now();
        let config = Arc::clone(&self.config.lock().unwrap());
        let Some(query) = Query::parse(message) else {
            self.log.lock().unwrap().malformed += 1;
            return;
        };
        let nth = self.log(&query, transport, peer, at);
        let context = Context {
            query: &query,
            transport,
            zones: &config.zones,
            outside: config.outside,
            server: self.addr,
        };
        for reply in context.replies(&config.script.choose(&query, transport, nth)) {
            let due = at + config.latency + reply.after;
            send(reply, due);
        }
    }

    /// How many queries for the same name and type there were before.
    fn log(&self, query: &Query, transport: Transport, peer: SocketAddr, at: Instant) -> usize {
        let mut log = self.log.lock().unwrap();
        log.queries.push(Logged {
            name: query.name(),
            qtype: query.qtype,
            transport,
            edns: query.edns.as_ref().map(|edns| edns.size),
            at,
            peer,
            query: query.clone(),
        });
        let asked = log.asked.entry((query.qname.lower(), query.qtype));
        let asked = asked.or_insert(0);
        *asked += 1;
        self.logged.notify_all();
        *asked - 1
    }

    fn send_datagram(&self, reply: Reply, at: Instant, peer: SocketAddr) {
        let socket = match reply.from {
            None => Arc::clone(&self.udp),
            Some(source) => Arc::new(UdpSocket::bind(source).expect("bind the other source")),
        };
        self.run(at, move || {
            let _ = socket.send_to(&reply.bytes, peer);
        });
    }

    fn send_stream(&self, reply: &Reply, at: Instant, writer: &Stream) {
        let len = reply.tcp_length.unwrap_or(reply.bytes.len() as u16);
        let mut framed = [&len.to_be_bytes(), reply.bytes.as_slice()].concat();
        framed.truncate(reply.tcp_cut.unwrap_or(usize::MAX));
        let (piece, interval) = match reply.tcp_drip {
            Some(interval) => (1, interval),
            None => (framed.len().max(1), Duration::ZERO),
        };
        let mut due = at;
        for piece in framed.chunks(piece) {
            let (piece, writer) = (piece.to_vec(), Arc::clone(writer));
            self.run(due, move || {
                let _ = writer.lock().unwrap().write_all(&piece);
            });
            due += interval;
        }
        if reply.tcp_cut.is_some() {
            let writer = Arc::clone(writer);
            self.run(due, move || {
                let _ = writer.lock().unwrap().shutdown(Shutdown::Both);
            });
        }
    }

    /// At once if it is due, or else by the timer.
    fn run(&self, at: Instant, job: impl FnOnce() + Send + 'static) {
        if at <= Instant::now() {
            job();
        } else {
            self.timer.add(at, Box::new(job));
        }
    }
}
