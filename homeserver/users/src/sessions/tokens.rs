//! Tokens, and the hashes that are kept of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use orvale_storage::trees::users::TokenHash;
use sha2::{Digest, Sha256};

/// SHA-256 of a token. Tokens are random, so a plain hash is enough to keep what is stored from being of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hash(pub(crate) TokenHash);

impl Hash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// A new token: 256 random bits behind a prefix that tells people, and scanners for leaked secrets, what it is.
pub(crate) fn random(prefix: &str) -> String {
    format!(
        "{prefix}_{}",
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
    )
}

/// Random capital letters.
pub(crate) fn random_capitals(count: usize) -> String {
    (0..count)
        .map(|_| char::from(rand::random_range(b'A'..=b'Z')))
        .collect()
}

/// Random letters of both cases.
pub(crate) fn random_letters(count: usize) -> String {
    let letter = || {
        let capital = rand::random_range(b'A'..=b'Z');
        if rand::random() {
            capital
        } else {
            capital.to_ascii_lowercase()
        }
    };
    (0..count).map(|_| char::from(letter())).collect()
}

/// Random hexadecimal digits.
pub(crate) fn random_hex(count: usize) -> String {
    (0..count)
        .map(|_| char::from_digit(rand::random_range(0..16), 16).expect("below 16"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_say_what_they_are_and_differ() {
        let token = random("ora");
        assert!(token.starts_with("ora_") && token.len() == 47);
        assert_ne!(token, random("ora"));
    }

    #[test]
    fn random_texts_have_the_asked_length_and_letters() {
        assert!(
            random_capitals(10).len() == 10
                && random_capitals(50).bytes().all(|b| b.is_ascii_uppercase())
        );
        assert!(
            random_letters(16).len() == 16
                && random_letters(50).bytes().all(|b| b.is_ascii_alphabetic())
        );
        assert!(
            random_hex(64).len() == 64 && random_hex(64).bytes().all(|b| b.is_ascii_hexdigit())
        );
    }
}
