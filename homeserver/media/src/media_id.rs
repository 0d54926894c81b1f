//! Media IDs: the second half of `mxc://` URIs.

use rand::{
    Rng,
    distr::{Alphanumeric, SampleString},
};

/// 24 letters and digits: 142 bits, which nobody guesses.
pub(crate) fn random(rng: &mut impl Rng) -> String {
    Alphanumeric.sample_string(rng, 24)
}

/// Whether it may be a media ID at all.
///
/// <https://spec.matrix.org/v1.19/client-server-api/#content-repo-security-considerations>
pub(crate) fn is_valid(media_id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=255).contains(&media_id.len()) && media_id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ours_are_valid_and_differ() {
        let (a, b) = (random(&mut rand::rng()), random(&mut rand::rng()));
        assert!(is_valid(&a) && is_valid(&b));
        assert_ne!(a, b);
    }

    #[test]
    fn anything_that_could_lead_elsewhere_is_no_id() {
        for id in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a%2fb",
            "a\0",
            "ä",
            "a b",
            "a#1",
            "~",
            &"a".repeat(256),
        ] {
            assert!(!is_valid(id), "{id:?}");
        }
        assert!(is_valid("ascERGshawAWawugaAcauga_-0"));
    }
}
