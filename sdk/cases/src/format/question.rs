//! What a case asks.

use std::collections::BTreeMap;

use portcullis_contract::{FoundIn, Protocol};

use super::raw::{RawCase, RawResponse};
use crate::case::{ExchangeFacts, Message, Question};
use crate::url::{Url, target};
use crate::value::{FieldName, Parsed, Values};

impl RawCase {
    pub(super) fn question(&self) -> Result<Question, String> {
        let asked = [self.host.is_some(), self.url.is_some(), self.tick];
        if asked.iter().filter(|is_asked| **is_asked).count() != 1 {
            return Err(
                "a case asks one thing: give it either `host`, `url` or `tick = true`".into(),
            );
        }
        if let Some(key) = given(&self.keys_of_a_request()).next()
            && !matches!(&self.url, Some(Parsed(Url { seen: Some(_), .. })))
        {
            return Err(format!(
                "`{key}` belongs to a request that the proxy can see: ask about an http URL (`url`)"
            ));
        }
        if self.protocol.is_some() && self.host.is_none() {
            return Err("`protocol` goes with `host`; a `url` has one already".into());
        }
        match (&self.host, &self.url) {
            (Some(host), _) => self.host_question(host),
            (None, Some(Parsed(url))) => self.url_question(url),
            (None, None) => match given(&self.keys_of_an_exchange()).next() {
                Some(key) => Err(format!("a tick is about no exchange: leave `{key}` out")),
                None => Ok(Question::Tick),
            },
        }
    }

    fn keys_of_a_request(&self) -> [(&'static str, bool); 5] {
        [
            ("method", self.method.is_some()),
            ("headers", self.headers.is_some()),
            ("response", self.response.is_some()),
            ("request_headers", self.request_headers.is_some()),
            ("response_headers", self.response_headers.is_some()),
        ]
    }

    fn keys_of_an_exchange(&self) -> [(&'static str, bool); 8] {
        [
            ("client", self.client.is_some()),
            ("user", self.user.is_some()),
            ("groups", self.groups.is_some()),
            ("listener", self.listener.is_some()),
            ("found_in", self.found_in.is_some()),
            ("server_name", self.server_name.is_some()),
            ("ended", self.ended.is_some()),
            ("notes", self.notes.is_some()),
        ]
    }

    fn host_question(&self, host: &str) -> Result<Question, String> {
        let protocol = self
            .protocol
            .map_or(Protocol::Connect, |Parsed(protocol)| protocol);
        let default_port = if protocol == Protocol::Http { 80 } else { 443 };
        let target = target(host, default_port)?;
        Ok(Question::Host {
            host: target.host().to_owned(),
            port: target.port(),
            protocol,
        })
    }

    fn url_question(&self, url: &Url) -> Result<Question, String> {
        let (host, port) = (url.target.host().to_owned(), url.target.port());
        let Some(url) = url.seen.clone() else {
            return Ok(Question::Host {
                host,
                port,
                protocol: Protocol::Connect,
            });
        };
        let method = self.method.as_deref().unwrap_or("GET");
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
        if method.is_empty() || !method.bytes().all(is_letter) {
            return Err(format!("`{method}` is not a method; write it like GET"));
        }
        let response = self.response.as_ref();
        if let Some(RawResponse { status, .. }) = response
            && !(200..=599).contains(status)
        {
            return Err(format!(
                "a response with the status {status} never reaches a filter; they have 200 to 599"
            ));
        }
        Ok(Question::Request {
            host,
            port,
            url,
            method: method.to_owned(),
            request: self
                .headers
                .as_ref()
                .map_or(Ok(Message::default()), message)?,
            response: response
                .map(|response| Ok::<_, String>((response.status, message(&response.headers)?)))
                .transpose()?,
        })
    }

    /// What is known of the exchange besides.
    pub(super) fn facts(&self, question: &Question) -> ExchangeFacts {
        let found_in = self
            .found_in
            .map_or(FoundIn::Request, |Parsed(place)| place);
        // The name that was found in the handshake is the name in the handshake.
        let found = match question {
            Question::Host { host, .. } | Question::Request { host, .. }
                if found_in == FoundIn::ServerName =>
            {
                Some(host.clone())
            }
            _ => None,
        };
        ExchangeFacts {
            client: self.client.map(|Parsed(ip)| ip),
            user: self.user.clone(),
            groups: self.groups.clone().unwrap_or_default(),
            listener: self.listener.clone().unwrap_or_default(),
            found_in,
            server_name: self.server_name.clone().or(found),
        }
    }
}

/// The keys that the case has.
fn given<'a>(keys: &'a [(&'static str, bool)]) -> impl Iterator<Item = &'static str> + 'a {
    let given = keys.iter().filter(|(_, is_given)| *is_given);
    given.map(|(key, _)| *key)
}

fn message(headers: &BTreeMap<FieldName, Values>) -> Result<Message, String> {
    let mut fields = Vec::new();
    for (FieldName(name), values) in headers {
        for value in Vec::from(values.clone()) {
            if value.contains(|c: char| c.is_ascii_control() && c != '\t') {
                return Err(format!(
                    "the value of {name} has control characters, which no header field can have"
                ));
            }
            fields.push((name.clone(), value.into_bytes()));
        }
    }
    Ok(Message(fields))
}
