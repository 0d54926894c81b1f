//! [`ServerAcl`]: which servers may take part in a room.
//! <https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl>

use std::collections::HashSet;

use ruma::ServerName;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue as RawJsonValue;

use crate::glob::Glob;

/// The content of an `m.room.server_acl`, ready for asking about many servers.
#[derive(Debug, Clone)]
pub struct ServerAcl {
    allow_ip_literals: bool,
    allow: Globs,
    deny: Globs,
}

impl ServerAcl {
    /// Reads the content. What has the wrong type counts as missing: an ACL cannot be refused, and one that was read as "none"
    /// would open the room.
    pub fn parse(content: &RawJsonValue) -> Self {
        let content = serde_json::from_str::<Content>(content.get()).unwrap_or_default();
        Self {
            allow_ip_literals: content.allow_ip_literals.unwrap_or(true),
            allow: Globs::new(&content.allow),
            deny: Globs::new(&content.deny),
        }
    }

    /// Whether the server may take part. Its port does not matter.
    pub fn is_allowed(&self, server_name: &ServerName) -> bool {
        let host = server_name.host().to_ascii_lowercase();
        (self.allow_ip_literals || !server_name.is_ip_literal())
            && !self.deny.any_matches(&host)
            && self.allow.any_matches(&host)
    }
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default, deserialize_with = "boolean")]
    allow_ip_literals: Option<bool>,
    #[serde(default, deserialize_with = "strings")]
    allow: Vec<String>,
    #[serde(default, deserialize_with = "strings")]
    deny: Vec<String>,
}

fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_bool())
}

fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let serde_json::Value::Array(items) = serde_json::Value::deserialize(deserializer)? else {
        return Ok(Vec::new());
    };
    let strings = items.into_iter().filter_map(|item| match item {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    });
    Ok(strings.collect())
}

/// Long lists name most servers in full; those are looked up at once.
#[derive(Debug, Clone)]
struct Globs {
    names: HashSet<String>,
    patterns: Vec<Glob>,
}

impl Globs {
    fn new(patterns: &[String]) -> Self {
        let mut globs = Self {
            names: HashSet::new(),
            patterns: Vec::new(),
        };
        for glob in patterns.iter().map(|pattern| Glob::new(pattern)) {
            match glob.as_literal() {
                Some(name) => {
                    globs.names.insert(name.to_owned());
                }
                None => globs.patterns.push(glob),
            }
        }
        globs
    }

    fn any_matches(&self, host: &str) -> bool {
        self.names.contains(host) || self.patterns.iter().any(|glob| glob.matches(host))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn allows(content: &serde_json::Value, server: &str) -> bool {
        let content = to_raw_value(content).expect("JSON");
        ServerAcl::parse(&content)
            .is_allowed(<&ServerName>::try_from(server).expect("a server name"))
    }

    #[test]
    fn deny_goes_before_allow() {
        let acl = json!({ "allow": ["*"], "deny": ["evil.com", "*.evil.com"] });
        assert!(allows(&acl, "good.com"));
        assert!(!allows(&acl, "evil.com"));
        assert!(!allows(&acl, "a.b.evil.com"));
        assert!(allows(&acl, "notevil.com"));
    }

    #[test]
    fn port_and_case_do_not_matter() {
        let acl = json!({ "allow": ["*"], "deny": ["Evil.com"] });
        for server in ["evil.com", "evil.com:8448", "EVIL.com:1234"] {
            assert!(!allows(&acl, server), "{server}");
        }
    }

    #[test]
    fn without_an_allow_rule_nobody_may() {
        assert!(!allows(&json!({}), "good.com"));
        assert!(!allows(&json!({ "allow": "*" }), "good.com"));
        assert!(!allows(&json!("not an object"), "good.com"));
    }

    #[test]
    fn ip_literals_are_denied_on_request() {
        let acl = json!({ "allow": ["*"], "allow_ip_literals": false });
        for server in ["1.2.3.4", "1.2.3.4:8448", "[::1]", "[2001:db8::1]:8448"] {
            assert!(!allows(&acl, server), "{server}");
        }
        assert!(allows(&acl, "1.2.3.4.example.com"));
        assert!(allows(
            &json!({ "allow": ["*"], "allow_ip_literals": "no" }),
            "1.2.3.4"
        ));
        assert!(!allows(
            &json!({ "allow": ["*"], "deny": ["1.2.3.*"] }),
            "1.2.3.4"
        ));
    }

    #[test]
    fn what_is_no_pattern_is_passed_over() {
        let acl = json!({ "allow": [7, null, "good.com"], "deny": { "good.com": true } });
        assert!(allows(&acl, "good.com"));
        assert!(!allows(&acl, "other.com"));
    }
}
