//! The way between a server and an agent on one machine: a Unix socket, so that a byte crosses the
//! kernel once and is neither encrypted nor paced. Its name is in Linux's abstract namespace
//! (unix(7)): it needs no directory that both may enter, and reaches as far as a network namespace.

use std::io;
use std::os::unix::net::{SocketAddr, UnixListener as Bound};

use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::{UnixListener, UnixStream};

use crate::model::id::AgentId;
use crate::wire::local::{LocalWay, SECRET_BYTES};

/// What an agent says first: who it is, and its secret.
pub type Greeting = (AgentId, [u8; SECRET_BYTES]);

/// Where a process is: equal for two that reach each other's names. Empty where there are none.
#[must_use]
pub fn place() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let network = std::fs::read_link("/proc/self/ns/net");
    match (boot, network) {
        (Ok(boot), Ok(network)) => format!("{} {}", boot.trim(), network.display()),
        _ => String::new(),
    }
}

/// Whose processes this one's are, as the other end of a socket sees it.
#[must_use]
pub fn owner() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Listens under a name.
///
/// # Errors
/// When the name is taken.
pub fn listen(name: &str) -> io::Result<UnixListener> {
    let bound = Bound::bind_addr(&address(name)?)?;
    bound.set_nonblocking(true)?;
    UnixListener::from_std(bound)
}

/// Connects to a server and says who we are.
///
/// # Errors
/// When nobody listens there, or somebody else than the server does: a name is free again once its
/// owner is gone, and whoever takes it must not be served.
pub async fn dial(way: &LocalWay, agent: AgentId) -> io::Result<UnixStream> {
    // A path that begins with a zero is a name of the abstract namespace, here as for the system.
    let mut stream = UnixStream::connect(format!("\0{}", way.name)).await?;
    if stream.peer_cred()?.uid() != way.owner {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "someone else listens there"));
    }
    let mut greeting = agent.0.as_bytes().to_vec();
    greeting.extend_from_slice(&way.secret.0);
    stream.write_all(&greeting).await?;
    Ok(stream)
}

#[cfg(target_os = "linux")]
fn address(name: &str) -> io::Result<SocketAddr> {
    <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn address(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Reads what an agent says first.
///
/// # Errors
/// When the stream breaks.
pub async fn greeting(stream: &mut UnixStream) -> io::Result<Greeting> {
    let (mut id, mut secret) = ([0; 16], [0; SECRET_BYTES]);
    stream.read_exact(&mut id).await?;
    stream.read_exact(&mut secret).await?;
    Ok((AgentId(uuid::Uuid::from_bytes(id)), secret))
}

/// What can be said of a stream without reading from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing came.
    Quiet,
    /// Something came.
    Talks,
    /// The other end is gone.
    Ended,
}

/// Looks at a stream.
#[must_use]
pub fn look(stream: &UnixStream) -> State {
    let peek = || Ok(rustix::net::recv(stream, &mut [0; 1], RecvFlags::PEEK)?);
    match stream.try_io(Interest::READABLE, peek) {
        Ok((0, _)) => State::Ended,
        Ok(_) => State::Talks,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => State::Quiet,
        Err(_) => State::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::local::LocalSecret;

    fn way(name: &str) -> LocalWay {
        let secret = LocalSecret([7; SECRET_BYTES]);
        LocalWay { name: format!("{name}-{}", std::process::id()), owner: owner(), secret }
    }

    #[tokio::test]
    async fn an_agent_is_known_by_its_secret_and_its_end_is_seen() {
        let way = way("greeting");
        let door = listen(&way.name).unwrap();
        let agent = AgentId(uuid::Uuid::from_u128(3));
        let near = dial(&way, agent).await.unwrap();
        let (mut far, _) = door.accept().await.unwrap();
        assert_eq!(greeting(&mut far).await.unwrap(), (agent, [7; SECRET_BYTES]));
        assert_eq!(look(&far), State::Quiet);
        let mut near = near;
        near.write_all(b"x").await.unwrap();
        far.readable().await.unwrap();
        assert_eq!(look(&far), State::Talks);
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 1);
        drop(near);
        far.readable().await.unwrap();
        assert_eq!(look(&far), State::Ended);
    }

    #[tokio::test]
    async fn whoever_took_the_name_of_a_server_that_is_gone_is_told_nothing() {
        let way = way("taken");
        let door = listen(&way.name).unwrap();
        let other = LocalWay { owner: way.owner + 1, ..way };
        let error = dial(&other, AgentId(uuid::Uuid::nil())).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        let (mut far, _) = door.accept().await.unwrap();
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_is_not_reached() {
        assert!(dial(&way("nobody"), AgentId(uuid::Uuid::nil())).await.is_err());
        assert!(!place().is_empty());
    }
}
