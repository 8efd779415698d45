//! A name server that is a program.

use crate::support::run;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How to start one.
pub struct Program {
    /// What it is called in the table.
    pub name: &'static str,
    /// Debian's package, and the file that is run.
    pub package: &'static str,
    pub path: &'static str,
    /// Where it listens.
    pub address: &'static str,
    /// Makes its files in a folder, and tells the arguments.
    pub configure: fn(&Place) -> Vec<String>,
    /// Whether it keeps the records that it has from another server, so that some of their time may be over.
    pub keeps: bool,
    /// Whether it answers few questions of one client in a second by UDP.
    pub limits: bool,
    /// The results that differ from the usual ones, by case, and why.
    pub otherwise: &'static [(&'static str, &'static str, &'static str)],
}

/// Where a server has its files, and where it listens.
pub struct Place {
    pub folder: PathBuf,
    pub address: String,
}

impl Place {
    /// Writes a file in the folder, and tells its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The folder's path.
    pub fn path(&self) -> &str {
        self.folder.to_str().unwrap()
    }
}

/// A running server, until this is dropped.
pub struct Running {
    child: Child,
    pub address: String,
    pub since: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    pub fn is_installed(&self) -> bool {
        Path::new(self.path).exists()
    }

    /// Starts it, and waits until it answers.
    pub fn start(&self) -> Running {
        let place = Place {
            folder: Path::new("/mnt").join(self.name.replace(' ', "-")),
            address: self.address.to_owned(),
        };
        fs::create_dir_all(&place.folder).unwrap();
        // BIND looks for its address among those of the interfaces.
        let address = format!("{}/32", place.address);
        assert!(run("ip", &["address", "add", &address, "dev", "lo"]).status.success());
        let arguments = (self.configure)(&place);
        let log = place.folder.join("output");
        let output = fs::File::create(&log).unwrap();
        let child = Command::new(self.path)
            .args(arguments)
            .current_dir(&place.folder)
            .envs(ENVIRONMENT.map(|(name, value)| (name, value.replace("ADDRESS", &place.address))))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut running = Running { child, address: place.address, since: Instant::now() };
        for _ in 0..200 {
            if answers(&running.address) {
                return running;
            }
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ends: {}", self.name, fs::read_to_string(log).unwrap());
            sleep(Duration::from_millis(50));
        }
        panic!("{} does not come up: {}", self.name, fs::read_to_string(log).unwrap());
    }
}

/// What tinydns takes its settings from.
const ENVIRONMENT: [(&str, &str); 4] = [("IP", "ADDRESS"), ("ROOT", "."), ("UID", "0"), ("GID", "0")];

/// Whether it has the zone: the serial number of a server that is loading is no answer.
fn answers(address: &str) -> bool {
    // RD, one question: mon.example.test A.
    let query = b"\x42\x42\x01\0\0\x01\0\0\0\0\0\0\x03mon\x07example\x04test\0\0\x01\0\x01";
    let Ok(reply) = by_udp(address, query) else { return false };
    // NOERROR, and at least one answer. What takes no connection takes none later either.
    let has_the_zone = reply.len() > 12 && reply[3] % 16 == 0 && reply[7] > 0;
    if has_the_zone {
        let _ = TcpStream::connect_timeout(&port_53(address), PATIENCE);
    }
    has_the_zone
}

/// How long a server on this machine may take.
const PATIENCE: Duration = Duration::from_millis(200);

fn port_53(address: &str) -> SocketAddr {
    format!("{address}:53").parse().unwrap()
}

/// What a server answers over UDP.
pub fn by_udp(address: &str, query: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(port_53(address))?;
    socket.send(query)?;
    let mut reply = vec![0; 0xffff];
    let length = socket.recv(&mut reply)?;
    reply.truncate(length);
    Ok(reply)
}

/// What it answers over TCP, without the length.
pub fn by_tcp(address: &str, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&port_53(address), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = u16::try_from(query.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), query].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}
