//! Interim responses on their way from an origin to its client (RFC 9110, section 15.2): `forward`
//! has hyper's client collect them, and the client's stream writes them between hyper's messages.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONTENT_LENGTH, TRAILER};
use http::{HeaderMap, Request, StatusCode, Version};
use tokio_util::sync::CancellationToken;

use super::encode;
use super::headers::{KnownFields, Pseudonym};
use crate::upstream::spelling::Spellings;

/// The interim responses of one client's connection that were not written yet. hyper wants to share
/// it among threads, and it stays on one.
#[derive(Debug, Default)]
pub(crate) struct Interims {
    is_waiting: AtomicBool,
    waiting: Mutex<Vec<Interim>>,
}

#[derive(Debug)]
struct Interim {
    status: StatusCode,
    version: Version,
    fields: HeaderMap,
}

impl Interims {
    /// Collects what comes before the response to `request`. With `agreed`, the client waits for
    /// `100 Continue`, which hyper's server writes itself as soon as the body is asked for.
    pub(crate) fn collect<B>(
        self: &Arc<Self>,
        request: &mut Request<B>,
        agreed: Option<CancellationToken>,
    ) {
        let interims = self.clone();
        hyper::ext::on_informational(request, move |response| {
            if response.status() != StatusCode::CONTINUE {
                interims.add(Interim {
                    status: response.status(),
                    version: response.version(),
                    fields: response.headers().clone(),
                });
            } else if let Some(agreed) = &agreed {
                agreed.cancel();
            }
        });
    }

    fn add(&self, interim: Interim) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(interim);
        self.is_waiting.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::Relaxed)
    }

    /// Takes those that wait, as they are written.
    pub(super) fn take(&self, pseudonym: &Pseudonym, spellings: &Spellings) -> Vec<u8> {
        self.is_waiting.store(false, Ordering::Relaxed);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::new();
        for interim in mem::take(&mut *waiting) {
            let from = bytes.len();
            write(interim, pseudonym, &mut bytes);
            spellings.spell_interim(&mut bytes[from..]);
        }
        bytes
    }
}

fn write(mut interim: Interim, pseudonym: &Pseudonym, out: &mut Vec<u8>) {
    let fields = &mut interim.fields;
    KnownFields::of(fields).remove_hop_by_hop(fields);
    // There is no content to say anything of.
    fields.remove(CONTENT_LENGTH);
    fields.remove(TRAILER);
    pseudonym.append_to(fields, interim.version);
    encode::head(interim.status, fields, out);
    out.extend_from_slice(b"\r\n");
}
