//! The network, against servers on the loopback interface.

use super::*;
use crate::message::{Question, RecordType, Response};
use crate::script::ReplyWriter;
use crate::test_host::question;
use futures_util::TryStreamExt;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

fn asked() -> Question {
    question("mon1.test", RecordType::A)
}

/// Sends a question for `mon1.test` to a server, and gives what came: the codes of responses, and no more than so many.
fn exchange(server: SocketAddr, protocol: Protocol, most: usize) -> io::Result<Vec<Option<u16>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let query = asked().encode(true).unwrap();
    let messages = Network.exchange(server, protocol, query).take(most);
    let code = |message: Vec<u8>| Response::decode(&message).ok().map(|reply| reply.rcode);
    runtime.block_on(messages.map(|message| message.map(code)).try_collect())
}

/// A reply with this code.
fn reply(query: &[u8], rcode: u16) -> Vec<u8> {
    ReplyWriter::new(query, 0x8180 | rcode).finish([0; 3])
}

/// The reply to another question: nobody can know what it was.
fn forged(query: &[u8]) -> Vec<u8> {
    let mut bytes = reply(query, 5);
    bytes[0] ^= 1;
    bytes
}

/// Each message that this server sends over UDP is delivered.
fn every_message_is_delivered(server: UdpSocket) {
    let address = server.local_addr().unwrap();
    let answering = thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, client) = server.recv_from(&mut buffer).unwrap();
        let query = &buffer[..length];
        for bytes in [forged(query), b"nonsense".to_vec(), Vec::new(), reply(query, 3)] {
            server.send_to(&bytes, client).unwrap();
            // So that it is alone there when it is read.
            thread::sleep(Duration::from_millis(20));
        }
    });
    let expected = [Some(5), None, None, Some(3)];
    assert_eq!(exchange(address, Protocol::Udp, 4).unwrap(), expected);
    answering.join().unwrap();
}

#[test]
fn over_udp_every_message_from_the_server_is_delivered() {
    if !skip::has_loopback() {
        return;
    }
    every_message_is_delivered(UdpSocket::bind("127.0.0.1:0").unwrap());
}

#[test]
fn over_udp_and_ipv6_every_message_from_the_server_is_delivered() {
    match UdpSocket::bind("[::1]:0") {
        Ok(server) => every_message_is_delivered(server),
        Err(error) => skip::skip(&format!("it needs ::1, the loopback address of IPv6: {error}")),
    }
}

#[test]
fn over_tcp_every_message_is_delivered_and_then_the_end() {
    if !skip::has_loopback() {
        return;
    }
    for most in [2, 3] {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let answering = thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let mut length = [0; 2];
            connection.read_exact(&mut length).unwrap();
            let mut query = vec![0; u16::from_be_bytes(length).into()];
            connection.read_exact(&mut query).unwrap();
            for message in [forged(&query), reply(&query, 3)] {
                let length = u16::try_from(message.len()).unwrap();
                connection.write_all(&[&length.to_be_bytes()[..], &message].concat()).unwrap();
            }
        });
        let outcome = exchange(address, Protocol::Tcp, most).map_err(|error| error.kind());
        let expected = if most == 2 { Ok(vec![Some(5), Some(3)]) } else { Err(io::ErrorKind::UnexpectedEof) };
        assert_eq!(outcome, expected);
        answering.join().unwrap();
    }
}

#[test]
fn a_closed_port_is_refused_at_once() {
    if !skip::has_loopback() {
        return;
    }
    // Ports that were just given back.
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, protocol) in [(udp, Protocol::Udp), (tcp, Protocol::Tcp)] {
        let error = exchange(address, protocol, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{protocol:?}");
        assert_eq!(error.raw_os_error(), Some(nix::libc::ECONNREFUSED), "{protocol:?}");
    }
}

#[test]
fn an_error_keeps_its_number_or_its_kind() {
    let numbered = into_io(NetError::from(io::Error::from_raw_os_error(nix::libc::ENETUNREACH)));
    assert_eq!(numbered.raw_os_error(), Some(nix::libc::ENETUNREACH));
    let kind = into_io(NetError::from(io::Error::new(io::ErrorKind::ConnectionReset, "gone")));
    assert_eq!((kind.kind(), kind.to_string().as_str()), (io::ErrorKind::ConnectionReset, "gone"));
    let other = into_io(NetError::from("what else"));
    assert_eq!((other.kind(), other.to_string().as_str()), (io::ErrorKind::Other, "what else"));
}
