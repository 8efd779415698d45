//! A name server.

use std::net::{SocketAddr, UdpSocket};
use std::thread;

/// Starts a name server that knows one address for every name, 192.0.2.7 for 300 s, and none of any other family. It
/// runs as long as the process.
pub(crate) fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&answer(&buffer[..length]), client);
        }
    });
    address
}

/// The answer to a query, following RFC 1035 §4.1.
fn answer(question: &[u8]) -> Vec<u8> {
    let name = question[12..].iter().position(|&byte| byte == 0).unwrap();
    let end = 12 + name + 5;
    let address_wanted = question[end - 4..end - 2] == [0, 1];
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, address_wanted.into(), 0, 0, 0, 0]);
    answer.extend(&question[12..end]);
    if address_wanted {
        // The name of the question, A, IN, 300 s, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 7]);
    }
    answer
}
