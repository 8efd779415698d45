//! Servers that are only an address: they record that somebody connected.

use std::io::{self, Read};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The addresses that were contacted.
#[derive(Clone, Default)]
pub struct Contacts(Arc<Mutex<Vec<SocketAddr>>>);

impl Contacts {
    fn note(&self, address: SocketAddr) {
        // A listener on `::` has IPv4 addresses mapped.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let mut seen = self.0.lock().unwrap();
        if !seen.contains(&address) {
            seen.push(address);
        }
    }

    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Each once, in the order of addresses, as several may be contacted at the same time.
    pub fn seen(&self) -> Vec<SocketAddr> {
        let mut seen = self.0.lock().unwrap().clone();
        seen.sort();
        seen
    }

    /// The same as text, which says "nobody" where there was none.
    pub fn named(&self) -> String {
        let seen: Vec<String> = self.seen().iter().map(SocketAddr::to_string).collect();
        if seen.is_empty() { "nobody".to_owned() } else { seen.join(", ") }
    }

    /// Listens on all addresses, and closes each connection when something was said.
    pub fn tcp(&self, port: u16) {
        let listener = TcpListener::bind(("::", port)).unwrap();
        let contacts = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let contacts = contacts.clone();
                thread::spawn(move || contacts.met(&stream.unwrap()));
            }
        });
    }

    /// Listens on all addresses, and passes what comes on to another port here, and back.
    pub fn relay(&self, port: u16, to: u16) {
        let listener = TcpListener::bind(("::", port)).unwrap();
        let contacts = self.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                contacts.note(client.local_addr().unwrap());
                let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
                pass_on(client.try_clone().unwrap(), server.try_clone().unwrap());
                pass_on(server, client);
            }
        });
    }

    fn met(&self, mut stream: &TcpStream) {
        self.note(stream.local_addr().unwrap());
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let _ = stream.read(&mut [0; 4096]);
    }

    /// Listens on one address until something comes, and not any more: the second attempt is refused. (By an abort, the
    /// call would be over at once, but so was Linux 6.1.192, in `rxrpc_kernel_get_srtt()`.)
    pub fn udp_once(&self, address: &str, port: u16) {
        let address: IpAddr = address.parse().unwrap();
        let socket = UdpSocket::bind((address, port)).unwrap();
        let contacts = self.clone();
        thread::spawn(move || {
            socket.recv(&mut [0; 2048]).unwrap();
            contacts.note(socket.local_addr().unwrap());
        });
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
