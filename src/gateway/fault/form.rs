//! JSON or XML: what a client reads its faults in.

use std::fmt::Write as _;

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};

/// The form of fault bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FaultForm {
    #[default]
    Json,
    Xml,
}

/// Prefix and namespace of an XML fault.
#[derive(Debug, Clone, Copy)]
pub struct Namespace {
    pub prefix: &'static str,
    pub uri: &'static str,
}

impl Namespace {
    pub const GENERAL: Self = Self { prefix: "am", uri: "http://wso2.org/apimanager" };
    pub const SECURITY: Self = Self { prefix: "ams", uri: "http://wso2.org/apimanager/security" };
    pub const THROTTLING: Self = Self { prefix: "amt", uri: "http://wso2.org/apimanager/throttling" };
}

impl FaultForm {
    /// What `Accept` prefers (RFC 9110 section 12.5.1); when it prefers neither, what the request itself is written in.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let names_xml = |name| headers.get_all(name).iter().any(mentions_xml);
        if !names_xml(ACCEPT) && !names_xml(CONTENT_TYPE) {
            return Self::Json;
        }
        let (json, xml) = preferences(headers);
        let is_xml_request = || {
            let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            content_type.is_some_and(|value| is_xml(&media_type(value)))
        };
        if xml > json || (xml == json && is_xml_request()) { Self::Xml } else { Self::Json }
    }

    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=UTF-8",
            Self::Xml => "application/xml; charset=UTF-8",
        })
    }

    /// Writes the fields of a fault, which are texts.
    #[must_use]
    pub fn write(self, fields: Map<String, Value>, namespace: Namespace) -> String {
        match self {
            Self::Json => Value::Object(fields).to_string(),
            Self::Xml => xml(&fields, namespace),
        }
    }
}

fn mentions_xml(value: &HeaderValue) -> bool {
    value.as_bytes().windows(3).any(|part| part.eq_ignore_ascii_case(b"xml"))
}

/// Quality of JSON and of XML in thousandths; what is not named has that of the range it is in.
fn preferences(headers: &HeaderMap) -> (u16, u16) {
    let lines: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if lines.is_empty() {
        return (1000, 1000);
    }
    let (mut json, mut xml) = (Preference::default(), Preference::default());
    for range in lines.iter().flat_map(|line| line.split(',')) {
        let (name, quality) = (media_type(range), quality(range));
        match name.as_str() {
            "*/*" => [&mut json, &mut xml].into_iter().for_each(|own| own.note(1, quality)),
            "application/*" => [&mut json, &mut xml].into_iter().for_each(|own| own.note(2, quality)),
            "text/*" => xml.note(2, quality),
            name if is_xml(name) => xml.note(3, quality),
            name if name.ends_with("/json") || name.ends_with("+json") => json.note(3, quality),
            _ => {}
        }
    }
    (json.quality, xml.quality)
}

/// The most specific range counts; of equally specific ones the better.
#[derive(Default)]
struct Preference {
    specificity: u8,
    quality: u16,
}

impl Preference {
    fn note(&mut self, specificity: u8, quality: u16) {
        if (specificity, quality) > (self.specificity, self.quality) {
            (self.specificity, self.quality) = (specificity, quality);
        }
    }
}

fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_xml(media_type: &str) -> bool {
    (media_type.ends_with("/xml") || media_type.ends_with("+xml")) && media_type != "application/xhtml+xml"
}

fn quality(range: &str) -> u16 {
    let weight = range
        .split(';')
        .skip(1)
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let Some((_, value)) = weight else { return 1000 };
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if whole != "0" {
        return 1000;
    }
    // Three digits at most (RFC 9110 section 12.4.2).
    let digits = fraction.bytes().chain(*b"000").take(3);
    digits.fold(0, |sum, digit| sum * 10 + u16::from(digit.saturating_sub(b'0').min(9)))
}

fn xml(fields: &Map<String, Value>, Namespace { prefix, uri }: Namespace) -> String {
    let mut text = format!("<{prefix}:fault xmlns:{prefix}=\"{uri}\">");
    for (name, value) in fields {
        let value = escaped(value.as_str().unwrap_or_default());
        // Writing into a String cannot fail.
        let _ = write!(text, "<{prefix}:{name}>{value}</{prefix}:{name}>");
    }
    let _ = write!(text, "</{prefix}:fault>");
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: Option<&'static str>, content_type: Option<&'static str>) -> FaultForm {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ACCEPT, accept), (CONTENT_TYPE, content_type)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        FaultForm::negotiate(&headers)
    }

    #[test]
    fn accept_decides_and_where_it_does_not_the_request_does() {
        for (accept, content_type, expected) in [
            (None, None, FaultForm::Json),
            (Some("*/*"), None, FaultForm::Json),
            (Some("application/xml"), None, FaultForm::Xml),
            (Some("text/xml;q=0.5"), Some("application/json"), FaultForm::Xml),
            (Some("application/xml;q=0.5, application/json"), None, FaultForm::Json),
            (Some("application/xml, application/json;q=0.9"), None, FaultForm::Xml),
            (Some("application/xml, application/json"), None, FaultForm::Json),
            (Some("application/json"), Some("application/xml"), FaultForm::Json),
            (Some("*/*"), Some("application/xml; charset=utf-8"), FaultForm::Xml),
            (None, Some("text/xml"), FaultForm::Xml),
            (Some("text/html"), Some("application/soap+xml"), FaultForm::Xml),
            (Some("application/xhtml+xml"), None, FaultForm::Json),
            (Some("application/xml;q=0"), None, FaultForm::Json),
        ] {
            assert_eq!(form(accept, content_type), expected, "{accept:?} {content_type:?}");
        }
    }

    #[test]
    fn texts_cannot_leave_their_element() {
        assert_eq!(escaped("a<b>&\u{1}"), "a&lt;b&gt;&amp; ");
    }
}
