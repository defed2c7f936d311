//! TLS on the way to a parent proxy, and whom to trust there, at DNS servers and at the servers of
//! lists.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::target::Target;

/// What proxies are asked to speak in TLS.
const ALPN: &[u8] = b"http/1.1";

/// Connects to servers whose certificates are trusted.
pub(crate) struct Connector(Arc<ClientConfig>);

/// Why no certificate can be verified.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read certificates in {}", file.display())]
    Certificates {
        file: PathBuf,
        #[source]
        source: PemError,
    },
    #[error("there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    #[error("cannot verify certificates")]
    Verifier(#[from] rustls::Error),
}

impl Connector {
    /// Trusts what the system trusts, and the certificates in the file `ca`.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, TlsError> {
        let mut config = client_config(ca)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Speaks TLS on a stream that leads to `target`.
    pub(super) async fn connect(
        &self,
        target: &Target,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = server_name(target).map_err(io::Error::other)?;
        let connector = TlsConnector::from(self.0.clone());
        connector.connect(name, stream).await
    }
}

/// Trusts what the system trusts, and the certificates in the file `ca`.
pub(crate) fn client_config(ca: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let builder = builder()?;
    let roots = ca.map_or_else(|| Ok(Vec::new()), certificates)?;
    let verifier = Verifier::new_with_extra_roots(roots, builder.crypto_provider().clone())?;
    let config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(config.with_no_client_auth())
}

/// Trusts no server: for a client that speaks no TLS.
pub(crate) fn without_trust() -> Result<ClientConfig, TlsError> {
    let config = builder()?.with_root_certificates(RootCertStore::empty());
    Ok(config.with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    // The default provider of the process belongs to the application that embeds the proxy.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    Ok(builder.with_safe_default_protocol_versions()?)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Certificates {
        file: file.to_owned(),
        source,
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(failed)?;
    let certificates = certificates
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate(file.to_owned()));
    }
    Ok(certificates)
}

fn server_name(target: &Target) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match target.ip() {
        Some(ip) => Ok(ServerName::IpAddress(ip.into())),
        None => ServerName::try_from(target.host().to_owned()),
    }
}
