//! What an operator reads before a filter is installed, and afterwards.

use std::fmt;

use super::{Candidate, Installed};
use crate::error::Escaped;

impl Candidate {
    /// What the operator is asked.
    pub fn question(&self) -> String {
        let file = Escaped(self.file.display());
        match &self.replaces {
            Some(_) => format!("Replace {file}?"),
            None => format!("Install it as {file}?"),
        }
    }

    /// What was done, and what is left to do.
    pub fn summary(&self) -> String {
        let file = Escaped(self.file.display());
        if self.is_installed() {
            return format!("{file} is this file already; nothing was done");
        }
        let mut text = format!("{file} is installed");
        text.push_str(match (self.enabled, self.is_usable()) {
            (false, _) => ", and its settings disable it",
            (true, true) => "; a proxy that runs takes it up by itself",
            (true, false) => ", and waits for its settings",
        });
        text
    }

    fn is_usable(&self) -> bool {
        self.missing.is_empty() && self.settings.is_none()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        if let Some(description) = &self.description {
            rows.push(("about", description.clone()));
        }
        rows.push(("sha256", self.sha256.clone()));
        if let Some(contract) = &self.contract {
            rows.push(("contract", format!("portcullis:filter@{contract}")));
        }
        rows.push(("hooks", self.hooks.join(", ")));
        let imports = self.imports.iter().map(|name| {
            let note = if self.missing.contains(name) {
                " (not granted)"
            } else {
                ""
            };
            format!("{name}{note}")
        });
        let imports: Vec<String> = imports.collect();
        rows.push(("imports", imports.join(", ")));
        rows.push(("verdicts", self.verdicts()));
        if self.hooks.iter().any(|hook| hook.starts_with("judge-")) {
            rows.push(("may give", self.may_give()));
        }
        rows.push(("mode", self.mode()));
        if let Some(old) = &self.replaces {
            rows.push(("replaces", replaced(old)));
        }
        rows
    }

    fn verdicts(&self) -> String {
        let Some(kinds) = &self.verdicts else {
            return "not known: it does not say what its author's cases expect".into();
        };
        let kinds = kinds.iter().map(|kind| {
            let note = if self.withheld.contains(kind) {
                " (withheld)"
            } else {
                ""
            };
            format!("{kind}{note}")
        });
        let kinds: Vec<String> = kinds.collect();
        if kinds.is_empty() {
            return "its author's cases expect none".into();
        }
        format!("{}: what its author's cases expect", kinds.join(", "))
    }

    /// What it may give is bounded by the grants, and not by the cases.
    fn may_give(&self) -> String {
        let settings = self.file.with_extension("toml");
        format!(
            "{}; [grants] verdicts in {} is the bound",
            self.may_give.join(", "),
            settings.display()
        )
    }

    fn mode(&self) -> String {
        let settings = self.file.with_extension("toml");
        let settings = settings.display();
        match (self.enabled, self.decides) {
            (false, _) => {
                format!("disabled: it is not asked as long as {settings} says enabled = false")
            }
            (true, false) => "shadow: it is asked, and decides nothing".into(),
            (true, true) => format!(
                "enforce: it decides at once; to try it first, write mode = \"shadow\" into {settings}"
            ),
        }
    }

    /// The lines to paste, and what holds without them.
    fn write_grants(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.file.with_extension("toml");
        let settings = Escaped(settings.display());
        if !self.grants.is_empty() {
            write!(
                f,
                "\nto grant it what it asks for, write into {settings}:\n\n[grants]\n"
            )?;
            writeln!(f, "{}", self.grants.join("\n"))?;
        }
        if let Some(problem) = &self.settings {
            writeln!(f, "\nits settings do not fit it yet: {}", Escaped(problem))?;
        }
        if self.enabled && !self.is_usable() {
            writeln!(
                f,
                "\nUntil {settings} is right, a proxy that runs goes on without this file. One that starts holds the \
                 filter's place, and refuses requests with 503 unless its settings say otherwise (on_error, required, mode)."
            )?;
        }
        if !self.withheld.is_empty() {
            writeln!(
                f,
                "\nWithout that line, what is withheld does not happen: `allow` counts as no opinion, and the others as a \
                 refusal."
            )?;
        }
        Ok(())
    }
}

fn replaced(old: &Installed) -> String {
    let version = old.version.as_deref().unwrap_or("a file without a version");
    format!(
        "{version}, sha256 {}, hooks {}",
        old.sha256,
        old.hooks.join(", ")
    )
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("without a version");
        writeln!(f, "{} {}", Escaped(&self.name), Escaped(version))?;
        for (name, text) in self.rows() {
            writeln!(f, "  {name:8}  {}", Escaped(text))?;
        }
        self.write_grants(f)
    }
}
