//! What `exec` is told.

use std::ffi::OsString;
use std::path::PathBuf;

use portcullis::commands::{AllowedHost, ExecError, Reach, SelfTestOptions, TestedHost};

/// The command, and what it may reach.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Exec {
    /// A host that may be reached, with the names below it; every other one is refused then. May be
    /// repeated
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    allow: Vec<AllowedHost>,
    /// The same with the hosts in a file that --learn or `propose` has written
    #[arg(long, value_name = "FILE")]
    allow_from: Option<PathBuf>,
    /// Refuse what the lists refuse, and write the hosts of everything else into this file, which
    /// must not be there yet
    #[arg(long, value_name = "FILE", conflicts_with_all = ["allow", "allow_from"])]
    learn: Option<PathBuf>,
    /// Write what the end says into this file, too, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave the command no network but the proxy (Linux)
    #[arg(long)]
    enforce: bool,
    /// Run no command: ask its proxy for what should be refused, from where the command would be,
    /// and compare; see `selftest`
    #[arg(long, conflicts_with_all = ["learn", "command"])]
    selftest: bool,
    /// A host that may be reached, and to which --selftest may send requests
    #[arg(
        long,
        value_name = "HOST",
        requires = "selftest",
        conflicts_with = "command"
    )]
    allowed: Option<TestedHost>,
    /// Have --selftest write JSON
    #[arg(long, requires = "selftest", conflicts_with = "command")]
    json: bool,
    /// The command and its arguments
    #[arg(
        value_name = "COMMAND",
        required_unless_present = "selftest",
        trailing_var_arg = true
    )]
    command: Vec<OsString>,
}

/// What the process is told that becomes the command of `exec --enforce`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Inside {
    /// Where the proxy's process waits
    #[arg(long, value_name = "FILE")]
    pub(crate) socket: PathBuf,
    /// A folder that the command must not see
    #[arg(long, value_name = "DIR")]
    pub(crate) hide: Vec<PathBuf>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,
}

impl Exec {
    pub(crate) fn is_enforced(&self) -> bool {
        self.enforce
    }

    pub(crate) fn report(&self) -> Option<PathBuf> {
        self.report.clone()
    }

    /// What a self-test is told, if it takes the place of the command, and whether it writes JSON.
    pub(crate) fn self_test(&self) -> Option<(SelfTestOptions, bool)> {
        self.selftest.then(|| {
            let mut options = SelfTestOptions::default();
            options.allowed = self.allowed.clone();
            (options, self.json)
        })
    }

    /// What the command may reach, and the command.
    pub(crate) fn into_parts(self) -> Result<(Reach, Vec<OsString>), ExecError> {
        let reach = match (self.learn, self.allow_from) {
            (Some(file), _) => Reach::Learned(file),
            (None, None) if self.allow.is_empty() => Reach::Listed,
            (None, file) => {
                let mut hosts = self.allow;
                if let Some(file) = file {
                    hosts.extend(AllowedHost::read(&file)?);
                }
                Reach::Only(hosts)
            }
        };
        Ok((reach, self.command))
    }
}
