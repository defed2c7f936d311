//! The commands that are about filters: each calls the library and writes what it says.

use std::io::{IsTerminal, Write as _};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context;
use portcullis::commands::{self, Escaped, Language};
use portcullis::config::Sources;

use super::args::Plugin;
use super::{
    ExitStatus, eprint_line, errors_only, load, print_line, print_result, printable, runtime,
    telemetry,
};

pub(crate) fn run(sources: &Sources, command: Plugin) -> anyhow::Result<()> {
    match command {
        Plugin::List { json } => list_plugins(sources, json),
        Plugin::Check { file, json } => check_plugin(sources, &file, json),
        Plugin::Conformance { file, json, .. } => conformance(sources, &file, json),
        Plugin::Bench {
            file,
            host,
            client,
            calls,
            json,
        } => bench(sources, &file, &host, client, calls, json),
        Plugin::Test {
            file,
            cases,
            record: Some(log),
            json,
        } => record(sources, &file, cases.as_deref(), &log, json),
        Plugin::Test {
            file, cases, json, ..
        } => test(sources, &file, cases.as_deref(), json),
        Plugin::New {
            name,
            lang,
            sdk,
            json,
        } => new_plugin(&name, lang, sdk, json),
        Plugin::Build { dir, json } => build_plugin(sources, &dir, json),
        Plugin::Package { file, output, json } => package(sources, &file, output.as_deref(), json),
        Plugin::Install {
            source,
            name,
            yes,
            json,
        } => install(sources, &source, name.as_deref(), yes, json),
        Plugin::UpdateSdk { dir, json } => commands::update_sdk(&dir)
            .map_err(Into::into)
            .and_then(|updated| print_result(&updated, json)),
    }
}

fn list_plugins(sources: &Sources, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let list = runtime()?.block_on(commands::list_plugins(config))?;
    print_result(&list, json)
}

fn check_plugin(sources: &Sources, file: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let inspection = runtime()?
        .block_on(commands::check_plugin(config, file))
        .with_context(|| format!("cannot check {}", Escaped(file.display())))?;
    print_result(&inspection, json)?;
    if inspection.is_ok() {
        Ok(())
    } else {
        Err(ExitStatus::FilterRefused.into())
    }
}

fn conformance(sources: &Sources, file: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let found = runtime()?
        .block_on(commands::conformance(config, file))
        .with_context(|| format!("cannot check {}", Escaped(file.display())))?;
    print_result(&found, json)?;
    if found.ok {
        Ok(())
    } else {
        Err(ExitStatus::NotConforming.into())
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
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let bench = runtime()?
        .block_on(commands::bench(config, file, host, client, calls))
        .with_context(|| format!("cannot measure {}", Escaped(file.display())))?;
    print_result(&bench, json)
}

fn test(sources: &Sources, file: &Path, cases: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let report = runtime()?
        .block_on(commands::test_plugin(config, file, cases))
        .with_context(|| format!("cannot test {}", Escaped(file.display())))?;
    print_result(&report, json)?;
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
    let created = commands::new_plugin(Path::new(""), name, language, sdk.as_deref())?;
    print_result(&created, json)
}

fn build_plugin(sources: &Sources, dir: &Path, json: bool) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let built = runtime()?.block_on(commands::build_plugin(config, dir))?;
    print_result(&built, json)?;
    if built.is_ok() {
        Ok(())
    } else {
        Err(ExitStatus::PluginsRefused.into())
    }
}

fn package(
    sources: &Sources,
    file: &Path,
    output: Option<&Path>,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let packaged = runtime()?
        .block_on(commands::package(config, file, output))
        .with_context(|| format!("cannot package {}", Escaped(file.display())))?;
    if json {
        return print_result(&packaged, true);
    }
    eprint_line(&packaged);
    print_line(&packaged.sha256)
}

fn install(
    sources: &Sources,
    source: &str,
    name: Option<&str>,
    yes: bool,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let found = runtime()?
        .block_on(commands::find_filter(config, source, name))
        .context("nothing is installed")?;
    let summary = found.summary();
    let found = if found.is_installed() {
        found
    } else {
        eprint_line(&found);
        if !yes && !agrees(&found.question())? {
            return Err(ExitStatus::Declined.into());
        }
        found.install().context("nothing is installed")?
    };
    if json {
        print_result(&found, true)
    } else {
        print_line(&printable(&summary))
    }
}

/// Asks a person on the terminal.
fn agrees(question: &str) -> anyhow::Result<bool> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(ExitStatus::NoTerminal.into());
    }
    let mut output = std::io::stderr();
    write!(output, "\n{} [y/N] ", Escaped(question))?;
    output.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    let answer = answer.trim().to_ascii_lowercase();
    Ok(matches!(&*answer, "y" | "yes"))
}

fn record(
    sources: &Sources,
    file: &Path,
    cases: Option<&Path>,
    log: &Path,
    json: bool,
) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    let recording = runtime()?
        .block_on(commands::record_cases(config, file, log))
        .with_context(|| format!("cannot record what {} says", Escaped(file.display())))?;
    let recording = match cases {
        Some(cases) => recording.write(cases)?,
        None => recording,
    };
    print_result(&recording, json)
}
