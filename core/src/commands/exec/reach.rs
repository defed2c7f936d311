//! What a command may reach, as settings of its proxy.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::{ExecError, failed};
use crate::config::{Config, Destination, InvalidDestination, PrivateAddresses};
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
    /// Changes settings so that they hold to it. What has to be written is written into `folder`.
    pub(super) fn apply(&self, config: &mut Config, folder: &Path) -> Result<(), ExecError> {
        config.egress.private = PrivateAddresses::Deny;
        match self {
            Self::Listed => {}
            Self::Learned(_) => config.egress.private = PrivateAddresses::Allow,
            Self::Only(hosts) => {
                for host in hosts {
                    config.egress.allow.push(host.destination()?);
                }
                config.plugins.dir = with_allowlist(hosts, &config.plugins.dir, folder)?;
                config.plugins.dir_must_exist = true;
            }
        }
        Ok(())
    }
}

/// A folder with the filters of another one, and with the settings of the allowlist.
fn with_allowlist(
    hosts: &[AllowedHost],
    plugins: &Path,
    folder: &Path,
) -> Result<PathBuf, ExecError> {
    let dir = folder.join("plugins");
    fs::create_dir(&dir).map_err(failed("make a folder for filters"))?;
    let copying = || failed("copy the filters of the settings");
    let entries = match fs::read_dir(plugins) {
        Ok(entries) => Some(entries),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(copying()(error)),
    };
    for entry in entries.into_iter().flatten() {
        let file = entry.map_err(copying())?.path();
        let is_filter = file
            .extension()
            .is_some_and(|kind| kind == "wasm" || kind == "toml");
        let Some(name) = file.file_name().filter(|_| is_filter && file.is_file()) else {
            continue;
        };
        if file
            .file_stem()
            .is_some_and(|stem| stem.eq_ignore_ascii_case(ALLOWLIST))
        {
            return Err(ExecError::TwoAllowlists(plugins.to_owned()));
        }
        fs::copy(&file, dir.join(name)).map_err(copying())?;
    }
    let hosts: toml::Value = hosts
        .iter()
        .map(|host| toml::Value::from(&*host.0))
        .collect::<Vec<_>>()
        .into();
    let settings = format!("[config]\nhosts = {hosts}\nreason = \"{REASON}\"\n");
    let file = dir.join(ALLOWLIST).with_extension("toml");
    fs::write(file, settings).map_err(failed("write the hosts that the command may reach"))?;
    Ok(dir)
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
    fn the_filters_of_the_settings_stay_and_an_allowlist_joins_them() {
        let (plugins, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(plugins.path().join("own.wasm"), "x").unwrap();
        fs::write(plugins.path().join("notes.txt"), "x").unwrap();
        let mut config = Config::default();
        config.plugins.dir = plugins.path().to_owned();
        let only = Reach::Only(vec!["a.example".parse().unwrap(), "::1".parse().unwrap()]);
        only.apply(&mut config, folder.path()).unwrap();
        let names = fs::read_dir(&config.plugins.dir).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["allowlist.toml", "own.wasm"]);
        let allow = [".a.example", "::1"].map(|entry| entry.parse().unwrap());
        assert_eq!(config.egress.allow, allow);
        assert_eq!(config.egress.private, PrivateAddresses::Deny);

        fs::write(plugins.path().join("allowlist.toml"), "").unwrap();
        config.plugins.dir = plugins.path().to_owned();
        let other = tempfile::tempdir().unwrap();
        let refused = only.apply(&mut config, other.path());
        assert!(
            matches!(refused, Err(ExecError::TwoAllowlists(_))),
            "{refused:?}"
        );
    }
}
