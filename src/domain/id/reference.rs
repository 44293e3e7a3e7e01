//! Ids and numbers by which WSO2's internal interfaces name things.

use std::str::FromStr;

/// How a caller names something: by its id, or by the number that is derived from it (`ApiId::number`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<I> {
    Id(I),
    Number(u32),
}

/// The text is neither a UUID nor such a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither a UUID nor a whole number below 2147483648")]
pub struct InvalidReference(String);

impl<I: FromStr> FromStr for Reference<I> {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        if let Ok(number) = text.parse::<i32>().map_err(drop).and_then(|number| u32::try_from(number).map_err(drop)) {
            return Ok(Self::Number(number));
        }
        text.parse().map(Self::Id).map_err(|_| InvalidReference(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiId;

    #[test]
    fn a_reference_is_an_id_or_a_number() {
        let id = ApiId::random();
        assert_eq!(id.to_string().parse(), Ok(Reference::Id(id)));
        assert_eq!("17".parse::<Reference<ApiId>>(), Ok(Reference::Number(17)));
        for wrong in ["", "-1", "2147483648", "x", "1.0"] {
            assert!(wrong.parse::<Reference<ApiId>>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_is_the_end_of_the_id() {
        let id: ApiId = "018f0000-0000-7000-8000-0000f0000011".parse().unwrap();
        assert_eq!(id.number(), 0x7000_0011);
    }
}
