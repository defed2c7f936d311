//! Where a client's connection stands: what `connection` tells the stream that hyper has, and what
//! that stream has seen.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use hyper::body::{Body, Incoming};

use super::request_line;
use crate::downstream::interim::Interims;
use crate::downstream::session::Session;
use crate::downstream::unserved::Unserved;
use crate::downstream::worker::Worker;
use crate::error::Error;
use crate::timer::{Deadlines, Share};
use crate::upstream::framing::Framing;
use crate::upstream::spelling::Spellings;

/// Where a connection stands. Shared by its stream and by what answers its requests.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) deadlines: Rc<Deadlines>,
    /// What the next bytes from the client are.
    pub(super) framing: Cell<Framing>,
    /// A request has come before its turn.
    pub(super) is_next_waiting: Cell<bool>,
    pub(super) answer: Cell<Answer>,
    pub(super) interims: Arc<Interims>,
    pub(super) spellings: Rc<Spellings>,
    pub(super) worker: Rc<Worker>,
    pub(super) refused: Cell<Refused>,
    /// The client has begun as clients of SOCKS do.
    pub(super) is_socks: Cell<bool>,
    /// How much of a head was read that has no end yet.
    pub(super) head: Cell<usize>,
    /// What the connection reads and writes at a time.
    pub(crate) share: Share,
}

/// How far the answer to the last request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is none. Of hyper nothing comes but `100 Continue`.
    Awaited,
    /// hyper has its head.
    Ready,
    /// The client has something of it.
    Begun,
}

/// What hyper has said of the last request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    No,
    Yes,
    /// It does not even get to the end of its first line.
    TargetTooLong,
    /// hyper does not know of it: too much is held of requests that have no end.
    NoRoom,
}

/// What is wrong where [`Turn::lacks_room`] says so.
pub(crate) const NO_ROOM: Error = Error::NoRoom("too many large requests are unfinished");

impl Turn {
    pub(crate) fn new(session: &Session) -> Rc<Self> {
        Rc::new(Self {
            deadlines: session.deadlines.clone(),
            answer: Cell::new(Answer::Begun),
            interims: session.interims.clone(),
            spellings: session.asker.spellings.clone(),
            worker: session.worker.clone(),
            framing: Cell::new(Framing::Head),
            is_next_waiting: Cell::new(false),
            refused: Cell::new(Refused::No),
            is_socks: Cell::new(false),
            head: Cell::new(0),
            share: Share::default(),
        })
    }

    /// hyper has read the head of a request with this body.
    pub(crate) fn begin_exchange(&self, body: &Incoming) {
        self.framing.set(match body.size_hint().exact() {
            Some(0) => Framing::Head,
            Some(length) => Framing::Length(length),
            None => Framing::chunks(),
        });
        self.answer.set(Answer::Awaited);
        self.spellings.response.forget();
        self.spellings.forget_interims();
        self.worker.heads.release(&self.head);
    }

    /// The response goes to hyper.
    pub(crate) fn begin_answer(&self) {
        self.answer.set(Answer::Ready);
    }

    /// Whether the client speaks SOCKS. Then hyper has got nothing of it.
    pub(crate) fn is_socks(&self) -> bool {
        self.is_socks.get()
    }

    /// Why hyper has refused what it has read, if an error of its connection means that.
    pub(crate) fn refusal(&self, error: hyper::Error) -> Result<Error, hyper::Error> {
        let is_too_large = error.is_parse_too_large();
        match self.refused.get() {
            Refused::NoRoom => Ok(NO_ROOM),
            Refused::TargetTooLong if is_too_large => Ok(Error::TargetTooLong),
            Refused::Yes if is_too_large => Ok(Error::HeadTooLarge),
            Refused::No if !error.is_parse() || !self.is_between_exchanges() => Err(error),
            _ if request_line::has_other_version(&self.spellings.request.head()) => {
                Ok(Error::VersionNotSupported)
            }
            _ => Ok(Error::NotHttp(error)),
        }
    }

    /// Whether there was no room for what the client has sent.
    pub(crate) fn lacks_room(&self) -> bool {
        self.refused.get() == Refused::NoRoom
    }

    /// Whether the client has sent a part of a head, whose rest does not come.
    pub(crate) fn has_begun_head(&self) -> bool {
        self.is_between_exchanges() && self.head.get() > 0
    }

    /// Why the connection leaves no access line if it ends now; none in the middle of an exchange,
    /// which has its own.
    pub(crate) fn unserved(&self) -> Option<Unserved> {
        if self.deadlines.is_first_head() {
            return Some(Unserved::Unused);
        }
        // A body may go on behind its response.
        let is_idle = self.is_between_exchanges() && !self.framing.get().is_body();
        is_idle.then_some(Unserved::Idle)
    }

    /// What was read is of no head, or was nothing but empty lines.
    pub(super) fn forget_head(&self) {
        self.worker.heads.release(&self.head);
    }

    /// Whether the client has had its answers and has sent nothing since.
    pub(crate) fn is_idle(&self) -> bool {
        let has_asked = self.is_between_exchanges() && !self.deadlines.is_first_head();
        has_asked && self.head.get() == 0 && self.framing.get() == Framing::Head
    }

    pub(super) fn is_between_exchanges(&self) -> bool {
        self.deadlines.is_between_exchanges()
    }

    /// Counts more of a head. Fails if there is no room for it.
    pub(super) fn hold_head(&self, bytes: usize) -> io::Result<()> {
        if self.worker.heads.hold(&self.head, bytes) {
            return Ok(());
        }
        self.refused.set(Refused::NoRoom);
        // hyper takes an error for the end of the connection, and answers nothing.
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.worker.heads.release(&self.head);
    }
}
