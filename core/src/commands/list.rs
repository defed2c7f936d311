//! Lists every filter in the order of the chain, with its state: `portcullis plugin list`.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::Config;
use crate::error::{Escaped, StartError};
use crate::feeds::Feeds;
use crate::filter::Loader;
use crate::plugins::builtin::BUILTINS;
use crate::plugins::{self, Fault, Mode, Plugins, Status};

/// The filters. As text each is a line, and more if it counts something. By serde they are an
/// object with `listen`, `running`, `age_s` if a proxy runs, `available` (built-in filters that
/// wait for their settings), `faults` (each `what` and `reason`: why the proxy is not ready) and
/// `plugins`, each with `name`, `state`, `builtin`, `mode`, `hooks`
/// and, where there is one, `version`, `description`, `refused`, `grants` and `missing_grants`
/// (lines below `[grants]`), `quarantine`, `shadow`, `metrics`.
#[derive(Debug, Serialize)]
pub struct PluginList {
    /// Where the proxy listens, or would.
    listen: String,
    /// Whether a proxy listens there, whose filters these are.
    running: bool,
    /// How old this is in seconds: a proxy does not write it at every request.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<u64>,
    plugins: Vec<Listed>,
    /// What keeps the proxy from judging all that it should.
    faults: Vec<Fault>,
    /// Built-in filters that wait for their settings.
    available: Vec<&'static str>,
    #[serde(skip)]
    dir: PathBuf,
}

#[derive(Debug, Serialize)]
struct Listed {
    state: State,
    #[serde(flatten)]
    status: Status,
}

/// Whether a filter judges requests, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It judges requests.
    Ok,
    /// Its newest version is being read or compiled. Until then the version before judges, if there
    /// is one.
    Loading,
    /// It is not asked for a while.
    Quarantine,
    /// Its newest version is refused, and the version before judges.
    Outdated,
    /// It does not judge, as something is wrong with it.
    Refused,
    /// It does not judge, as the operator wants it.
    Disabled,
}

/// The filters of the proxy that listens where `config` says. If none does, they are those that it
/// would use.
///
/// # Errors
///
/// If the WASM engine does not start.
pub async fn list_plugins(config: Config) -> Result<PluginList, StartError> {
    let (listen, dir) = (config.main_address(), config.plugins.dir.clone());
    let snapshot = plugins::read_status(&config.cache.dir, &listen);
    let age_s = snapshot.as_ref().map(|snapshot| snapshot.age.as_secs());
    let running = snapshot.is_some();
    let (faults, status) = match snapshot {
        Some(snapshot) => (snapshot.report.faults, snapshot.report.plugins),
        None => {
            let feeds = Feeds::open(&config.feeds, &config.cache.dir);
            let loader = Loader::new(&config, feeds)?;
            let plugins = Plugins::open(config.plugins, BUILTINS, loader).await;
            (plugins.find_filter_faults(), plugins.status())
        }
    };
    let plugins = status.into_iter().map(|status| Listed {
        state: State::of(&status),
        status: Status {
            // Without traffic there is nothing to count.
            shadow: status.shadow.filter(|_| running),
            ..status
        },
    });
    let plugins: Vec<Listed> = plugins.collect();
    let is_listed = |name: &str| plugins.iter().any(|listed| listed.status.name == name);
    let names = BUILTINS.iter().map(|builtin| builtin.name);
    Ok(PluginList {
        listen: listen.to_string(),
        running,
        age_s,
        faults,
        available: names.filter(|name| !is_listed(name)).collect(),
        plugins,
        dir,
    })
}

impl State {
    fn of(status: &Status) -> Self {
        match (&status.refused, status.mode) {
            _ if status.loading => Self::Loading,
            (Some(_), None) => Self::Refused,
            (Some(_), Some(_)) => Self::Outdated,
            (None, _) if status.quarantine.is_some() => Self::Quarantine,
            (None, None) if status.disabled => Self::Disabled,
            (None, _) => Self::Ok,
        }
    }
}

impl fmt::Display for PluginList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listen = &self.listen;
        match self.age_s {
            Some(age) => writeln!(
                f,
                "as the proxy on {listen} uses them, as of {age} s ago:\n"
            )?,
            None => writeln!(
                f,
                "no proxy runs on {listen} (if yours has another address, name it with --listen or \
                 --config); as one would use them:\n"
            )?,
        }
        // Names are names of files, and can be anything.
        let names = self.plugins.iter().map(|plugin| &plugin.status.name);
        let names = names.map(|name| Escaped(name).to_string().len());
        let width = names.max().unwrap_or_default().max(4);
        writeln!(f, "   {:width$}  origin    mode     state", "name")?;
        for (at, plugin) in self.plugins.iter().enumerate() {
            let name = Escaped(&plugin.status.name);
            write!(f, "{:2} {name:width$}  ", at + 1)?;
            writeln!(f, "{plugin}")?;
        }
        let mut plugins = self.plugins.iter();
        if plugins.any(|plugin| plugin.status.shadow.is_some()) {
            writeln!(
                f,
                "\nin shadow mode, the answers of hooks are counted: a request can have one for \
                 each"
            )?;
        }
        if !self.faults.is_empty() {
            let faulty: Vec<&str> = self.faults.iter().map(|fault| &*fault.what).collect();
            let faulty = faulty.join(", ");
            writeln!(
                f,
                "\nnot ready, as these cannot judge: {}",
                Escaped(&faulty)
            )?;
        }
        if !self.available.is_empty() {
            let (names, dir) = (self.available.join(", "), Escaped(self.dir.display()));
            writeln!(
                f,
                "\nbuilt in, and used as soon as there is {dir}/NAME.toml: {names}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = &self.status;
        let origin = if status.builtin { "built in" } else { "file" };
        let mode = status.mode.map_or("-", Mode::name);
        write!(f, "{origin:8}  {mode:7}  ")?;
        let refused = Escaped(status.refused.as_deref().unwrap_or_default());
        match self.state {
            State::Ok => write!(
                f,
                "ok: {}",
                status.hooks.as_deref().unwrap_or_default().join(", ")
            )?,
            State::Loading if status.mode.is_some() => {
                write!(f, "a new version is being loaded, the one before it serves")?
            }
            State::Loading => write!(f, "being loaded, judges nothing yet")?,
            State::Disabled => write!(f, "disabled")?,
            State::Refused => write!(f, "refused: {refused}")?,
            State::Outdated => write!(
                f,
                "another version serves, as the newest is refused: {refused}"
            )?,
            State::Quarantine
                if status
                    .quarantine
                    .as_ref()
                    .is_some_and(|held| held.is_of_one) =>
            {
                write!(f, "in quarantine for one client, asked for all others")?;
            }
            State::Quarantine => write!(f, "in quarantine")?,
        }
        if let Some(held) = &status.quarantine {
            write!(
                f,
                "\n     {} of {} calls failed, the last one so: {}",
                held.failures, held.calls, held.error
            )?;
        }
        if let Some(tally) = &status.shadow {
            write!(f, "\n     in shadow mode: {tally}")?;
        }
        self.write_grants(f)?;
        if status.ends_lost > 0 {
            let lost = status.ends_lost;
            write!(
                f,
                "\n     was not told of {lost} ends of exchanges, as it was too slow or failed at others"
            )?;
        }
        for (name, value) in &status.metrics {
            write!(f, "\n     counts {name}: {value}")?;
        }
        Ok(())
    }
}

impl Listed {
    /// What the operator lets it have, and what it wants besides.
    fn write_grants(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = &self.status;
        if !status.withheld.is_empty() {
            let kinds = status.withheld.join(", ");
            write!(
                f,
                "\n     is not granted these verdicts, and has given them: {kinds}"
            )?;
        }
        let file = Escaped(format!("{}.toml", status.name));
        if !status.grants.is_empty() {
            write!(f, "\n     is granted, in {file}:")?;
            write_table(f, &status.grants)?;
        }
        // The reason why one is refused has the lines that it lacks.
        if !status.missing_grants.is_empty() && status.refused.is_none() {
            write!(
                f,
                "\n     if it may have what it wants, have this table in {file}:"
            )?;
            write_table(f, &status.missing_grants)?;
        }
        Ok(())
    }
}

/// On lines of its own, to be pasted.
fn write_table(f: &mut fmt::Formatter<'_>, lines: &[String]) -> fmt::Result {
    write!(f, "\n\n[grants]")?;
    lines.iter().try_for_each(|line| write!(f, "\n{line}"))?;
    writeln!(f)
}
