//! The proxy looks at itself: connects as a client would, asks something, and judges a host. Run on the control thread; says
//! what does not work, and when it works again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};

use crate::chain::{Chain, LocalChain};
use crate::error::Causes;
use crate::flow::{Client, Flow, Protocol};
use crate::target::Target;
use crate::upstream;
use std::rc::Rc;

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(30);

/// For each step of a check. A client would not wait much longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answered by any worker, without an origin (RFC 9110, section 9.3.7).
const QUESTION: &[u8] = b"OPTIONS * HTTP/1.1\r\nHost: portcullis\r\nConnection: close\r\n\r\n";

/// What a check found wrong.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the proxy cannot be reached at its own address {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the proxy accepts connections but does not answer")]
    Answer(#[source] io::Error),
    #[error("the proxy answers its own question with {0:?}")]
    WrongAnswer(String),
    #[error("the filter {0} cannot judge")]
    Filter(String),
    #[error("the filters do not come to a judgement within {PATIENCE:?}")]
    Judgement,
}

/// Checks the proxy that listens on `own`, for as long as it is polled.
pub(crate) async fn watch(own: SocketAddr, mut chains: watch::Receiver<Arc<Chain>>) {
    let mut chain = Rc::new(LocalChain::from_generation(
        &chains.borrow_and_update(),
        None,
        None,
    ));
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    let mut is_well = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            // At once: until then a filter that has gone has its memory.
            Ok(()) = chains.changed() => {
                chain = Rc::new(LocalChain::from_generation(&chains.borrow_and_update(), Some(&chain), None));
                continue;
            }
        }
        let outcome = check(own, &chain).await;
        match &outcome {
            Ok(()) if is_well => tracing::debug!("health check passed"),
            Ok(()) => tracing::info!("health check passed again"),
            Err(fault) => tracing::error!(error = %Causes(fault), "health check failed"),
        }
        is_well = outcome.is_ok();
    }
}

async fn check(own: SocketAddr, chain: &Rc<LocalChain>) -> Result<(), Fault> {
    ask(own).await?;
    judge(chain).await
}

async fn ask(own: SocketAddr) -> Result<(), Fault> {
    let mut socket = match timeout(PATIENCE, upstream::dial_self(own)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(source)) => {
            return Err(Fault::Connect {
                address: own,
                source,
            });
        }
        Err(late) => {
            let source = late.into();
            return Err(Fault::Connect {
                address: own,
                source,
            });
        }
    };
    let mut answer = Vec::new();
    let exchange = async {
        socket.write_all(QUESTION).await?;
        socket.read_to_end(&mut answer).await
    };
    match timeout(PATIENCE, exchange).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(Fault::Answer(error)),
        Err(late) => return Err(Fault::Answer(late.into())),
    }
    if answer.starts_with(b"HTTP/1.1 200 ") {
        return Ok(());
    }
    let first_line = answer
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    Err(Fault::WrongAnswer(
        String::from_utf8_lossy(first_line).into_owned(),
    ))
}

async fn judge(chain: &Rc<LocalChain>) -> Result<(), Fault> {
    let target = Target::new("health.portcullis.invalid", 80).map_err(|_| Fault::Judgement)?;
    let client = Client::default();
    let filters = chain.begin(Flow {
        exchange: 0,
        target: &target,
        protocol: Protocol::Http,
        client: &client,
    });
    let judgement = timeout(PATIENCE, filters.judge_host()).await;
    match judgement {
        Err(_) => Err(Fault::Judgement),
        Ok(judgement) if judgement.failed => Err(Fault::Filter(
            judgement.filter.as_deref().unwrap_or_default().to_owned(),
        )),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Proxy};
    use tokio::net::TcpListener;
    use tokio::sync::broadcast;

    #[tokio::test]
    async fn a_running_proxy_answers_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: "0.0.0.0:0".parse().unwrap(),
            feeds: Default::default(),
            cache_dir: folder.path().join("cache"),
            ..Config::default()
        };
        config.plugins.dir = folder.path().join("plugins");
        let proxy = Proxy::bind(config).unwrap();
        let own = proxy.local_addr();
        let (_shutdown, signal) = broadcast::channel(1);
        tokio::select! {
            ended = proxy.run(signal) => panic!("{ended:?}"),
            answer = ask(own) => answer.unwrap(),
        }
    }

    #[tokio::test]
    async fn a_fault_says_which_step_failed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let serve = |answer: &'static [u8]| async {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.read_exact(&mut [0; QUESTION.len()]).await.unwrap();
            socket.write_all(answer).await.unwrap();
        };
        let (fault, ()) = tokio::join!(ask(own), serve(b"HTTP/1.1 503 Busy\r\n\r\n"));
        assert_eq!(
            fault.unwrap_err().to_string(),
            "the proxy answers its own question with \"HTTP/1.1 503 Busy\""
        );
        drop(listener);
        assert!(matches!(ask(own).await, Err(Fault::Connect { .. })));
    }
}
