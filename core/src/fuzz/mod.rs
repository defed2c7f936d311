//! What must hold for bytes that others send, write or drop in: one function for each kind. Each
//! takes any bytes and panics where a promise is broken. `tests/fuzz` runs them over bytes that
//! libFuzzer invents, and the tests below over the corpora that are in the repository. The program
//! does not have this module.

mod component;
mod connection;
mod fields;
mod hello;
mod hits;
mod lines;
mod lists;
mod packed;
mod proxy_protocol;
mod request;
mod response;
mod settings;
mod snapshots;
mod socks;
#[cfg(test)]
mod tests;

pub use self::component::component;
pub use self::connection::connection;
pub use self::fields::header_edits;
pub use self::hello::{client_hello, first_request};
pub use self::hits::hits;
pub use self::lines::access_log;
pub use self::lists::feed;
pub use self::packed::packed;
pub use self::proxy_protocol::proxy_protocol;
pub use self::request::request_head;
pub use self::response::response_head;
pub use self::settings::{cases, config, filter_settings};
pub use self::snapshots::snapshot;
pub use self::socks::socks;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::target::{Target, canonical_host};

/// The text that stands in `bytes`, as far as it is text.
fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The bytes that stand in `data` as hexadecimal digits, or else `data`.
fn from_digits(data: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let digits: String = text(data).split_whitespace().collect();
    match HEXLOWER_PERMISSIVE.decode(digits.as_bytes()) {
        Ok(bytes) => bytes.into(),
        Err(_) => data.into(),
    }
}

/// What is read of the shortest beginning that says something is what is read of all.
fn assert_cut<T, E>(sent: &[u8], read: impl Fn(&[u8]) -> Result<Option<T>, E>)
where
    Result<Option<T>, E>: PartialEq + std::fmt::Debug,
{
    let decided = (0..=sent.len()).find(|&end| !matches!(read(&sent[..end]), Ok(None)));
    if let Some(end) = decided {
        assert_eq!(read(&sent[..end]), read(sent), "{sent:02x?}");
    }
}

/// A host has one spelling, which cannot be taken for anything else wherever it is written.
fn assert_canonical(host: &str) {
    assert_eq!(canonical_host(host).as_deref(), Ok(host));
    assert!((1..=253).contains(&host.len()), "{host:?}");
    let is_harmless = |byte: u8| {
        byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"/?#@\\%<>^|".contains(&byte)
    };
    assert!(host.bytes().all(is_harmless), "{host:?}");
    assert!(!host.ends_with('.') && !host.starts_with('.'), "{host:?}");
}

/// A target is what its own spellings name.
fn assert_target(target: &Target) {
    assert_canonical(target.host());
    assert_ne!(target.port(), 0);
    assert_eq!(
        Target::parse(&target.to_string(), None).as_ref(),
        Ok(target)
    );
    assert_eq!(
        Target::parse(&target.authority(80), Some(80)).as_ref(),
        Ok(target)
    );
    assert_eq!(
        Target::of_host(target.host(), target.port()).as_ref(),
        Ok(target)
    );
    let is_ip = target.ip().is_some();
    assert_eq!(portcullis_contract::host::is_ip(target.host()), is_ip);
}

/// An error of a file names the file and a place in it, and is one line.
fn assert_located(error: &str, file: &str, text: &str) {
    let place = error.strip_prefix(file).and_then(|rest| {
        let mut parts = rest.strip_prefix(':')?.splitn(3, ':');
        let line: usize = parts.next()?.parse().ok()?;
        let column: usize = parts.next()?.parse().ok()?;
        Some((line, column))
    });
    let Some((line, column)) = place else {
        panic!("there is no place: {error:?}");
    };
    let lines = text.matches('\n').count() + 1;
    assert!((1..=lines).contains(&line), "{error:?}");
    let longest = text.split('\n').map(|line| line.chars().count()).max();
    assert!(column >= 1 && Some(column - 1) <= longest, "{error:?}");
}
