//! What an access line holds. The data plane fills a [`Record`] when an exchange has ended and
//! gives it to the [`Sink`] of its worker; `logfmt` and `json` are the two forms of a line, and
//! both write the fields that [`Record::encode`] lists. `core/schema/access-log.schema.json` says
//! what each field means; a test holds it to this file.

pub(crate) mod json;
pub(crate) mod logfmt;
mod sink;
mod stamp;
mod string;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use self::json::Json;
use self::logfmt::Logfmt;
pub(crate) use self::sink::{Access, Sink};
use crate::config::AccessLogFormat;

/// What tells an access line from every other line in the same stream.
pub(crate) const KIND: &str = "access";

/// Stands for the address of a client that has none.
const UNIX: &str = "unix";

/// What is said of addresses that a parent proxy chooses.
const UNCHECKED: &str = "unchecked";

/// What one access line is written from. A field that is `None` or empty is left out of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    /// When the exchange ended.
    pub(crate) time: SystemTime,
    /// No other exchange has it, before a restart or after.
    pub(crate) id: u64,
    /// None if the client has connected to a Unix socket.
    pub(crate) client: Option<IpAddr>,
    /// The listener that the client has connected to, where there are several.
    pub(crate) listener: Option<&'a str>,
    /// Who the client has logged in as.
    pub(crate) user: Option<&'a str>,
    /// The groups that the client is in.
    pub(crate) groups: &'a [Arc<str>],
    pub(crate) method: Option<&'a str>,
    /// The canonical host that was asked for.
    pub(crate) host: Option<&'a str>,
    pub(crate) port: Option<u16>,
    /// A word of the contract.
    pub(crate) protocol: &'a str,
    /// The address that was dialled.
    pub(crate) peer: Option<SocketAddr>,
    /// The table of parent proxies of which one was dialled.
    pub(crate) upstream: Option<&'a str>,
    /// That one resolves the host, whose addresses have not been judged here.
    pub(crate) leaves_name: bool,
    /// The name in the TLS handshake of a tunnel's client, canonical if it is a host.
    pub(crate) sni: Option<&'a str>,
    /// What the filters said of that name, if they were asked about it.
    pub(crate) sni_verdict: Option<&'a str>,
    /// The handshake may hide another name (RFC 9849).
    pub(crate) ech: bool,
    /// The name in the first request of a tunnel's client, if that is plain HTTP.
    pub(crate) host_field: Option<&'a str>,
    /// What the filters said of that name, if they were asked about it.
    pub(crate) host_field_verdict: Option<&'a str>,
    /// The connection has waited because of a limit of bandwidth.
    pub(crate) slowed: bool,
    /// No further request may come on the connection.
    pub(crate) last: bool,
    /// Of the answer that the client got.
    pub(crate) status: Option<u16>,
    pub(crate) verdict: Option<&'a str>,
    /// The filter that decided.
    pub(crate) filter: Option<&'a str>,
    /// Why a filter refused the request, or where it sent the client.
    pub(crate) reason: Option<&'a str>,
    /// Filters that could not judge and were passed over.
    pub(crate) skipped: &'a [Arc<str>],
    /// Filters that changed header fields.
    pub(crate) edited: &'a [Arc<str>],
    /// What filters have noted, each as `FILTER.KEY=VALUE`.
    pub(crate) notes: &'a [Arc<str>],
    /// The feed in which the filter found the host.
    pub(crate) feed: Option<&'a str>,
    /// The list of that feed, where the URL that it is fetched from tells no secrets.
    pub(crate) source: Option<&'a str>,
    /// The entry of that list, or the rule that the filter names.
    pub(crate) rule: Option<&'a str>,
    /// The line of that entry.
    pub(crate) line: Option<u32>,
    /// Bytes of the request's body until the response has ended, or from the client through the
    /// tunnel.
    pub(crate) up: u64,
    /// Bytes of the response's body, or to the client through the tunnel.
    pub(crate) down: u64,
    pub(crate) duration: Duration,
    /// `complete`, `aborted` or `failed`.
    pub(crate) outcome: &'a str,
    pub(crate) error: Option<&'a str>,
}

/// A form of the access line. The time and the line's kind come first, then the fields in the order
/// of the calls.
trait Encoder {
    fn begin(&mut self, time: &str);
    fn text(&mut self, name: &'static str, value: &str);
    fn address(&mut self, name: &'static str, ip: IpAddr, port: Option<u16>);
    fn number(&mut self, name: &'static str, value: u64);
    /// What is so; left out by the caller where it is not.
    fn flag(&mut self, name: &'static str);
    /// Milliseconds, to the microsecond.
    fn milliseconds(&mut self, name: &'static str, value: Duration);
    /// Left out by the caller when it is empty.
    fn names(&mut self, name: &'static str, values: &[Arc<str>]);
    fn end(&mut self);
}

impl Record<'_> {
    /// Writes a line at the end of `out`.
    pub(crate) fn write(&self, time: &str, format: AccessLogFormat, out: &mut Vec<u8>) {
        match format {
            AccessLogFormat::Logfmt => self.encode(time, &mut Logfmt { out }),
            AccessLogFormat::Json => self.encode(time, &mut Json { out }),
        }
    }

    /// Every field of a line, in order.
    fn encode(&self, time: &str, line: &mut impl Encoder) {
        line.begin(time);
        line.number("id", self.id);
        self.encode_request(line);
        self.encode_judgement(line);
        line.number("up", self.up);
        line.number("down", self.down);
        line.milliseconds("ms", self.duration);
        if self.slowed {
            line.flag("slowed");
        }
        if self.last {
            line.flag("last");
        }
        line.text("outcome", self.outcome);
        text(line, "error", self.error);
        line.end();
    }

    fn encode_request(&self, line: &mut impl Encoder) {
        match self.client {
            Some(client) => line.address("client", client, None),
            None => line.text("client", UNIX),
        }
        text(line, "listener", self.listener);
        text(line, "user", self.user);
        names(line, "groups", self.groups);
        text(line, "method", self.method);
        text(line, "host", self.host);
        number(line, "port", self.port);
        line.text("protocol", self.protocol);
        if let Some(peer) = self.peer {
            line.address("peer", peer.ip(), Some(peer.port()));
        }
        text(line, "upstream", self.upstream);
        if self.leaves_name {
            line.text("addresses", UNCHECKED);
        }
        text(line, "sni", self.sni);
        text(line, "sni_verdict", self.sni_verdict);
        if self.ech {
            line.flag("ech");
        }
        text(line, "host_field", self.host_field);
        text(line, "host_field_verdict", self.host_field_verdict);
        number(line, "status", self.status);
    }

    fn encode_judgement(&self, line: &mut impl Encoder) {
        text(line, "verdict", self.verdict);
        text(line, "filter", self.filter);
        text(line, "reason", self.reason);
        names(line, "skipped", self.skipped);
        names(line, "edited", self.edited);
        names(line, "notes", self.notes);
        text(line, "feed", self.feed);
        text(line, "source", self.source);
        text(line, "rule", self.rule);
        number(line, "line", self.line);
    }
}

fn text(line: &mut impl Encoder, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        line.text(name, value);
    }
}

fn number(line: &mut impl Encoder, name: &'static str, value: Option<impl Into<u64>>) {
    if let Some(value) = value {
        line.number(name, value.into());
    }
}

fn names(line: &mut impl Encoder, name: &'static str, values: &[Arc<str>]) {
    if !values.is_empty() {
        line.names(name, values);
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `2.500`
fn push_milliseconds(out: &mut Vec<u8>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    push_number(out, micros / 1000);
    let fraction = micros % 1000;
    let digits = [fraction / 100, fraction / 10 % 10, fraction % 10];
    out.push(b'.');
    // Each is a digit.
    out.extend(digits.map(|digit| b'0' + digit as u8));
}

/// An IPv4 address that came as an IPv6 address is written as what it is.
fn push_address(out: &mut Vec<u8>, ip: IpAddr, port: Option<u16>) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => push_octets(out, ip.octets()),
        IpAddr::V6(ip) => {
            let text = ip.to_string();
            let brackets = if port.is_some() { ["[", "]"] } else { [""; 2] };
            for part in [brackets[0], &text, brackets[1]] {
                out.extend_from_slice(part.as_bytes());
            }
        }
    }
    if let Some(port) = port {
        out.push(b':');
        push_number(out, port.into());
    }
}

/// Each octet as text, with a dot behind it. Two addresses a line are written.
const OCTETS: [[u8; 4]; 256] = {
    let mut texts = [[b'.'; 4]; 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = [octet / 100, octet / 10 % 10, octet % 10];
        let mut at = 3 - length(octet as u8);
        let mut end = 0;
        while at < 3 {
            texts[octet][end] = b'0' + digits[at] as u8;
            at += 1;
            end += 1;
        }
        octet += 1;
    }
    texts
};

/// How many digits an octet has.
const fn length(octet: u8) -> usize {
    1 + (octet >= 10) as usize + (octet >= 100) as usize
}

fn push_octets(out: &mut Vec<u8>, octets: [u8; 4]) {
    let mut text = [0; 16];
    let mut end = 0;
    for octet in octets {
        text[end..end + 4].copy_from_slice(&OCTETS[usize::from(octet)]);
        end += length(octet) + 1;
    }
    out.extend_from_slice(&text[..end - 1]);
}
