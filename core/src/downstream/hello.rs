//! The first message of a TLS client, read for the name of the server that it wants (RFC 8446,
//! sections 4.1.2 and 5.1; RFC 6066, section 3). Nothing else of TLS is understood here. Used by
//! tunnels; reads bytes and keeps none.

use std::borrow::Cow;

/// The first byte of a record that holds handshake messages.
const HANDSHAKE: u8 = 22;

/// The first byte of every other record that servers know: a change of ciphers, an alert, data.
/// Some servers pass over such records in front of the handshake.
const OTHER_RECORDS: [u8; 3] = [20, 21, 23];

/// No server takes a record for one of TLS whose version begins with this or more.
const NO_VERSION: u8 = 0x10;

/// The first byte of the message.
const CLIENT_HELLO: u8 = 1;

/// The longest record (RFC 8446, section 5.1), in bytes.
const RECORD_BYTES: usize = 1 << 14;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// The extension that names the server.
const SERVER_NAME: u16 = 0;

/// The extension that hides a second message with another name (RFC 9849). Browsers also send one
/// that hides nothing.
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// What a client has begun to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FirstMessage<'a> {
    /// The beginning of a TLS client's first message, or nothing at all.
    Incomplete,
    /// Another protocol.
    NotTls,
    Hello(ClientHello<'a>),
}

/// What the first message says about the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello<'a> {
    /// As the client has written it.
    pub(crate) server_name: Option<Cow<'a, [u8]>>,
    /// The client may want another name, of which nothing can be seen.
    pub(crate) has_hidden_name: bool,
}

/// What is wrong with a message that begins like one of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MalformedHello {
    #[error("it begins like a TLS handshake, but its records hold something else")]
    Records,
    #[error("the lengths in its TLS ClientHello do not fit")]
    Lengths,
    #[error("its TLS ClientHello names more than one server")]
    TwoNames,
}

/// Reads what a client has sent so far.
///
/// # Errors
///
/// If it is TLS and a server could read it in another way than this.
pub(crate) fn read(sent: &[u8]) -> Result<FirstMessage<'_>, MalformedHello> {
    match *sent {
        [] | [HANDSHAKE] => return Ok(FirstMessage::Incomplete),
        [kind] if OTHER_RECORDS.contains(&kind) => return Ok(FirstMessage::Incomplete),
        [HANDSHAKE, version, ..] if version < NO_VERSION => {}
        [kind, version, ..] if OTHER_RECORDS.contains(&kind) && version < NO_VERSION => {
            return Err(MalformedHello::Records);
        }
        _ => return Ok(FirstMessage::NotTls),
    }
    // Every server refuses another message at this place. An empty record has none.
    if let &[_, _, _, high, low, kind, ..] = sent
        && [high, low] != [0, 0]
        && kind != CLIENT_HELLO
    {
        return Ok(FirstMessage::NotTls);
    }
    Ok(match message(sent)? {
        None => FirstMessage::Incomplete,
        Some(Cow::Borrowed(message)) => FirstMessage::Hello(client_hello(message)?),
        Some(Cow::Owned(message)) => FirstMessage::Hello(client_hello(&message)?.into_owned()),
    })
}

/// The first message of a handshake without its header, put together from the records that it comes
/// in; none if not all of it is there. The versions of records say nothing (RFC 8446, section 5.1).
fn message(sent: &[u8]) -> Result<Option<Cow<'_, [u8]>>, MalformedHello> {
    let mut message = Cow::Borrowed(&[][..]);
    let mut rest = sent;
    while let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) {
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header[0] != HANDSHAKE || length == 0 || length > RECORD_BYTES {
            return Err(MalformedHello::Records);
        }
        let (fragment, behind) = behind.split_at(length.min(behind.len()));
        if message.is_empty() {
            message = Cow::Borrowed(fragment);
        } else {
            message.to_mut().extend_from_slice(fragment);
        }
        if let Some(message) = whole(&message) {
            return Ok(Some(message));
        }
        rest = behind;
    }
    // A server would refuse such a record when it has come.
    match rest.first() {
        Some(&kind) if kind != HANDSHAKE => Err(MalformedHello::Records),
        _ => Ok(None),
    }
}

/// The body of the message that `bytes` begin with, if they have all of it.
fn whole<'a>(bytes: &Cow<'a, [u8]>) -> Option<Cow<'a, [u8]>> {
    let header = bytes.first_chunk::<MESSAGE_HEADER>()?;
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    let end = MESSAGE_HEADER + length;
    (bytes.len() >= end).then(|| match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[MESSAGE_HEADER..end]),
        Cow::Owned(bytes) => Cow::Owned(bytes[MESSAGE_HEADER..end].to_vec()),
    })
}

fn client_hello(message: &[u8]) -> Result<ClientHello<'_>, MalformedHello> {
    let mut rest = Reader(message);
    // The version and the random bytes.
    rest.take(2 + 32)?;
    let _session = rest.short_vector()?;
    let _cipher_suites = rest.vector()?;
    let _compressions = rest.short_vector()?;
    let mut hello = ClientHello::default();
    if rest.is_empty() {
        // TLS 1.2 without extensions (RFC 5246, section 7.4.1.2).
        return Ok(hello);
    }
    let mut extensions = Reader(rest.vector()?);
    rest.end()?;
    while !extensions.is_empty() {
        let kind = extensions.number()?;
        let extension = extensions.vector()?;
        match kind {
            SERVER_NAME if hello.server_name.is_some() => return Err(MalformedHello::TwoNames),
            SERVER_NAME => hello.server_name = Some(Cow::Borrowed(server_name(extension)?)),
            ENCRYPTED_CLIENT_HELLO => hello.has_hidden_name = true,
            _ => {}
        }
    }
    Ok(hello)
}

/// The one name in a list of names. There is one kind of name, and one of each kind is allowed.
fn server_name(extension: &[u8]) -> Result<&[u8], MalformedHello> {
    let mut rest = Reader(extension);
    let mut names = Reader(rest.vector()?);
    rest.end()?;
    let _kind = names.take(1)?;
    let name = names.vector()?;
    if names.is_empty() {
        Ok(name)
    } else {
        Err(MalformedHello::TwoNames)
    }
}

impl ClientHello<'_> {
    fn into_owned(self) -> ClientHello<'static> {
        ClientHello {
            server_name: self.server_name.map(|name| Cow::Owned(name.into_owned())),
            has_hidden_name: self.has_hidden_name,
        }
    }
}

/// What is left to read of a message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn end(&self) -> Result<(), MalformedHello> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(MalformedHello::Lengths)
        }
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], MalformedHello> {
        let parts = self.0.split_at_checked(bytes);
        let (taken, rest) = parts.ok_or(MalformedHello::Lengths)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, MalformedHello> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Bytes behind their length, which has one byte.
    fn short_vector(&mut self) -> Result<&'a [u8], MalformedHello> {
        let length = self.take(1)?[0];
        self.take(usize::from(length))
    }

    /// Bytes behind their length, which has two bytes.
    fn vector(&mut self) -> Result<&'a [u8], MalformedHello> {
        let length = self.number()?;
        self.take(usize::from(length))
    }
}

#[cfg(test)]
mod tests;
