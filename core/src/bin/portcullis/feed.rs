//! The commands about lists of hosts.

use portcullis::commands;
use portcullis::config::Sources;

use super::args::Feed;
use super::{ExitStatus, errors_only, load, print_result, runtime, telemetry};

/// How many of its rules are shown of a feed that is named.
const MOST_FREQUENT: usize = 10;

pub(crate) fn run(sources: &Sources, command: Feed) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    match command {
        Feed::List { names, top, json } => {
            let top = top.unwrap_or(if names.is_empty() { 0 } else { MOST_FREQUENT });
            print_result(&commands::list_feeds(&config, &names, top)?, json)
        }
        Feed::Lookup { hosts, json } => {
            print_result(&commands::look_up_hosts(&config, &hosts)?, json)
        }
        Feed::Refresh { names, json } => {
            let refresh = runtime()?.block_on(commands::refresh_feeds(&config, &names))?;
            print_result(&refresh, json)?;
            if refresh.ok {
                Ok(())
            } else {
                Err(ExitStatus::NotRefreshed.into())
            }
        }
        Feed::Presets { json } => print_result(&commands::list_presets(), json),
    }
}
