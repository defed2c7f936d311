//! What a command may reach, as settings of its proxy.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::{ExecError, failed};
use crate::chain::decisions::store::Store;
use crate::config::{Config, Destination, InvalidDestination, PrivateAddresses, SniCheck};
use crate::target::canonical_host;

/// The built-in filter that refuses what it does not name.
const ALLOWLIST: &str = "allowlist";

/// Why a host is refused. The filter puts the host in place of its name.
const REASON: &str = "{host} is not among the hosts that this command may reach";

/// What a command may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// What the filters of the settings let pass, but no address that is not public.
    Listed,
    /// Of that, these hosts and the names below them.
    Only(Vec<AllowedHost>),
    /// What the filters of the settings let pass; the hosts are written into a file.
    Learned(PathBuf),
}

/// A host that a command may reach, with the names below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedHost(Box<str>);

impl FromStr for AllowedHost {
    type Err = ExecError;

    fn from_str(text: &str) -> Result<Self, ExecError> {
        let problem = |problem: &str| ExecError::Host {
            host: text.to_owned(),
            problem: problem.to_owned(),
        };
        if text.contains('*') {
            return Err(problem("it has a `*`"));
        }
        if text.contains('/') {
            return Err(problem("it is a URL or a network"));
        }
        let host = canonical_host(text).map_err(|error| problem(&error.to_string()))?;
        Ok(Self(host.into()))
    }
}

impl AllowedHost {
    /// The hosts in a file that `--learn` or `propose` has written.
    ///
    /// # Errors
    ///
    /// If there is no such file, or if it does not hold hosts alone.
    pub fn read(file: &Path) -> Result<Vec<Self>, ExecError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            config: Hosts,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Hosts {
            hosts: Vec<String>,
        }
        let unreadable = |problem: String| ExecError::Hosts {
            file: file.to_owned(),
            problem,
        };
        let text = fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
        let read: File = toml::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if read.config.hosts.is_empty() {
            return Err(unreadable("it names none".to_owned()));
        }
        read.config.hosts.iter().map(|host| host.parse()).collect()
    }

    /// What stands for it where destinations are allowed.
    fn destination(&self) -> Result<Destination, ExecError> {
        let host = &self.0;
        let text = match host.parse::<IpAddr>() {
            Ok(_) => host.to_string(),
            Err(_) => format!(".{host}"),
        };
        text.parse()
            .map_err(|problem: InvalidDestination| ExecError::Host {
                host: host.to_string(),
                problem: problem.to_string(),
            })
    }
}

impl Reach {
    /// Changes settings so that they hold to it, with the filters in the folder `plugins` if there
    /// is one. The proxy follows what is copied into `folder`, and nothing that the command could
    /// change.
    pub(super) fn apply(
        &self,
        config: &mut Config,
        plugins: Option<&Path>,
        folder: &Path,
    ) -> Result<(), ExecError> {
        let dir = folder.join("plugins");
        fs::create_dir(&dir).map_err(failed("make a folder for filters"))?;
        if let Some(plugins) = plugins {
            copy_filters(plugins, &dir, matches!(self, Self::Only(_)))?;
        }
        config.plugins.dir = dir.clone();
        config.plugins.dir_must_exist = true;
        config.egress.private = PrivateAddresses::Deny;
        match self {
            Self::Listed => {}
            Self::Learned(_) => config.egress.private = PrivateAddresses::Allow,
            Self::Only(hosts) => {
                config.egress.allow.clear();
                for host in hosts {
                    config.egress.allow.push(host.destination()?);
                }
                // No name gets past it, and no filter's word precedes it.
                config.tunnel.sni = SniCheck::Enforce;
                config.plugins.order.retain(|name| name != ALLOWLIST);
                config.plugins.order.insert(0, ALLOWLIST.to_owned());
                write_allowlist(hosts, &dir)?;
            }
        }
        self.keep_decisions(config, &folder.join("state"))
    }

    /// What was decided for the settings holds as it is now. Where the hosts are named, no decision
    /// lets others pass.
    fn keep_decisions(&self, config: &mut Config, state: &Path) -> Result<(), ExecError> {
        let made_for = std::mem::replace(&mut config.state.dir, state.to_owned());
        let is_named = config.file.is_some() && !matches!(self, Self::Only(_));
        let file = Store::new(&made_for).file();
        if is_named && file.exists() {
            fs::create_dir(state).map_err(failed("make a folder for decisions"))?;
            fs::copy(file, Store::new(state).file()).map_err(failed("copy what was decided"))?;
        }
        Ok(())
    }
}

/// Copies the filters and their settings.
fn copy_filters(from: &Path, to: &Path, has_allowlist: bool) -> Result<(), ExecError> {
    let copying = || failed("copy the filters of the settings");
    let entries = match fs::read_dir(from) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(copying()(error)),
    };
    for entry in entries.into_iter().flatten() {
        let file = entry.map_err(copying())?.path();
        let kind = file.extension();
        let is_filter = kind.is_some_and(|kind| kind == "wasm" || kind == "toml");
        let Some(name) = file.file_name().filter(|_| is_filter && file.is_file()) else {
            continue;
        };
        let stem = file.file_stem();
        if has_allowlist && stem.is_some_and(|stem| stem.eq_ignore_ascii_case(ALLOWLIST)) {
            return Err(ExecError::TwoAllowlists(from.to_owned()));
        }
        fs::copy(&file, to.join(name)).map_err(copying())?;
    }
    Ok(())
}

fn write_allowlist(hosts: &[AllowedHost], dir: &Path) -> Result<(), ExecError> {
    let hosts = hosts.iter().map(|host| toml::Value::from(&*host.0));
    let hosts: toml::Value = hosts.collect::<Vec<_>>().into();
    let settings = format!("[config]\nhosts = {hosts}\nreason = \"{REASON}\"\n");
    let file = dir.join(ALLOWLIST).with_extension("toml");
    fs::write(file, settings).map_err(failed("write the hosts that the command may reach"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_in_any_spelling() {
        for (text, host) in [
            ("A.Example.", "a.example"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
            ("::FFFF:127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(text.parse::<AllowedHost>().unwrap().0, host.into());
        }
        for (text, problem) in [
            ("*.a.example", "it has a `*`"),
            ("https://a.example", "it is a URL or a network"),
            ("10.0.0.0/8", "it is a URL or a network"),
            ("a b", "neither a domain name nor"),
            ("a.example:443", "cannot be allowed"),
            ("", "cannot be allowed"),
        ] {
            let said = text.parse::<AllowedHost>().unwrap_err().to_string();
            assert!(said.contains(problem), "{said}");
        }
    }

    #[test]
    fn hosts_are_read_from_what_was_learned() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("allowlist.toml");
        for (text, expected) in [
            ("[config]\nhosts = [\"a.example\", \"::1\"]", Ok(2)),
            ("[config]\nhosts = [\"*\"]", Err("it has a `*`")),
            (
                "mode = \"shadow\"\n[config]\nhosts = []",
                Err("unknown field `mode`"),
            ),
            ("[config]\nhost = []", Err("unknown field `host`")),
            ("[config]\nhosts = []", Err("it names none")),
        ] {
            fs::write(&file, text).unwrap();
            match (AllowedHost::read(&file), expected) {
                (Ok(hosts), Ok(count)) => assert_eq!(hosts.len(), count),
                (Err(error), Err(problem)) => {
                    assert!(error.to_string().contains(problem), "{error}");
                }
                other => panic!("{other:?}"),
            }
        }
        let gone = AllowedHost::read(&dir.path().join("gone")).unwrap_err();
        assert!(
            gone.to_string().starts_with("no hosts can be read from "),
            "{gone}"
        );
    }

    #[test]
    fn the_filters_of_the_settings_stay_and_an_allowlist_precedes_them() {
        let (plugins, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(plugins.path().join("own.wasm"), "x").unwrap();
        fs::write(plugins.path().join("notes.txt"), "x").unwrap();
        let mut config = Config::default();
        config.plugins.order = vec!["own".into(), "allowlist".into()];
        config.egress.allow = vec!["10.0.0.1".parse().unwrap()];
        config.tunnel.sni = SniCheck::Off;
        let only = Reach::Only(vec!["a.example".parse().unwrap(), "::1".parse().unwrap()]);
        let apply = |config: &mut Config, folder: &tempfile::TempDir| {
            only.apply(config, Some(plugins.path()), folder.path())
        };
        apply(&mut config, &folder).unwrap();
        let names = fs::read_dir(&config.plugins.dir).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["allowlist.toml", "own.wasm"]);
        assert_eq!(config.plugins.order, ["allowlist", "own"]);
        let allow = [".a.example", "::1"].map(|entry| entry.parse().unwrap());
        assert_eq!(config.egress.allow, allow);
        assert_eq!(config.egress.private, PrivateAddresses::Deny);
        assert_eq!(config.tunnel.sni, SniCheck::Enforce);
        assert!(config.state.dir.starts_with(folder.path()));

        fs::write(plugins.path().join("allowlist.toml"), "").unwrap();
        let other = tempfile::tempdir().unwrap();
        let refused = apply(&mut config, &other);
        assert!(
            matches!(refused, Err(ExecError::TwoAllowlists(_))),
            "{refused:?}"
        );
        // Where no hosts are named, it is one of the filters.
        let (other, listed) = (tempfile::tempdir().unwrap(), Reach::Listed);
        let applied = listed.apply(&mut config, Some(plugins.path()), other.path());
        applied.unwrap();
        assert!(config.plugins.dir.join("allowlist.toml").exists());
    }

    #[test]
    fn decisions_are_those_of_the_settings_and_lift_no_allowlist() {
        let state = tempfile::tempdir().unwrap();
        fs::write(Store::new(state.path()).file(), "{}").unwrap();
        let only = Reach::Only(vec!["a.example".parse().unwrap()]);
        for (reach, file, is_kept) in [
            (&Reach::Listed, Some("a.toml"), true),
            (&Reach::Listed, None, false),
            (&only, Some("a.toml"), false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut config = Config::default();
            config.state.dir = state.path().to_owned();
            config.file = file.map(Into::into);
            reach.apply(&mut config, None, folder.path()).unwrap();
            let copied = Store::new(&config.state.dir).file();
            assert_eq!(
                (copied.exists(), copied.starts_with(folder.path())),
                (is_kept, true)
            );
        }
    }
}
