//! Accepts without telling this runtime of the connection, which is served by another one.

use std::io;
use std::task::{Context, Poll, ready};

use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Incoming;

pub(super) type Listener = AsyncFd<Socket>;

#[expect(
    unsafe_code,
    reason = "the safe way is deprecated for sockets that change or close"
)]
pub(super) fn listen(socket: Socket) -> io::Result<Listener> {
    // SAFETY: a `Socket` has the same open descriptor until it is dropped, and is not changed
    // meanwhile.
    let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    registered.map_err(Into::into)
}

pub(super) fn poll_accept(listener: &Listener, cx: &mut Context<'_>) -> Poll<Incoming> {
    loop {
        let mut ready = ready!(listener.poll_read_ready(cx))?;
        if let Ok(accepted) = ready.try_io(|listener| accept_now(listener.get_ref())) {
            return Poll::Ready(accepted);
        }
    }
}

fn accept_now(listener: &Socket) -> Incoming {
    let (socket, peer) = listener.accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, peer.as_socket()))
}
