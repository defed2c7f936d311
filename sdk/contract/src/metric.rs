//! How a metric with labels is written where it is shown, looked up and expected in cases.

use std::fmt::Write as _;

/// The key of a metric: its name, and its labels in the order of their names.
///
/// ```
/// use portcullis_contract::metric_key;
///
/// assert_eq!(metric_key("lookups", &[]), "lookups");
/// let labels = [("list", "ads"), ("kind", "domain")];
/// assert_eq!(metric_key("lookups", &labels), r#"lookups{kind="domain",list="ads"}"#);
/// ```
pub fn metric_key(name: &str, labels: &[(&str, &str)]) -> String {
    let mut key = String::new();
    write_metric_key(&mut key, name, labels);
    key
}

/// Has [`metric_key`] in `key`, in place of what is there. It allocates nothing where that is long
/// enough, as filters count while a request waits.
pub fn write_metric_key(key: &mut String, name: &str, labels: &[(&str, &str)]) {
    key.clear();
    key.push_str(name);
    // Labels are few, so the next one is looked for each time.
    let mut last = None;
    let numbered = || labels.iter().zip(0_usize..);
    while let Some(next) = numbered().filter(|label| Some(*label) > last).min() {
        let ((label, value), _) = next;
        let before = if last.is_none() { '{' } else { ',' };
        // A string takes everything.
        let _ = write!(key, "{before}{label}={value:?}");
        last = Some(next);
    }
    if last.is_some() {
        key.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_labels_makes_no_difference_and_none_is_lost() {
        let labels = [("c", "3"), ("a", "1"), ("b", "2"), ("a", "1"), ("a", "0")];
        let key = r#"n{a="0",a="1",a="1",b="2",c="3"}"#;
        assert_eq!(metric_key("n", &labels), key);
        let mut written = "what was there before".to_owned();
        write_metric_key(&mut written, "n", &labels);
        assert_eq!(written, key);
    }
}
