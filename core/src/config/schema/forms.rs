//! A value that has none of the forms that it may have: which one was meant, and how forms are told apart if none was. Called by `problem`.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::paths::Location;
use serde_json::Value;

use super::expected::{brief, either, expected, found};
use super::problem::{Context, Problem, known_keys, path};
use super::types::is_mismatch;

/// What is wrong with the value by one of the forms.
type Form = Vec<ValidationError<'static>>;

impl Context<'_> {
    /// If it is clear which one was meant, that one's errors count.
    pub(super) fn no_form(
        self,
        error: &ValidationError<'_>,
        forms: &[Form],
        schema: &Value,
    ) -> Problem {
        let here = error.instance_path();
        meant(forms, here)
            .or_else(|| nothing_but_absence(forms))
            .and_then(|form| self.first(form))
            .or_else(|| self.wrong_tag(forms, here))
            .or_else(|| self.wrong_key(error, forms, schema))
            .unwrap_or_else(|| self.no_form_at_all(error, forms, schema))
    }

    fn first(self, errors: &[ValidationError<'static>]) -> Option<Problem> {
        let problems = errors.iter().map(|error| self.problem(error));
        problems.min_by_key(|problem| problem.about)
    }

    /// The forms are told apart by a word in the table, and it is none of theirs.
    fn wrong_tag(self, forms: &[Form], here: &Location) -> Option<Problem> {
        let errors = forms.iter().flatten();
        let mut tags = errors.filter(|error| is_word(error) && is_below(error, here));
        let first = tags.next()?;
        let place = first.instance_path();
        let words = std::iter::once(first)
            .chain(tags.filter(|tag| tag.instance_path() == place))
            .filter_map(|tag| expected(self.schema_of(tag.schema_path())));
        let text = format!("{} is not {}", found(first.instance()), either(words));
        Some(self.value(path(place), &text))
    }

    /// The forms are told apart by a key, and it is none of theirs.
    fn wrong_key(
        self,
        error: &ValidationError<'_>,
        forms: &[Form],
        schema: &Value,
    ) -> Option<Problem> {
        let known = known_keys(schema);
        let mut keys = error.instance().as_object()?.keys();
        let stranger = keys.find(|key| !known.contains(&key.as_str()))?;
        let telling: Vec<&str> = forms.iter().flatten().filter_map(missing_key).collect();
        let path = path(error.instance_path());
        (!telling.is_empty()).then(|| self.unknown(path, stranger, telling))
    }

    fn no_form_at_all(
        self,
        error: &ValidationError<'_>,
        forms: &[Form],
        schema: &Value,
    ) -> Problem {
        let found = found(error.instance());
        let text = match expected(schema) {
            Some(words) if forms.iter().flatten().all(is_word) => format!("{found} is not {words}"),
            Some(expected) => format!("invalid type: {found}, expected {expected}"),
            None => brief(&error.to_string()),
        };
        self.value(path(error.instance_path()), &text)
    }
}

/// The one form that is not ruled out.
fn meant<'a>(forms: &'a [Form], here: &Location) -> Option<&'a Form> {
    let candidates = forms.iter().filter(|form| !is_another(form, here));
    let with_its_key = candidates
        .clone()
        .filter(|form| !has_another_key(form, here));
    only(candidates).or_else(|| only(with_its_key))
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

/// The first form, if any of several keys would do and none is there.
fn nothing_but_absence(forms: &[Form]) -> Option<&Form> {
    let mut errors = forms.iter().flatten();
    errors
        .all(|error| missing_key(error).is_some())
        .then(|| forms.first())?
}

/// Whether the value is obviously none of this form: it is of another type, is another word or has another tag.
fn is_another(form: &Form, here: &Location) -> bool {
    form.iter().any(|error| {
        let is_here = error.instance_path() == here;
        is_here && is_mismatch(error) || is_word(error) && (is_here || is_below(error, here))
    })
}

/// Whether it has another key in place of the one that this form is told by.
fn has_another_key(form: &Form, here: &Location) -> bool {
    let mut errors = form.iter().filter(|error| error.instance_path() == here);
    let is_stranger =
        |error: &ValidationError<'_>| matches!(error.kind(), Kind::AdditionalProperties { .. });
    errors.clone().any(|error| missing_key(error).is_some()) && errors.any(is_stranger)
}

fn is_word(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), Kind::Constant { .. } | Kind::Enum { .. })
}

/// Whether the error is about a key of the table at that place.
fn is_below(error: &ValidationError<'_>, place: &Location) -> bool {
    let path = error.instance_path().as_str();
    let key = path
        .strip_prefix(place.as_str())
        .and_then(|rest| rest.strip_prefix('/'));
    key.is_some_and(|key| !key.contains('/'))
}

fn missing_key<'a>(error: &'a ValidationError<'_>) -> Option<&'a str> {
    match error.kind() {
        Kind::Required { property } => property.as_str(),
        _ => None,
    }
}
