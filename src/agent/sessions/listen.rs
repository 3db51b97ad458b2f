//! Listeners in the workspace: each connection goes back to the peer that asked for it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::socket::Socket;
use super::{Served, accept, refuse};
use crate::ssh::stream::BoxStream;
use crate::wire::session::{Back, ListenOn};

/// Listens until the peer ends the stream.
pub(super) async fn serve(served: &Served, stream: BoxStream, on: ListenOn) -> io::Result<()> {
    match &on {
        ListenOn::Tcp { host, port } => match bind(host, *port).await {
            Ok((port, listeners)) => tcp(served, stream, &on, port, listeners).await,
            Err(error) => refuse(stream, format!("{host}:{port}: {error}")).await,
        },
        ListenOn::Unix { path } => match Socket::bind(path).await {
            Ok(socket) => unix(served, stream, &on, socket).await,
            Err(error) => refuse(stream, format!("{path}: {error}")).await,
        },
    }
}

/// A name or nothing means this machine only, with both families when there are two.
async fn bind(host: &str, port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    if !matches!(host, "" | "*" | "localhost") {
        let listener = TcpListener::bind((host, port)).await?;
        return Ok((listener.local_addr()?.port(), vec![listener]));
    }
    let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = four.local_addr()?.port();
    let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
    Ok((port, std::iter::once(four).chain(six).collect()))
}

async fn tcp(
    served: &Served,
    mut stream: BoxStream,
    on: &ListenOn,
    port: u16,
    listeners: Vec<TcpListener>,
) -> io::Result<()> {
    accept(&mut stream, port).await?;
    let mut accepting = listeners.iter().map(|l| Box::pin(accept_tcp(served, on, port, l)));
    let (first, second) = (accepting.next(), accepting.next());
    let run = async {
        tokio::join!(
            async {
                if let Some(first) = first {
                    first.await;
                }
            },
            async {
                if let Some(second) = second {
                    second.await;
                }
            }
        )
    };
    tokio::select! {
        _ = run => {}
        _ = stream.read_u8() => {}
    }
    Ok(())
}

async fn accept_tcp(served: &Served, on: &ListenOn, port: u16, listener: &TcpListener) {
    while let Ok((socket, from)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        served.pass_back(accepted(on, port, Some(from)), socket);
    }
}

async fn unix(
    served: &Served,
    mut stream: BoxStream,
    on: &ListenOn,
    mut socket: Socket,
) -> io::Result<()> {
    accept(&mut stream, 0).await?;
    let accepting = async {
        while let Ok(connection) = socket.accept().await {
            served.pass_back(accepted(on, 0, None), connection);
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = stream.read_u8() => {}
    }
    Ok(())
}

fn accepted(on: &ListenOn, port: u16, from: Option<SocketAddr>) -> Back {
    let from_host = from.map(|a| a.ip().to_string()).unwrap_or_default();
    Back::Accepted { on: on.clone(), port, from_host, from_port: from.map_or(0, |a| a.port()) }
}
