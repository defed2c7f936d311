//! Metrics with labels, as files of cases write them.

use portcullis_contract::metric_key;

/// The key that is meant by `name`, or by `name{label=value,…}` with or without quotes around the
/// values. The error says what is wrong.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let Some((name, rest)) = text.split_once('{') else {
        return Ok(text.to_owned());
    };
    let problem = || format!("`{text}` is not a metric; write it like lookups{{list=ads}}");
    let labels = rest.strip_suffix('}').ok_or_else(problem)?;
    let mut pairs = Vec::new();
    for label in labels.split(',') {
        let (label, value) = label.split_once('=').ok_or_else(problem)?;
        let unquoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        pairs.push((label.trim(), unquoted.unwrap_or(value)));
    }
    Ok(metric_key(name, &pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_may_come_in_any_order_and_without_quotes() {
        for text in [
            "lookups{list=ads,kind=domain}",
            "lookups{kind=domain, list=ads}",
            r#"lookups{kind="domain",list="ads"}"#,
        ] {
            let key = r#"lookups{kind="domain",list="ads"}"#;
            assert_eq!(parse(text).as_deref(), Ok(key));
        }
        assert_eq!(parse("lookups").as_deref(), Ok("lookups"));
    }

    #[test]
    fn what_is_not_a_metric_is_refused_with_an_example() {
        for text in ["lookups{", "lookups{}", "lookups{list}", "a{b=c}d"] {
            let said = parse(text).unwrap_err();
            assert!(said.contains("write it like lookups{list=ads}"), "{said}");
        }
    }
}
