//! Texts to look for.

use serde::Deserialize;

/// The value of a parameter; without NUL, which PostgreSQL takes in no text.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(String);

#[derive(Debug, thiserror::Error)]
#[error("must not contain NUL")]
pub(super) struct ContainsNul;

impl TryFrom<String> for Text {
    type Error = ContainsNul;

    fn try_from(text: String) -> Result<Self, ContainsNul> {
        if text.contains('\0') { Err(ContainsNul) } else { Ok(Self(text)) }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}
