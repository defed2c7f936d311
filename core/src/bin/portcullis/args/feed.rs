//! `feed` and what follows it.

use clap::Subcommand;

/// What to ask about the lists of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Feed {
    /// Show every list of every feed, as its copy on disk has it
    ///
    /// Nothing is fetched. A running proxy with the same cache folder serves these copies. How long
    /// ago a list was fetched is how old the copy is: a source that has since answered that nothing
    /// has changed is not written down. Why the last fetch has failed stands in the log alone.
    ///
    /// Hits are exchanges that an entry has decided about. A running proxy writes them once a
    /// minute and when it ends; they go on over restarts and new lists. With names, the rules that
    /// have decided most often are shown, too.
    List {
        /// The names of feeds [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// How many rules to show of each list [default: 10 with names, else none]
        #[arg(long, value_name = "NUMBER")]
        top: Option<usize>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show every entry of every feed that speaks of a host, and which of them counts
    ///
    /// It looks at the copies on disk, and counts as for a filter that asks for all feeds;
    /// `explain` shows what the filters make of it. As with `explain`, the exit code is 0 whether
    /// or not the host is listed.
    Lookup {
        /// Hosts such as a.example or 192.0.2.7
        #[arg(value_name = "HOST", required = true)]
        hosts: Vec<String>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch lists now, as a proxy would, and keep them on disk
    ///
    /// Run it as the user of the proxy, who must be able to read the copies. A running proxy with
    /// the same cache folder takes a new copy up within seconds. A list that has lost more than
    /// half of its names is not used, however often this is run: it takes a proxy that runs, or
    /// `on_shrink = "apply"`, to confirm it. Exit code 2 if a list could not be refreshed.
    Refresh {
        /// The names of feeds [default: all that are enabled]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the well-known lists that `preset` names: name, format, licence and URL
    Presets {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}
