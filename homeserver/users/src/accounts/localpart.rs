//! Localparts: what new accounts may be called, and how other systems' names become localparts.

use ruma::ServerName;

use crate::{Error, Result};

/// Checks the localpart of a new account against the grammar of the specification.
///
/// Accounts of older grammars can exist and log in; new ones are not made.
pub(crate) fn check(localpart: &str, server_name: &ServerName) -> Result<()> {
    if localpart.is_empty() {
        return Err(Error::InvalidUsername(
            "a user name has at least one character",
        ));
    }
    if !localpart.bytes().all(
        |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'=' | b'-' | b'/' | b'+'),
    ) {
        return Err(Error::InvalidUsername(
            "a user name has only the characters a-z, 0-9, dot, underscore, equals sign, hyphen, slash and plus sign",
        ));
    }
    if localpart.len() + server_name.as_str().len() + 2 > 255 {
        return Err(Error::InvalidUsername(
            "a user ID has at most 255 characters",
        ));
    }
    Ok(())
}

/// The localpart for a name of another system: lower case, and what a localpart cannot hold as `=` and two hexadecimal
/// digits for each byte. Two names that differ in more than case get two localparts.
///
/// <https://spec.matrix.org/latest/appendices/#mapping-from-other-character-sets>
pub(crate) fn mapped(name: &str) -> String {
    let mut localpart = String::with_capacity(name.len());
    for byte in name.to_lowercase().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'/' | b'+' | b'_' => {
                localpart.push(char::from(byte));
            }
            _ => localpart.push_str(&format!("={byte:02x}")),
        }
    }
    localpart
}

/// A localpart for somebody who did not choose one.
pub(crate) fn random() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes: [u8; 14] = rand::random();
    bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;

    #[test]
    fn new_accounts_follow_the_grammar() {
        let server = server_name!("example.org");
        for good in ["alice", "a", "a.b_c=d-e/f+9"] {
            assert!(check(good, server).is_ok(), "{good}");
        }
        for bad in [
            "",
            "Alice",
            "a b",
            "älice",
            "a:b",
            "a\0",
            "a@b",
            &"a".repeat(243),
        ] {
            assert!(check(bad, server).is_err(), "{bad}");
        }
        assert!(check(&"a".repeat(242), server).is_ok());
    }

    #[test]
    fn names_of_other_systems_become_localparts() {
        assert_eq!(mapped("Jane.Doe"), "jane.doe");
        assert_eq!(mapped("jane doe@corp"), "jane=20doe=40corp");
        assert_eq!(mapped("a=b"), "a=3db");
        assert_eq!(mapped("Ä"), "=c3=a4");
        assert!(check(&mapped("Ω x:y"), server_name!("example.org")).is_ok());
    }

    #[test]
    fn random_localparts_follow_the_grammar() {
        assert!(check(&random(), server_name!("example.org")).is_ok());
        assert_ne!(random(), random());
    }
}
