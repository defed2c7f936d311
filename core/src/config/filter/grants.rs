//! How the settings of a filter say what it is granted, and how an operator adds to that.

use super::super::document::Document;

/// Where a file has its grants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    form: Form,
    /// The keys that are there.
    keys: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Not at all, or as `grants.state = true`, which goes on at the beginning of the file.
    #[default]
    Dotted,
    /// Below `[grants]`.
    Table,
    /// As `grants = { state = true }`.
    Inline,
}

/// Settings that say the same are equal, however they are written.
impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Written {}

impl Written {
    /// In no file.
    pub(super) const NOWHERE: Self = Self {
        form: Form::Dotted,
        keys: Vec::new(),
    };

    /// Where `document`, which has grants, has these `keys` of them.
    pub(super) fn of(document: Document<'_>, keys: Vec<String>) -> Self {
        let key = document.position(&["grants"]).unwrap_or_default();
        let before = document.text.get(..key).unwrap_or_default();
        let value = document.value_position(&["grants"]).unwrap_or_default();
        let value = document.text.get(value..).unwrap_or_default();
        let form = if before.trim_end_matches([' ', '\t']).ends_with('[') {
            Form::Table
        } else if value.starts_with('{') {
            Form::Inline
        } else {
            Form::Dotted
        };
        Self { form, keys }
    }

    /// What to do to have these lines in `file`, beside what is there of `all` lines.
    pub(super) fn how_to_have(&self, lines: &[String], all: &[String], file: &str) -> String {
        if self.form == Form::Inline {
            let kept = all
                .iter()
                .filter(|line| !lines.iter().any(|new| key(new) == key(line)));
            let all = inline(kept.chain(lines));
            return format!("write in place of its grants in {file}:  {all}");
        }
        let is_there = |line: &&String| self.keys.iter().any(|there| there == key(line));
        let (there, new): (Vec<_>, Vec<_>) = lines.iter().partition(is_there);
        let new = (!new.is_empty()).then(|| match self.form {
            Form::Table => format!("write below [grants] in {file}:  {}", self.joined(&new)),
            // One line is pasted at once.
            _ if self.keys.is_empty() && new.len() > 1 => {
                format!("begin {file} with:  {}", inline(new.iter().copied()))
            }
            _ => format!("begin {file} with:  {}", self.joined(&new)),
        });
        let there = there.into_iter().map(|line| {
            let (key, place) = match self.form {
                Form::Table => (key(line).to_owned(), " below [grants]"),
                _ => (format!("grants.{}", key(line)), ""),
            };
            let line = self.joined(&[line]);
            format!("write in place of its {key}{place} in {file}:  {line}")
        });
        Vec::from_iter(new.into_iter().chain(there)).join("  and  ")
    }

    /// Each is a line of TOML that stands for itself.
    fn joined(&self, lines: &[&String]) -> String {
        let before = match self.form {
            Form::Table | Form::Inline => "",
            Form::Dotted => "grants.",
        };
        let lines = lines.iter().map(|line| format!("{before}{line}"));
        Vec::from_iter(lines).join("  and  ")
    }
}

/// All of them in one line.
fn inline<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    format!("grants = {{ {} }}", lines.join(", "))
}

fn key(line: &str) -> &str {
    line.split(" = ").next().unwrap_or(line)
}
