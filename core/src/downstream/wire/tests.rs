//! A client that is always ready.

use std::future::poll_fn;

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
