//! From bytes to a tree of values: JSON or YAML, with limits on size, depth and the number of values.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{DefinitionError, Limits};

/// Reads one document. What begins with `{` is JSON, everything else YAML.
pub(in crate::definition) fn read(bytes: &[u8], limits: &Limits) -> Result<Value, DefinitionError> {
    let fail = |message: String| DefinitionError::new("", message);
    if bytes.len() > limits.bytes_max {
        return Err(fail(format!("the document has {} bytes, at most {} are allowed", bytes.len(), limits.bytes_max)));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| fail("the document is not UTF-8 text".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.trim_start();
    if start.is_empty() {
        return Err(fail("the document is empty".to_owned()));
    }
    let mut document = if start.starts_with('{') {
        read_json(text, limits).map_err(|error| fail(format!("the document is not valid JSON: {error}")))?
    } else {
        read_yaml(text, limits).map_err(|error| fail(format!("the document is not valid YAML: {error}")))?
    };
    if !document.is_object() {
        return Err(fail("the document is not an object".to_owned()));
    }
    spell_out_head(&mut document, text, limits);
    Ok(document)
}

fn read_json(text: &str, limits: &Limits) -> Result<Value, serde_json::Error> {
    let nodes = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Node { limits, nodes: &nodes, depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

fn read_yaml(text: &str, limits: &Limits) -> Result<Value, serde_saphyr::Error> {
    let nodes = Cell::new(0);
    serde_saphyr::with_deserializer_from_str_with_options(text, yaml_options(limits), |deserializer| {
        Node { limits, nodes: &nodes, depth: 0 }.deserialize(deserializer)
    })
}

/// YAML 1.2 scalars as OpenAPI demands (`on`, `yes`, `0755` and `1_000` stay strings) and a tight budget, because an
/// alias makes a small text a large document.
fn yaml_options(limits: &Limits) -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: limits.depth_max,
            max_nodes: limits.nodes_max,
            max_events: limits.nodes_max.saturating_mul(2),
            max_documents: 1,
            max_aliases: 5_000,
            max_anchors: 5_000,
            max_recorded_anchor_events: 200_000,
            max_merge_keys: 1_000,
            max_total_scalar_bytes: limits.bytes_max,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 16,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        ignore_binary_tag_for_string: true,
        emit_comments: false,
        with_snippet: false,
    }
}

/// People write `version: 1.10` and mean the text: the few strings of the head that YAML would read as numbers get the
/// spelling that the document has.
fn spell_out_head(document: &mut Value, text: &str, limits: &Limits) {
    const HEAD: [&str; 4] = ["/openapi", "/swagger", "/info/version", "/info/title"];
    let is_scalar = |value: &Value| value.is_number() || value.is_boolean();
    if text.trim_start().starts_with('{') || !HEAD.iter().any(|at| document.pointer(at).is_some_and(is_scalar)) {
        return;
    }
    // Where the head has another shape than this, the checks that follow report it.
    let Ok(head) = serde_saphyr::from_str_with_options::<Head>(text, yaml_options(limits)) else { return };
    let info = head.info.unwrap_or_default();
    for (at, spelling) in HEAD.iter().zip([head.openapi, head.swagger, info.version, info.title]) {
        if let (Some(place), Some(spelling)) = (document.pointer_mut(at), spelling)
            && is_scalar(place)
        {
            *place = Value::String(spelling);
        }
    }
}

#[derive(serde::Deserialize)]
struct Head {
    openapi: Option<String>,
    swagger: Option<String>,
    info: Option<HeadInfo>,
}

#[derive(serde::Deserialize, Default)]
struct HeadInfo {
    version: Option<String>,
    title: Option<String>,
}

/// Builds a [`Value`] and counts. `serde_json` alone takes the last of two equal keys, which lets one document mean two
/// things to two readers; here they are an error.
#[derive(Clone, Copy)]
struct Node<'a> {
    limits: &'a Limits,
    nodes: &'a Cell<usize>,
    depth: usize,
}

impl Node<'_> {
    fn child<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= self.limits.depth_max {
            return Err(E::custom(format!("nested deeper than {} levels", self.limits.depth_max)));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let count = self.nodes.get() + 1;
        self.nodes.set(count);
        if count > self.limits.nodes_max {
            return Err(D::Error::custom(format!("more than {} values", self.limits.nodes_max)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can express")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(child)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let child = self.child()?;
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                let key: String = key.chars().take(80).collect();
                return Err(A::Error::custom(format!("the key '{key}' appears twice in one object")));
            }
            let value = map.next_value_seed(child)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
