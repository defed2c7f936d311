//! The server's encrypted sides: DNS over TLS (RFC 7858) and over HTTPS (RFC
//! 8484).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Over, Shared, lock, serve_stream};

const KIND: &str = "application/dns-message";

pub(super) async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("loopback has a free port");
    let address = listener.local_addr();
    (listener, address.expect("a bound socket has an address"))
}

pub(super) async fn serve_tls(
    listener: TcpListener,
    identity: Arc<ServerConfig>,
    shared: Arc<Shared>,
) {
    let acceptor = TlsAcceptor::from(identity);
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a socket that listens");
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        connections.spawn(async move {
            // A client that does not trust the certificate goes away.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let name = stream.get_ref().1.server_name().unwrap_or_default();
            lock(&shared.wanted).push(name.to_owned());
            serve_stream(stream, shared, Over::Tls).await;
        });
    }
}

pub(super) async fn serve_https(
    listener: TcpListener,
    identity: Arc<ServerConfig>,
    shared: Arc<Shared>,
) {
    let mut identity = ServerConfig::clone(&identity);
    identity.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(identity));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a socket that listens");
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        connections.spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve_http(stream, &shared).await;
            }
        });
    }
}

/// Answers requests until the client has closed or the server is to hang up.
async fn serve_http(stream: TlsStream<TcpStream>, shared: &Arc<Shared>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    let mut requests = JoinSet::new();
    // This also moves what requests and answers have to say.
    while let Some(Ok((request, respond))) = connection.accept().await {
        requests.spawn(serve_request(request, respond, shared.clone()));
        if shared.hangs_up.load(Ordering::Relaxed) {
            connection.graceful_shutdown();
        }
    }
}

async fn serve_request(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
) {
    let wanted = request.uri().to_string();
    let wanted = wanted.strip_prefix("https://").expect("a URL of HTTPS");
    lock(&shared.wanted).push(wanted.to_owned());
    assert_eq!(request.headers()["content-type"], KIND);
    let mut question = Vec::new();
    let mut body = request.into_body();
    while let Some(Ok(bytes)) = body.data().await {
        question.extend(bytes);
    }
    let Some(answer) = shared.answer(&question, Over::Https) else {
        // As long as the client waits.
        return std::future::pending().await;
    };
    let head = Response::builder().header("content-type", KIND).body(());
    let head = head.expect("a head that is well formed");
    if let Ok(mut sending) = respond.send_response(head, false) {
        // The client may be gone already.
        let _ = sending.send_data(answer.into(), true);
    }
}
