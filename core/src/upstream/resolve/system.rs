//! What the machine says about names: which name servers to ask, and the names in its hosts file.
//! `resolve` reads it, and asks whether it has changed since: laptops change networks and VPNs come
//! and go while the proxy runs.

use std::fs;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use hickory_resolver::Hosts;
use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf;

use super::blocking::Call;
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
use super::scope;
use crate::config::file_version::FileVersion;
use crate::upstream::dial;

/// The files of the machine, and its function. A test has its own.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// Where it holds the name servers, which is on Unix but not on macOS.
    pub(super) resolv_conf: PathBuf,
    pub(super) hosts: PathBuf,
    /// What is called where it is not known which name servers to ask.
    pub(super) call: Call,
    /// Reads one of them.
    pub(super) read: fn(&Path) -> io::Result<Vec<u8>>,
}

/// The name servers of the machine, and how to ask them.
#[derive(Debug)]
pub(super) struct NameServers {
    pub(super) config: ResolverConfig,
    pub(super) options: ResolverOpts,
    /// The scope of each server's address, which the library has no place for. The servers beyond
    /// the last one have none.
    pub(super) scopes: Vec<u32>,
}

/// Tells one version of what the machine says from the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// None where the settings name the servers; none inside if there is no such file.
    name_servers: Option<Option<FileVersion>>,
    /// None if there is no such file.
    hosts: Option<FileVersion>,
}

impl Default for Files {
    fn default() -> Self {
        let hosts = if cfg!(windows) {
            let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            Path::new(&root).join(r"System32\drivers\etc\hosts")
        } else {
            "/etc/hosts".into()
        };
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            hosts,
            call: |name| {
                Ok((name, 0)
                    .to_socket_addrs()?
                    .map(|found| found.ip())
                    .collect())
            },
            read,
        }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    fs::read(file)
}

/// Logs why one of the files could not be read, which may pass.
pub(super) fn tell_of_shortage(error: &io::Error) {
    tracing::warn!(
        %error,
        "the machine's name servers or its hosts file cannot be read now; what was known of them \
         before holds, and they are read again within seconds"
    );
}

impl Files {
    /// The version of the files now, which takes two system calls.
    pub(super) fn version(&self, with_name_servers: bool) -> Version {
        Version {
            name_servers: with_name_servers.then(|| FileVersion::of_file(&self.resolv_conf)),
            hosts: FileVersion::of_file(&self.hosts),
        }
    }

    /// The name servers and how to ask them.
    #[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
    pub(super) fn name_servers(&self) -> Result<NameServers, NetError> {
        let file = (self.read)(&self.resolv_conf)?;
        let (text, scopes) = scope::take(&file, scope::find);
        let (config, options) = system_conf::parse_resolv_conf(text)?;
        Ok(NameServers {
            config,
            options,
            scopes,
        })
    }

    /// The name servers and how to ask them, which the system keeps elsewhere than in a file.
    #[cfg(not(all(unix, not(any(target_os = "android", target_vendor = "apple")))))]
    pub(super) fn name_servers(&self) -> Result<NameServers, NetError> {
        let (config, options) = system_conf::read_system_conf()?;
        Ok(NameServers {
            config,
            options,
            scopes: Vec::new(),
        })
    }

    /// The names in the hosts file. A machine without that file is fine. Fails if it cannot be read
    /// for want of what there may be in a moment.
    pub(super) fn hosts(&self) -> io::Result<Hosts> {
        let mut hosts = Hosts::default();
        match (self.read)(&self.hosts) {
            // A comment in an old encoding must not cost the names below it.
            Ok(text) => hosts
                .read_hosts_conf(String::from_utf8_lossy(&text).as_bytes())
                .expect("memory can be read"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if dial::shortage(&error).is_some() => return Err(error),
            Err(error) => tracing::warn!(
                file = %self.hosts.display(),
                %error,
                "cannot read the hosts file; its names are not found"
            ),
        }
        Ok(hosts)
    }
}

/// The addresses of `name` in the hosts file, those of IPv6 first as in answers of name servers.
pub(super) fn addresses_in(hosts: &Hosts, name: &str) -> Vec<IpAddr> {
    let Ok(name) = Name::from_utf8(name) else {
        return Vec::new();
    };
    let found = [RecordType::AAAA, RecordType::A]
        .into_iter()
        .filter_map(|record| hosts.lookup_static_host(&Query::query(name.clone(), record)));
    found
        .flat_map(|lookup| {
            let addresses = lookup
                .answers()
                .iter()
                .filter_map(|record| record.data.ip_addr());
            addresses.collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_same_length_and_time_are_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            resolv_conf: dir.path().join("resolv.conf"),
            hosts: dir.path().join("hosts"),
            ..Files::default()
        };
        let new = dir.path().join("new");
        let put = |text: &str, place: &Path| {
            fs::write(&new, text).unwrap();
            let file = fs::File::options().write(true).open(&new).unwrap();
            let times = fs::FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
            file.set_times(times).unwrap();
            fs::rename(&new, place).unwrap();
        };
        put("nameserver 192.0.2.1\n", &files.resolv_conf);
        put("192.0.2.8 one.example\n", &files.hosts);
        let first = files.version(true);
        assert_eq!(files.version(true), first);
        put("192.0.2.9 two.example\n", &files.hosts);
        let second = files.version(true);
        assert_ne!(second, first);
        put("nameserver 192.0.2.2\n", &files.resolv_conf);
        assert_ne!(files.version(true), second);
        assert_eq!(files.version(false), files.version(false));
    }
}
