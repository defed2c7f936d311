//! The commands about lists of hosts.

use portcullis::commands;
use portcullis::config::Sources;

use super::args::Feed;
use super::{ExitStatus, errors_only, load, print_result, runtime, telemetry};

pub(crate) fn run(sources: &Sources, command: Feed) -> anyhow::Result<()> {
    let config = load(sources)?;
    let _lines_are_written = telemetry::init(&errors_only(&config))?;
    match command {
        Feed::List { json } => print_result(&commands::list_feeds(&config), json),
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
