//! `selftest`: asks for a password where a user was named, and ends with a code that says whether
//! what the settings say holds. The library does the rest.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use portcullis::commands::{self, Escaped, SelfTest, SelfTestOptions};
use portcullis::config::Sources;

use super::args::SelfTestArgs;
use super::{errors_only, load, password, print_result, report, runtime, telemetry};

/// Something is let pass that should be refused, or the other way round.
const BROKEN: u8 = 1;

/// Nothing can be said.
const NOT_RUN: u8 = 2;

/// Where the process that asks finds its proxy.
const PROXY: &str = "HTTP_PROXY";

/// Asks the proxy that runs with these settings.
pub(crate) fn run(sources: &Sources, said: SelfTestArgs) -> ExitCode {
    let json = said.json;
    finish(test(sources, said), json)
}

fn test(sources: &Sources, said: SelfTestArgs) -> anyhow::Result<SelfTest> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let mut options = SelfTestOptions::default();
    options.allowed = said.allowed;
    options.login = match said.user {
        Some(name) => {
            let password = password::of(&name)?;
            Some((name, password))
        }
        None => None,
    };
    Ok(runtime()?.block_on(commands::self_test(config, &options))?)
}

/// Prints what was found. The exit code says whether it is as it should be.
pub(crate) fn finish(tested: anyhow::Result<SelfTest>, json: bool) -> ExitCode {
    let printed = tested.and_then(|tested| {
        print_result(&tested, json)?;
        Ok(tested)
    });
    match printed {
        Ok(tested) if tested.broken() > 0 => ExitCode::from(BROKEN),
        Ok(tested) if tested.held() > 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(NOT_RUN),
        Err(error) => {
            report(&error);
            ExitCode::from(NOT_RUN)
        }
    }
}

/// Becomes the process that asks in place of a command of `exec`.
pub(crate) fn ask_inside() -> ExitCode {
    let asked = || {
        let proxy = std::env::var(PROXY).unwrap_or_default();
        let address: SocketAddr = proxy
            .trim_start_matches("http://")
            .parse()
            .with_context(|| format!("{PROXY} names no proxy: {}", Escaped(&proxy)))?;
        let asking = commands::ask_inside(address, io::stdin().lock(), io::stdout());
        runtime()?.block_on(asking).context("cannot ask the proxy")
    };
    match asked() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}
