//! How the permissions of a file are written.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::FromText;

/// Permissions in octal digits. The leading zero keeps a TOML number from being taken for them,
/// whose digits are decimal.
pub(in crate::config) struct FileMode;

impl FromText for FileMode {
    type Value = u32;

    const EXPECTED: &'static str =
        r#"the permissions of a file, as a text of a 0 and three octal digits, such as "0660""#;

    fn parse(text: &str) -> Option<u32> {
        let digits = text.strip_prefix('0')?;
        let is_octal = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        u32::from_str_radix(digits, 8).ok().filter(|_| is_octal)
    }

    fn write(mode: &u32) -> Value {
        format!("0{mode:03o}").into()
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^0[0-7]{3}$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_octal_and_nothing_else() {
        assert_eq!(FileMode::parse("0660"), Some(0o660));
        assert_eq!(FileMode::write(&0o64), "0064");
        for text in [
            "660", "432", "0o660", "01660", "4660", "0680", "06 0", "+660", "",
        ] {
            assert_eq!(FileMode::parse(text), None, "{text}");
        }
    }
}
