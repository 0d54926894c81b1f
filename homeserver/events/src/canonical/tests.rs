use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{any_content, shuffled};

fn canonical(json: &str) -> String {
    String::from_utf8(canonicalise(json.as_bytes(), Reading::CONTENT).unwrap()).unwrap()
}

fn refusal(json: &str, reading: Reading) -> String {
    parse(json.as_bytes(), reading).unwrap_err().to_string()
}

#[test]
fn examples_of_the_specification() {
    let examples = [
        ("{}", "{}"),
        (r#"{ "one": 1, "two": "Two" }"#, r#"{"one":1,"two":"Two"}"#),
        (r#"{ "b": "2", "a": "1" }"#, r#"{"a":"1","b":"2"}"#),
        (r#"{"b":"2","a":"1"}"#, r#"{"a":"1","b":"2"}"#),
        (
            r#"{ "auth": { "success": true, "mxid": "@john.doe:example.com", "profile": { "display_name": "John Doe",
                "three_pids": [ { "medium": "email", "address": "john.doe@example.org" },
                                { "medium": "msisdn", "address": "123456789" } ] } } }"#,
            concat!(
                r#"{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":"#,
                r#"[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"#,
                r#""success":true}}"#
            ),
        ),
        (r#"{ "a": "日本語" }"#, r#"{"a":"日本語"}"#),
        (r#"{ "本": 2, "日": 1 }"#, r#"{"日":1,"本":2}"#),
        (r#"{ "a": "\u65E5" }"#, r#"{"a":"日"}"#),
        (r#"{ "a": null }"#, r#"{"a":null}"#),
        (r#"{ "a": -0, "b": 1e10 }"#, r#"{"a":0,"b":10000000000}"#),
    ];
    for (given, expected) in examples {
        assert_eq!(canonical(given), expected);
    }
}

#[test]
fn strings_have_the_fewest_escapes() {
    let given = "\"\\u0000\\u0008\\u0009\\u000A\\u000b\\u000C\\u000D\\u001F\\u007f\\/\\\"\\\\\\u00e4\\ud83d\\ude00\"";
    assert_eq!(
        canonical(given),
        "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\u{7f}/\\\"\\\\ä😀\""
    );
}

#[test]
fn members_are_sorted_by_code_point_not_by_utf16() {
    assert_eq!(
        canonical(r#"{"😀":1,"ﬀ":2,"b":3,"aa":4,"a":5,"":6}"#),
        r#"{"":6,"a":5,"aa":4,"b":3,"ﬀ":2,"😀":1}"#
    );
}

#[test]
fn numbers_other_than_integers_in_range_are_refused() {
    for number in [
        "1.5",
        "9007199254740992",
        "-9007199254740992",
        "1e300",
        "18446744073709551616",
        "0.1e2000",
    ] {
        let text = format!("{{\"a\":{number}}}");
        for reading in [Reading::PDU, Reading::CONTENT] {
            assert!(parse(text.as_bytes(), reading).is_err(), "{number}");
        }
    }
    assert_eq!(
        canonical("[9007199254740991,-9007199254740991]"),
        "[9007199254740991,-9007199254740991]"
    );
    assert!(refusal("[1.5]", Reading::CONTENT).contains("numbers must be integers"));
}

#[test]
fn other_servers_must_write_integers_as_integers() {
    for number in ["1.0", "1e3", "-0", "0.0"] {
        assert!(parse(number.as_bytes(), Reading::PDU).is_err(), "{number}");
    }
}

#[test]
fn two_members_of_one_name_are_refused() {
    assert!(
        refusal(r#"{"a":1,"b":{"c":1,"c":1}}"#, Reading::PDU).contains("two members named \"c\"")
    );
    assert!(refusal(r#"{"a":1,"\u0061":2}"#, Reading::CONTENT).contains("two members named \"a\""));
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    for reading in [Reading::PDU, Reading::CONTENT] {
        assert!(parse(nested(reading.max_depth).as_bytes(), reading).is_ok());
        assert!(refusal(&nested(reading.max_depth + 1), reading).contains("nested too deep"));
        assert!(parse(nested(1_000_000).as_bytes(), reading).is_err());
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        "{",
        "{\"a\":1}x",
        "{'a':1}",
        "[1,]",
        "NaN",
        "\"\\ud800\"",
        "\"\u{1}\"",
        "01",
        "nul",
    ] {
        assert!(parse(text.as_bytes(), Reading::CONTENT).is_err(), "{text}");
    }
    assert!(parse(b"\"\xff\"", Reading::CONTENT).is_err());
    assert!(parse_object(b"[]", Reading::CONTENT).is_err());
}

#[test]
fn writing_is_what_ruma_writes() {
    let value = json!({ "z": [1, -5, null, true, { "ä": "\u{1}\"" }], "a": { "b": 0 }, "€": "x" });
    let object = parse_object(value.to_string().as_bytes(), Reading::PDU).unwrap();
    assert_eq!(to_vec(&object), serde_json::to_vec(&object).unwrap());
}

proptest! {
    #[test]
    fn canonical_json_is_stable_and_free_of_order(value in any_content(), seed in any::<u64>()) {
        let once = canonical(&value.to_string());
        prop_assert_eq!(&canonical(&once), &once);
        prop_assert_eq!(&canonical(&shuffled(&value, seed)), &once);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&once).unwrap(), value.clone());
        let ruma = ruma::CanonicalJsonValue::try_from(value).unwrap();
        prop_assert_eq!(ruma.to_string(), once);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9eE.+\\-tfn\\\\u \\PC]{0,40}") {
        if let Ok(once) = canonicalise(text.as_bytes(), Reading::CONTENT) {
            prop_assert_eq!(canonicalise(&once, Reading::PDU).unwrap(), once);
        }
    }
}
