//! Listening sockets as the kernel tells them by `sock_diag(7)`. It walks those that listen
//! alone; `/proc/net/tcp` lists every connection of the machine, which a busy one has thousands of.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::tables::Socket;

/// The kernel answers at once; this is for one that does not.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most that one answer of the kernel holds.
const MAX_ANSWER: usize = 32 << 10;
/// Most sockets that are taken: who opens more has no use for the list.
const MAX_SOCKETS: usize = 4096;

// linux/netlink.h: struct nlmsghdr and its types.
const HEADER: usize = 16;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const ASK_FOR_ALL: u16 = 0x301;

// linux/sock_diag.h and linux/inet_diag.h: struct inet_diag_req_v2 and struct inet_diag_msg.
const BY_FAMILY: u16 = 20;
const REQUEST: usize = HEADER + 56;
const TCP: u8 = 6;
/// `1 << TCP_LISTEN`
const LISTENING: u32 = 1 << 10;
const PORT_AT: usize = 4;
const UID_AT: usize = 64;
const INODE_AT: usize = 68;

/// Ports and the sockets that listen on them, over IPv4 and IPv6.
///
/// # Errors
/// When the kernel has no such thing, or does not let this account ask.
pub(super) fn listening() -> io::Result<Vec<(u16, Socket)>> {
    let mut all = vec![];
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        let socket = ask(u8::try_from(family.as_raw()).unwrap_or_default())?;
        let mut answer = vec![0; MAX_ANSWER];
        loop {
            let (_, length) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
            if take(answer.get(..length).unwrap_or_default(), &mut all)? {
                break;
            }
        }
    }
    Ok(all)
}

fn ask(family: u8) -> io::Result<OwnedFd> {
    let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, kind, flags, Some(SOCK_DIAG))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    rustix::net::send(&socket, &request(family), SendFlags::empty())?;
    Ok(socket)
}

fn request(family: u8) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(REQUEST);
    bytes.extend(u32::try_from(REQUEST).unwrap_or_default().to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(ASK_FOR_ALL.to_ne_bytes());
    // A number of the question and the asker's: neither is needed for one question.
    bytes.extend([0; 8]);
    bytes.extend([family, TCP, 0, 0]);
    bytes.extend(LISTENING.to_ne_bytes());
    bytes.resize(REQUEST, 0);
    bytes
}

/// Takes what one answer holds. Whether it was the last.
fn take(mut answer: &[u8], all: &mut Vec<(u16, Socket)>) -> io::Result<bool> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    while !answer.is_empty() {
        let length = number(answer, 0).and_then(|l| usize::try_from(l).ok()).ok_or_else(broken)?;
        let kind = answer.get(4..6).and_then(|b| b.try_into().ok()).map(u16::from_ne_bytes);
        let body = answer.get(HEADER..length).ok_or_else(broken)?;
        match kind.ok_or_else(broken)? {
            DONE => return Ok(true),
            ERROR => {
                let code = number(body, 0).ok_or_else(broken)?.cast_signed();
                return Err(io::Error::from_raw_os_error(code.saturating_neg()));
            }
            BY_FAMILY if all.len() < MAX_SOCKETS => {
                let port = body.get(PORT_AT..PORT_AT + 2).and_then(|b| b.try_into().ok());
                let inode = number(body, INODE_AT).ok_or_else(broken)?;
                let uid = number(body, UID_AT).ok_or_else(broken)?;
                let socket = Socket { inode: inode.into(), uid };
                all.push((port.map(u16::from_be_bytes).ok_or_else(broken)?, socket));
            }
            _ => {}
        }
        answer = answer.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_told_and_connections_are_not() {
        let four = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let six = std::net::TcpListener::bind("[::1]:0").unwrap();
        let port = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port();
        let connected = std::net::TcpStream::connect(four.local_addr().unwrap()).unwrap();
        let own = connected.local_addr().unwrap().port();
        let found = listening().unwrap();
        for listener in [&four, &six] {
            let socket = found.iter().find(|(p, _)| *p == port(listener)).unwrap().1;
            assert!(socket.inode > 0);
            assert_eq!(socket.uid, rustix::process::geteuid().as_raw());
        }
        assert!(found.iter().all(|(p, _)| *p != own));
    }

    #[test]
    fn an_answer_that_is_cut_off_or_refused_is_an_error() {
        let refused =
            [&20u32.to_ne_bytes()[..], &ERROR.to_ne_bytes(), &[0; 10], &(-2i32).to_ne_bytes()];
        let refused = refused.concat();
        let error = take(&refused, &mut vec![]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        for length in 1..refused.len() {
            assert!(take(&refused[..length], &mut vec![]).is_err(), "{length}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_the_kernel_says_ends_the_agent(bytes: Vec<u8>) {
            let _ = take(&bytes, &mut vec![]);
        }
    }
}
