//! What the program does besides serving: one module for each subcommand, called by `main`, and by
//! programs that want the same. They load filters as `plugins` does and ask them as `chain` does;
//! traffic knows nothing of them.

pub(crate) mod access_log;
mod author;
mod bench;
mod cases;
mod check;
mod conformance;
mod decisions;
mod exec;
mod explain;
mod feed;
mod inspect;
mod install;
mod judges;
mod list;
mod name;
mod package;
mod password;
mod replay;
mod selftest;
mod traffic;

pub use self::author::{
    BuildError, Built, Created, Language, NewError, UnknownLanguage, Updated, build_plugin,
    new_plugin, update_sdk,
};
pub use self::bench::{Bench, TickTiming, Timing, bench};
pub use self::cases::{Recording, record_cases, test_plugin};
pub use self::check::{Lists, Report, check};
pub use self::conformance::{BATTERY, Check, Conformance, Finding, conformance};
pub use self::decisions::{
    Decided, DecisionError, DecisionList, NewDecision, Ruling, Scope, StoreError, decide,
    list_decisions, remove_decisions,
};
pub use self::exec::{
    AllowedHost, ExecError, ExecSettings, Execution, Launch, Reach, proxy_variables,
};
#[cfg(target_os = "linux")]
pub use self::exec::{become_command, inside_variables};
pub use self::explain::{Explanation, explain};
pub use self::feed::{
    FeedCommandError, FeedEntry, FeedList, FeedLookup, FeedRefresh, HostEntries, LeftOutEntries,
    PresetList, RefreshedList, Says, list_feeds, list_presets, look_up_hosts, refresh_feeds,
};
pub use self::inspect::{Cost, Inspection, Needed, Settings, check_plugin};
pub use self::install::{Candidate, InstallError, Installed, find_filter};
pub use self::judges::ExplainError;
pub use self::list::{PluginList, list_plugins};
pub use self::name::NameError;
pub use self::package::{PackageError, Packaged, package};
pub use self::password::{NewUser, PasswordError};
pub use self::replay::{Change, Difference, Replay, replay};
pub use self::selftest::{
    SelfTest, SelfTestError, SelfTestOptions, TestedHost, ask_inside, self_test,
};
pub use self::traffic::{HostTraffic, Proposal, Traffic, propose};
pub use crate::error::{Escaped, PluginError};
pub use crate::target::InvalidTarget;
