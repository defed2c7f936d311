//! Accepts, where the runtime has to be told of the connection.

use std::io;
use std::task::{Context, Poll, ready};

use socket2::Socket;

use super::Incoming;

pub(super) use tokio::net::TcpListener as Listener;

pub(super) fn listen(socket: Socket) -> io::Result<Listener> {
    Listener::from_std(socket.into())
}

pub(super) fn poll_accept(listener: &Listener, cx: &mut Context<'_>) -> Poll<Incoming> {
    let (socket, peer) = ready!(listener.poll_accept(cx))?;
    Poll::Ready(Ok((socket.into_std()?.into(), Some(peer))))
}
