//! A client's stream that moves no faster than the client may. `connection` puts it around what it
//! serves on, whatever the protocol.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::bandwidth::{Allowance, Direction};
use crate::timer::ClientStream;

/// A client's stream that moves no faster than the client may.
#[derive(Debug)]
pub(crate) struct RateLimited<S> {
    stream: S,
    /// None if nothing is limited.
    allowance: Option<Rc<Allowance>>,
}

impl<S> RateLimited<S> {
    pub(crate) fn new(stream: S, allowance: Option<Rc<Allowance>>) -> Self {
        Self { stream, allowance }
    }

    /// Ready when something may be moved. Returns how many bytes.
    fn poll_turn(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<usize> {
        match &self.allowance {
            None => Poll::Ready(usize::MAX),
            Some(allowance) => allowance.poll(direction, cx),
        }
    }

    fn charge(&self, direction: Direction, bytes: usize) {
        if let Some(allowance) = &self.allowance {
            allowance.charge(direction, bytes);
        }
    }
}

impl<S: ClientStream> ClientStream for RateLimited<S> {
    fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.stream.take_error()
    }
}

impl<S: ClientStream> AsyncRead for RateLimited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = ready!(self.poll_turn(Direction::Sending, cx));
        if buf.remaining() <= most {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            self.charge(Direction::Sending, buf.filled().len() - before);
            return Poll::Ready(Ok(()));
        }
        let mut piece = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
        let read = piece.filled().len();
        buf.advance(read);
        self.charge(Direction::Sending, read);
        Poll::Ready(Ok(()))
    }
}

impl<S: ClientStream> AsyncWrite for RateLimited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let most = ready!(self.poll_turn(Direction::Receiving, cx)).min(buf.len());
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..most]))?;
        self.charge(Direction::Receiving, written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let most = ready!(self.poll_turn(Direction::Receiving, cx));
        let offered: usize = bufs.iter().map(|buf| buf.len()).sum();
        let stream = Pin::new(&mut self.stream);
        let written = if offered <= most {
            ready!(stream.poll_write_vectored(cx, bufs))?
        } else {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            let first = first.map_or(&[][..], |buf| buf);
            ready!(stream.poll_write(cx, &first[..first.len().min(most)]))?
        };
        self.charge(Direction::Receiving, written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::config::{Group, Limits};
    use crate::downstream::bandwidth::Bandwidth;
    use crate::flow::Client;

    const KIB: usize = 1 << 10;

    /// A client that sends without end and takes all that it gets.
    struct Fast;

    impl AsyncRead for Fast {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            buf.initialize_unfilled();
            buf.advance(buf.remaining());
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Fast {
        fn poll_write(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(buf.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl ClientStream for Fast {
        fn take_error(&self) -> io::Result<Option<io::Error>> {
            Ok(None)
        }
    }

    fn limits(rate: usize) -> Limits {
        Limits {
            bandwidth_per_client: Some(rate as u64),
            ..Limits::default()
        }
    }

    fn client(last: u8, groups: &[&str]) -> Client {
        Client {
            groups: groups.iter().map(|&name| name.into()).collect(),
            ..Client::at(IpAddr::from([192, 0, 2, last]))
        }
    }

    fn connect(bandwidth: &Bandwidth, client: &Client) -> RateLimited<Fast> {
        RateLimited::new(Fast, bandwidth.allowance(client).map(Rc::new))
    }

    /// How many bytes clients are sent in this time, each on a connection of its own.
    async fn sent<const N: usize>(time: Duration, mut to: [RateLimited<Fast>; N]) -> [usize; N] {
        let mut sent = [0; N];
        let page = vec![0; 300 * KIB];
        let writing = to.iter_mut().zip(&mut sent).map(async |(client, sent)| {
            loop {
                *sent += client.write(&page).await.unwrap();
            }
        });
        let forever = futures_util::future::join_all(writing);
        assert!(timeout(time, forever).await.is_err(), "no client goes away");
        sent
    }

    fn assert_about(bytes: usize, expected: usize) {
        let tolerated = expected / 50 + 8 * KIB;
        let about = expected - tolerated..expected + tolerated;
        assert!(about.contains(&bytes), "{bytes} of {expected}");
    }

    const TIME: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn a_client_gets_what_its_rate_allows_and_a_second_of_it_at_once() {
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &BTreeMap::new());
        let [sent] = sent(TIME, [connect(&bandwidth, &client(1, &[]))]).await;
        assert_about(sent, 2100 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_sends_counts_as_what_it_gets() {
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &BTreeMap::new());
        let mut connection = connect(&bandwidth, &client(1, &[]));
        let begun = Instant::now();
        connection
            .read_exact(&mut vec![0; 600 * KIB])
            .await
            .unwrap();
        connection.write_all(&vec![0; 500 * KIB]).await.unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        assert!((9.8..10.2).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_without_end_receives_all_the_same() {
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &BTreeMap::new());
        let connection = connect(&bandwidth, &client(1, &[]));
        let (mut reading, mut writing) = tokio::io::split(connection);
        let (mut sent, mut received) = (0, 0);
        let mut room = vec![0; 300 * KIB];
        let sending = async {
            loop {
                sent += reading.read(&mut room).await.unwrap();
            }
        };
        let page = vec![0; 300 * KIB];
        let receiving = async {
            loop {
                received += writing.write(&page).await.unwrap();
            }
        };
        let both = futures_util::future::join::<_, _>(sending, receiving);
        let both: Result<((), ()), _> = timeout(TIME, both).await;
        assert!(both.is_err(), "no client goes away");
        assert_about(sent + received, 2100 * KIB);
        assert!(sent.min(received) > 900 * KIB, "{sent} {received}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_connections_of_a_client_take_turns() {
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &BTreeMap::new());
        let one = client(1, &[]);
        let own = || connect(&bandwidth, &one);
        let other = connect(&bandwidth, &client(2, &[]));
        let [first, second, third, other] = sent(TIME, [own(), own(), own(), other]).await;
        assert_about(first + second + third, 2100 * KIB);
        // One of them has had the burst.
        for part in [first, second, third] {
            assert!(part > 640 * KIB, "{part}");
        }
        assert_about(other, 2100 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_waits_for_what_those_before_have_moved() {
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &BTreeMap::new());
        let one = client(1, &[]);
        let mut total = 0;
        for _ in 0..100 {
            let [sent] = sent(TIME / 100, [connect(&bandwidth, &one)]).await;
            total += sent;
        }
        assert_about(total, 2100 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_shares_its_rate_and_its_clients_keep_to_their_own() {
        let group = Group {
            bandwidth: Some(150 * KIB as u64),
            ..Group::default()
        };
        let groups = BTreeMap::from([("lab".to_owned(), group)]);
        let bandwidth = Bandwidth::new(&limits(100 * KIB), &groups);
        let lab = |last| connect(&bandwidth, &client(last, &["lab"]));
        let [first, second] = sent(TIME, [lab(1), lab(2)]).await;
        assert_about(first + second, 21 * 150 * KIB);
        assert!(first.min(second) > 1400 * KIB, "{first} {second}");
        let [alone] = sent(TIME, [lab(3)]).await;
        assert_about(alone, 2100 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_who_logs_in_shares_the_rate_of_its_group() {
        let group = Group {
            bandwidth: Some(50 * KIB as u64),
            ..Group::default()
        };
        let groups = BTreeMap::from([("guests".to_owned(), group)]);
        let bandwidth = Bandwidth::new(&Limits::default(), &groups);
        let connection = connect(&bandwidth, &client(1, &[]));
        let allowance = connection.allowance.clone().unwrap();
        allowance.set_client(&client(1, &["guests"]));
        let [sent] = sent(TIME, [connection]).await;
        assert_about(sent, 21 * 50 * KIB);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_limited_unless_the_settings_say_so() {
        let groups = BTreeMap::from([("lab".to_owned(), Group::default())]);
        let bandwidth = Bandwidth::new(&Limits::default(), &groups);
        assert!(bandwidth.allowance(&client(1, &["lab"])).is_none());
    }
}
