//! Where settings come from besides their defaults. `load` reads them, and `followed` keeps them.

use std::ffi::OsString;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{ListenAddress, environment};

/// Read from the working directory if no other file is named.
pub(super) const DEFAULT_FILE: &str = "portcullis.toml";

/// Where settings come from. A flag beats an environment variable, and that beats the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sources {
    /// The file to read; it must exist. Without it, the one that `PORTCULLIS_CONFIG` names, and
    /// without that, `portcullis.toml` in `dir` if it is there.
    pub file: Option<PathBuf>,
    /// Where `portcullis.toml` is looked for; empty for the working directory.
    pub dir: PathBuf,
    /// The environment, as `std::env::vars_os` gives it.
    pub variables: Vec<(OsString, OsString)>,
    /// What the command line says.
    pub flags: Flags,
}

/// The settings that have a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flags {
    /// `[proxy] listen`; nothing if it is empty.
    pub listen: Vec<ListenAddress>,
    /// `[clients] allow`, in place of all that the table says elsewhere; nothing if it is empty.
    pub clients: Vec<IpNet>,
    /// `[plugins] dir`.
    pub plugins_dir: Option<PathBuf>,
}

impl Sources {
    /// The file that is read, if any.
    pub fn config_file(&self) -> Option<PathBuf> {
        let in_dir = || Some(self.default_file()).filter(|file| file.exists());
        self.file
            .clone()
            .or_else(|| environment::config_file(&self.variables))
            .or_else(in_dir)
    }

    /// The file that is read where no other is named, whether it is there or not.
    pub(super) fn default_file(&self) -> PathBuf {
        self.dir.join(DEFAULT_FILE)
    }
}
