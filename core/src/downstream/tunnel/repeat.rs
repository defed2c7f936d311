//! A TLS server may ask a client for its first message once more, and not every server refuses a
//! second one with another name. So the client's bytes are held back until the server has answered
//! and, if it has asked, until the second message is there. Data that the client sends early
//! (0-RTT) goes on.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncRead;

use super::gate::{GateRefusal, MOST, canonical_name};
use crate::downstream::copy::Direction;
use crate::downstream::exchange::Place;
use crate::downstream::hello::answer::{self, Answer};
use crate::downstream::hello::{self, MalformedHello};
use crate::downstream::session::Session;

/// What is held back of the client, in bytes: at least a record of early data.
const HELD: usize = MOST + 1024;

/// Holds back what a tunnel's client sends behind its first message.
#[derive(Debug)]
pub(super) struct RepeatGate {
    /// What the first message names.
    name: Option<Box<str>>,
    /// What is held back of the client.
    held: Vec<u8>,
    /// What the origin has sent, until it can be told whether it asks for the message once more.
    answer: Vec<u8>,
    is_answered: bool,
    is_late: bool,
    has_ended: bool,
}

impl RepeatGate {
    /// `name` is that of the first message, and `held` is what the client has sent behind it.
    pub(super) fn new(name: Option<Box<str>>, held: Vec<u8>) -> Self {
        Self {
            name,
            held,
            answer: Vec::new(),
            is_answered: false,
            is_late: false,
            has_ended: false,
        }
    }

    /// Whether the origin's bytes go their way.
    pub(super) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// Too much time has passed since the origin asked for the message once more.
    pub(super) fn expire(&mut self) {
        self.is_late = true;
    }

    /// Whether the client has closed its sending side. Its bytes are not copied yet, so that
    /// nothing else tells.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What is held back of the client.
    pub(super) fn into_held(self) -> Vec<u8> {
        self.held
    }

    /// Ready when it is clear whether the client's bytes may go. Early data is given to `up`, and
    /// what the origin has sent so far to `down`.
    pub(super) fn poll(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        origin: &mut (impl AsyncRead + Unpin),
        (up, down): (&mut Direction, &mut Direction),
        session: &Session,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Result<(), GateRefusal>>> {
        if let Err(malformed) = self.read_client(client, up, session, cx)? {
            return Poll::Ready(Ok(Err(malformed.into())));
        }
        if !self.is_answered {
            let answer = ready!(self.poll_answer(origin, session, cx))?;
            self.is_answered = true;
            down.push(&std::mem::take(&mut self.answer));
            if answer != Answer::Repeat {
                return Poll::Ready(Ok(Ok(())));
            }
            session.deadlines.begin_first_message();
        }
        let end = match hello::read_again(&self.held) {
            Ok(Some(second)) => {
                let second = second.server_name.as_deref().map(canonical_name);
                if second == self.name {
                    Ok(())
                } else {
                    Err(GateRefusal::Renamed)
                }
            }
            Ok(None) if self.held.len() >= HELD => Err(GateRefusal::TooLong(Place::Handshake)),
            Ok(None) if self.has_ended => Err(GateRefusal::CutShort(Place::Handshake)),
            Ok(None) if self.is_late => Err(GateRefusal::TooSlow(Place::Handshake)),
            Ok(None) => return Poll::Pending,
            Err(malformed) => Err(malformed.into()),
        };
        session.deadlines.end_first_message();
        Poll::Ready(Ok(end))
    }

    /// Reads what there is of the client.
    fn read_client(
        &mut self,
        client: &mut (impl AsyncRead + Unpin),
        up: &mut Direction,
        session: &Session,
        cx: &mut Context<'_>,
    ) -> io::Result<Result<(), MalformedHello>> {
        let buffer = &session.worker.copy_buffer;
        // An origin that takes no early data is not flooded with it.
        while !self.has_ended
            && self.held.len() < HELD
            && up.is_written()
            && let Poll::Ready(holding) = buffer.poll_hold(&mut self.held, HELD, client, cx)
        {
            self.has_ended = holding? == 0;
            session.deadlines.record_moved();
            match hello::other_records(&self.held) {
                Ok(early) => up.push(&self.held.drain(..early).collect::<Vec<_>>()),
                Err(malformed) => return Ok(Err(malformed)),
            }
        }
        Ok(Ok(()))
    }

    /// Reads the origin until it can be told what its answer is. An origin that sends more without
    /// one is taken to ask.
    fn poll_answer(
        &mut self,
        origin: &mut (impl AsyncRead + Unpin),
        session: &Session,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Answer>> {
        let buffer = &session.worker.copy_buffer;
        loop {
            match answer::read(&self.answer) {
                Answer::Incomplete if self.answer.len() >= MOST => {
                    return Poll::Ready(Ok(Answer::Repeat));
                }
                Answer::Incomplete => {}
                answer => return Poll::Ready(Ok(answer)),
            }
            let holding = buffer.poll_hold(&mut self.answer, MOST, origin, cx);
            if ready!(holding)? == 0 {
                return Poll::Ready(Ok(Answer::GoesOn));
            }
            session.deadlines.record_moved();
        }
    }
}
