//! The facts about the exchange that the running hook is about.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::moment;
use crate::bindings::capabilities::portcullis::filter::{
    client, exchange, notes, outcome, request, types,
};

/// The exchange of the running call, which the proxy knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExchangeFacts;

impl ExchangeFacts {
    pub(crate) fn host(self) -> String {
        exchange::host()
    }

    pub(crate) fn port(self) -> u16 {
        exchange::port()
    }

    pub(crate) fn id(self) -> String {
        exchange::id()
    }

    pub(crate) fn protocol(self) -> String {
        exchange::protocol()
    }

    pub(crate) fn found_in(self) -> String {
        exchange::found_in()
    }

    pub(crate) fn server_name(self) -> Option<String> {
        exchange::server_name()
    }

    pub(crate) fn listener(self) -> String {
        exchange::listener()
    }

    pub(crate) fn started(self) -> SystemTime {
        moment(exchange::started())
    }

    pub(crate) fn client_address(self) -> Option<IpAddr> {
        Some(match client::address()? {
            types::IpAddress::Ipv4((a, b, c, d)) => [a, b, c, d].into(),
            types::IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => [a, b, c, d, e, f, g, h].into(),
        })
    }

    pub(crate) fn client_user(self) -> Option<String> {
        client::user()
    }

    pub(crate) fn client_groups(self) -> Vec<String> {
        client::groups()
    }

    pub(crate) fn note(self, key: &str) -> Option<String> {
        notes::get(key)
    }

    pub(crate) fn set_note(self, key: &str, value: &str) {
        notes::set(key, value);
    }
}

pub(crate) fn request_method() -> String {
    request::method()
}

pub(crate) fn request_url() -> String {
    request::url()
}

/// What became of the exchange of the running call, which the proxy knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutcomeFacts;

impl OutcomeFacts {
    pub(crate) fn how(self) -> String {
        outcome::how()
    }

    pub(crate) fn status(self) -> Option<u16> {
        outcome::status()
    }

    pub(crate) fn bytes_from_client(self) -> u64 {
        outcome::bytes_from_client()
    }

    pub(crate) fn bytes_to_client(self) -> u64 {
        outcome::bytes_to_client()
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(outcome::duration())
    }

    pub(crate) fn method(self) -> String {
        request::method()
    }

    pub(crate) fn url(self) -> String {
        request::url()
    }
}
