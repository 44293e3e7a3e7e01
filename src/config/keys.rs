//! Asks a configuration struct for its keys through serde, so that the list of valid keys cannot drift from the code.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};

/// The keys of the struct at `path` below `T`; `None` when a plain value is there.
///
/// The path must be valid down to its last segment.
pub(crate) fn keys_at<T: DeserializeOwned>(path: &[&str]) -> Option<&'static [&'static str]> {
    let mut keys = None;
    // The probe never yields a value: it always ends with an error, after it has seen the struct.
    let _ = T::deserialize(Probe { path, keys: &mut keys });
    keys
}

#[derive(Debug, thiserror::Error)]
#[error("end of the probe")]
struct Stop;

impl serde::de::Error for Stop {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Probe<'p> {
    path: &'p [&'p str],
    keys: &'p mut Option<&'static [&'static str]>,
}

/// A map with the one entry that leads further down the path.
struct Entry<'p> {
    probe: Option<Probe<'p>>,
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Stop;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if self.path.is_empty() {
            *self.keys = Some(fields);
            return Err(Stop);
        }
        visitor.visit_map(Entry { probe: Some(self) })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Stop> {
        Err(Stop)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        let Some(key) = self.probe.as_ref().and_then(|probe| probe.path.first()) else { return Ok(None) };
        let key: StrDeserializer<'_, Stop> = (*key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let probe = self.probe.take().ok_or(Stop)?;
        seed.deserialize(Probe { path: probe.path.get(1..).unwrap_or_default(), keys: probe.keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn keys_are_those_of_the_struct_at_the_path() {
        assert!(keys_at::<Config>(&[]).unwrap().contains(&"server"));
        assert!(keys_at::<Config>(&["server"]).unwrap().contains(&"port_offset"));
        let of_database = keys_at::<Config>(&["database", "apim_db"]).unwrap();
        assert_eq!(of_database[..3], ["url", "pool_size", "acquire_timeout"]);
        assert_eq!(of_database[4..6], ["statement_timeout", "lock_timeout"]);
    }

    #[test]
    fn a_plain_value_has_no_keys() {
        assert_eq!(keys_at::<Config>(&["server", "port_offset"]), None);
        assert_eq!(keys_at::<Config>(&["server", "version_port"]), None);
        assert_eq!(keys_at::<Config>(&["super_admin", "password"]), None);
    }
}
