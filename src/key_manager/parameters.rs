//! Parameters of OAuth requests: a form (RFC 6749 appendix B) or, as some clients send, a JSON object.

use domain::Secret;
use serde_json::Value;

use crate::error::OAuthError;

/// Most parameters of one request.
const PARAMETERS_MAX: usize = 64;

/// Name and value of every parameter that has a value (RFC 6749 section 3.2: an empty one counts as omitted).
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, Secret<String>)>);

impl Parameters {
    /// Reads the body by its media type; without one, what starts with a brace is JSON.
    pub(crate) fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, OAuthError> {
        let media_type = content_type.and_then(|text| text.split(';').next()).map(str::trim).unwrap_or_default();
        let pairs = if media_type.eq_ignore_ascii_case("application/json") || media_type.ends_with("+json") {
            json(body)?
        } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            form(body)?
        } else if !media_type.is_empty() {
            return Err(invalid("the body must be a form or a JSON object"));
        } else if body.trim_ascii_start().starts_with(b"{") {
            json(body)?
        } else {
            form(body)?
        };
        Self::checked(pairs)
    }

    fn checked(pairs: Vec<(String, Secret<String>)>) -> Result<Self, OAuthError> {
        if pairs.len() > PARAMETERS_MAX {
            return Err(invalid("the request has too many parameters"));
        }
        let mut seen = std::collections::HashSet::new();
        if !pairs.iter().all(|(name, _)| seen.insert(name.as_str())) {
            return Err(invalid("a parameter is there twice"));
        }
        Ok(Self(pairs.into_iter().filter(|(_, value)| !value.expose().is_empty()).collect()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Secret<String>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|value| value.expose().as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&Secret<String>, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::InvalidRequest(format!("the parameter '{name}' is missing")))
    }
}

fn invalid(text: &str) -> OAuthError {
    OAuthError::InvalidRequest(text.to_owned())
}

fn form(body: &[u8]) -> Result<Vec<(String, Secret<String>)>, OAuthError> {
    let text = std::str::from_utf8(body).map_err(|_| invalid("the form is not UTF-8"))?;
    Ok(text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .flat_map(|pair| {
            // A known client sends the user name without encoding it, so a plus in it is a plus and not a space.
            let literal_plus = pair.starts_with("username=").then(|| pair.replace('+', "%2B"));
            let pair = literal_plus.as_deref().unwrap_or(pair);
            url::form_urlencoded::parse(pair.as_bytes())
                .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
                .collect::<Vec<_>>()
        })
        .collect())
}

fn json(body: &[u8]) -> Result<Vec<(String, Secret<String>)>, OAuthError> {
    let object: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| invalid("the body is not a JSON object"))?;
    object
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, Secret::new(text))),
            Value::Number(number) => Ok((name, Secret::new(number.to_string()))),
            Value::Bool(flag) => Ok((name, Secret::new(flag.to_string()))),
            _ => Err(OAuthError::InvalidRequest(format!("the parameter '{name}' must be a text"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=UTF-8");

    #[test]
    fn a_raw_user_name_is_taken_as_it_is_and_other_values_are_decoded() {
        let body = b"username=a+b@tenant1.com&password=p%26q+r&scope=apim%3Aadmin+openid&empty=";
        let parameters = Parameters::parse(FORM, body).unwrap();
        assert_eq!(parameters.text("username"), Some("a+b@tenant1.com"));
        assert_eq!(parameters.text("password"), Some("p&q r"));
        assert_eq!(parameters.text("scope"), Some("apim:admin openid"));
        assert_eq!(parameters.text("empty"), None);
        let encoded = Parameters::parse(FORM, b"username=admin%40carbon.super").unwrap();
        assert_eq!(encoded.text("username"), Some("admin@carbon.super"));
    }

    #[test]
    fn json_is_read_with_and_without_its_media_type() {
        let body = br#" {"grant_type": "password", "validity": 60, "x": null}"#;
        for content_type in [Some("application/json"), None, Some("")] {
            let parameters = Parameters::parse(content_type, body).unwrap();
            assert_eq!(parameters.text("grant_type"), Some("password"), "{content_type:?}");
            assert_eq!(parameters.text("validity"), Some("60"));
            assert_eq!(parameters.text("x"), None);
        }
        assert_eq!(Parameters::parse(None, b"a=b").unwrap().text("a"), Some("b"));
    }

    #[test]
    fn repeated_nested_and_foreign_bodies_are_refused() {
        assert!(Parameters::parse(FORM, b"a=1&a=2").is_err());
        assert!(Parameters::parse(None, br#"{"a": {"b": 1}}"#).is_err());
        assert!(Parameters::parse(None, b"{").is_err());
        assert!(Parameters::parse(Some("text/xml"), b"<a/>").is_err());
        assert!(Parameters::parse(FORM, "a=1&b=2&".repeat(40).as_bytes()).is_err());
    }
}
