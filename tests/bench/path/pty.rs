//! A bare PTY that is read as fast as it gives: the limit of every terminal.

use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const CHUNK: usize = 64 << 10;

/// Megabytes a second that a command's output comes through a PTY at.
pub fn rate(command: &str) -> f64 {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(master.as_fd(), Vec::new()).unwrap();
    let slave = std::fs::File::options().write(true).open(name.to_str().unwrap()).unwrap();
    let slave = OwnedFd::from(slave);
    let began = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .spawn()
        .unwrap();
    let (mut master, mut room, mut total) = (std::fs::File::from(master), vec![0; CHUNK], 0);
    // The last slave's end is an error on Linux.
    while let Ok(n) = master.read(&mut room)
        && n > 0
    {
        total += n;
    }
    child.wait().unwrap();
    total as f64 / began.elapsed().as_secs_f64() / 1e6
}
