//! Where the client of what is asked about may come in.

use super::precedence::Decider;
use super::{Explanation, refused};
use crate::config::{Clients, NamedListener};
use crate::error::Error;

impl Explanation {
    /// Says which listeners there are, and which of them serve the client. One that none serves is
    /// asked nothing and answered at once.
    pub(super) fn tell_listeners(&mut self, listeners: &[NamedListener], clients: &Clients) {
        let is_plain = |it: &NamedListener| it.name.is_none();
        if listeners.len() > 1 || !listeners.iter().all(is_plain) {
            let listeners = listeners.iter();
            let told = listeners.map(|it| format!("{it}, {}", clients.in_words(&it.settings)));
            self.listeners = told.collect();
        }
        let Some(client) = self.client else { return };
        let mut known = listeners.iter().filter(|it| it.settings.knows_clients());
        let admits = |it: &NamedListener| clients.admit(&it.settings, Some(client));
        if known.clone().next().is_some() && !known.any(admits) {
            self.decided_by = Decider::Clients;
            self.outcome = refused(&Error::ClientNotAllowed, "[clients] allow");
        }
    }
}
