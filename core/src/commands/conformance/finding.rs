//! What a check can find. `tally` collects findings, and `report` prints them.

use serde::Serialize;

/// How a check has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// The filter does what it should.
    Pass,
    /// It may be meant, and the operator should know.
    Warn,
    /// The filter breaks the contract.
    Fail,
    /// The filter does not have what the check is about.
    NotApplicable,
    /// The filter is not to blame: something around it is missing.
    Environment,
}

impl Finding {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotApplicable => "not applicable",
            Self::Environment => "environment",
        }
    }
}
