//! A file of a FUSE file system whose daemon hangs.
//!
//! The file is the root of its file system, so that the mount point is a file as well, and nothing has to be looked up.

use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How the daemon hangs.
#[derive(Clone, Copy, Debug)]
pub enum Hang {
    /// It is stopped: it takes no request.
    Stopped,
    /// It takes the request to read the file, and answers it after so long.
    Answers(Duration),
}

/// Such a file, as long as this lives.
pub struct FuseFile {
    path: PathBuf,
    end: Arc<AtomicBool>,
    daemon: Option<JoinHandle<()>>,
}

/// Operations (linux/fuse.h, `enum fuse_opcode`).
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const INIT: u32 = 26;
const FORGET: u32 = 2;
const INTERRUPT: u32 = 36;
/// The length of `struct fuse_in_header`.
const HEADER: usize = 40;

impl FuseFile {
    /// Puts a file with this text at `path`, where there is one.
    pub fn mount(path: &str, text: &'static str, hang: Hang) -> Self {
        let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
        let options = format!("fd={},rootmode=100644,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        mount(Some("hung"), path, Some("fuse"), MsFlags::empty(), Some(options.as_str())).unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&end);
        let daemon = thread::spawn(move || serve(device, text, hang, &ends));
        Self { path: Path::new(path).to_owned(), end, daemon: Some(daemon) }
    }
}

impl Drop for FuseFile {
    fn drop(&mut self) {
        // Once the device is closed, whoever waits for the file gets an error.
        self.end.store(true, Ordering::Relaxed);
        self.daemon.take().unwrap().join().unwrap();
        let _ = umount2(&self.path, MntFlags::MNT_DETACH);
    }
}

fn serve(mut device: File, text: &str, hang: Hang, end: &AtomicBool) {
    let mut buffer = vec![0; 1 << 17];
    let mut ready = false;
    // A request that is taken and not answered yet.
    let mut held: Option<(u64, Instant)> = None;
    while !end.load(Ordering::Relaxed) {
        if let (Some((unique, since)), Hang::Answers(after)) = (held, hang)
            && since.elapsed() >= after
        {
            held = None;
            // Whoever asked may be gone.
            let _ = device.write_all(&reply(unique, 0, text.as_bytes()));
        }
        if ready && matches!(hang, Hang::Stopped) {
            thread::sleep(Duration::from_millis(50));
            continue;
        }
        let mut polled = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::from(50_u8)).unwrap_or_default() == 0 {
            continue;
        }
        let Ok(length @ HEADER..) = device.read(&mut buffer) else { return };
        let number = |at: usize| u32::from_ne_bytes(buffer[at..at + 4].try_into().unwrap());
        let unique = u64::from_ne_bytes(buffer[8..16].try_into().unwrap());
        let answer = match number(4) {
            FORGET | INTERRUPT => continue,
            INIT => {
                ready = true;
                reply(unique, 0, &init())
            }
            GETATTR => reply(unique, 0, &attributes(text.len() as u64)),
            OPEN => reply(unique, 0, &[0; 16]),
            READ => {
                let offset = u64::from_ne_bytes(buffer[HEADER + 8..HEADER + 16].try_into().unwrap());
                assert!(length > HEADER + 16);
                if offset == 0 {
                    held = Some((unique, Instant::now()));
                    continue;
                }
                reply(unique, 0, &[])
            }
            _ => reply(unique, -libc::ENOSYS, &[]),
        };
        let _ = device.write_all(&answer);
    }
}

/// `struct fuse_out_header` and what follows.
fn reply(unique: u64, error: i32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    [&length.to_ne_bytes()[..], &error.to_ne_bytes(), &unique.to_ne_bytes(), body].concat()
}

/// `struct fuse_init_out`: version 7.31, and nothing that is optional.
fn init() -> Vec<u8> {
    let words = [7_u32, 31, 4096, 0, 0, 4096, 1];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.resize(64, 0);
    bytes
}

/// `struct fuse_attr_out`, for good: a file of so many bytes that all may read and execute.
fn attributes(size: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        [3600_u64, 0, 1, size, 1, 0, 0, 0].iter().flat_map(|long| long.to_ne_bytes()).collect();
    // Nanoseconds of three times, then mode and links; owner, group, device, size of a block, flags.
    bytes.extend(
        [0, 0, 0, libc::S_IFREG | 0o755, 1, 0, 0, 0, 4096, 0]
            .iter()
            .flat_map(|word: &u32| word.to_ne_bytes()),
    );
    bytes
}
