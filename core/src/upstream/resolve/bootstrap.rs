//! Where DNS servers are that the settings name. `resolve` would have to ask them for their own
//! addresses, so these come from the settings, the hosts file, and the DNS servers of the machine.
//! What is asked there is the server's name and nothing else.

use std::future::ready;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::blocking::Calls;
use super::by_name::ByName;
use super::cache::Cache;
use super::failure::{Absence, Failure};
use super::pending::{Found, Pending};
use super::place::Find;
use super::server::Way;
use super::servers::Servers;
use super::system::{Files, addresses_in};
use crate::config::DnsCache;
use crate::flow::ClientKey;

#[derive(Clone, Debug)]
pub(super) struct Bootstrap {
    /// The addresses that the settings give.
    known: Arc<ByName<Vec<IpAddr>>>,
    files: Files,
    way: Way,
    pending: Pending,
    calls: Calls,
}

impl Bootstrap {
    pub(super) fn new(known: Arc<ByName<Vec<IpAddr>>>, files: Files, way: &Way) -> Self {
        // The question to the server itself needs time, too.
        let limit = way.limit / 2;
        Self {
            known,
            files,
            way: Way {
                limit,
                tls: Ok(None),
                ..way.clone()
            },
            pending: Pending::default(),
            calls: Calls::default(),
        }
    }

    async fn look_up(self, host: String) -> Found {
        // Whole, so that no search domain is put behind it.
        let name = format!("{host}.");
        // The machine may be in another network than when it was asked last.
        let files = self.files.clone();
        let read = spawn_blocking(move || (files.hosts(), files.name_servers())).await;
        let (hosts, settings) = read.map_err(|_| io::Error::other("a parser panicked"))?;
        let own = addresses_in(&hosts?, &name);
        if !own.is_empty() {
            return Ok(own.into());
        }
        let addresses: Arc<[IpAddr]> = match settings {
            Ok(machine) => {
                let servers = Arc::new(Servers::of_machine(&machine, &self.way)?);
                let none = Arc::new(Cache::new(&DnsCache::default()));
                let found = servers.addresses(&name, &none, &Arc::default()).await?;
                found.known
            }
            Err(_) => {
                let (client, call) = (ClientKey::of(None), self.files.call);
                self.calls.make(client, call, name).await?.into()
            }
        };
        if addresses.is_empty() {
            return Err(Absence::Address.into());
        }
        Ok(addresses)
    }
}

impl Find for Bootstrap {
    fn find(&self, host: &str) -> BoxFuture<'static, Found> {
        let known = self.known.find(host);
        if let Some(known) = known.filter(|known| !known.is_empty()) {
            let known: Found = Ok(known.as_slice().into());
            return ready(known).boxed();
        }
        let start = || self.clone().look_up(host.to_owned());
        let lookup = self.pending.join(host, start);
        let limit = self.way.limit;
        async move {
            let found = timeout(limit, lookup).await;
            found.unwrap_or(Err(Failure::Timeout))
        }
        .boxed()
    }
}

#[cfg(all(test, unix, not(any(target_os = "android", target_vendor = "apple"))))]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_server_is_looked_for_in_the_settings_then_in_the_hosts_file_then_by_the_machine() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            resolv_conf: dir.path().join("resolv.conf"),
            hosts: dir.path().join("hosts"),
            call: |name| match name {
                "machine.example." => Ok(vec![[192, 0, 2, 3].into()]),
                _ => Err(io::ErrorKind::NotFound.into()),
            },
            ..Files::default()
        };
        fs::write(
            &files.hosts,
            "192.0.2.9 settings.example\n192.0.2.2 file.example\n",
        )
        .unwrap();
        let settings = [("settings.example".to_owned(), vec![[192, 0, 2, 1].into()])];
        let way = Way {
            limit: Duration::from_secs(9),
            ..Way::of_test()
        };
        let known = Arc::new(ByName::patterns(settings));
        let bootstrap = Bootstrap::new(known, files, &way);
        for (host, last) in [
            ("settings.example", 1),
            ("file.example", 2),
            ("machine.example", 3),
        ] {
            let found = bootstrap.find(host).await.unwrap();
            assert_eq!(*found, [IpAddr::from([192, 0, 2, last])], "{host}");
        }
        let lost = bootstrap.find("lost.example").await;
        assert!(matches!(lost, Err(Failure::System(_))), "{lost:?}");
    }
}
