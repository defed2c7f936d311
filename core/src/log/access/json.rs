//! The access line as one JSON object, for log stores. It has the fields of the logfmt line under
//! the same names; numbers are numbers and lists of names are arrays.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Encoder, KIND, string};

/// Writes a line at the end of `out`.
pub(super) struct Json<'a> {
    pub(super) out: &'a mut Vec<u8>,
}

impl Json<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

impl Encoder for Json<'_> {
    fn begin(&mut self, time: &str) {
        self.out.extend_from_slice(b"{\"time\":\"");
        self.out.extend_from_slice(time.as_bytes());
        self.out.push(b'"');
        self.text("kind", KIND);
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        string::push_quoted(self.out, value);
    }

    fn address(&mut self, name: &'static str, ip: IpAddr, port: Option<u16>) {
        self.name(name);
        self.out.push(b'"');
        super::push_address(self.out, ip, port);
        self.out.push(b'"');
    }

    fn number(&mut self, name: &'static str, value: u64) {
        self.name(name);
        super::push_number(self.out, value);
    }

    fn flag(&mut self, name: &'static str) {
        self.name(name);
        self.out.extend_from_slice(b"true");
    }

    fn milliseconds(&mut self, name: &'static str, value: Duration) {
        self.name(name);
        super::push_milliseconds(self.out, value);
    }

    fn names(&mut self, name: &'static str, values: &[Arc<str>]) {
        self.name(name);
        for (at, value) in values.iter().enumerate() {
            self.out.push(if at == 0 { b'[' } else { b',' });
            string::push_quoted(self.out, value);
        }
        self.out.push(b']');
    }

    fn end(&mut self) {
        self.out.extend_from_slice(b"}\n");
    }
}
