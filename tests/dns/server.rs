//! A server as a test sees it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::script::{Action, Script};
use super::serve::{Log, Logged, Shared};
use super::sockets::Bound;
use super::timer::Timer;
use super::wire::{Name, rcode};
use super::zone::Zone;

/// What a server may be told anew while it runs.
#[derive(Clone)]
pub struct Config {
    pub zones: Vec<Zone>,
    pub script: Script,
    /// How long every reply is held back.
    pub latency: Duration,
    /// The rcode for names outside the zones.
    pub outside: u16,
}

/// What becomes of TCP connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TcpMode {
    #[default]
    Serve,
    /// They are accepted, and closed before anything is read.
    Close,
    /// Nothing listens.
    Refuse,
}

/// A server to be.
#[must_use]
pub struct Builder {
    config: Config,
    addr: SocketAddr,
    tcp: TcpMode,
}

impl Builder {
    /// One more zone.
    pub fn zone(mut self, zone: Zone) -> Self {
        self.config.zones.push(zone);
        self
    }

    pub fn script(mut self, script: Script) -> Self {
        self.config.script = script;
        self
    }

    /// Holds every reply back for this time, without blocking other queries.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.config.latency = latency;
        self
    }

    /// The rcode for names outside the zones; REFUSED if not set.
    pub fn outside(mut self, rcode: u16) -> Self {
        self.config.outside = rcode;
        self
    }

    /// The address, such as `127.0.0.53:53` or `[::1]:0`; `127.0.0.1:0` if not set.
    pub fn at(mut self, addr: &str) -> Self {
        self.addr = addr.parse().expect("address and port");
        self
    }

    pub fn tcp(mut self, mode: TcpMode) -> Self {
        self.tcp = mode;
        self
    }

    pub fn start(self) -> Server {
        let addr = self.addr;
        let started = self.try_start();
        started.unwrap_or_else(|error| panic!("DNS server at {addr}: {error}"))
    }

    /// As [`Builder::start`], for a port that may not be ours to take.
    pub fn try_start(self) -> io::Result<Server> {
        Bound::at(self.addr).map(|bound| self.start_on(bound))
    }

    /// Starts on sockets that are bound already.
    pub fn start_on(self, bound: Bound) -> Server {
        let addr = bound.addr();
        let shared = Arc::new(Shared {
            addr,
            udp: Arc::new(bound.udp),
            config: Mutex::new(Arc::new(self.config)),
            log: Mutex::default(),
            logged: Condvar::new(),
            timer: Timer::default(),
            stop: AtomicBool::new(false),
        });
        let listener = (self.tcp != TcpMode::Refuse).then_some(bound.tcp);
        let mut threads = Vec::new();
        let mut start = |what, run: Run| {
            let shared = Arc::clone(&shared);
            let thread = thread::Builder::new().name(format!("dns {what}"));
            threads.push(thread.spawn(move || run(&shared)).unwrap());
        };
        start("timer", Box::new(|shared| shared.timer.run()));
        start("udp", Box::new(|shared| shared.serve_udp()));
        if let Some(listener) = listener {
            let close = self.tcp == TcpMode::Close;
            start("tcp", Box::new(move |shared| shared.serve_tcp(&listener, close)));
        }
        Server { shared, threads }
    }
}

type Run = Box<dyn FnOnce(&Arc<Shared>) + Send>;

/// A running server. It stops, and its threads have ended, when this is dropped;
/// the drop panics if a thread did. The port is free then, but for the moment a
/// child process that is just being started may still have it (see [`Bound::at`]).
pub struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub fn builder() -> Builder {
        Builder {
            config: Config {
                zones: Vec::new(),
                script: Script::new(),
                latency: Duration::ZERO,
                outside: rcode::REFUSED,
            },
            addr: (Ipv4Addr::LOCALHOST, 0).into(),
            tcp: TcpMode::Serve,
        }
    }

    /// A server that logs and never answers; TCP connections stay open.
    pub fn silent() -> Self {
        let script = Script::new().on_all(Action::Silence);
        Self::builder().script(script).start()
    }

    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// The socket of its datagrams, to send others from there.
    pub fn udp(&self) -> Arc<UdpSocket> {
        Arc::clone(&self.shared.udp)
    }

    /// Changes what queries from now on are answered with.
    pub fn change(&self, change: impl FnOnce(&mut Config)) {
        change(Arc::make_mut(&mut self.shared.config.lock().unwrap()));
    }

    /// The queries so far, in the order they came.
    pub fn queries(&self) -> Vec<Logged> {
        self.shared.log.lock().unwrap().queries.clone()
    }

    /// How many queries there were for this name (case-blind) and type.
    pub fn count(&self, name: impl Into<Name>, qtype: u16) -> usize {
        let log = self.shared.log.lock().unwrap();
        let key = (name.into().lower(), qtype);
        log.asked.get(&key).copied().unwrap_or(0)
    }

    /// How many messages there were that [`Query::parse`] does not take; they get
    /// no answer.
    pub fn malformed(&self) -> usize {
        self.shared.log.lock().unwrap().malformed
    }

    /// Waits until there were `count` queries in all; whether there were in time.
    pub fn wait(&self, count: usize, time: Duration) -> bool {
        let log = self.shared.log.lock().unwrap();
        let few = |log: &mut Log| log.queries.len() < count;
        let waited = self.shared.logged.wait_timeout_while(log, time, few);
        !waited.unwrap().1.timed_out()
    }

    /// Forgets the queries so far, for scripts too: the next one is the first.
    pub fn clear(&self) {
        *self.shared.log.lock().unwrap() = Log::default();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.timer.stop();
        // From its own socket, which is right whatever namespace this thread is in.
        let _ = self.shared.udp.send_to(&[], self.shared.addr);
        let mut panicked = false;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                panicked = true;
                // The UDP thread did not come to do it.
                self.shared.wake_tcp();
            }
        }
        let ok = !panicked || thread::panicking();
        assert!(ok, "a thread of the DNS server panicked");
    }
}
