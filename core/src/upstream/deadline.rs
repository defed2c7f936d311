//! How long an exchange waits for the head of its response. Made by the client's connection, which lends its timer; polled by
//! `link`.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::time::Instant;

use crate::config::Limits;
use crate::error::Error;
use crate::timer::{Activity, Alarm};
use crate::upstream::request::Upload;

/// How long the head of a response is waited for.
#[derive(Debug)]
pub(crate) struct ResponseDeadline<'a> {
    alarm: &'a RefCell<Alarm>,
    client: &'a Activity,
    limits: &'a Limits,
    upload: Option<Rc<Upload>>,
    since: Instant,
}

impl<'a> ResponseDeadline<'a> {
    pub(crate) fn new(
        alarm: &'a RefCell<Alarm>,
        client: &'a Activity,
        limits: &'a Limits,
        upload: Option<Rc<Upload>>,
    ) -> Self {
        Self {
            alarm,
            client,
            limits,
            upload,
            since: client.moved_at(),
        }
    }

    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// Ready when the origin or, during an upload, the client has taken too long.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Error> {
        ready!(self.alarm.borrow_mut().poll(self.deadline(), cx));
        Poll::Ready(match &self.upload {
            Some(upload) if upload.is_starved() => Error::RequestTimeout,
            _ => Error::ResponseTimeout,
        })
    }

    fn deadline(&self) -> Instant {
        match &self.upload {
            Some(upload) if upload.is_running() => {
                self.client.moved_at().max(self.since) + self.limits.idle
            }
            Some(upload) => {
                upload.ended_at().unwrap_or(self.since).max(self.since) + self.limits.response_head
            }
            None => self.since + self.limits.response_head,
        }
    }
}
