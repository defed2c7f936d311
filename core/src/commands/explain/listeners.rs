//! Where the client of what is asked about may come in.

use super::precedence::Decider;
use super::{Explanation, refused};
use crate::config::{Auth, Clients, NamedListener};
use crate::error::Error;

impl Explanation {
    /// Says which listeners there are, and which of them serve the client. One that none serves is
    /// asked nothing and answered at once.
    pub(super) fn tell_listeners(
        &mut self,
        listeners: &[NamedListener],
        clients: &Clients,
        auth: &Auth,
    ) {
        let is_plain = |it: &NamedListener| it.name.is_none();
        if listeners.len() > 1 || !listeners.iter().all(is_plain) {
            let login = if auth.is_on() { ", with a login" } else { "" };
            let told = |it: &NamedListener| {
                let whom = clients.in_words(&it.settings);
                format!("{it}, {whom}{login}")
            };
            self.listeners = listeners.iter().map(told).collect();
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
