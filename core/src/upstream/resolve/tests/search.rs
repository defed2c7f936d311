//! Names of one label, which the machine's search list completes.

use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::proto::rr::Name;

use super::*;

const FAILING: Script = |_| Some(ResponseCode::ServFail);

/// A server that says this of one name, and of all others that there are none.
fn server(name: &'static str, script: Script) -> Dns {
    Dns::answering(move |query| {
        let asked = query.queries[0].name().to_lowercase().to_ascii();
        answer(query, if asked == name { script } else { DENYING })
    })
}

/// The servers of a machine with this search list.
fn servers(search: &[&str], servers: &[&Dns]) -> Arc<Servers> {
    let servers = servers.iter().map(|server| {
        let mut config = NameServerConfig::udp_and_tcp(server.address.ip());
        for connection in &mut config.connections {
            connection.port = server.address.port();
        }
        config
    });
    let search = search
        .iter()
        .map(|domain| Name::from_ascii(domain).unwrap());
    let machine = system::NameServers {
        config: ResolverConfig::from_parts(None, search.collect(), servers.collect()),
        options: ResolverOpts::default(),
        scopes: Vec::new(),
    };
    Arc::new(Servers::of_machine(&machine, &Way::of_test()).unwrap())
}

async fn find(servers: &Arc<Servers>, name: &str) -> Found<Addresses> {
    let cache = Arc::new(Cache::new(&DnsCache::default()));
    servers.addresses(name, &cache, &Arc::default()).await
}

#[tokio::test]
async fn the_next_server_is_asked_for_a_completed_name_that_one_fails_to_answer_for() {
    let failing = server("wiki.corp.example.", FAILING);
    let good = server("wiki.corp.example.", GOOD);
    let servers = servers(&["corp.example"], &[&failing, &good]);
    assert_eq!(*find(&servers, "wiki").await.unwrap().known, [FOUND]);
    for server in [&failing, &good] {
        assert!(server.was_asked_for("wiki.corp.example."));
        assert!(!server.was_asked_for("wiki."));
    }
}

#[tokio::test]
async fn that_a_server_fails_is_not_that_there_is_no_such_name() {
    let failing = server("wiki.corp.example.", FAILING);
    let servers = servers(&["corp.example", "lab.example"], &[&failing]);
    let failed = find(&servers, "wiki").await;
    assert!(matches!(failed, Err(Failure::Servers(_))), "{failed:?}");
    for next in ["wiki.lab.example.", "wiki."] {
        assert!(!failing.was_asked_for(next), "{next}");
    }
}

#[tokio::test]
async fn a_name_that_is_not_in_one_domain_is_looked_for_in_the_next() {
    let server = server("wiki.lab.example.", GOOD);
    let servers = servers(&["corp.example", "lab.example"], &[&server]);
    assert_eq!(*find(&servers, "wiki").await.unwrap().known, [FOUND]);
    assert!(server.was_asked_for("wiki.corp.example."));
    assert!(!server.was_asked_for("wiki."));
    let nowhere = find(&servers, "other").await;
    assert!(
        matches!(nowhere, Err(Failure::Absent(Absence::Name))),
        "{nowhere:?}"
    );
    assert!(server.was_asked_for("other."));
}
