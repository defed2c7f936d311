//! The `portcullis` program: arguments, settings and logs, then the library does the work.

mod args;
mod decisions;
mod descriptors;
mod exec;
mod feed;
mod password;
mod plugin;
mod selftest;
mod signals;
mod telemetry;

use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use portcullis::commands::{
    self, BuildError, DecisionError, Escaped, ExecError, ExplainError, FeedCommandError,
    InstallError, Lists, NewDecision, NewError, PackageError, PasswordError, PluginError, Ruling,
};
use portcullis::config::{ConfigError, Log, Sources};
use portcullis::{Config, Ended, Proxy, StartError};
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

use self::args::{Args, Command};
use self::descriptors::Raised;
use self::signals::Signals;

/// Unlike the system's, it gives memory back after a wave of connections.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The settings of the allocator, which finds them by this name. A thread of its own gives back
/// what was not used for a second. Worker threads look for unused memory of theirs every 8 MiB that
/// they allocate, not every 64 KiB: a request allocates more than that, for tables of up to 1000
/// fields. And they keep at most 8 freed pieces of each size at hand, where up to 200 are usual: a
/// request does not need more, and after a wave of connections these lie scattered, and each keeps
/// the pages around it from being given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no other symbol has this name")]
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static ALLOCATOR_SETTINGS: &[u8; 120] = b"background_thread:true,dirty_decay_ms:1000,\
    tcache_gc_incr_bytes:8388608,tcache_nslots_small_max:8,tcache_nslots_large:8\0";

fn main() -> ExitCode {
    if let Some(compiled) = portcullis::run_compiler_child() {
        return compiled;
    }
    let (command, sources) = Args::parse().into_parts();
    let done = match command {
        Command::Run => run(&sources),
        Command::Check { fetch, json } => check(&sources, fetch, json),
        Command::Explain {
            subject,
            client,
            user,
            json,
        } => explain(&sources, &subject, (client, user.as_deref()), json),
        Command::Allow(said) => decisions::about(&sources, Ruling::Allow, said),
        Command::Deny(said) => decisions::about(&sources, Ruling::Deny, said),
        Command::Pause { time, scope, json } => {
            let mut pause = NewDecision::pause(time);
            pause.scope = scope.into_scope();
            decisions::make(&sources, &pause, json)
        }
        Command::Decisions(command) => decisions::run(&sources, command),
        Command::Password { name } => password::run(&name),
        Command::Feed(command) => feed::run(&sources, command),
        Command::Exec(exec) => match exec::run(sources, exec) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::ExecInside(inside) => return exec::become_command(inside),
        Command::Selftest(said) => return selftest::run(&sources, said),
        Command::SelftestInside => return selftest::ask_inside(),
        Command::Propose { log, json } => propose(&log, json),
        Command::Plugin(command) => plugin::run(&sources, command),
        Command::Replay { log, plugin, json } => replay(&sources, &log, &plugin, json),
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
        return !matches!(error, NewError::Write(_));
    }
    if let Some(error) = error.downcast_ref() {
        return matches!(error, BuildError::NoFilter(_));
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(
            error,
            InstallError::Fetch { .. }
                | InstallError::Write { .. }
                | InstallError::Aside(_)
                | InstallError::Changed(_)
                | InstallError::Plugin(_)
        );
    }
    if let Some(error) = error.downcast_ref() {
        let is_ours = |error: &PluginError| {
            !matches!(error, PluginError::Write { .. } | PluginError::Start(_))
        };
        return !matches!(error, PackageError::Plugin(error) if !is_ours(error));
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, ExplainError::Start(_));
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, DecisionError::Store(_));
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, PasswordError::System(_));
    }
    if let Some(error) = error.downcast_ref() {
        return is_wrong_start(error);
    }
    if let Some(error) = error.downcast_ref() {
        return !matches!(error, ExitStatus::Declined | ExitStatus::NoTerminal);
    }
    if let Some(error) = error.downcast_ref() {
        return match error {
            ExecError::Io { .. } | ExecError::NoBoundary(_) => false,
            ExecError::Proxy(error) => is_wrong_start(error),
            _ => true,
        };
    }
    error.is::<ConfigError>() || error.is::<FeedCommandError>()
}

/// Whether it is a fault of the settings that a proxy does not start.
fn is_wrong_start(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Exposed(_)
            | StartError::Users(_)
            | StartError::Upstream(_)
            | StartError::NameServers(_)
            | StartError::FiltersCannotRun(_)
            | StartError::Decisions(_)
    )
}

fn run(sources: &Sources) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&config.log)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = sources.config_file().map(|file| file.display().to_string()),
        "starting"
    );
    let _raised = Raised::limit();
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let signals = Signals::catch().context("cannot catch signals")?;
        let (shutdown, told_to_stop) = broadcast::channel(1);
        let proxy = Proxy::bind(config)?;
        tokio::select! {
            biased;
            never = signals.forward(shutdown, proxy.reloader()) => match never {},
            ended = proxy.run(told_to_stop) => Ok(ended?),
        }
    });
    // A name that is being resolved for a feed must not hold up the end.
    runtime.shutdown_background();
    // Connections that were cut are in the log. The operator may want that, so it is not a failure.
    done.map(|_: Ended| ())
}

fn check(sources: &Sources, fetch: bool, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let lists = if fetch { Lists::Fetched } else { Lists::OnDisk };
    let report = runtime()?.block_on(commands::check(config, lists))?;
    if json {
        print_line(&serde_json::to_string_pretty(&report)?)?;
    } else {
        match sources.config_file() {
            Some(file) => print_line(&format!("{}: ok", Escaped(file.display())))?,
            None => print_line("no configuration file: the defaults hold")?,
        }
        print_line(report.to_string().trim_end())?;
    }
    if report.is_ok() {
        Ok(())
    } else {
        Err(ExitStatus::NotReady.into())
    }
}

fn explain(
    sources: &Sources,
    subject: &str,
    (client, user): (Option<IpAddr>, Option<&str>),
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let explanation = runtime()?
        .block_on(commands::explain(config, subject, client, user))
        .with_context(|| format!("cannot explain {subject}"))?;
    print_result(&explanation, json)
}

fn replay(sources: &Sources, log: &Path, file: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let replay = runtime()?
        .block_on(commands::replay(config, log, file))
        .with_context(|| {
            format!(
                "cannot ask {} about {}",
                Escaped(file.display()),
                Escaped(log.display())
            )
        })?;
    print_result(&replay, json)
}

fn propose(log: &Path, json: bool) -> anyhow::Result<()> {
    let made = commands::propose(log);
    let proposal = made.with_context(|| {
        let log = Escaped(log.display());
        format!("cannot make an allowlist of {log}")
    })?;
    print_result(&proposal, json)
}

/// The settings of this program, which compiles filters in processes of its own kind.
fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let mut config = Config::load(sources)?;
    config.compiler.program = this_program();
    Ok(config)
}

/// The link leads to the program that is running even when its file was replaced by another
/// version.
fn this_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return Some("/proc/self/exe".into());
    }
    std::env::current_exe().ok()
}

/// What the exit code says of a command that was done. Its report is on standard output.
#[derive(Debug, thiserror::Error)]
enum ExitStatus {
    #[error("a proxy would not judge all that it should, see above")]
    NotReady,
    #[error("not every list was refreshed, see above")]
    NotRefreshed,
    #[error("not every plugin can be used, see above")]
    PluginsRefused,
    #[error("a proxy does not use this filter as it is, see above")]
    FilterRefused,
    #[error("this filter does not keep to the contract, or could not be checked, see above")]
    NotConforming,
    #[error("nothing is installed, as the answer was not `y`")]
    Declined,
    #[error(
        "nothing is installed, as standard input is not a terminal, so that the question could not be asked. If what stands above is \
         right, run the same with --yes"
    )]
    NoTerminal,
}

/// The result is on standard output; the log only says what is wrong.
fn errors_only(config: &Config) -> Log {
    let mut log = config.log.clone();
    log.filter = "error".into();
    log
}

fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the control runtime")
}

fn print_result(result: &(impl Serialize + Display), json: bool) -> anyhow::Result<()> {
    if json {
        print_line(&serde_json::to_string_pretty(result)?)
    } else {
        print_line(&printable(&result.to_string()))
    }
}

/// What is left of a text when no line of it can have a terminal do anything.
fn printable(text: &str) -> String {
    let lines = text.trim_end().lines();
    let lines: Vec<String> = lines.map(|line| Escaped(line).to_string()).collect();
    lines.join("\n")
}

/// Unlike `println!`, this is an error when the reader is gone.
fn print_line(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write the answer")
}

fn report(error: &anyhow::Error) {
    eprint_line(&format!("portcullis: {error:#}"));
}

/// What is for people, where a program reads the answer.
#[expect(clippy::print_stderr, reason = "it is no line of a log")]
fn eprint_line(text: &dyn Display) {
    eprintln!("{}", printable(&text.to_string()));
}
