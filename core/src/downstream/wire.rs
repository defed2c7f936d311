//! What hyper reads from and writes to on a client's connection. Made by `connection`, which tells
//! its [`Turn`] where the connection stands.
//!
//! hyper gets one request at a time, its first line whole, and only when the system has all of the
//! response before. So the request line can be looked at first, and what hyper writes while no
//! exchange is open is its own answer to what is not HTTP: an answer without a word, which is
//! thrown away, because `connection` has a better one. Interim responses of the origin, which
//! hyper's server cannot write, have their place before hyper's response.

pub(crate) mod request_line;
#[cfg(test)]
mod tests;
mod turn;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::turn::{Answer, Refused};
pub(crate) use self::turn::{NO_ROOM, Turn};
use super::socks::is_first_byte as is_socks_version;
use crate::timer::{ClientStream, TrackedIo};
use crate::upstream::framing::{Framing, end_of_head, give};
use crate::upstream::spelling::SpelledHead;

/// How much of a first head is read at a time, in bytes. hyper takes as much to begin with.
const PIECE: usize = 8 << 10;

/// A client's stream as hyper sees it.
#[derive(Debug)]
pub(crate) struct Wire<S> {
    io: TrackedIo<S>,
    turn: Rc<Turn>,
    /// Heads may have this many bytes.
    head_size: usize,
    /// Read, and not given to hyper yet.
    held: Vec<u8>,
    /// How much of `held` hyper may have.
    whole: usize,
    /// How much of `held` has no end of a line in it.
    scanned: usize,
    /// An interim response, as far as it is not written.
    interim: Vec<u8>,
    /// The head of a response, as far as it is not written.
    spelled: SpelledHead,
    /// hyper has written a part of something.
    is_mid_write: bool,
}

impl<S: ClientStream> Wire<S> {
    pub(crate) fn new(stream: S, turn: Rc<Turn>, head_size: usize) -> Self {
        Self {
            io: TrackedIo::new(stream, turn.deadlines.clone()),
            turn,
            head_size,
            held: Vec::new(),
            whole: 0,
            scanned: 0,
            interim: Vec::new(),
            spelled: SpelledHead::default(),
            is_mid_write: false,
        }
    }

    /// The stream, and what was read from it and not asked for.
    pub(crate) fn into_parts(self) -> (S, Vec<u8>) {
        (self.io.into_inner(), self.held)
    }

    /// Reads until hyper has something to do: there is a whole first head, or what is none. Until
    /// then a connection holds what its client has sent, and not hyper's buffer.
    pub(crate) fn poll_first_head(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let worker = self.turn.worker.clone();
        loop {
            ready!(self.turn.share.poll(cx));
            let seen = self.held.len();
            let most = (seen + PIECE).min(self.head_size + 1);
            let buffer = &worker.copy_buffer;
            let read = ready!(buffer.poll_hold(&mut self.held, most, &mut self.io, cx));
            // hyper reads the end, also where it follows an error.
            let Ok(read @ 1..) = read else {
                return Poll::Ready(());
            };
            self.turn.share.add(read);
            // Where there is no room for it, hyper hears of that.
            let has_room = self.turn.hold_head(read).is_ok();
            self.drop_blank_lines();
            if !has_room || self.held.len() > self.head_size || !is_begun_head(&self.held, seen) {
                return Poll::Ready(());
            }
        }
    }

    /// Whether hyper can have a whole head, or a greeting of SOCKS is there, of which nothing was
    /// looked at before.
    fn is_unread(&self) -> bool {
        let is_whole = || end_of_head(&self.held, 0).is_some();
        self.scanned == 0 && (self.is_socks(self.held[0]) || is_whole())
    }

    /// Reads from the client. What was held comes first.
    fn poll_more(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return self.poll_client(cx, buf);
        }
        give(&mut self.held, usize::MAX, buf);
        Poll::Ready(Ok(()))
    }

    fn poll_client(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if self.turn.is_between_exchanges() {
            self.turn.hold_head(buf.filled().len() - before)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes back what was read of `buf` from `from` on.
    fn hold(&mut self, buf: &mut ReadBuf<'_>, from: usize) {
        self.held.splice(..0, buf.filled()[from..].iter().copied());
        buf.set_filled(from);
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(self.poll_more(cx, buf))?;
        let mut framing = self.turn.framing.get();
        let is_body = framing.is_body();
        let body = framing.advance(&buf.filled()[before..]);
        self.turn.framing.set(framing);
        if is_body {
            // It may go on behind its response, and is no head then.
            self.turn.forget_head();
        } else if self.turn.is_between_exchanges() {
            // It is of the head of which the first line was read before.
            let request = &self.turn.spellings.request;
            request.add(&buf.filled()[before..before + body]);
        }
        self.hold(buf, before + body);
        Poll::Ready(Ok(()))
    }

    /// hyper looks whether the client is still there while it answers.
    fn poll_end(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if self.held.is_empty() {
            ready!(self.poll_more(cx, buf))?;
            if buf.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            self.hold(buf, before);
        }
        self.turn.is_next_waiting.set(true);
        Poll::Pending
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if self.turn.lacks_room() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if self.held.is_empty() || self.is_unread() {
            ready!(self.poll_more(cx, buf))?;
            let read = &buf.filled()[before..];
            // A client of SOCKS may send all that it has at once, and a head of HTTP with it.
            if read.first().is_some_and(|first| self.is_socks(*first)) {
                self.hold(buf, before);
                self.turn.is_socks.set(true);
                // hyper takes an error for the end of the connection, and answers nothing.
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            if let Some(end) = end_of_head(read, 0)
                && end <= self.head_size
                && request_line::is_plain(read)
            {
                let request = &self.turn.spellings.request;
                request.forget();
                request.add(&read[..end]);
                if end < read.len() {
                    self.hold(buf, before + end);
                }
                return Poll::Ready(Ok(()));
            }
            self.hold(buf, before);
            if self.held.is_empty() {
                return Poll::Ready(Ok(()));
            }
        } else if self.turn.head.get() == 0 {
            // It was sent before its turn.
            self.turn.hold_head(self.held.len())?;
        }
        while !self.find_line() {
            let held = self.held.len();
            ready!(self.poll_client(cx, buf))?;
            self.held.extend_from_slice(&buf.filled()[before..]);
            buf.set_filled(before);
            if self.held.len() == held {
                // The client has gone in the middle of a line.
                self.whole = held;
                break;
            }
        }
        self.give(buf);
        Poll::Ready(Ok(()))
    }

    /// Whether a client whose first byte this is speaks SOCKS.
    fn is_socks(&self, first: u8) -> bool {
        is_socks_version(first) && self.turn.deadlines.is_first_head()
    }

    /// Whether `held` begins with a request line that hyper may have, or with what cannot become
    /// one. hyper sees the fields as they come.
    fn find_line(&mut self) -> bool {
        self.drop_blank_lines();
        let end = memchr(b'\n', &self.held[self.scanned..]).map(|at| self.scanned + at + 1);
        // A TLS handshake has no end of a line.
        let is_text = self.held.first().is_none_or(u8::is_ascii_graphic);
        if let Some(end) = end {
            self.whole = request_line::make_plain(&mut self.held, end);
            self.turn.framing.set(Framing::fields());
            let request = &self.turn.spellings.request;
            request.forget();
            request.add(&self.held[..self.whole]);
        } else if !is_text || self.held.len() > self.head_size {
            self.whole = self.held.len();
        }
        if self.whole > self.head_size {
            self.turn.refused.set(Refused::TargetTooLong);
        }
        self.scanned = self.held.len();
        self.whole > 0
    }

    /// Forgets the empty lines before a request line (RFC 9112, section 2.2).
    fn drop_blank_lines(&mut self) {
        let blank = self.held.iter().take_while(|byte| b"\r\n".contains(byte));
        let blank = blank.count();
        if blank > 0 {
            self.held.drain(..blank);
            self.scanned = 0;
            if self.held.is_empty() {
                self.turn.forget_head();
            }
        }
    }

    /// Gives hyper as much as it takes of what it may have.
    fn give(&mut self, buf: &mut ReadBuf<'_>) {
        self.whole -= give(&mut self.held, self.whole, buf);
        self.scanned = 0;
    }

    /// Writes the interim responses that wait, unless it is too late for them.
    fn poll_interims(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.is_empty() {
            if !self.turn.interims.is_waiting() {
                return Poll::Ready(Ok(()));
            }
            let Turn {
                interims,
                spellings,
                worker,
                ..
            } = &*self.turn;
            let interim = interims.take(&worker.pseudonym, spellings);
            if self.turn.answer.get() != Answer::Begun && !self.is_mid_write {
                self.interim = interim;
            }
        }
        while !self.interim.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.interim))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => drop(self.interim.drain(..n)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// hyper has offered `offered` bytes.
    fn record_write(&mut self, offered: usize, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(written)) = written {
            self.turn.share.add(*written);
            self.is_mid_write = *written < offered;
            if self.turn.answer.get() == Answer::Ready {
                self.turn.answer.set(Answer::Begun);
            }
        }
    }

    /// Whether what hyper writes now, which begins with `start`, is an answer of its own.
    fn refuses(&self, start: &[u8]) -> bool {
        if !self.turn.is_between_exchanges() {
            return false;
        }
        if start.starts_with(b"HTTP/1.1 414 ") {
            self.turn.refused.set(Refused::TargetTooLong);
        } else if self.turn.refused.get() == Refused::No {
            self.turn.refused.set(Refused::Yes);
        }
        true
    }
}

/// Whether this can become the head of a request and is not whole. `seen` bytes of it were looked
/// at before; none where it follows empty lines.
fn is_begun_head(sent: &[u8], seen: usize) -> bool {
    let is_text = sent.first().is_none_or(u8::is_ascii_graphic);
    let seen = seen.min(sent.len());
    if !is_text || end_of_head(sent, seen).is_some() {
        return false;
    }
    // hyper refuses what is no request line without waiting for more.
    memchr(b'\n', &sent[seen..]).is_none() || request_line::is_request_line(sent)
}

impl<S: ClientStream> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.turn.share.poll(cx));
        let before = buf.filled().len();
        let read = if this.whole > 0 {
            this.give(buf);
            Poll::Ready(Ok(()))
        } else {
            match this.turn.framing.get() {
                Framing::Head if this.turn.is_between_exchanges() => this.poll_head(cx, buf),
                Framing::Head => this.poll_end(cx, buf),
                // To hyper, this is the same as a body that it finds wrong itself.
                Framing::Broken => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                Framing::Fields { .. } | Framing::Length(_) | Framing::Chunks(_) => {
                    this.poll_body(cx, buf)
                }
            }
        };
        this.turn.share.add(buf.filled().len() - before);
        read
    }
}

impl<S: ClientStream> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = bufs.iter().map(|buf| buf.len()).sum();
        if self.refuses(bufs.first().map_or(&[], |buf| buf)) {
            return Poll::Ready(Ok(offered));
        }
        ready!(self.turn.share.poll(cx));
        ready!(self.poll_interims(cx))?;
        let this = &mut *self;
        if this.turn.answer.get() == Answer::Ready
            && this.spelled.is_written()
            && let Some(start) = bufs.first()
        {
            let spellings = &this.turn.spellings;
            this.spelled.begin(start, &spellings.response);
            spellings.request.forget();
            spellings.response.forget();
            spellings.forget_interims();
        }
        let io = Pin::new(&mut this.io);
        let written = if this.spelled.is_written() {
            io.poll_write_vectored(cx, bufs)
        } else {
            this.spelled.poll_write(io, cx, bufs)
        };
        this.record_write(offered, &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_interims(cx))?;
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        // hyper does not read again by itself.
        if self.turn.is_between_exchanges() && self.turn.is_next_waiting.take() {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.turn.refused.get() != Refused::No || self.turn.is_socks.get() {
            // The better answer is still to be written.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
