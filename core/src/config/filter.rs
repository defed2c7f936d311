//! The file beside a filter, `NAME.toml`: whether and how the filter runs. Each setting is declared
//! once, as those of `config` are. Read by `plugins`.

mod grants;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use portcullis_contract::VerdictKind;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use smart_default::SmartDefault;

use self::grants::Written;
use super::ConfigError;
use super::ceilings::Ceilings;
use super::declaration::{self, Declaration, schema_of};
use super::document::{Document, quoted};
use super::feed::FeedKind;
use super::filter_limits::FilterLimits;
use super::layers::Layers;
use super::value::{self, Count, Parsed, Time, Word, Words};

/// What the operator says about one filter. A filter without a file runs by the default.
#[derive(Clone, Debug, PartialEq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(
    title = "plugins/NAME.toml",
    description = "The settings of one filter."
)]
pub(crate) struct FilterSettings {
    /// Whether the filter is asked at all.
    #[default(true)]
    pub(crate) enabled: bool,
    /// Whether the filter's verdicts count.
    #[serde(with = "Parsed::<Word<Mode>>")]
    pub(crate) mode: Mode,
    /// What happens to a request that the filter fails on.
    #[serde(with = "Parsed::<Word<OnError>>")]
    pub(crate) on_error: OnError,
    /// Whether a filter that cannot be loaded answers by its `on_error`. One that is not required
    /// is left out until it can judge.
    #[default(true)]
    pub(crate) required: bool,
    /// What the filter may use.
    pub(crate) limits: FilterLimits,
    /// When a filter that fails is not asked for a while.
    pub(crate) quarantine: QuarantineRule,
    /// What the filter may reach besides the request and the log. Without it, a filter of a file
    /// has none of this, and one that is built in all that it asks for.
    pub(crate) grants: Option<Grants>,
    /// The filter's own settings, handed to its `init` as a JSON object.
    #[default("{}".into())]
    #[serde(deserialize_with = "any_table")]
    #[schemars(with = "Map<String, Value>", transform = declaration::without_default)]
    pub(crate) config: String,
}

/// Whether a filter's verdicts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// They decide about requests.
    #[default]
    Enforce,
    /// They are logged and counted, and change nothing.
    Shadow,
}

impl Words for Mode {
    const EXPECTED: &'static str =
        r#""enforce" (the verdicts count) or "shadow" (they are only logged and counted)"#;
}

/// What happens to a request when a filter fails on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnError {
    /// It is refused.
    #[default]
    Block,
    /// The next filter is asked.
    Skip,
}

impl Words for OnError {
    const EXPECTED: &'static str =
        r#""block" (refuse the request) or "skip" (ask the next filter)"#;
}

/// What becomes of requests while a filter cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The operator counts on the filter: requests are answered by its `on_error`.
    Required(OnError),
    /// It is left out, as it is not required.
    LeftOut,
    /// It is left out, as it is in shadow mode, where it refuses nothing.
    Shadow,
    /// The operator does not want it.
    Disabled,
}

impl Default for Standing {
    fn default() -> Self {
        Self::of(true, Mode::default(), true, OnError::default())
    }
}

impl Standing {
    pub(crate) fn of(enabled: bool, mode: Mode, required: bool, on_error: OnError) -> Self {
        match mode {
            _ if !enabled => Self::Disabled,
            Mode::Shadow => Self::Shadow,
            Mode::Enforce if required => Self::Required(on_error),
            Mode::Enforce => Self::LeftOut,
        }
    }

    /// Reads what can be read of a filter's settings, whatever else is wrong with them. What cannot
    /// be read is as if it were not there.
    pub(crate) fn read(text: &str) -> Self {
        fn value<T: DeserializeOwned>(table: &toml::Table, key: &str) -> Option<T> {
            table.get(key)?.clone().try_into().ok()
        }
        let table: toml::Table = text.parse().unwrap_or_default();
        Self::of(
            value(&table, "enabled").unwrap_or(true),
            value(&table, "mode").unwrap_or_default(),
            value(&table, "required").unwrap_or(true),
            value(&table, "on_error").unwrap_or_default(),
        )
    }
}

/// When a filter that fails is not asked for a while.
#[derive(Clone, Copy, Debug, PartialEq, SmartDefault, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct QuarantineRule {
    /// Failures within the window that lead there. One client counts for at most half of them,
    /// unless there is only one.
    #[default(10)]
    #[serde(with = "Parsed::<Count>")]
    pub(crate) failures: usize,
    /// The share of calls that must fail, too: 0 to 1.
    #[default(0.5)]
    #[serde(deserialize_with = "value::share")]
    #[schemars(range(min = 0, max = 1))]
    pub(crate) share: f64,
    /// The time in which failures are counted.
    #[default(Duration::from_secs(10))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) window: Duration,
    /// For how long the first time; twice as long each time that the filter fails again.
    #[default(Duration::from_secs(1))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) pause: Duration,
    /// The longest that a pause becomes; never less than `pause` unless that is written.
    #[default(Duration::from_mins(5))]
    #[serde(with = "Parsed::<Time>")]
    pub(crate) longest_pause: Duration,
}

impl QuarantineRule {
    /// The pause after so many others in a row.
    pub(crate) fn pause_after(&self, others: u32) -> Duration {
        let factor = 1_u32.checked_shl(others).unwrap_or(u32::MAX);
        self.pause.saturating_mul(factor).min(self.longest_pause)
    }
}

/// Capabilities that a filter may import besides those that reach nothing but the request and the
/// log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(crate) struct Grants {
    /// The feeds that it may look into: their names, or `*` for all.
    pub(crate) feeds: FeedGrant,
    /// Whether it has a store of its own.
    pub(crate) state: bool,
    /// The verdicts that it may give besides `next` and `block`, which every filter may give.
    /// Without it, a filter of a file may give all but `allow`, which keeps the filters after it
    /// from being asked, and one that is built in may give all.
    #[schemars(extend("default" = null))]
    pub(crate) verdicts: Option<Vec<GrantedVerdict>>,
    /// How the settings say it.
    #[serde(skip)]
    pub(super) written: Written,
}

/// A verdict that can be withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantedVerdict {
    Allow,
    Block,
    Redirect,
    Replace,
    Drop,
    Ask,
}

impl GrantedVerdict {
    #[cfg(feature = "cli")]
    const ALL: [Self; 6] = [
        Self::Allow,
        Self::Block,
        Self::Redirect,
        Self::Replace,
        Self::Drop,
        Self::Ask,
    ];

    pub(crate) const fn kind(self) -> VerdictKind {
        match self {
            Self::Allow => VerdictKind::Allow,
            Self::Block => VerdictKind::Block,
            Self::Redirect => VerdictKind::Redirect,
            Self::Replace => VerdictKind::Replace,
            Self::Drop => VerdictKind::Drop,
            Self::Ask => VerdictKind::Ask,
        }
    }
}

/// The feeds that a filter may look into.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "Vec<String>")]
pub(crate) enum FeedGrant {
    All,
    /// Those of hosts that are refused. No file can say this.
    Blocking,
    Named(Vec<String>),
}

/// Stands for every feed among the names of feeds.
const EVERY_FEED: &str = "*";

impl From<Vec<String>> for FeedGrant {
    fn from(names: Vec<String>) -> Self {
        if names.iter().any(|name| name == EVERY_FEED) {
            Self::All
        } else {
            Self::Named(names)
        }
    }
}

impl FeedGrant {
    /// Whether there is any feed that may be looked into.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    /// Whether a feed may be looked into. Its kind is seldom needed.
    pub(crate) fn contains(&self, feed: &str, kind: impl FnOnce() -> FeedKind) -> bool {
        match self {
            Self::All => true,
            Self::Blocking => kind() == FeedKind::Block,
            Self::Named(names) => names.iter().any(|name| name == feed),
        }
    }
}

impl Default for FeedGrant {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl Grants {
    /// For the filters that came with the proxy.
    pub(crate) const ALL: Self = Self {
        feeds: FeedGrant::All,
        state: true,
        verdicts: None,
        written: Written::NOWHERE,
    };

    /// For one of them that stands in for itself by its defaults, as its settings cannot be used. A
    /// feed that lets hosts pass may be one that these settings leave out.
    pub(crate) const OF_STAND_IN: Self = Self {
        feeds: FeedGrant::Blocking,
        state: true,
        verdicts: None,
        written: Written::NOWHERE,
    };

    /// All that a file can be granted, every kind of verdict included.
    #[cfg(feature = "cli")]
    pub(crate) fn all_of_a_file() -> Self {
        Self {
            verdicts: Some(GrantedVerdict::ALL.into()),
            ..Self::ALL
        }
    }

    /// Whether a filter of a file, or one that is built in, may give that verdict.
    pub(crate) fn has_verdict(&self, kind: VerdictKind, is_builtin: bool) -> bool {
        match (&self.verdicts, kind) {
            (_, VerdictKind::Next | VerdictKind::Block) => true,
            (Some(granted), _) => granted.iter().any(|verdict| verdict.kind() == kind),
            (None, VerdictKind::Allow) => is_builtin,
            (None, _) => true,
        }
    }

    /// What an operator does to have these lines, of those below `[grants]`, in the settings that
    /// say this, which are called `file`.
    pub(crate) fn how_to_have(&self, lines: &[String], file: &str) -> String {
        self.written.how_to_have(lines, &self.lines(), file)
    }

    /// The lines below `[grants]` that say the same.
    pub(crate) fn lines(&self) -> Vec<String> {
        let feeds = match &self.feeds {
            FeedGrant::All | FeedGrant::Blocking => Some(feeds_line([EVERY_FEED])),
            FeedGrant::Named(names) if names.is_empty() => None,
            FeedGrant::Named(names) => Some(feeds_line(names.iter().map(String::as_str))),
        };
        let state = self.state.then(|| "state = true".to_owned());
        let verdicts = self.verdicts.as_ref().map(|granted| {
            let kinds = granted.iter().map(|verdict| verdict.kind());
            verdicts_line(kinds)
        });
        feeds.into_iter().chain(state).chain(verdicts).collect()
    }

    /// The same for a filter that may give these verdicts, too.
    pub(crate) fn lines_with(&self, verdicts: &[VerdictKind], is_builtin: bool) -> Vec<String> {
        let others = Self {
            verdicts: None,
            ..self.clone()
        };
        let mut lines = others.lines();
        lines.push(self.verdicts_line(verdicts, is_builtin));
        lines
    }

    /// The line below `[grants]` by which a filter may give these verdicts, too. It has all that
    /// the filter may give now: what a list of verdicts does not have is withheld.
    pub(crate) fn verdicts_line(&self, more: &[VerdictKind], is_builtin: bool) -> String {
        let kinds = VerdictKind::ALL.iter().copied().filter(|kind| {
            // Every filter may give these.
            let is_free = matches!(kind, VerdictKind::Next | VerdictKind::Block);
            !is_free && (more.contains(kind) || self.has_verdict(*kind, is_builtin))
        });
        verdicts_line(kinds)
    }

    /// The line below `[grants]` by which a filter may look into one more feed.
    pub(crate) fn feeds_line(&self, more: &str) -> String {
        let granted = match &self.feeds {
            FeedGrant::All | FeedGrant::Blocking => &[],
            FeedGrant::Named(names) => &names[..],
        };
        feeds_line(granted.iter().map(String::as_str).chain([more]))
    }
}

fn feeds_line<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = names.into_iter().map(quoted);
    format!("feeds = [{}]", Vec::from_iter(names).join(", "))
}

fn verdicts_line(kinds: impl Iterator<Item = VerdictKind>) -> String {
    let names = kinds.map(|kind| quoted(kind.name()));
    format!("verdicts = [{}]", Vec::from_iter(names).join(", "))
}

impl FilterSettings {
    /// What a filter of a file, or one that is built in, may have.
    pub(crate) fn grants(&self, is_builtin: bool) -> Grants {
        match &self.grants {
            Some(grants) => grants.clone(),
            None if is_builtin => Grants::ALL,
            None => Grants::default(),
        }
    }

    /// The settings of a filter without a file.
    pub(crate) fn without_file(ceilings: &Ceilings) -> Self {
        let mut settings = Self::default();
        // Nothing is written, so nothing is too high.
        let _ = ceilings.apply(&mut settings.limits, |_| false);
        settings
    }

    /// The same as [`FilterSettings::parse`], within what the proxy's own settings allow.
    pub(crate) fn parse_within(
        text: &str,
        file: &Path,
        ceilings: &Ceilings,
    ) -> Result<Self, ConfigError> {
        let mut settings = Self::parse(text, file)?;
        let document = Document { path: file, text };
        let place = |limit: &str| document.position(&["limits", limit]);
        let applied = ceilings.apply(&mut settings.limits, |limit| place(limit).is_some());
        applied.map_err(|limit| {
            let problem = format!(
                "limits.{limit}: it is higher than [plugins.ceilings] {limit} of the proxy's own settings allows; lower it"
            );
            document.problem_at(place(limit).unwrap_or_default(), problem)
        })?;
        Ok(settings)
    }

    /// Reads the content of `file`, which is named in errors only.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let document = Document { path: file, text };
        let schema = schema_of::<Self>();
        let layers = Layers::new(document, Declaration(&schema))?;
        let config = layers.json("config")?;
        let granted = layers.keys_below("grants");
        let mut settings: Self = layers.read()?;
        if let Some(config) = config {
            settings.config = config.to_string();
        }
        if let Some(grants) = &mut settings.grants {
            grants.written = Written::of(document, granted);
        }
        let quarantine = &mut settings.quarantine;
        if document
            .position(&["quarantine", "longest_pause"])
            .is_none()
        {
            quarantine.longest_pause = quarantine.longest_pause.max(quarantine.pause);
        }
        Ok(settings)
    }
}

/// What stands in the table is read by `parse`: serde would lose the places of its values.
fn any_table<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    toml::Table::deserialize(value).map(|table| table.to_string())
}
