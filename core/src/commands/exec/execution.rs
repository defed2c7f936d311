//! What is known of a command when it has ended.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;

use serde::{Serialize, Serializer};

use crate::commands::traffic::Traffic;
use crate::error::Escaped;

/// How a command has ended, and what it has asked for.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Execution {
    /// How it has ended.
    #[serde(rename = "exit_code", serialize_with = "exit_code_of")]
    pub status: ExitStatus,
    /// What it has asked for.
    #[serde(flatten)]
    pub traffic: Traffic,
    /// The file that what was learned is in.
    pub learned: Option<PathBuf>,
    /// Ways around the proxy that a boundary has left; none if there was no boundary.
    pub ways_out: Option<Vec<String>>,
}

impl Execution {
    /// What a shell says of the command: 128 and the signal's number if a signal has ended it.
    pub fn exit_code(&self) -> u8 {
        exit_code(self.status)
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    let code = status
        .code()
        .or_else(|| signal.map(|signal: i32| 128 + signal));
    // There is always one of both.
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

fn exit_code_of<S: Serializer>(status: &ExitStatus, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit_code(*status))
}

/// What a person is told at the end.
impl fmt::Display for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = &self.traffic.hosts;
        let reached = hosts.iter().filter(|host| host.reached > 0).count();
        let refused = hosts.iter().filter(|host| host.refused > 0).count();
        writeln!(
            f,
            "Hosts that the command has reached: {reached}; that were refused: {refused}"
        )?;
        self.traffic.fmt(f)?;
        if let Some(file) = &self.learned {
            writeln!(
                f,
                "What has passed is in {}, as settings of the filter `allowlist`.",
                Escaped(file.display())
            )?;
        }
        let Some(ways_out) = &self.ways_out else {
            return f.write_str(
                "This was no boundary: the command was told of the proxy and could have gone around it.",
            );
        };
        if ways_out.is_empty() {
            return f.write_str("The command had no network but the proxy.");
        }
        f.write_str("The boundary around the command was not complete.")?;
        for way in ways_out {
            write!(f, "\nA way out was left: {}", Escaped(way))?;
        }
        Ok(())
    }
}
