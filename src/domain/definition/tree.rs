//! Documents as trees of values: reading what users send within limits, and writing YAML.

use serde_json::Value;

use super::openapi::{self, DefinitionError, Limits};

/// Reads one object. What begins with `{` is JSON, everything else YAML.
///
/// # Errors
/// Says where the text is not well-formed, or which limit it breaks.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, DefinitionError> {
    openapi::read_document(bytes, limits)
}

/// The value could not be written; a value of JSON always can.
#[derive(Debug, thiserror::Error)]
#[error("the value cannot be written as YAML: {0}")]
pub struct WriteError(String);

/// `value` as YAML that [`read`] reads back as the same value.
///
/// # Errors
/// Never for values that [`read`] made.
pub fn to_yaml(value: &Value) -> Result<String, WriteError> {
    serde_saphyr::to_string(value).map_err(|error| WriteError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_as_yaml_is_read_back_as_it_was() {
        let value = json!({
            "texts": [
                "", " ", "1.0", "1.10", "yes", "no", "on", "null", "~", "true", "0755", "1_000", "1e3", "2020-01-01", "#x",
                "- a", "a: b", "a #b", "\"q\"", "'q'", "line\nline\n", "\n\n", "tab\t", "trailing ", "{x}", "[x]", "*", "&a",
                "!tag", "%x", "@x", "`x`", "a\r\nb", "\u{1f355} pizza", "\u{7f}\u{85}", ":", "-", "?", "|", ">", "=", "<<",
                "0x1F", "0o17", ".inf", ".nan", "12:30:45", "---", "...", "x\n  y\n z", "  leading\nline", "key:",
            ],
            "numbers": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN],
            "others": [true, false, null, {}, [], {"a": []}, [[], [1]]],
            "odd keys": {"a b": 1, "/path/{id}": 2, "200": 3, "": 4, "yes": 5, "a: b": 6, "*": 7, "x\ny": 8},
            "long": "word ".repeat(100),
        });
        let text = to_yaml(&value).unwrap();
        assert_eq!(read(text.as_bytes(), &Limits::default()).unwrap(), value, "{text}");
    }
}
