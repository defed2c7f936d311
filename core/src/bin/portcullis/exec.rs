//! `portcullis exec`: starts the command, passes signals on to it, and says at the end what it has
//! asked for. The library does the rest.

use std::cell::Cell;
use std::ffi::OsString;
use std::io;
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use portcullis::commands::{
    ExecError, ExecSettings, Launch, SelfTest, SelfTestOptions, proxy_variables,
};
use portcullis::config::Sources;
use tokio::process::{Child, Command};

use super::args::{Exec, Inside};
use super::descriptors::Raised;
use super::signals::{Signals, Wish};
use super::{eprint_line, report, runtime, selftest, telemetry, this_program};

/// What shells say of a command that cannot be executed, and of one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Runs the command. The exit code is what it ended with, as shells give it.
pub(crate) fn run(sources: Sources, exec: Exec) -> anyhow::Result<ExitCode> {
    if let Some((options, json)) = exec.self_test() {
        let tested = self_test(sources, exec, &options);
        return Ok(selftest::finish(tested, json));
    }
    let (is_enforced, report_to) = (exec.is_enforced(), exec.report());
    let (reach, command) = exec.into_parts()?;
    let mut settings = ExecSettings::new(sources, &reach)?;
    if is_enforced {
        settings.enforce();
    }
    if let Some(file) = report_to {
        settings.report_to(file)?;
    }
    let config = settings.config();
    config.compiler.program = this_program();
    // The command's own messages are what a person wants to read.
    config.log.filter = "warn".into();
    let _lines_are_written = telemetry::init(&config.log)?;
    let raised = Raised::limit();
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        let mut signals = Signals::catch().context("cannot catch signals")?;
        let started = Cell::new(None);
        let start = |launch: Launch<'_>| {
            let child = raised.without(|| start(&command, launch))?;
            started.set(child.id());
            Ok(child)
        };
        tokio::select! {
            biased;
            early = pass_on(&mut signals, &started) => anyhow::Ok(Err(early)),
            done = settings.run(start) => anyhow::Ok(Ok(done)),
        }
    })?;
    // A name that is being resolved for a feed must not hold up the end.
    runtime.shutdown_background();
    let done = match done {
        Ok(done) => done,
        Err(early) => return Ok(ExitCode::from(early.exit_code())),
    };
    match done {
        Ok(execution) => {
            eprint_line(&execution);
            Ok(ExitCode::from(execution.exit_code()))
        }
        Err(error @ ExecError::Command { .. }) => Ok(not_run(error)),
        Err(error) => Err(error.into()),
    }
}

/// Asks the proxy for what it should refuse, from where the command would be.
fn self_test(sources: Sources, exec: Exec, options: &SelfTestOptions) -> anyhow::Result<SelfTest> {
    let is_enforced = exec.is_enforced();
    let (reach, _) = exec.into_parts()?;
    let mut settings = ExecSettings::new(sources, &reach)?;
    if is_enforced {
        settings.enforce();
    }
    let config = settings.config();
    config.compiler.program = this_program();
    config.log.filter = "error".into();
    let _lines_are_written = telemetry::init(&config.log)?;
    let program = this_program().unwrap_or_else(|| "portcullis".into());
    let asking = [program.into_os_string(), "selftest-inside".into()];
    let start = |launch: Launch<'_>| {
        let mut started = prepare(&asking, launch);
        started.stdin(Stdio::piped()).stdout(Stdio::piped());
        spawn(started, &asking)
    };
    let runtime = runtime()?;
    let tested = runtime.block_on(settings.self_test(options, start));
    runtime.shutdown_background();
    Ok(tested?)
}

/// Passes on signals to the command, so that it and the proxy end together. An interrupt is for
/// both of them: a terminal sends it to both. Returns the one that comes before the command has
/// begun and asks for the end.
async fn pass_on(signals: &mut Signals, started: &Cell<Option<u32>>) -> Wish {
    loop {
        let signal = signals.next().await;
        match started.get() {
            Some(id) => signal.send(id),
            None if signal != Wish::Reload => return signal,
            None => {}
        }
    }
}

fn start(command: &[OsString], launch: Launch<'_>) -> Result<Child, ExecError> {
    spawn(prepare(command, launch), command)
}

fn spawn(mut started: Command, command: &[OsString]) -> Result<Child, ExecError> {
    started.spawn().map_err(|source| ExecError::Command {
        program: command.first().cloned().unwrap_or_default().into(),
        source,
    })
}

fn prepare(command: &[OsString], launch: Launch<'_>) -> Command {
    // The command line has at least the program.
    let (program, arguments) = command.split_first().expect("there is a command");
    match launch {
        Launch::Command(proxy) => {
            let mut started = Command::new(program);
            started.args(arguments).envs(proxy_variables(proxy));
            started
        }
        #[cfg(target_os = "linux")]
        Launch::Inside { socket, hidden } => {
            let this = this_program().unwrap_or_else(|| "portcullis".into());
            let mut started = Command::new(this);
            started.arg("exec-inside").arg("--socket").arg(socket);
            for folder in hidden {
                started.arg("--hide").arg(folder);
            }
            started.arg("--").args(command);
            started.envs(portcullis::commands::inside_variables());
            started
        }
        launch => unreachable!("{launch:?} is not for this system"),
    }
}

/// Becomes the command; returns if that fails.
#[cfg(target_os = "linux")]
pub(crate) fn become_command(inside: Inside) -> ExitCode {
    let Inside {
        socket,
        hide,
        command,
    } = inside;
    let failed = portcullis::commands::become_command(&socket, &hide, &command);
    failed.map_or(ExitCode::FAILURE, not_run)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn become_command(_inside: Inside) -> ExitCode {
    ExitCode::from(CANNOT_RUN)
}

/// Says why a command was not run, and gives the exit code for that.
fn not_run(error: ExecError) -> ExitCode {
    let code = match &error {
        ExecError::Command { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
        _ => CANNOT_RUN,
    };
    report(&error.into());
    ExitCode::from(code)
}
