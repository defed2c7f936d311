//! Where the servers of lists may be, and where they may redirect to.

use super::*;
use crate::config::{Egress, OwnListeners, PrivateAddresses, Upstream};
use crate::upstream::Parents;
use crate::upstream::policy::Policy;
use crate::upstream::reload::Reloads;
use crate::upstream::resolve::{LOOKUPS, Resolver};

/// Fetches a list while addresses that are not public may not be dialled.
async fn refresh(url: &str, own: SocketAddr) -> Result<Outcome, FeedError> {
    refresh_through(url, own, Parents::default()).await
}

/// The same where servers are asked through other proxies.
async fn refresh_through(
    url: &str,
    own: SocketAddr,
    parents: Parents,
) -> Result<Outcome, FeedError> {
    let egress = Egress {
        private: PrivateAddresses::Deny,
        ..Egress::default()
    };
    let limit = Duration::from_secs(5);
    let policy = Arc::new(Policy::new(&egress, &OwnListeners::at(&[own])));
    let resolver = Resolver::new(&egress, policy.clone(), limit, LOOKUPS, Reloads::default());
    let fetcher = Fetcher::new(resolver, policy, Ok(parents));
    let dir = TempDir::new().unwrap();
    let list = BTreeMap::from([("list".into(), feed(url))]);
    let feeds = Feeds::with_fetcher(&list, dir.path(), fetcher);
    feeds.refresh_list().await
}

/// Another proxy through which all servers are asked.
fn all_through(proxy: SocketAddr) -> Parents {
    let tables = format!("[all]\nproxy = 'http://{proxy}'");
    let tables: BTreeMap<String, Upstream> = toml::from_str(&tables).unwrap();
    Parents::new(&tables).unwrap()
}

fn assert_is_prohibited(outcome: Result<Outcome, FeedError>, says: &str) {
    let error = outcome.unwrap_err();
    assert!(
        matches!(&error, FeedError::Fetch(FetchError::Prohibited(why)) if why.contains(says)),
        "{error:?}"
    );
}

const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

#[tokio::test]
async fn a_server_that_the_settings_name_may_be_anywhere() {
    for host in ["127.0.0.1", "localhost"] {
        let moved = status("302 Found\r\nLocation: /moved");
        let server = Server::answering([moved, ok("", LIST)]);
        let url = format!("http://{host}:{}/list", server.address.port());
        refresh(&url, ELSEWHERE).await.unwrap();
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_server_redirects_to_no_address_that_is_not_public() {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::1]",
    ] {
        let away = format!("302 Found\r\nLocation: http://{host}:{port}/");
        let server = Server::answering([status(&away)]);
        let url = format!("http://{}/list", server.address);
        let outcome = refresh(&url, ELSEWHERE).await;
        assert_is_prohibited(outcome, "is a loopback address");
        assert!(inside.accept().is_err(), "{host} was dialled");
    }
}

#[tokio::test]
async fn no_list_comes_from_the_proxy_itself() {
    let own = TcpListener::bind("127.0.0.1:0").unwrap();
    own.set_nonblocking(true).unwrap();
    let address = own.local_addr().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/list", address.port());
        let outcome = refresh(&url, address).await;
        if host == "127.0.0.1" {
            assert_is_prohibited(outcome, "the proxy itself listens there");
        } else {
            // The other address of this name is tried, where no program listens.
            assert!(outcome.is_err());
        }
        assert!(own.accept().is_err(), "{host} was dialled");
    }
}

#[tokio::test]
async fn a_server_behind_another_proxy_redirects_to_no_address_that_is_known_here() {
    for host in ["127.0.0.1", "localhost"] {
        let away = format!("302 Found\r\nLocation: http://{host}:80/");
        let parent = Server::answering([status(&away)]);
        let parents = all_through(parent.address);
        let outcome = refresh_through("http://lists.example/list", ELSEWHERE, parents).await;
        assert_is_prohibited(outcome, "is a loopback address");
        assert_eq!(parent.requests().len(), 1, "{host} was asked for");
    }
}

#[tokio::test]
async fn no_list_comes_from_the_proxy_itself_through_another_one() {
    for host in ["127.0.0.1", "localhost"] {
        let parent = TcpListener::bind("127.0.0.1:0").unwrap();
        parent.set_nonblocking(true).unwrap();
        let parents = all_through(parent.local_addr().unwrap());
        let url = format!("http://{host}:{}/list", ELSEWHERE.port());
        let outcome = refresh_through(&url, ELSEWHERE, parents).await;
        assert_is_prohibited(outcome, "the proxy itself listens there");
        assert!(parent.accept().is_err(), "{host} was asked for");
    }
}
