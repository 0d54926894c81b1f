//! A stranger that is a room's policy server.

use orvale_events::ServerKey;
use ruma::{CanonicalJsonObject, ServerName, canonical_json::redact_in_place};
use serde_json::{Value, json};

use crate::{Joined, Stranger};

/// Where policy servers are asked.
const SIGN: &str = "/_matrix/policy/v1/sign";

impl Stranger {
    /// From now on it signs events of a room when it is asked to, but none whose body has this word. What `m.room.policy` is to say for
    /// that.
    ///
    /// # Panics
    /// If it is asked to sign what is no event.
    #[must_use]
    pub fn check_events(&self, joined: &Joined, refused: &'static str) -> Value {
        let name = ServerName::parse(&*self.name).expect("it is a name");
        let key = ServerKey::generate(name);
        let key = ServerKey::from_seed(key.server_name().to_owned(), "policy_server", &key.seed());
        let key = key.expect("it is a version");
        let named = json!({ "via": self.name, "public_keys": { "ed25519": key.public_key() } });
        let rules = joined.rules.redaction.clone();
        self.answer_by(SIGN, move |event| {
            let body = event["content"]["body"].as_str().unwrap_or_default();
            if body.contains(refused) {
                let error = json!({ "errcode": "M_FORBIDDEN", "error": "This looks like spam" });
                return (400, error);
            }
            let mut event: CanonicalJsonObject =
                serde_json::from_value(event.clone()).expect("it is canonical JSON");
            redact_in_place(&mut event, &rules, None).expect("it is an event");
            event.remove("signatures");
            key.sign_json(&mut event).expect("it can be signed");
            (
                200,
                serde_json::to_value(&event["signatures"]).expect("JSON"),
            )
        });
        named
    }

    /// From now on it signs nothing any more, as if it was out of order.
    pub fn check_no_events(&self) {
        self.answer(SIGN, 503, json!({}));
    }

    /// What it was asked to sign.
    #[must_use]
    pub fn checked(&self) -> Vec<Value> {
        let asked = self.asked().into_iter();
        asked
            .filter(|asked| asked.path == SIGN)
            .map(|asked| asked.body)
            .collect()
    }
}
