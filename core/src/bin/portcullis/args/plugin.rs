//! What `plugin` is told.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use portcullis::commands::{BATTERY, Language};

/// What to do with one filter.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Plugin {
    /// Begin a filter: a folder NAME with code, tests and settings
    New {
        /// A letter, then letters, digits and -, all in lower case
        name: String,
        /// What it is written in
        #[arg(long, value_name = "LANGUAGE", default_value = "rust", value_parser = language())]
        lang: Language,
        /// The folder of portcullis-sdk, for filters that share one [default: this program's own
        /// SDK, which is written into the filter's folder]
        #[arg(long, value_name = "PATH")]
        sdk: Option<PathBuf>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Build the filter in a folder and check it as the proxy would
    ///
    /// Cargo, npm or componentize-py do the work, depending on the folder, and write their messages
    /// to standard error. NAME.wasm is written beside NAME.toml. What the environment says of
    /// flags (RUSTFLAGS, CARGO_PROFILE_…) is left out, so that the same sources make the same file.
    Build {
        /// The filter's folder
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Make one file of a filter, to be given away
    ///
    /// The filter must pass `plugin conformance`, and the cases in cases.toml beside it if there is
    /// such a file. Its manifest then says what it asks for. The file's SHA-256 is written to
    /// standard output, everything else to standard error. The same filter makes the same file.
    Package {
        /// NAME.wasm, as `plugin build` has made it
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The file to write [default: NAME-VERSION.wasm in the working folder]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write JSON, checksum included
        #[arg(long)]
        json: bool,
    },
    /// Put a filter from elsewhere into the plugin folder
    ///
    /// It shows what the filter is and asks for, and what it replaces, and asks before it writes
    /// anything. A URL must have the SHA-256 of the file behind it, as `plugin package` prints it.
    Install {
        /// A file, or a URL: https://a.example/no-ads-0.1.0.wasm#sha256=…
        #[arg(value_name = "FILE|URL#sha256=…")]
        source: String,
        /// Another name than the filter has for itself
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Do not ask, for scripts
        #[arg(long)]
        yes: bool,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Put this program's SDK into a filter's folder, in place of an older one
    ///
    /// The SDK is vendor/portcullis of a filter in Rust, and the contract, the helpers and the
    /// mocks of one in another language. What was changed in these files is overwritten; other
    /// files stay as they are.
    UpdateSdk {
        /// The filter's folder
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show every filter in the order in which they are asked, and how it is doing
    ///
    /// If a proxy listens at the configured address, these are its filters, with what it has
    /// counted. Otherwise they are loaded as a proxy would load them.
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a filter is, what it needs and costs, and why it is refused
    ///
    /// The settings are those in NAME.toml beside it.
    Check {
        /// NAME.wasm, or the name of a built-in filter
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that a filter keeps to the contract: odd input, refusals of the proxy, kept answers
    ///
    /// The filter runs in its sandbox, with the settings in NAME.toml beside it and with everything
    /// granted. Each check has an id that stays; exit code 2 if one fails.
    Conformance {
        /// NAME.wasm, or the name of a built-in filter
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Which checks
        #[arg(long, value_name = "VERSION", default_value = BATTERY, value_parser = [BATTERY])]
        battery: String,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Measure how long a filter takes to compile, to start and to answer
    ///
    /// The filter runs as in the proxy, with the settings in NAME.toml beside it and all limits on.
    /// Each hook is asked on one instance that is reused. The clock is read every 16 calls, so the
    /// percentiles are those of the means of 16 calls in a row. Where the filter lets the proxy use
    /// its answer about a host again, the time of that is measured, too. `tick` is called up to
    /// 1000 times, for a second.
    Bench {
        /// NAME.wasm, or the name of a built-in filter
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What it is asked about; a request is one for http://HOST/
        #[arg(long, value_name = "HOST", default_value = "www.example.com")]
        host: String,
        /// Who asks, an IP address
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
        client: IpAddr,
        /// How often each hook is asked
        #[arg(long, value_name = "N", default_value = "100000")]
        calls: NonZeroUsize,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask a filter what a file of cases asks, and compare; or write such a file
    ///
    /// The filter runs in its sandbox, with the settings in NAME.toml beside it, and with the feeds
    /// and the time in the file. In Rust, the same file runs natively in `cargo test`.
    #[command(after_long_help = portcullis_cases::FORMAT)]
    Test {
        /// NAME.wasm, or the name of a built-in filter
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What is asked, and what is expected [default: cases.toml beside FILE]
        #[arg(value_name = "CASES.toml")]
        cases: Option<PathBuf>,
        /// Write cases instead: what the filter answers now for each host in this access log of the
        /// proxy, or - for standard input. They go to CASES.toml, which must not exist yet, or to
        /// standard output
        #[arg(long, value_name = "ACCESS_LOG")]
        record: Option<PathBuf>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}

fn language() -> impl TypedValueParser<Value = Language> {
    PossibleValuesParser::new(Language::NAMES).try_map(|name| name.parse())
}
