//! Asks a parent proxy for a tunnel by SOCKS 5 (RFC 1928, RFC 1929). It resolves names itself.

use tokio_socks::tcp::Socks5Stream;

use crate::target::Target;
use crate::upstream::parent::Login;
use crate::upstream::socket::OriginSocket;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSocks {
    /// The proxy answers, and is against it.
    #[error("it answers: {0}")]
    Refused(tokio_socks::Error),
    /// It wants a login, or another one.
    #[error("it wants a login, or another one")]
    Login,
    /// The proxy breaks off or answers with something else than SOCKS 5.
    #[error(transparent)]
    Broken(tokio_socks::Error),
}

/// The stream as it leads to the target.
pub(super) async fn tunnel(
    socket: OriginSocket,
    target: &Target,
    login: Option<&Login>,
) -> Result<OriginSocket, NoSocks> {
    let host = target
        .ip()
        .map_or_else(|| target.host().to_owned(), |ip| ip.to_string());
    let to = (&*host, target.port());
    let connected = match login {
        Some(Login { name, password, .. }) => {
            Socks5Stream::connect_with_password_and_socket(socket, to, name, password).await
        }
        None => Socks5Stream::connect_with_socket(socket, to).await,
    };
    connected.map(Socks5Stream::into_inner).map_err(NoSocks::of)
}

impl NoSocks {
    fn of(error: tokio_socks::Error) -> Self {
        use tokio_socks::Error;

        match error {
            Error::GeneralSocksServerFailure
            | Error::ConnectionNotAllowedByRuleset
            | Error::NetworkUnreachable
            | Error::HostUnreachable
            | Error::ConnectionRefused
            | Error::TtlExpired
            | Error::CommandNotSupported
            | Error::AddressTypeNotSupported
            // So it calls codes that the RFC does not have.
            | Error::UnknownAuthMethod
            | Error::UnknownError => Self::Refused(error),
            Error::NoAcceptableAuthMethods
            | Error::PasswordAuthFailure(_)
            | Error::AuthorizationRequired => Self::Login,
            _ => Self::Broken(error),
        }
    }
}
