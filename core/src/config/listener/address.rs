//! The address of a listener, as it is written in settings and flags.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::super::value::FromText;
use portcullis_contract::Escaped;

/// What the path of a Unix socket stands behind.
const UNIX: &str = "unix:";

/// How many bytes the path may have: the system keeps it in a field of its own, with a byte behind
/// it.
const LONGEST: usize = if cfg!(any(target_os = "linux", target_os = "android")) {
    107
} else {
    103
};

/// Where a listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddress {
    /// An IP address and a port; with port 0 the system chooses one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// What is wrong with the text of an address, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

impl ListenAddress {
    /// The IP address and the port, if it has them.
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// As settings have it, unless the path is not UTF-8.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            Self::Tcp(address) => Some(address.to_string()),
            Self::Unix(path) => path.to_str().map(|path| format!("{UNIX}{path}")),
        }
    }

    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.socket().map(|address| address.ip())
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// As it is written, in one line whatever the path is.
impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", Escaped(path.display())),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        Self::parse(text).ok_or_else(|| InvalidAddress(Self::problem(text)))
    }
}

impl FromText for ListenAddress {
    type Value = Self;

    const EXPECTED: &'static str = r#"an IP address and a port, or the path of a Unix socket, such as "127.0.0.1:3000" or "unix:/run/portcullis.sock""#;

    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(UNIX) {
            Some(path) => fault(path).is_none().then(|| Self::Unix(path.into())),
            None => text.parse().ok().map(Self::Tcp),
        }
    }

    fn write(address: &Self) -> Value {
        match address {
            Self::Tcp(address) => address.to_string().into(),
            Self::Unix(path) => format!("{UNIX}{}", path.display()).into(),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }

    fn problem(text: &str) -> String {
        match text.strip_prefix(UNIX).and_then(fault) {
            Some(fault) => format!("`{text}` cannot be listened on: {fault}"),
            None => format!("`{text}` is not {}", Self::EXPECTED),
        }
    }
}

/// Whether only this machine reaches an address.
pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Why no Unix socket can have that path.
fn fault(path: &str) -> Option<String> {
    if !cfg!(unix) {
        let fault = "this system has no Unix sockets for it; use an address of loopback, such as \"127.0.0.1:3000\"";
        return Some(fault.to_owned());
    }
    if !Path::new(path).is_absolute() || path.ends_with('/') {
        let fault = "it needs the absolute path of a file, as in \"unix:/run/portcullis.sock\"";
        return Some(fault.to_owned());
    }
    if path.contains('\0') {
        return Some("no path has a NUL in it".to_owned());
    }
    let length = path.len();
    (length > LONGEST).then(|| {
        format!("its path has {length} bytes, and that of a Unix socket at most {LONGEST}; choose a shorter one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        text.parse::<ListenAddress>().unwrap_err().to_string()
    }

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in ["127.0.0.1:3000", "[::1]:0"] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(
                (address.to_string(), ListenAddress::write(&address)),
                (text.into(), text.into())
            );
        }
        for text in ["", "localhost", "127.0.0.1", "/run/a.sock", "3000"] {
            assert!(problem(text).starts_with(&format!("`{text}` is not an IP address")));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_path_of_a_unix_socket_is_absolute_and_fits_the_system() {
        let address: ListenAddress = "unix:/run/a b.sock".parse().unwrap();
        assert_eq!(address, ListenAddress::Unix("/run/a b.sock".into()));
        assert_eq!(address.to_string(), "unix:/run/a b.sock");
        for text in ["unix:", "unix:a.sock", "unix:/run/"] {
            assert!(problem(text).contains("absolute path"), "{text}");
        }
        assert!(problem("unix:/a\0b").contains("NUL"));

        // The limit is the system's.
        let path = |length: usize| format!("/{}", "x".repeat(length - 1));
        let fits = |length| std::os::unix::net::SocketAddr::from_pathname(path(length)).is_ok();
        assert_eq!((fits(LONGEST), fits(LONGEST + 1)), (true, false));
        assert!(
            format!("unix:{}", path(LONGEST))
                .parse::<ListenAddress>()
                .is_ok()
        );
        let said = problem(&format!("unix:{}", path(LONGEST + 1)));
        assert!(
            said.contains(&format!("has {} bytes", LONGEST + 1)),
            "{said}"
        );
    }

    #[cfg(not(unix))]
    #[test]
    fn where_there_are_no_unix_sockets_the_reason_is_said() {
        assert!(problem("unix:/run/a.sock").contains("no Unix sockets"));
    }
}
