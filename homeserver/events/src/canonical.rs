//! Canonical JSON: reading any JSON strictly, and writing the one form that is hashed and signed.
//!
//! Reading refuses what has no canonical form, or what two servers may read differently: numbers that are not integers
//! within ±(2⁵³−1), two members of one name, deep nesting.
//! <https://spec.matrix.org/v1.19/appendices/#canonical-json>

use std::{collections::btree_map::Entry, fmt};

use js_int::Int;
use ruma::{CanonicalJsonObject, CanonicalJsonValue};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::Error;

/// How strictly to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// How deep arrays and objects may be nested.
    pub max_depth: usize,
    /// Whether a number that means an integer may be written otherwise: `1e10`, `-0`, `2.0`.
    pub integral_floats: bool,
}

impl Reading {
    /// What other servers send: it must be canonical but for order and space, since
    /// [version 6](https://spec.matrix.org/v1.19/rooms/v6/#canonical-json) of rooms.
    ///
    /// The specification names no limit of depth. This one is what the JSON readers of common clients and servers still
    /// accept, with room for the response around the event.
    pub const PDU: Self = Self {
        max_depth: 110,
        integral_floats: false,
    };

    /// What clients send, of which we make the canonical form.
    pub const CONTENT: Self = Self {
        max_depth: 64,
        integral_floats: true,
    };
}

/// Reads one JSON object.
pub fn parse_object(json: &[u8], reading: Reading) -> Result<CanonicalJsonObject, Error> {
    match parse(json, reading)? {
        CanonicalJsonValue::Object(object) => Ok(object),
        _ => Err(Error::Json("it must be an object".to_owned())),
    }
}

/// Reads one JSON value.
pub fn parse(json: &[u8], reading: Reading) -> Result<CanonicalJsonValue, Error> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    Strict(reading)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::Json(error.to_string()))
}

/// The canonical form of any JSON value.
pub fn canonicalise(json: &[u8], reading: Reading) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(json.len());
    write_value(&mut out, &parse(json, reading)?);
    Ok(out)
}

/// The canonical form of an object.
pub fn to_vec(object: &CanonicalJsonObject) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_object(&mut out, object);
    out
}

pub(crate) fn write_value(out: &mut Vec<u8>, value: &CanonicalJsonValue) {
    match value {
        CanonicalJsonValue::Null => out.extend_from_slice(b"null"),
        CanonicalJsonValue::Bool(true) => out.extend_from_slice(b"true"),
        CanonicalJsonValue::Bool(false) => out.extend_from_slice(b"false"),
        CanonicalJsonValue::Integer(number) => write_integer(out, i64::from(*number)),
        CanonicalJsonValue::String(text) => write_string(out, text),
        CanonicalJsonValue::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        CanonicalJsonValue::Object(object) => write_object(out, object),
    }
}

/// Strings are ordered by their UTF-8 bytes in the map, which is the order of their code points.
pub(crate) fn write_object(out: &mut Vec<u8>, object: &CanonicalJsonObject) {
    out.push(b'{');
    for (index, (name, value)) in object.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_value(out, value);
    }
    out.push(b'}');
}

pub(crate) fn write_integer(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a digit fits in a byte");
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Writes a string with the fewest escapes: quote, backslash and control characters alone.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[written..index]);
        written = index + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 0xF)]);
            }
        }
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

/// Reads one value; `max_depth` is what is left of it here.
#[derive(Clone, Copy)]
struct Strict(Reading);

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.0.max_depth.checked_sub(1) {
            Some(max_depth) => Ok(Self(Reading {
                max_depth,
                ..self.0
            })),
            None => Err(E::custom("arrays and objects are nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = CanonicalJsonValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = CanonicalJsonValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(CanonicalJsonValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(CanonicalJsonValue::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Int::try_from(value)
            .map(CanonicalJsonValue::Integer)
            .map_err(|_| E::custom(NOT_AN_INTEGER))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Int::try_from(value)
            .map(CanonicalJsonValue::Integer)
            .map_err(|_| E::custom(NOT_AN_INTEGER))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was checked, and integers in it are exact"
    )]
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        if self.0.integral_floats && value.fract() == 0.0 && value.abs() <= MAX_SAFE {
            self.visit_i64(value as i64)
        } else {
            Err(E::custom(NOT_AN_INTEGER))
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(CanonicalJsonValue::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Self::Value, E> {
        Ok(CanonicalJsonValue::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(CanonicalJsonValue::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = CanonicalJsonObject::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(members.next_value_seed(inner)?);
                }
                Entry::Occupied(place) => {
                    return Err(A::Error::custom(format_args!(
                        "an object has two members named {:?}",
                        place.key()
                    )));
                }
            }
        }
        Ok(CanonicalJsonValue::Object(object))
    }
}

/// 2⁵³−1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

const NOT_AN_INTEGER: &str = "numbers must be integers from -9007199254740991 to 9007199254740991";

#[cfg(test)]
mod tests;
