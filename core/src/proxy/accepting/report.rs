//! What the log tells of clients that are not served, a few lines in each interval.

use std::io;
use std::net::IpAddr;

use super::super::announce::NoHeader;
use super::Accepting;
use crate::downstream::session::Arrival;
use crate::downstream::unserved::Unserved;

impl Accepting {
    pub(super) fn report_refused(&self, arrival: &Arrival) {
        if let Some(suppressed) = self.log.admit("refused") {
            tracing::info!(
                client = arrival.ip().map(tracing::field::display),
                refused = self.refused,
                suppressed,
                "a client that [clients] allow does not name was refused; add its network if it should be served"
            );
        }
    }

    pub(super) fn report_untrusted(&self, arrival: &Arrival) {
        // The proxy asks itself whether it is well, and its address need not be trusted.
        if self.is_on_this_machine(arrival) {
            return;
        }
        self.unserved.add(Unserved::Untrusted);
        let listener = &self.listeners[arrival.listener].label;
        if let Some(suppressed) = self.log.admit("untrusted") {
            tracing::warn!(
                peer = arrival.ip().map(tracing::field::display),
                %listener,
                suppressed,
                "a connection was closed that comes from no load balancer of [listeners] proxy_protocol; add its network if \
                 it should say who its clients are"
            );
        }
    }

    pub(super) fn report_unannounced(&self, arrival: &Arrival, why: &NoHeader) {
        self.unserved.add(Unserved::Unannounced);
        let listener = &self.listeners[arrival.listener].label;
        if let Some(suppressed) = self.log.admit("unannounced") {
            tracing::warn!(
                peer = arrival.ip().map(tracing::field::display),
                %listener,
                error = %why,
                suppressed,
                "a load balancer has not said who its client is, and the connection was closed; have it send the PROXY \
                 protocol (in haproxy, send-proxy-v2)"
            );
        }
    }

    pub(super) fn report_full(&self) {
        self.unserved.add(Unserved::NoRoom);
        if let Some(suppressed) = self.log.admit("full") {
            tracing::warn!(
                connections = self.capacity.connections,
                suppressed,
                "as many connections are open as may be; further clients are answered with 503. If clients need more, \
                 raise [limits] connections and the limit of open files"
            );
        }
    }

    pub(super) fn report_client(&self, client: IpAddr, most: usize) {
        self.unserved.add(Unserved::NoRoomForClient);
        if let Some(suppressed) = self.log.admit("client") {
            tracing::warn!(
                %client,
                connections = most,
                suppressed,
                "a client has as many connections as it may; further ones of it are answered with 503. If it needs more, \
                 raise [limits] connections_per_client"
            );
        }
    }

    pub(super) fn report(&self, error: &io::Error) {
        if self.log.admit("failing").is_some() {
            tracing::error!(
                %error,
                "cannot accept connections; will try again. If descriptors ran out, raise the limit of open files"
            );
        }
    }
}
