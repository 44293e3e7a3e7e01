//! JSON request bodies.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::error_code;
use serde::de::DeserializeOwned;

use crate::body;
use crate::limits::Limits;
use crate::problem::Problem;

/// A request body as JSON. The `Content-Type` is ignored: clients send several, and none with some bodies.
///
/// Refuses what is too large, empty, no JSON, nested deeper than 128 levels or of another shape, with the field and
/// the place in the description.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = Limits::of(request);
        let mut payload = payload.take();
        Box::pin(async move { parse(&body::read(&mut payload, &limits).await?).map(Self) })
    }
}

/// Most levels of nested objects and arrays, also in members that nobody reads.
const DEPTH_MAX: usize = 128;

/// Reads a JSON text of a request, e.g. a form field that holds JSON.
///
/// # Errors
/// 400 that names field, line and column.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Problem::new(error_code::BAD_REQUEST, "The request body is empty, JSON is expected"));
    }
    if depth(bytes) > DEPTH_MAX {
        let reason = format!("The request body is nested deeper than {DEPTH_MAX} levels");
        return Err(Problem::new(error_code::BAD_REQUEST, reason));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner();
        // The path is "." when the error is not inside a field.
        if path == "." { refused(&reason) } else { Problem::invalid(&path, &reason) }
    })?;
    deserializer.end().map_err(|error| refused(&error))?;
    Ok(value)
}

/// Levels of nesting. In what is no JSON the count may be wrong, which the parser then says better.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn refused(reason: &serde_json::Error) -> Problem {
    Problem::new(error_code::BAD_REQUEST, format!("The request body is not the expected JSON: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Pizza {
        name: String,
        #[serde(default)]
        toppings: Vec<Topping>,
    }

    #[derive(Debug, Deserialize)]
    struct Topping {
        grams: u32,
    }

    fn refusal(text: &str) -> String {
        parse::<Pizza>(text.as_bytes()).unwrap_err().description().to_owned()
    }

    #[test]
    fn a_fitting_body_is_read() {
        let pizza: Pizza = parse(br#"{"name": "Funghi", "toppings": [{"grams": 20}], "unknown": 1}"#).unwrap();
        assert_eq!((pizza.name.as_str(), pizza.toppings[0].grams), ("Funghi", 20));
    }

    #[test]
    fn a_wrong_field_is_named_with_its_place() {
        let text = "{\"name\": \"Funghi\",\n \"toppings\": [{\"grams\": \"many\"}]}";
        let expected = "toppings[0].grams: invalid type: string \"many\", expected u32 at line 2 column 30";
        assert_eq!(refusal(text), expected);
    }

    #[test]
    fn what_is_missing_empty_or_no_json_is_refused() {
        assert!(refusal("{}").contains("missing field `name`"));
        assert!(refusal("  ").contains("empty"));
        assert!(refusal("{\"name\": ").contains("EOF"));
        assert!(refusal("{\"name\": \"a\"} x").contains("trailing characters"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let error = parse::<serde_json::Value>(deep.as_bytes()).unwrap_err();
        assert!(error.description().contains("nested deeper"), "{error}");
        let unread = format!("{{\"name\": \"a\", \"unknown\": {deep}}}");
        assert!(refusal(&unread).contains("nested deeper"));
        let text = format!("{{\"name\": \"\\\"{}\"}}", "[".repeat(1000));
        assert!(parse::<Pizza>(text.as_bytes()).is_ok(), "brackets in a text are no nesting");
        assert!(parse::<HashMap<String, String>>(b"{}").unwrap().is_empty());
    }
}
