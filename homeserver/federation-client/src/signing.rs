//! What is signed of a request, and the `X-Matrix` header that carries the signature.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#request-authentication>

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ed25519_dalek::{Signature, VerifyingKey};
use orvale_events::ServerKey;
use ruma::{OwnedServerName, ServerName};
use serde_json::Value;

/// Unpadded when written, with or without padding when read.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        // As the keys of the specification's own examples have them.
        .with_decode_allow_trailing_bits(true),
);

/// Canonical JSON of the body of a request: keys in order, no space.
///
/// More forgiving than the form of events: a number may have a fraction. Servers sign what clients wrote into to-device messages, and one such message must not make
/// all that comes with it unreadable. The events in it are read strictly, each by itself.
///
/// # Errors
/// The body is not JSON.
pub fn canonical(body: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    write(&mut out, &serde_json::from_slice(body)?)?;
    Ok(out)
}

/// Writes a value with the names of each object in order, whatever order they are kept in.
fn write(out: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name)?;
                out.push(b':');
                write(out, value)?;
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(out, item)?;
            }
            out.push(b']');
        }
        other => serde_json::to_writer(out, other)?,
    }
    Ok(())
}

/// The bytes that are signed of a request. `uri` begins with the path; `content` is canonical JSON, if there is a body.
pub(crate) fn signed_bytes(
    method: &http::Method,
    uri: &str,
    origin: &ServerName,
    destination: &ServerName,
    content: Option<&[u8]>,
) -> Vec<u8> {
    let text = |text: &str| serde_json::to_string(text).expect("a string is JSON");
    let mut bytes = Vec::with_capacity(256 + content.map_or(0, <[u8]>::len));
    bytes.push(b'{');
    if let Some(content) = content {
        bytes.extend_from_slice(b"\"content\":");
        bytes.extend_from_slice(content);
        bytes.push(b',');
    }
    for (name, value, end) in [
        ("destination", destination.as_str(), b','),
        ("method", method.as_str(), b','),
        ("origin", origin.as_str(), b','),
        ("uri", uri, b'}'),
    ] {
        bytes.extend_from_slice(format!("\"{name}\":{}", text(value)).as_bytes());
        bytes.push(end);
    }
    bytes
}

/// The `Authorization` header with this server's signature of a request. `uri` begins with the path; `content` is canonical JSON, if there is a body.
pub fn authorization(
    key: &ServerKey,
    method: &http::Method,
    uri: &str,
    destination: &ServerName,
    content: Option<&[u8]>,
) -> String {
    let origin = key.server_name();
    let signature = key.sign_bytes(&signed_bytes(method, uri, origin, destination, content));
    // Quoted, in small letters, without spaces: as servers of all ages understand it.
    format!(
        "X-Matrix origin=\"{origin}\",destination=\"{destination}\",key=\"{}\",sig=\"{signature}\"",
        key.key_id()
    )
}

/// What an `X-Matrix` header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XMatrix {
    /// The server that asks.
    pub origin: OwnedServerName,
    /// The server that is asked; servers of before version 1.3 leave it out.
    pub destination: Option<OwnedServerName>,
    /// The ID of the key, with its algorithm.
    pub key_id: String,
    signature: Vec<u8>,
}

/// Why an `X-Matrix` header is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The header Authorization is no valid X-Matrix header: {0}")]
pub struct BadHeader(&'static str);

impl XMatrix {
    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`BadHeader`].
    pub fn parse(value: &str) -> Result<Self, BadHeader> {
        let (scheme, rest) = value
            .trim()
            .split_once(' ')
            .ok_or(BadHeader("it is empty"))?;
        if !scheme.eq_ignore_ascii_case("X-Matrix") {
            return Err(BadHeader("the scheme is another"));
        }
        let (mut origin, mut destination, mut key, mut sig) = (None, None, None, None);
        let mut rest = rest.trim_start();
        while !rest.is_empty() {
            let (name, value, after) = parameter(rest)?;
            let place = match name.to_ascii_lowercase().as_str() {
                "origin" => &mut origin,
                "destination" => &mut destination,
                "key" => &mut key,
                "sig" => &mut sig,
                _ => &mut None,
            };
            if place.replace(value).is_some() {
                return Err(BadHeader("a parameter is there twice"));
            }
            rest = after;
        }
        let server = |name: String| {
            OwnedServerName::try_from(name).map_err(|_| BadHeader("that is no server name"))
        };
        let sig = sig.ok_or(BadHeader("sig is missing"))?;
        Ok(Self {
            origin: server(origin.ok_or(BadHeader("origin is missing"))?)?,
            destination: destination.map(server).transpose()?,
            key_id: key.ok_or(BadHeader("key is missing"))?,
            signature: BASE64
                .decode(sig)
                .map_err(|_| BadHeader("sig is not base64"))?,
        })
    }

    /// Whether the signature is by this key, over this request to `us`.
    #[must_use]
    pub fn is_signed_by(
        &self,
        key: &[u8],
        method: &http::Method,
        uri: &str,
        us: &ServerName,
        content: Option<&[u8]>,
    ) -> bool {
        let bytes = signed_bytes(method, uri, &self.origin, us, content);
        is_signature(key, &bytes, &self.signature)
    }
}

/// Whether `signature` is one by the public key, over the message.
pub(crate) fn is_signature(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = <[u8; 32]>::try_from(key)
        .ok()
        .and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = Signature::from_slice(signature).ok();
    key.zip(signature)
        .is_some_and(|(key, signature)| key.verify_strict(message, &signature).is_ok())
}

/// The first `name=value` of a list, and what follows its comma. Values may be quoted; those that are not may have colons too, as older
/// servers write them.
fn parameter(list: &str) -> Result<(&str, String, &str), BadHeader> {
    let list = list.trim_start_matches([' ', '\t', ',']);
    let (name, rest) = list
        .split_once('=')
        .ok_or(BadHeader("a parameter has no value"))?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let mut value = String::new();
            let mut characters = quoted.char_indices();
            loop {
                match characters.next() {
                    Some((at, '"')) => break (value, &quoted[at + 1..]),
                    Some((_, '\\')) => match characters.next() {
                        Some((_, escaped)) => value.push(escaped),
                        None => return Err(BadHeader("a quotation does not end")),
                    },
                    Some((_, character)) => value.push(character),
                    None => return Err(BadHeader("a quotation does not end")),
                }
            }
        }
        None => {
            let end = rest.find(',').unwrap_or(rest.len());
            (
                rest[..end].trim_end_matches([' ', '\t']).to_owned(),
                &rest[end..],
            )
        }
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    if !rest.is_empty() && !rest.starts_with(',') {
        return Err(BadHeader("something stands between the parameters"));
    }
    Ok((
        name.trim(),
        value,
        rest.trim_start_matches([' ', '\t', ',']),
    ))
}

#[cfg(test)]
mod tests {
    use http::Method;
    use ruma::server_name;

    use super::*;

    /// The key of the specification's examples.
    fn key() -> ServerKey {
        let seed = BASE64
            .decode("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1")
            .unwrap();
        ServerKey::from_seed(
            server_name!("domain").to_owned(),
            "1",
            &seed.try_into().unwrap(),
        )
        .unwrap()
    }

    fn public() -> Vec<u8> {
        BASE64.decode(key().public_key()).unwrap()
    }

    #[test]
    fn json_of_the_specification_has_its_signature() {
        let object = br#"{ "two": "Two", "one": 1 }"#;
        assert_eq!(
            key().sign_bytes(&canonical(object).unwrap()),
            "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"
        );
    }

    #[test]
    fn signed_are_method_target_and_both_names() {
        let bytes = signed_bytes(
            &Method::PUT,
            "/_matrix/federation/v1/send/1?a=%20",
            server_name!("a.example"),
            server_name!("b.example"),
            Some(b"{\"x\":1}"),
        );
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"content":{"x":1},"destination":"b.example","method":"PUT","origin":"a.example","uri":"/_matrix/federation/v1/send/1?a=%20"}"#
        );
        assert_eq!(canonical(&bytes).unwrap(), bytes);
    }

    #[test]
    fn header_holds_for_just_this_request() {
        let content = canonical(br#"{"b":2,"a":1}"#).unwrap();
        let us = server_name!("us.example:8448");
        let header = authorization(&key(), &Method::PUT, "/x", us, Some(&content));
        let read = XMatrix::parse(&header).unwrap();
        assert_eq!(read.origin, "domain");
        assert_eq!(read.destination.as_deref(), Some(us));
        assert_eq!(read.key_id, "ed25519:1");
        let holds = |method, uri, us, content: Option<&[u8]>| {
            read.is_signed_by(&public(), method, uri, us, content)
        };
        assert!(holds(&Method::PUT, "/x", us, Some(&content)));
        assert!(!holds(&Method::POST, "/x", us, Some(&content)));
        assert!(!holds(&Method::PUT, "/y", us, Some(&content)));
        assert!(!holds(
            &Method::PUT,
            "/x",
            server_name!("them.example"),
            Some(&content)
        ));
        assert!(!holds(&Method::PUT, "/x", us, Some(b"{}")));
        assert!(!holds(&Method::PUT, "/x", us, None));
        assert!(!read.is_signed_by(&[0; 32], &Method::PUT, "/x", us, Some(&content)));
    }

    #[test]
    fn header_may_be_written_in_all_ways_of_the_specification() {
        for header in [
            r#"X-Matrix origin="a.example:80",destination="us",key="ed25519:k",sig="dGVzdA==""#,
            r"X-Matrix origin=a.example:80,destination=us,key=ed25519:k,sig=dGVzdA",
            "x-matrix  sig=\"dGVzdA\" ,\t KEY=\"ed25519\\:k\" , Origin=a.example:80 ,destination=us, other=\"a,b=\\\"c\"",
        ] {
            let read = XMatrix::parse(header).unwrap();
            assert_eq!(read.origin, "a.example:80", "{header}");
            assert_eq!(read.destination.as_deref(), Some(server_name!("us")));
            assert_eq!(
                (read.key_id.as_str(), &read.signature[..]),
                ("ed25519:k", &b"test"[..])
            );
        }
        let old = XMatrix::parse(r#"X-Matrix origin="a",key="ed25519:k",sig="dGVzdA""#).unwrap();
        assert_eq!(old.destination, None);
    }

    #[test]
    fn what_is_no_header_of_ours_is_refused() {
        for header in [
            "",
            "Bearer abc",
            "X-Matrix",
            "X-Matrix origin",
            r#"X-Matrix origin="a",key="k""#,
            r#"X-Matrix origin="a,key="k",sig="dGVzdA""#,
            r#"X-Matrix origin="a"key="k",sig="dGVzdA""#,
            r#"X-Matrix origin="a",origin="b",key="k",sig="dGVzdA""#,
            r#"X-Matrix origin="not a name",key="k",sig="dGVzdA""#,
            r#"X-Matrix origin="a",key="k",sig="?""#,
        ] {
            assert!(XMatrix::parse(header).is_err(), "{header}");
        }
    }

    #[test]
    fn names_are_in_order_however_a_value_keeps_them() {
        let mut object = serde_json::Map::new();
        for name in ["b", "\u{1f600}", "a", "\u{e000}"] {
            object.insert(name.to_owned(), Value::Null);
        }
        let mut out = Vec::new();
        write(&mut out, &Value::Array(vec![Value::Object(object)])).unwrap();
        let expected = "[{\"a\":null,\"b\":null,\"\u{e000}\":null,\"\u{1f600}\":null}]";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn number_with_a_fraction_does_not_make_a_body_unreadable() {
        assert_eq!(
            canonical(br#"{"b": 1.5, "a": [1, -2, "\u00e4\n"]}"#).unwrap(),
            "{\"a\":[1,-2,\"ä\\n\"],\"b\":1.5}".as_bytes()
        );
        assert!(canonical(b"{").is_err());
    }
}
