//! What a load balancer says about its client before the client's own bytes: a header of the PROXY
//! protocol, version 1 or 2 (haproxy.org, proxy-protocol.txt). Called by `proxy` for listeners that
//! are behind one; reads bytes and keeps none. Whether the sender may be believed is not its
//! business.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crc::{CRC_32_ISCSI, Crc};
use memchr::memchr;

/// How many bytes the line of version 1 may have, its end included (section 2.1).
const LONGEST_LINE: usize = 107;

/// How many bytes may follow the fixed part of version 2. A balancer may add a client's
/// certificate, and some can be told to.
const LONGEST_REST: usize = 16 << 10;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, version and command, family and transport, and the length of the rest.
const FIXED: usize = 16;

/// The kind of a field that holds the checksum of the header (section 2.2.3).
const CHECKSUM: u8 = 3;

/// The part of a field before its value: its kind and its length.
const FIELD_HEADER: usize = 3;

static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// How long it is.
    pub(crate) bytes: usize,
    /// Whose connection it is. None where that is the sender's own, as in its checks whether the
    /// proxy is well, or where the sender does not know.
    pub(crate) client: Option<SocketAddr>,
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it begins with something else")]
    NoHeader,
    #[error("its line does not end within 107 bytes")]
    LineTooLong,
    #[error("its line is not one of version 1")]
    Line,
    #[error("it has another version than 2, or a command that version 2 does not have")]
    Command,
    #[error("its client has not come by TCP or a Unix socket")]
    Family,
    #[error("it is longer than 16 KiB")]
    TooLong,
    #[error("it is shorter than its addresses")]
    Addresses,
    #[error("the lengths of its fields do not fit")]
    Fields,
    #[error("its checksum is wrong")]
    Checksum,
}

/// Reads a header from the beginning of what was sent. None if not all of it is there.
///
/// # Errors
///
/// If what was sent cannot become a header.
pub(crate) fn read(sent: &[u8]) -> Result<Option<Header>, Malformed> {
    match sent.first() {
        None => Ok(None),
        Some(b'P') => line(sent),
        Some(_) => binary(sent),
    }
}

/// Whether `sent` and `start` agree as far as both go.
fn may_begin_with(sent: &[u8], start: &[u8]) -> bool {
    let both = sent.len().min(start.len());
    sent[..both] == start[..both]
}

/// Version 1 (section 2.1).
fn line(sent: &[u8]) -> Result<Option<Header>, Malformed> {
    if !may_begin_with(sent, b"PROXY ") {
        return Err(Malformed::NoHeader);
    }
    let read = &sent[..sent.len().min(LONGEST_LINE)];
    let Some(end) = memchr(b'\n', read) else {
        let is_too_long = read.len() == LONGEST_LINE;
        return if is_too_long {
            Err(Malformed::LineTooLong)
        } else {
            Ok(None)
        };
    };
    let line = str::from_utf8(&read[..end]).ok();
    let words = line.and_then(|line| line.strip_prefix("PROXY ")?.strip_suffix('\r'));
    let client = words.and_then(client_of_line).ok_or(Malformed::Line)?;
    Ok(Some(Header {
        bytes: end + 1,
        client,
    }))
}

/// Whose connection it is, from the words behind `PROXY`. None if they are wrong.
fn client_of_line(words: &str) -> Option<Option<SocketAddr>> {
    let (family, rest) = words.split_once(' ').unwrap_or((words, ""));
    match family {
        // What follows is not to be looked at.
        "UNKNOWN" => Some(None),
        "TCP4" => addresses::<Ipv4Addr>(rest).map(Some),
        "TCP6" => addresses::<Ipv6Addr>(rest).map(Some),
        _ => None,
    }
}

/// The source among source and destination addresses, source and destination ports.
fn addresses<A: FromStr + Into<IpAddr>>(rest: &str) -> Option<SocketAddr> {
    let mut words = rest.split(' ');
    let mut next = || words.next();
    let (source, _): (A, A) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (port, _) = (port(next()?)?, port(next()?)?);
    next()
        .is_none()
        .then(|| SocketAddr::new(source.into(), port))
}

/// A number in its one spelling.
fn port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port.to_string() == text).then_some(port)
}

/// Version 2 (section 2.2).
fn binary(sent: &[u8]) -> Result<Option<Header>, Malformed> {
    if !may_begin_with(sent, &SIGNATURE) {
        return Err(Malformed::NoHeader);
    }
    let is_local = match sent.get(12) {
        None => return Ok(None),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(_) => return Err(Malformed::Command),
    };
    let Some(&family) = sent.get(13) else {
        return Ok(None);
    };
    // What the sender says of its own connection is not to be looked at.
    let family = Family::of(family).or(is_local.then_some(Family::Unspecified));
    let family = family.ok_or(Malformed::Family)?;
    let Some(length) = sent.get(14..FIXED) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length > LONGEST_REST {
        return Err(Malformed::TooLong);
    }
    if length < family.addresses() && !is_local {
        return Err(Malformed::Addresses);
    }
    let Some(header) = sent.get(..FIXED + length) else {
        return Ok(None);
    };
    let fields = FIXED + family.addresses().min(length);
    match check(header, fields) {
        // There need not be fields in what is not to be looked at.
        Err(Malformed::Fields) if is_local => {}
        checked => checked?,
    }
    Ok(Some(Header {
        bytes: header.len(),
        client: family.source(&header[FIXED..]).filter(|_| !is_local),
    }))
}

/// How the sender's client has come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Unspecified,
    Tcp4,
    Tcp6,
    UnixStream,
}

impl Family {
    /// A family and a transport. A client of this proxy does not come by datagrams.
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x00 => Some(Self::Unspecified),
            0x11 => Some(Self::Tcp4),
            0x21 => Some(Self::Tcp6),
            0x31 => Some(Self::UnixStream),
            _ => None,
        }
    }

    /// How many bytes the addresses have.
    fn addresses(self) -> usize {
        match self {
            Self::Unspecified => 0,
            Self::Tcp4 => 12,
            Self::Tcp6 => 36,
            Self::UnixStream => 216,
        }
    }

    /// The source among source and destination addresses, source and destination ports.
    fn source(self, addresses: &[u8]) -> Option<SocketAddr> {
        let (ip, port): (IpAddr, _) = match self {
            Self::Tcp4 => (
                addresses.first_chunk::<4>().copied()?.into(),
                addresses.get(8..10)?,
            ),
            Self::Tcp6 => (
                addresses.first_chunk::<16>().copied()?.into(),
                addresses.get(32..34)?,
            ),
            Self::Unspecified | Self::UnixStream => return None,
        };
        Some(SocketAddr::new(ip, u16::from_be_bytes([port[0], port[1]])))
    }
}

/// Looks at the fields of a header, which begin at `at`. Of their values only the checksum matters.
fn check(header: &[u8], mut at: usize) -> Result<(), Malformed> {
    let mut checksum = None;
    while at < header.len() {
        let Some(&[kind, high, low]) = header[at..].first_chunk::<FIELD_HEADER>() else {
            return Err(Malformed::Fields);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let value = at + FIELD_HEADER;
        at = value + length;
        if at > header.len() {
            return Err(Malformed::Fields);
        }
        if kind == CHECKSUM && (length != 4 || checksum.replace(value).is_some()) {
            return Err(Malformed::Checksum);
        }
    }
    match checksum {
        Some(at) if !is_right(header, at) => Err(Malformed::Checksum),
        _ => Ok(()),
    }
}

/// Whether the four bytes at `at` are the CRC-32C of the header in which they are zero.
fn is_right(header: &[u8], at: usize) -> bool {
    let (before, rest) = header.split_at(at);
    let (checksum, behind) = rest.split_at(4);
    let mut digest = CRC32C.digest();
    for part in [before, &[0; 4], behind] {
        digest.update(part);
    }
    digest.finalize().to_be_bytes() == *checksum
}
