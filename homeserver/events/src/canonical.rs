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

/// How deep arrays and objects may be nested in what another server sends.
///
/// The specification names no limit. This one is what the JSON readers of common clients and servers still accept, with
/// room for the response around the event.
pub const MAX_DEPTH: usize = 110;

/// How deep arrays and objects may be nested in the content of an event made here.
pub const MAX_CONTENT_DEPTH: usize = 64;

/// Reads one JSON object strictly, nested at most `max_depth` deep (the object itself is one).
pub fn parse_object(json: &[u8], max_depth: usize) -> Result<CanonicalJsonObject, Error> {
    match parse(json, max_depth)? {
        CanonicalJsonValue::Object(object) => Ok(object),
        _ => Err(Error::Json("It must be an object.".to_owned())),
    }
}

/// Reads one JSON value strictly, nested at most `max_depth` deep.
pub fn parse(json: &[u8], max_depth: usize) -> Result<CanonicalJsonValue, Error> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    Strict {
        depth_left: max_depth,
    }
    .deserialize(&mut reader)
    .and_then(|value| reader.end().map(|()| value))
    .map_err(|error| Error::Json(sentence(&error)))
}

/// The canonical form of any JSON value.
pub fn canonicalise(json: &[u8], max_depth: usize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(json.len());
    write_value(&mut out, &parse(json, max_depth)?);
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

/// serde_json's message with its place in the text, as a sentence.
fn sentence(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get(..1) {
        let upper = first.to_uppercase();
        text.replace_range(..1, &upper);
    }
    text.push('.');
    text
}

/// Reads one value, `depth_left` levels of arrays and objects deep at most.
#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| E::custom("arrays and objects are nested too deep"))?;
        Ok(Self { depth_left })
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

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(NOT_AN_INTEGER))
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

const NOT_AN_INTEGER: &str = "numbers must be integers from -9007199254740991 to 9007199254740991, written without fraction or exponent";
