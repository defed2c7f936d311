//! A client that is always ready, and what hyper hears of a first head.

use std::future::poll_fn;

use tokio::io::{AsyncWriteExt, duplex};

use super::*;
use crate::chain::Chain;
use crate::downstream::session::Session;

/// A client that is always ready, a little at a time.
struct Ready;

const PIECE: usize = 1000;

impl AsyncRead for Ready {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buf.put_slice(&[b'x'; PIECE]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ready {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(PIECE))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl ClientStream for Ready {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }
}

#[tokio::test]
async fn a_client_that_is_always_ready_lets_others_have_their_turn() {
    let session = Session::alone(Chain::default());
    let turn = Turn::new(&session);
    session.deadlines.begin_exchange();
    turn.framing.set(Framing::Length(u64::MAX));
    let mut wire = Wire::new(Ready, turn.clone(), 1 << 16);
    for is_read in [true, false] {
        let mut moved = 0;
        poll_fn(|cx| {
            let mut next = || {
                let mut bytes = [0; PIECE];
                let wire = Pin::new(&mut wire);
                if is_read {
                    wire.poll_read(cx, &mut ReadBuf::new(&mut bytes)).is_ready()
                } else {
                    wire.poll_write(cx, &bytes).is_ready()
                }
            };
            turn.share.begin_turn();
            while next() {
                moved += 1;
            }
            turn.share.begin_turn();
            assert!(next(), "it goes on in its next turn");
            Poll::Ready(())
        })
        .await;
        assert!((100..200).contains(&moved), "{moved}");
    }
}

/// What a client may begin with, and whether hyper has something to do then.
const BEGINNINGS: [(&str, bool); 11] = [
    ("", false),
    ("GE", false),
    ("GET http://a.example/ HTTP/1.1\r\nHost: a", false),
    ("GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n", true),
    // It is answered without waiting for more.
    ("GET http://a.example/\r\n", true),
    ("PRI * HTTP/2.0\r\n", true),
    ("\x16\x03\x01", true),
    ("GET http://a b HTTP/1.1\r\n", true),
    ("G\x01T http://a/ HTTP/1.1\r\n", true),
    ("\r\n", false),
    ("\x05", true),
];

#[tokio::test]
async fn hyper_waits_until_it_has_something_to_do() {
    for (sent, is_something) in BEGINNINGS {
        let session = Session::alone(Chain::default());
        let turn = Turn::new(&session);
        let (mut client, stream) = duplex(1 << 16);
        client.write_all(sent.as_bytes()).await.unwrap();
        let mut wire = Wire::new(stream, turn.clone(), 1 << 16);
        let is_ready = poll_fn(|cx| Poll::Ready(wire.poll_first_head(cx).is_ready())).await;
        assert_eq!(is_ready, is_something, "{sent:?}");
        assert_eq!(wire.held, sent.trim_start().as_bytes());
        drop(client);
        poll_fn(|cx| wire.poll_first_head(cx)).await;
    }
}

#[tokio::test]
async fn of_a_first_head_without_end_no_more_is_read_than_it_may_have() {
    let session = Session::alone(Chain::default());
    let (mut client, stream) = duplex(1 << 16);
    let large = "x".repeat(20_000);
    client.write_all(large.as_bytes()).await.unwrap();
    let mut wire = Wire::new(stream, Turn::new(&session), 10_000);
    poll_fn(|cx| wire.poll_first_head(cx)).await;
    assert_eq!(wire.held.len(), 10_001);
}
