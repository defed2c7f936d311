//! The `portcullis` program: arguments, settings and logs, then the library does the work.

mod args;
mod signals;
mod telemetry;

use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use portcullis::config::{ConfigError, Log, Sources};
use portcullis::{BuildError, Config, Ended, Language, NewError, PluginError};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use self::args::{Args, Command, Plugin};
use self::signals::Signals;

fn main() -> ExitCode {
    if let Some(compiled) = portcullis::run_compiler_child() {
        return compiled;
    }
    let (command, sources) = Args::parse().into_parts();
    let done = match command {
        Command::Run => run(&sources),
        Command::Check { json } => check(&sources, json),
        Command::Explain {
            subject,
            client,
            json,
        } => explain(&sources, &subject, client, json),
        Command::Plugin(Plugin::List { json }) => list_plugins(&sources, json),
        Command::Plugin(Plugin::Check { file, json }) => check_plugin(&sources, &file, json),
        Command::Plugin(Plugin::Bench {
            file,
            host,
            client,
            calls,
            json,
        }) => bench(&sources, &file, &host, client, calls, json),
        Command::Plugin(Plugin::Test {
            file,
            cases,
            record: Some(log),
            json,
        }) => record(&sources, &file, cases.as_deref(), &log, json),
        Command::Plugin(Plugin::Test {
            file, cases, json, ..
        }) => test(&sources, &file, &cases.unwrap_or_default(), json),
        Command::Replay { log, plugin, json } => replay(&sources, &log, &plugin, json),
        Command::Plugin(Plugin::New {
            name,
            lang,
            sdk,
            json,
        }) => new_plugin(&name, lang, sdk, json),
        Command::Plugin(Plugin::Build { dir, json }) => build_plugin(&sources, &dir, json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(if is_configuration(&error) { 2 } else { 1 })
        }
    }
}

/// Whether the operator's files or the command line are wrong.
fn is_configuration(error: &anyhow::Error) -> bool {
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, PluginError::Start(_));
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, NewError::Write(_) | NewError::Unpack(_));
    }
    if let Some(error) = error.downcast_ref() {
        return matches!(error, BuildError::NoFilter(_));
    }
    error.is::<ConfigError>() || error.is::<Refused>() || error.is::<Unusable>()
}

fn run(sources: &Sources) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&config.log)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = sources.config_file().map(|file| file.display().to_string()),
        "starting"
    );
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let signals = Signals::catch().context("cannot catch signals")?;
        let (shutdown, told_to_stop) = broadcast::channel(1);
        tokio::select! {
            biased;
            never = signals.forward(shutdown) => match never {},
            ended = portcullis::run_proxy(config, told_to_stop) => Ok(ended?),
        }
    });
    // A name that is being resolved for a feed must not hold up the end.
    runtime.shutdown_background();
    // Connections that were cut are in the log. The operator may want that, so it is not a failure.
    done.map(|_: Ended| ())
}

fn check(sources: &Sources, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let report = runtime()?.block_on(portcullis::check(config))?;
    if json {
        say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        match sources.config_file() {
            Some(file) => say(&format!("{}: ok", file.display()))?,
            None => say("no configuration file: the defaults hold")?,
        }
        say(report.to_string().trim_end())?;
    }
    if report.is_ok() {
        Ok(())
    } else {
        Err(Refused.into())
    }
}

fn explain(
    sources: &Sources,
    subject: &str,
    client: Option<IpAddr>,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let explanation = runtime()?
        .block_on(portcullis::explain(config, subject, client))
        .with_context(|| format!("cannot explain {subject}"))?;
    answer(&explanation, json)
}

fn list_plugins(sources: &Sources, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let list = runtime()?.block_on(portcullis::list_plugins(config))?;
    answer(&list, json)
}

fn check_plugin(sources: &Sources, file: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let inspection = runtime()?
        .block_on(portcullis::check_plugin(config, file))
        .with_context(|| format!("cannot check {}", file.display()))?;
    answer(&inspection, json)?;
    if inspection.is_ok() {
        Ok(())
    } else {
        Err(Unusable.into())
    }
}

fn bench(
    sources: &Sources,
    file: &Path,
    host: &str,
    client: IpAddr,
    calls: NonZeroUsize,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let bench = runtime()?
        .block_on(portcullis::bench(config, file, host, client, calls))
        .with_context(|| format!("cannot measure {}", file.display()))?;
    answer(&bench, json)
}

fn test(sources: &Sources, file: &Path, cases: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let report = runtime()?
        .block_on(portcullis::test_plugin(config, file, cases))
        .with_context(|| format!("cannot test {}", file.display()))?;
    answer(&report, json)?;
    if report.is_ok() {
        Ok(())
    } else {
        Err(anyhow::anyhow!(
            "not every case went as expected, see above"
        ))
    }
}

fn new_plugin(
    name: &str,
    language: Language,
    sdk: Option<PathBuf>,
    json: bool,
) -> anyhow::Result<()> {
    let sdk = sdk.map(Into::into).unwrap_or_default();
    let created = portcullis::new_plugin(Path::new(""), name, language, sdk)?;
    answer(&created, json)
}

fn build_plugin(sources: &Sources, dir: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let built = runtime()?.block_on(portcullis::build_plugin(config, dir))?;
    answer(&built, json)?;
    if built.is_ok() {
        Ok(())
    } else {
        Err(Refused.into())
    }
}

fn record(
    sources: &Sources,
    file: &Path,
    cases: Option<&Path>,
    log: &Path,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let recording = runtime()?
        .block_on(portcullis::record_cases(config, file, log))
        .with_context(|| format!("cannot record what {} says", file.display()))?;
    let recording = match cases {
        Some(cases) => recording.write(cases)?,
        None => recording,
    };
    answer(&recording, json)
}

fn replay(sources: &Sources, log: &Path, file: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&quiet(&config))?;
    let replay = runtime()?
        .block_on(portcullis::replay(config, log, file))
        .with_context(|| format!("cannot ask {} about {}", file.display(), log.display()))?;
    answer(&replay, json)
}

/// The settings of this program, which compiles filters in processes of its own kind.
fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut config = Config::load(sources)?;
    config.compiler.program = this_program();
    Ok(config)
}

/// The link leads to what is running even when the file was replaced by another version.
fn this_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return Some("/proc/self/exe".into());
    }
    std::env::current_exe().ok()
}

/// A plugin was refused, as the report says.
#[derive(Debug, thiserror::Error)]
#[error("not every plugin can be used, see above")]
struct Refused;

/// A filter was refused, as the report says.
#[derive(Debug, thiserror::Error)]
#[error("a proxy does not use this filter as it is, see above")]
struct Unusable;

/// The answer is on standard output; the log only says what is wrong.
fn quiet(config: &Config) -> Log {
    Log {
        filter: "error".into(),
        ..config.log.clone()
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the control runtime")
}

fn answer(answer: &(impl Serialize + Display), json: bool) -> anyhow::Result<()> {
    if json {
        say(&serde_json::to_string_pretty(answer)?)
    } else {
        say(answer.to_string().trim_end())
    }
}

/// Unlike `println!`, says so when the reader is gone.
fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write the answer")
}

#[expect(clippy::print_stderr, reason = "logs may not have been started")]
fn report(error: &anyhow::Error) {
    eprintln!("portcullis: {error:#}");
}
