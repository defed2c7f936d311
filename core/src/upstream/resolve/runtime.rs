//! The sockets and clocks of questions. Over UDP a question has one socket, however often it is
//! sent. `provider` and `connection` make theirs here. The library would open another socket each
//! time it sends a question again, so that names that no server answers would take three times the
//! descriptors.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, TokioHandle, TokioRuntimeProvider, TokioTime,
};
use tokio::net::UdpSocket;
use tokio::time::{Instant, Sleep, sleep};

/// After how long a question is sent again for the first time. Each further time takes twice as
/// long.
const SEND_AGAIN: Duration = Duration::from_millis(400);

/// The sockets and clocks of tokio.
#[derive(Clone, Default)]
pub(super) struct Runtime(TokioRuntimeProvider);

impl RuntimeProvider for Runtime {
    type Handle = TokioHandle;
    type Timer = TokioTime;
    type Udp = QuestionSocket;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> TokioHandle {
        self.0.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        limit: Option<Duration>,
    ) -> Pin<Box<dyn Future<Output = io::Result<Self::Tcp>> + Send>> {
        self.0.connect_tcp(server, local, limit)
    }

    fn bind_udp(
        &self,
        local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<QuestionSocket>> + Send>> {
        let socket = self.0.bind_udp(local, server);
        Box::pin(async {
            Ok(QuestionSocket {
                socket: socket.await?,
                sent: Mutex::default(),
            })
        })
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Runtime").finish()
    }
}

/// The socket of one question. It sends the question again while no answer comes.
#[derive(Debug)]
pub(super) struct QuestionSocket {
    socket: UdpSocket,
    sent: Mutex<Option<Sent>>,
}

#[derive(Debug)]
struct Sent {
    question: Box<[u8]>,
    server: SocketAddr,
    again: Pin<Box<Sleep>>,
    pause: Duration,
}

impl DnsUdpSocket for QuestionSocket {
    type Time = TokioTime;

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        if let Poll::Ready(received) = DnsUdpSocket::poll_recv_from(&self.socket, cx, buffer) {
            return Poll::Ready(received);
        }
        if let Some(sent) = &mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner) {
            while sent.again.as_mut().poll(cx).is_ready() {
                // What cannot be sent now is as good as lost on the way.
                let _ = self.socket.try_send_to(&sent.question, sent.server);
                sent.pause *= 2;
                sent.again.as_mut().reset(Instant::now() + sent.pause);
            }
        }
        Poll::Pending
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        question: &[u8],
        server: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(DnsUdpSocket::poll_send_to(
            &self.socket,
            cx,
            question,
            server
        ))?;
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Sent {
            question: question.into(),
            server,
            again: Box::pin(sleep(SEND_AGAIN)),
            pause: SEND_AGAIN,
        });
        Poll::Ready(Ok(sent))
    }
}
