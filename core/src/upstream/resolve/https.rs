//! Questions over HTTPS (RFC 8484), with HTTP/2. `connection` makes one connection for all of them.
//! The library would leave the port out of what it asks for, by which some servers tell whose
//! questions these are.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::{RuntimeProvider, Spawn};
use hickory_resolver::proto::op::{DnsRequest, DnsResponse};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Uri};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::runtime::Runtime;
use crate::target::Target;

const KIND: &str = "application/dns-message";

/// The longest message of DNS, in bytes.
const LONGEST: usize = u16::MAX as usize;

/// The port that goes without saying.
const PORT: u16 = 443;

/// A connection to a server.
#[derive(Clone)]
pub(super) struct Https {
    requests: SendRequest<Bytes>,
    uri: Uri,
}

/// What a server is called, and where it is asked.
#[derive(Clone, Copy)]
pub(super) struct Endpoint<'a> {
    pub(super) address: SocketAddr,
    /// That of its certificate.
    pub(super) name: &'a str,
    pub(super) path: &'a str,
}

impl Endpoint<'_> {
    fn uri(&self) -> Result<Uri, NetError> {
        let target = Target::of_host(self.name, self.address.port());
        let target = target.map_err(|_| no_name(self.name))?;
        let uri = Uri::builder()
            .scheme("https")
            .authority(target.authority(PORT));
        let uri = uri.path_and_query(self.path).build();
        uri.map_err(|error| NetError::from(format!("it has no URL: {error}")))
    }
}

impl Https {
    pub(super) async fn connect(
        endpoint: Endpoint<'_>,
        tls: &Arc<ClientConfig>,
        runtime: &Runtime,
    ) -> Result<Self, NetError> {
        let uri = endpoint.uri()?;
        let name = ServerName::try_from(endpoint.name).map_err(|_| no_name(endpoint.name))?;
        let mut tls = ClientConfig::clone(tls);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let tcp = runtime.connect_tcp(endpoint.address, None, None).await?;
        let connecting = TlsConnector::from(Arc::new(tls)).connect(name.to_owned(), tcp.0);
        let mut http = h2::client::Builder::new();
        http.enable_push(false);
        let (requests, driver) = http.handshake(connecting.await?).await?;
        runtime.create_handle().spawn_bg(async {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "the connection to a DNS server has ended");
            }
        });
        Ok(Self { requests, uri })
    }

    /// The answer to a question.
    pub(super) async fn ask(&self, mut question: DnsRequest) -> Result<DnsResponse, NetError> {
        // Equal questions are equal requests (RFC 8484, section 4.1).
        question.metadata.id = 0;
        let question = Bytes::from(question.to_vec()?);
        let request = Request::post(&self.uri)
            .header(CONTENT_TYPE, KIND)
            .header(ACCEPT, KIND)
            .header(CONTENT_LENGTH, question.len())
            .body(());
        let request = request.map_err(|error| NetError::from(error.to_string()))?;
        let mut requests = self.requests.clone().ready().await?;
        let (response, mut body) = requests.send_request(request, false)?;
        body.send_data(question, true)?;
        let response = response.await?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let body = read(response.into_body()).await?;
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body);
            return Err(format!("it has answered with {status}: {said}").into());
        }
        if kind.is_some_and(|kind| kind != KIND) {
            return Err("its answer is no message of DNS".to_owned().into());
        }
        Ok(DnsResponse::from_buffer(body)?)
    }
}

pub(super) fn no_name(name: &str) -> NetError {
    format!("`{name}` is not the name of a server").into()
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, NetError> {
    let mut read = Vec::new();
    while let Some(piece) = poll_fn(|cx| body.poll_data(cx)).await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        if read.len() + piece.len() > LONGEST {
            return Err("its answer is longer than a message of DNS"
                .to_owned()
                .into());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_with_its_port_unless_that_goes_without_saying() {
        let uri = |address: &str, name| {
            let address = address.parse().unwrap();
            let path = "/dns-query";
            let endpoint = Endpoint {
                address,
                name,
                path,
            };
            endpoint.uri().unwrap().to_string()
        };
        for (address, name, asked) in [
            (
                "192.0.2.1:443",
                "dns.example",
                "https://dns.example/dns-query",
            ),
            (
                "192.0.2.1:8443",
                "dns.example",
                "https://dns.example:8443/dns-query",
            ),
            (
                "192.0.2.1:8443",
                "192.0.2.1",
                "https://192.0.2.1:8443/dns-query",
            ),
            (
                "[2001:db8::1]:443",
                "2001:db8::1",
                "https://[2001:db8::1]/dns-query",
            ),
            (
                "[2001:db8::1]:8443",
                "2001:db8::1",
                "https://[2001:db8::1]:8443/dns-query",
            ),
        ] {
            assert_eq!(uri(address, name), asked);
        }
    }
}
