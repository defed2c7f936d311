//! The proxy looks at itself: connects as a client would and asks something, and sees whether all
//! that is configured can judge. Run on the control thread; says what does not work, and when it
//! works again. It asks no filter: what filters count and remember, and how often they fail, is
//! about traffic alone.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, timeout};

use crate::config::{ListenAddress, Listener, NamedListener};
use crate::downstream::headers::Pseudonym;
use crate::error::ErrorChain;
use crate::{plugins, upstream};

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(30);

/// For each step of a check. A client would not wait much longer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Answered by any worker, without an origin (RFC 9110, section 9.3.7). The Via field tells that
/// the proxy itself asks, so that its access log leaves it out.
fn question(own: &Pseudonym) -> String {
    let name = own.to_itself();
    format!(
        "OPTIONS * HTTP/1.1\r\nHost: portcullis\r\nVia: 1.1 {name}\r\nConnection: close\r\n\r\n"
    )
}

/// What a load balancer sends before a question of its own.
const OWN_CONNECTION: &[u8] = b"PROXY UNKNOWN\r\n";

/// What a check found wrong.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the proxy cannot be reached at its own address {address}")]
    Connect {
        address: ListenAddress,
        #[source]
        source: io::Error,
    },
    #[error("the proxy accepts connections on {address} but does not answer")]
    Answer {
        address: ListenAddress,
        #[source]
        source: io::Error,
    },
    #[error("the proxy answers its own question on {address} with {answer:?}")]
    WrongAnswer {
        address: ListenAddress,
        answer: String,
    },
    #[error("{}", .0.iter().map(plugins::Fault::to_string).collect::<Vec<_>>().join("; "))]
    NotReady(Vec<plugins::Fault>),
}

/// Checks the proxy with these listeners, for as long as it is polled. `faults` is what keeps it
/// from judging.
pub(super) async fn watch(
    own: &[NamedListener],
    pseudonym: &Pseudonym,
    faults: watch::Receiver<Vec<plugins::Fault>>,
) {
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    let mut is_well = true;
    loop {
        ticks.tick().await;
        let outcome = check(own, pseudonym, &faults).await;
        match &outcome {
            Ok(()) if is_well => tracing::debug!("health check passed"),
            Ok(()) => tracing::info!("health check passed again"),
            Err(fault) => tracing::error!(error = %ErrorChain(fault), "health check failed"),
        }
        is_well = outcome.is_ok();
    }
}

async fn check(
    own: &[NamedListener],
    pseudonym: &Pseudonym,
    faults: &watch::Receiver<Vec<plugins::Fault>>,
) -> Result<(), Fault> {
    for listener in own {
        ask(&listener.settings, pseudonym).await?;
    }
    let faults = faults.borrow().clone();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Fault::NotReady(faults))
    }
}

async fn ask(own: &Listener, pseudonym: &Pseudonym) -> Result<(), Fault> {
    let question = question(pseudonym);
    let unreachable = |source| Fault::Connect {
        address: own.address.clone(),
        source,
    };
    let answer = match &own.address {
        ListenAddress::Tcp(address) => {
            let dialled = in_time(upstream::dial_self(*address)).await;
            let socket = dialled.map_err(unreachable)?;
            let source = socket.local_addr().ok().map(|source| source.ip());
            in_time(exchange(socket, source, own, &question)).await
        }
        #[cfg(unix)]
        ListenAddress::Unix(path) => {
            let dialled = in_time(upstream::dial_own_socket(path)).await;
            in_time(exchange(
                dialled.map_err(unreachable)?,
                None,
                own,
                &question,
            ))
            .await
        }
        #[cfg(not(unix))]
        ListenAddress::Unix(_) => return Err(unreachable(io::ErrorKind::Unsupported.into())),
    };
    let answer = answer.map_err(|source| Fault::Answer {
        address: own.address.clone(),
        source,
    })?;
    let Some(answer) = answer.filter(|answer| !answer.starts_with(b"HTTP/1.1 200 ")) else {
        return Ok(());
    };
    let mut lines = answer.split(|byte| *byte == b'\r');
    let first_line = lines.next().unwrap_or_default();
    Err(Fault::WrongAnswer {
        address: own.address.clone(),
        answer: String::from_utf8_lossy(first_line).into_owned(),
    })
}

/// Asks from `source`, and reads the answer to its end. None if the listener believes load
/// balancers alone, and has closed the connection as it should.
async fn exchange(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    source: Option<IpAddr>,
    own: &Listener,
    question: &str,
) -> io::Result<Option<Vec<u8>>> {
    let mut answer = Vec::new();
    if own.proxy_protocol.is_some() {
        if !own.trusts(source) {
            // A reset is an end, too.
            return Ok(socket.read(&mut [0]).await.map_or(None, |_| None));
        }
        socket.write_all(OWN_CONNECTION).await?;
    }
    socket.write_all(question.as_bytes()).await?;
    socket.read_to_end(&mut answer).await?;
    Ok(Some(answer))
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(TIMEOUT, step).await?
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use ipnet::IpNet;

    use super::*;
    use crate::config::{AccessLogTo, Clients};
    use crate::{Config, Ended, Proxy};
    use tokio::net::TcpListener;
    use tokio::sync::broadcast;

    /// Settings that need only what is in `folder`. A proxy is well although this machine's clients
    /// are refused.
    fn config(folder: &tempfile::TempDir) -> Config {
        let mut config = Config {
            clients: Clients::new(["192.0.2.0/24".parse().unwrap()]),
            ..Config::default()
        };
        config.feeds.clear();
        config.log.access.to = AccessLogTo::Off;
        config.cache.dir = folder.path().join("cache");
        config.state.dir = folder.path().join("state");
        config.plugins.dir = folder.path().join("plugins");
        config
    }

    /// No filter is asked about the proxy itself, so the check counts nowhere.
    #[test]
    fn the_question_names_no_host_that_would_be_judged() {
        let question = question(&Pseudonym::random());
        assert!(question.starts_with("OPTIONS * HTTP/1.1\r\n"), "{question}");
    }

    #[tokio::test]
    async fn a_running_proxy_answers_itself_and_says_what_cannot_judge() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        config.proxy.listen = "0.0.0.0:0".parse().unwrap();
        let log = folder.path().join("access.log");
        config.log.access.to = AccessLogTo::File(log.clone());
        let proxy = Proxy::bind(config).unwrap();
        let (own, pseudonym) = (proxy.named_listeners(), proxy.pseudonym.clone());
        let (shutdown, signal) = broadcast::channel(1);
        let asking = async {
            let faults = watch::Sender::default();
            let check = async || check(&own, &pseudonym, &faults.subscribe()).await;
            check().await.unwrap();
            let (what, reason) = ("the filter guard".into(), "it is no filter".into());
            faults.send_replace(vec![plugins::Fault { what, reason }]);
            let fault = check().await.unwrap_err();
            assert_eq!(fault.to_string(), "the filter guard: it is no filter");
            // Who else asks from here is refused, and in the access log.
            let refused = ask(&own[0].settings, &Pseudonym::random()).await;
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains("403"), "{refused}");
            shutdown.send(()).unwrap();
        };
        let (ended, ()) = tokio::join!(proxy.run(signal), asking);
        assert_eq!(ended.unwrap(), Ended::Cleanly);
        // The thread that writes the log may be late, and the proxy does not wait for long.
        let begun = std::time::Instant::now();
        let lines = loop {
            let lines = std::fs::read_to_string(&log).unwrap();
            if lines.contains(" method=OPTIONS ") || begun.elapsed() > Duration::from_secs(60) {
                break lines;
            }
        };
        assert_eq!(lines.matches(" method=OPTIONS ").count(), 1, "{lines}");
    }

    #[tokio::test]
    async fn listeners_behind_balancers_are_well_if_they_believe_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        config.proxy.listen = "127.0.0.1:0".parse().unwrap();
        for (name, balancer) in [("here", "127.0.0.1/32"), ("elsewhere", "192.0.2.1/32")] {
            let mut listener = Listener::at(SocketAddr::from(([127, 0, 0, 1], 0)));
            listener.proxy_protocol = Some(vec![balancer.parse::<IpNet>().unwrap().into()]);
            config.listeners.insert(name.into(), listener);
        }
        let proxy = Proxy::bind(config).unwrap();
        let (own, pseudonym) = (proxy.named_listeners(), proxy.pseudonym.clone());
        let (shutdown, signal) = broadcast::channel(1);
        let asking = async {
            let faults = watch::Sender::default();
            check(&own, &pseudonym, &faults.subscribe()).await.unwrap();
            // A listener that serves without a header is not one of these.
            let mut other = own[0].settings.clone();
            other.proxy_protocol = own[2].settings.proxy_protocol.clone();
            assert!(ask(&other, &pseudonym).await.is_err());
            shutdown.send(()).unwrap();
        };
        let (ended, ()) = tokio::join!(proxy.run(signal), asking);
        assert_eq!(ended.unwrap(), Ended::Cleanly);
    }

    #[tokio::test]
    async fn a_fault_says_which_step_failed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = &Listener::at(listener.local_addr().unwrap());
        let pseudonym = Pseudonym::random();
        let length = question(&pseudonym).len();
        let serve = |answer: &'static [u8]| async {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.read_exact(&mut vec![0; length]).await.unwrap();
            socket.write_all(answer).await.unwrap();
        };
        let answer = serve(b"HTTP/1.1 503 Busy\r\n\r\n");
        let (fault, ()) = tokio::join!(ask(own, &pseudonym), answer);
        let fault = fault.unwrap_err().to_string();
        assert!(
            fault.ends_with("with \"HTTP/1.1 503 Busy\"") && fault.contains("127.0.0.1:"),
            "{fault}"
        );
        drop(listener);
        let fault = ask(own, &pseudonym).await;
        assert!(matches!(fault, Err(Fault::Connect { .. })));
    }
}
