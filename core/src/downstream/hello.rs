//! The first message of a TLS client, read for the name of the server that it wants (RFC 8446,
//! sections 4.1.2 and 5.1; RFC 6066, section 3), and whether the server asks for it once more.
//! Nothing else of TLS is understood here. Used by tunnels; reads bytes and keeps none.

pub(crate) mod answer;

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

/// How much longer a record may be that is encrypted (RFC 8446, section 5.2), in bytes.
const ENCRYPTION_BYTES: usize = 256;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// The extension that names the server.
const SERVER_NAME: u16 = 0;

/// The extension that hides a second message with another name (RFC 9849). Browsers also send one
/// that hides nothing.
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// The extension that names the versions, from TLS 1.3 on.
const SUPPORTED_VERSIONS: u16 = 43;

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
    /// The server may ask for the message once more (RFC 8446, section 4.1.4).
    pub(crate) may_be_repeated: bool,
    /// How long it is with the headers of its records, in bytes.
    pub(crate) length: usize,
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
    // Every server refuses another message at this place. Of a record that is empty or too long,
    // it does not come to that.
    if let &[_, _, _, high, low, kind, ..] = sent
        && (1..=RECORD_BYTES).contains(&usize::from(u16::from_be_bytes([high, low])))
        && kind != CLIENT_HELLO
    {
        return Ok(FirstMessage::NotTls);
    }
    let hello = message(sent)?.map(ClientHello::read).transpose()?;
    Ok(hello.map_or(FirstMessage::Incomplete, FirstMessage::Hello))
}

/// Reads what a client has sent behind its first message after the server has asked for that once
/// more. None if not all of it is there.
///
/// # Errors
///
/// If it is no second message, or if a server could read it in another way than this.
pub(crate) fn read_again(sent: &[u8]) -> Result<Option<ClientHello<'_>>, MalformedHello> {
    let rest = &sent[other_records(sent)?..];
    if rest
        .first()
        .is_some_and(|kind| OTHER_RECORDS.contains(kind))
    {
        return Ok(None);
    }
    let Some(message) = message(rest)? else {
        return Ok(None);
    };
    if message.kind != CLIENT_HELLO {
        return Err(MalformedHello::Records);
    }
    ClientHello::read(message).map(Some)
}

/// How many bytes at the beginning are whole records of other kinds than handshakes: a change of
/// ciphers, and data that a client sends before the server has answered.
///
/// # Errors
///
/// If one is longer than records are.
pub(crate) fn other_records(sent: &[u8]) -> Result<usize, MalformedHello> {
    let mut skipped = 0;
    while let Some((header, content)) = sent[skipped..].split_at_checked(RECORD_HEADER)
        && OTHER_RECORDS.contains(&header[0])
    {
        let length = record_length(header);
        if length > RECORD_BYTES + ENCRYPTION_BYTES {
            return Err(MalformedHello::Records);
        }
        if content.len() < length {
            break;
        }
        skipped += RECORD_HEADER + length;
    }
    Ok(skipped)
}

/// A message of a handshake.
struct Message<'a> {
    kind: u8,
    /// Without its header.
    body: Cow<'a, [u8]>,
    /// How long it is with all headers, in bytes.
    length: usize,
}

/// The message at the beginning, put together from the records that it comes in; none if not all of
/// it is there. The versions of records say nothing (RFC 8446, section 5.1).
fn message(sent: &[u8]) -> Result<Option<Message<'_>>, MalformedHello> {
    let mut message = Cow::Borrowed(&[][..]);
    let mut rest = sent;
    while let Some((header, behind)) = rest.split_at_checked(RECORD_HEADER) {
        let length = record_length(header);
        if header[0] != HANDSHAKE || length == 0 || length > RECORD_BYTES {
            return Err(MalformedHello::Records);
        }
        let (fragment, behind) = behind.split_at(length.min(behind.len()));
        if message.is_empty() {
            message = Cow::Borrowed(fragment);
        } else {
            message.to_mut().extend_from_slice(fragment);
        }
        if let Some(end) = whole(&message) {
            // A server that asks for the message once more could find the second one here.
            if message.len() > end || fragment.len() < length {
                return Err(MalformedHello::Records);
            }
            return Ok(Some(Message {
                kind: message[0],
                body: without_header(message),
                length: sent.len() - behind.len(),
            }));
        }
        rest = behind;
    }
    // A server would refuse such a record when it has come.
    match rest.first() {
        Some(&kind) if kind != HANDSHAKE => Err(MalformedHello::Records),
        _ => Ok(None),
    }
}

fn record_length(header: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([header[3], header[4]]))
}

/// Where the message ends that `bytes` begin with, if they have all of it.
fn whole(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<MESSAGE_HEADER>()?;
    let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
    let end = MESSAGE_HEADER + length;
    (bytes.len() >= end).then_some(end)
}

fn without_header(message: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match message {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[MESSAGE_HEADER..]),
        Cow::Owned(mut bytes) => {
            bytes.drain(..MESSAGE_HEADER);
            Cow::Owned(bytes)
        }
    }
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
            SUPPORTED_VERSIONS => hello.may_be_repeated = true,
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

impl<'a> ClientHello<'a> {
    fn read(message: Message<'a>) -> Result<Self, MalformedHello> {
        let length = message.length;
        let hello = match message.body {
            Cow::Borrowed(body) => client_hello(body)?,
            Cow::Owned(body) => client_hello(&body)?.into_owned(),
        };
        Ok(Self { length, ..hello })
    }

    fn into_owned<'b>(self) -> ClientHello<'b> {
        ClientHello {
            server_name: self.server_name.map(|name| Cow::Owned(name.into_owned())),
            ..self
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
