//! What the tests of this crate share: any content, and rooms told event by event.

mod room;

use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use ruma::{serde::Base64, server_name};
use serde_json::Value;

pub(crate) use self::room::{TestRoom, Told, user};
use crate::ServerKey;

/// The signing key of the test vectors in the specification.
pub(crate) fn key_of_the_specification() -> ServerKey {
    let seed: Base64 = Base64::parse("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1").unwrap();
    ServerKey::from_seed(
        server_name!("domain").to_owned(),
        "1",
        seed.as_bytes().try_into().unwrap(),
    )
    .unwrap()
}

/// Any JSON object that has a canonical form.
pub(crate) fn any_content() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,8}",
        "[\\x00-\\x7f]{0,6}",
        Just("membership".to_owned()),
        Just("users".to_owned())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        (-3_i64..100).prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(text.clone(), inner, 0..5)
                .prop_map(|map| map.into_iter().collect()),
        ]
    });
    proptest::collection::btree_map("[a-z_]{1,12}|\\PC{0,4}", value, 0..6)
        .prop_map(|map| map.into_iter().collect())
}

/// The same JSON, written with its members in another order, with spaces, and with needless escapes.
pub(crate) fn shuffled(value: &Value, seed: u64) -> String {
    let mut out = String::new();
    write_shuffled(value, &mut StdRng::seed_from_u64(seed), &mut out);
    out
}

fn write_shuffled(value: &Value, random: &mut StdRng, out: &mut String) {
    let space = [" ", "", "\n\t", ""][random.random_range(0..4)];
    out.push_str(space);
    match value {
        Value::Object(object) => {
            let mut members = object.iter().collect::<Vec<_>>();
            members.shuffle(random);
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_escaped(name, random, out);
                out.push(':');
                write_shuffled(value, random, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_shuffled(item, random, out);
            }
            out.push(']');
        }
        Value::String(text) => write_escaped(text, random, out),
        other => out.push_str(&other.to_string()),
    }
    out.push_str(space);
}

fn write_escaped(text: &str, random: &mut impl Rng, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if random.random_bool(0.2) || character < ' ' || character == '"' || character == '\\' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            out.push(character);
        }
    }
    out.push('"');
}
