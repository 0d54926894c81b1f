//! Signed tokens of other systems (`org.matrix.login.jwt`).

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};

use crate::{Clock, Error, Result, accounts::localpart, config};

/// Checks tokens and reads who they are about.
pub(crate) struct JwtVerifier {
    config: config::Jwt,
    keys: Vec<Key>,
    clock: Clock,
}

struct Key {
    algorithm: Algorithm,
    id: Option<String>,
    key: DecodingKey,
}

/// Who a token is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) localpart: String,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
}

const REFUSED: Error = Error::LoginRefused("this token is not valid here");

impl JwtVerifier {
    pub(crate) fn new(config: &config::Jwt, clock: Clock) -> Result<Self> {
        if config.keys.is_empty() {
            return Err(impossible("there has to be a key"));
        }
        let keys = config.keys.iter().map(Key::new).collect::<Result<_>>()?;
        Ok(Self {
            config: config.clone(),
            keys,
            clock,
        })
    }

    pub(crate) fn creates_accounts(&self) -> bool {
        self.config.create_accounts
    }

    /// Who a token is about, if one of the keys signed it and its claims hold.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims> {
        let claims = self.signed_claims(token).ok_or(REFUSED)?;
        self.check_time(&claims)?;
        let text = |name: &str| match claims.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        };
        let name = text(&self.config.localpart_claim).ok_or(REFUSED)?;
        Ok(Claims {
            localpart: localpart::mapped(&name),
            display_name: self.config.display_name_claim.as_deref().and_then(text),
            email: self
                .config
                .email_claim
                .as_deref()
                .and_then(text)
                .filter(|address| address.contains('@')),
        })
    }

    fn signed_claims(&self, token: &str) -> Option<Map<String, Value>> {
        let header = decode_header(token).ok()?;
        let named = |key: &&Key| key.id.is_none() || header.kid.is_none() || key.id == header.kid;
        // The algorithm is the key's, never the token's: else an RSA key in public hands would be an HMAC secret.
        let fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm == header.alg)
            .filter(named);
        fitting
            .filter_map(|key| {
                decode::<Map<String, Value>>(token, &key.key, &self.validation(key.algorithm)).ok()
            })
            .map(|decoded| decoded.claims)
            .next()
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        // Times are checked against our own clock below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let mut required = Vec::new();
        if !self.config.issuers.is_empty() {
            validation.set_issuer(&self.config.issuers);
            required.push("iss");
        }
        if self.config.audiences.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&self.config.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    /// A token without an end is refused: nobody could take it back.
    fn check_time(&self, claims: &Map<String, Value>) -> Result<()> {
        let now = self.clock.now() / 1000;
        let leeway = self.config.leeway_seconds;
        let expires = claims.get("exp").and_then(seconds).ok_or(REFUSED)?;
        if expires.saturating_add(leeway) <= now {
            return Err(Error::LoginRefused("this token has expired"));
        }
        match claims.get("nbf").map(seconds) {
            None => Ok(()),
            Some(Some(not_before)) if not_before <= now.saturating_add(leeway) => Ok(()),
            Some(_) => Err(Error::LoginRefused("this token is not valid yet")),
        }
    }
}

/// A time of a claim, which may have a fraction.
fn seconds(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is wanted"
    )]
    value
        .as_u64()
        .or_else(|| value.as_f64().map(|seconds| seconds as u64))
}

impl Key {
    fn new(config: &config::JwtKey) -> Result<Self> {
        let algorithm: Algorithm = config
            .algorithm
            .parse()
            .map_err(|_| impossible(format!("unknown algorithm {}", config.algorithm)))?;
        let key = match (algorithm, &config.secret) {
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, Some(secret))
                if secret.len() >= 32 =>
            {
                DecodingKey::from_secret(secret.as_bytes())
            }
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, Some(_)) => {
                return Err(impossible("a secret needs at least 32 bytes"));
            }
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, None) => {
                return Err(impossible(format!("{} needs a secret", config.algorithm)));
            }
            (_, Some(_)) => {
                return Err(impossible(format!(
                    "{} takes a public_key, not a secret",
                    config.algorithm
                )));
            }
            (algorithm, None) => public_key(algorithm, &pem(config)?)?,
        };
        Ok(Self {
            algorithm,
            id: config.id.clone(),
            key,
        })
    }
}

fn pem(config: &config::JwtKey) -> Result<Vec<u8>> {
    match (&config.public_key, &config.public_key_file) {
        (Some(pem), None) => Ok(pem.clone().into_bytes()),
        (None, Some(file)) => {
            std::fs::read(file).map_err(|e| impossible(format!("{}: {e}", file.display())))
        }
        (None, None) => Err(impossible(format!(
            "{} needs a public_key or public_key_file",
            config.algorithm
        ))),
        (Some(_), Some(_)) => Err(impossible(
            "there can be one of public_key and public_key_file",
        )),
    }
}

fn public_key(algorithm: Algorithm, pem: &[u8]) -> Result<DecodingKey> {
    let key = match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
        _ => DecodingKey::from_rsa_pem(pem),
    };
    key.map_err(|e| impossible(e.to_string()))
}

fn impossible(reason: impl Into<String>) -> Error {
    Error::Config {
        key: "jwt.keys",
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const NOW: u64 = 1_700_000_000;

    fn key(algorithm: &str) -> config::JwtKey {
        config::JwtKey {
            algorithm: algorithm.to_owned(),
            id: None,
            secret: None,
            public_key: None,
            public_key_file: None,
        }
    }

    fn config(keys: Vec<config::JwtKey>) -> config::Jwt {
        config::Jwt {
            keys,
            issuers: vec!["https://management.example.org".to_owned()],
            audiences: vec!["orvale".to_owned()],
            localpart_claim: "username".to_owned(),
            display_name_claim: Some("display_name".to_owned()),
            email_claim: Some("email".to_owned()),
            create_accounts: true,
            leeway_seconds: 60,
        }
    }

    fn hs256() -> config::JwtKey {
        config::JwtKey {
            secret: Some(SECRET.to_owned()),
            ..key("HS256")
        }
    }

    fn verifier(keys: Vec<config::JwtKey>) -> JwtVerifier {
        JwtVerifier::new(&config(keys), Clock::held_at(NOW * 1000)).unwrap()
    }

    fn claims() -> Value {
        json!({
            "iss": "https://management.example.org", "aud": "orvale", "exp": NOW + 60,
            "username": "Jane.Doe", "display_name": "Jane Doe", "email": "jane@example.org",
        })
    }

    fn signed(claims: &Value) -> String {
        encode(
            &Header::new(Algorithm::HS256),
            claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .unwrap()
    }

    fn changed(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    #[test]
    fn a_signed_token_tells_who_it_is_about() {
        let found = verifier(vec![hs256()]).verify(&signed(&claims())).unwrap();
        assert_eq!(found.localpart, "jane.doe");
        assert_eq!(found.display_name.as_deref(), Some("Jane Doe"));
        assert_eq!(found.email.as_deref(), Some("jane@example.org"));
    }

    #[test]
    fn wrong_claims_are_refused() {
        let verifier = verifier(vec![hs256()]);
        for (name, value) in [
            ("iss", json!("https://elsewhere.org")),
            ("iss", Value::Null),
            ("aud", json!("another")),
            ("aud", Value::Null),
            ("exp", json!(NOW - 60)),
            ("exp", Value::Null),
            ("exp", json!("soon")),
            ("nbf", json!(NOW + 61)),
            ("username", json!("")),
            ("username", json!(7)),
        ] {
            let refused = verifier.verify(&signed(&changed(name, value.clone())));
            assert!(
                matches!(refused, Err(Error::LoginRefused(_))),
                "{name} {value}"
            );
        }
        for (name, value) in [
            ("exp", json!(NOW - 59)),
            ("nbf", json!(NOW + 60)),
            ("aud", json!(["x", "orvale"])),
        ] {
            assert!(
                verifier.verify(&signed(&changed(name, value))).is_ok(),
                "{name}"
            );
        }
        for nonsense in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(verifier.verify(nonsense).is_err());
        }
    }

    #[test]
    fn another_secret_is_refused() {
        let other = config::JwtKey {
            secret: Some("f".repeat(32)),
            ..key("HS256")
        };
        assert!(
            verifier(vec![other.clone()])
                .verify(&signed(&claims()))
                .is_err()
        );
        assert!(
            verifier(vec![other, hs256()])
                .verify(&signed(&claims()))
                .is_ok()
        );
    }

    const EC_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgM9BqDCeVIx1tMRGl
+YLqh+Ek3APQC36RIGhyaGE+gY+hRANCAAT4ifBPx+VJjfLNxDnFHGyXCk+/MOTl
HzroSHM2E/TNC2RFFhOZ7jtbuEyebN5sXd6zB/Z64hYvfDYP59liwXtA
-----END PRIVATE KEY-----
";
    const EC_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+InwT8flSY3yzcQ5xRxslwpPvzDk
5R866EhzNhP0zQtkRRYTme47W7hMnmzebF3eswf2euIWL3w2D+fZYsF7QA==
-----END PUBLIC KEY-----
";
    const RSA_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7Cqcq9jCzlC1I
k5AibCLUaP8ChacoGm7Us6sC9PhAOSc3ivQw78qzdkoXjGAqjdaToDi87bExjJXR
QJI2YGlZMhJCljcQSLghfjpb5SJPvHuK5v0SOkaehUHCKaZs+jK4BpsfYXhs5xY2
LU1x+ys4IXqUj70Pmhx8wVhZ6vF+g1iMDwd+94HFsIWVJ7ZFYKqNrE9v1EnFCAXl
irpA7dCXI+3XeFt5em+l4Wu/rE0HxERgPlh+CRTmuFtxodK7x7vHKsAB0ePmQ9/X
iB7H/sdHt9qdsekhRkTZVlzQtDSryDaxorgayWOXr9Gv+rm0xF0+be0YOFSZm42s
bwkZX2h5AgMBAAECggEAAIZy31swiEInb2/f6lptqHK/lf/3jbrajQO+xppKKx63
kDaVFzqldcLISfT/kaYPY3vPG7IjkF9u8Z6c0OOXag5Sb83Jp6xuMvfL8sDeVafS
c3a8YJQvbnUykivmDDubslR3YOuPC1itkLVWskVqnbXzy3Y8Qu1LMU3D1pB6LfSd
539/ksnm1bETcHNXjiXUPbT6sWVOhSISIFVMy8iIpTbTGbnLBzd3SkyMN+6x7m6F
PaO4mkLcfP7Dol7xweRoVTvKOPiuRs3rxYYtwdv0Z43LEJ8QWAJ3p2MIG/ue/T7u
07bvtJoiAUStnBiGhZchb7yQkLLm0b2I11q8zx6FqwKBgQDyYOZYc8ZLj4n0E3xZ
VrB+EI1mC/6piovj/o/MUGEt2P8HMJ5NUJ3kGfWut4VHS79QWNdv29AWuv2zxQlJ
i84rzKmgXxJsCj/Knb3teW5Df6k+obsTaM4T/C4DLJdD62bDGNXCajVtTFAsPcTv
aXStjkdiYH+uFn+7MPBoTydH7wKBgQDFjZ7/1QcOGY/Ai9nRxo+xJ5ebtwag0CFK
fZPjR18a5kdotc08v+vIVUBaEKXATnamEZUl0DyRo1K5A8uUZ6RVTFP44Ff0jiSA
nZrHuKMfjQUKMu4su3yVAdIaoR8fH3oVvT6Ba1tG1zU/Ji0j+UWFeHJ37qJsIvXz
6cl3ncUuFwKBgQCsZf4Rli/KWQuf3yhIh1+8G1vn5Mo7n39HKS7w/Y9RxBIJ9Cv1
BE16DHjy0DhtcNRgewCp4KjPMiv4bULg3B9GiilxF46L6HJdVPvd6MxkGG6yTOk6
sgY6stmrilEBj3Ole4m34kGkP26bOUhVniXOuO/PaqIGmpw58mJdX0eqYwKBgDTw
QH1Z/qv+mZEFaPdX+EWG0I+/uhz56RHnGOw8wfWZY+VhYoA3Bd4HSllYQLKJ1C2o
ZIlfhfuZAp/lrnY0V8srywzUQX2dYZa9pS6EAeKAjasv/rcp/raHaGAOcSKL8tFE
hy1zMWCIZxJnDo2nTMP5hOMypX/I1pPoQD63npE9AoGBAIdtpvM6za85m3O4w5XS
6c/pCPeJR1SeikRpiiJ8qoaAkhVll12nzpm1HI0mkTY+hMeMMA24wpwLIKi8EpCZ
CdyxnFhb6RHwILmbodgSBuM7OwiqE4WpY/dL+4QQnXZfYMQcLF8ETKPNxZdvg9dU
rUJebnBE9MdeASKyOcy4WzaZ
-----END PRIVATE KEY-----
";
    const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuwqnKvYws5QtSJOQImwi
1Gj/AoWnKBpu1LOrAvT4QDknN4r0MO/Ks3ZKF4xgKo3Wk6A4vO2xMYyV0UCSNmBp
WTISQpY3EEi4IX46W+UiT7x7iub9EjpGnoVBwimmbPoyuAabH2F4bOcWNi1Ncfsr
OCF6lI+9D5ocfMFYWerxfoNYjA8HfveBxbCFlSe2RWCqjaxPb9RJxQgF5Yq6QO3Q
lyPt13hbeXpvpeFrv6xNB8REYD5YfgkU5rhbcaHSu8e7xyrAAdHj5kPf14gex/7H
R7fanbHpIUZE2VZc0LQ0q8g2saK4Gsljl6/Rr/q5tMRdPm3tGDhUmZuNrG8JGV9o
eQIDAQAB
-----END PUBLIC KEY-----
";

    fn public(algorithm: &str, pem: &str) -> config::JwtKey {
        config::JwtKey {
            public_key: Some(pem.to_owned()),
            ..key(algorithm)
        }
    }

    #[test]
    fn rsa_and_elliptic_keys_verify() {
        let verifier = verifier(vec![
            public("RS256", RSA_PUBLIC),
            public("ES256", EC_PUBLIC),
        ]);
        let rsa = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();
        let ec = EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap();
        assert!(
            verifier
                .verify(&encode(&Header::new(Algorithm::RS256), &claims(), &rsa).unwrap())
                .is_ok()
        );
        assert!(
            verifier
                .verify(&encode(&Header::new(Algorithm::ES256), &claims(), &ec).unwrap())
                .is_ok()
        );
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let verifier = verifier(vec![public("RS256", RSA_PUBLIC)]);
        let forged = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
        assert!(
            verifier
                .verify(&encode(&Header::new(Algorithm::HS256), &claims(), &forged).unwrap())
                .is_err()
        );
    }

    #[test]
    fn keys_are_chosen_by_their_id() {
        let named = config::JwtKey {
            id: Some("2026".to_owned()),
            ..hs256()
        };
        let verifier = verifier(vec![named]);
        let header = |kid: &str| Header {
            kid: Some(kid.to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        assert!(
            verifier
                .verify(&encode(&header("2026"), &claims(), &key).unwrap())
                .is_ok()
        );
        assert!(
            verifier
                .verify(&encode(&header("2025"), &claims(), &key).unwrap())
                .is_err()
        );
    }

    #[test]
    fn impossible_keys_are_refused_when_the_server_starts() {
        let short = config::JwtKey {
            secret: Some("short".to_owned()),
            ..key("HS256")
        };
        let both = config::JwtKey {
            secret: Some(SECRET.to_owned()),
            ..key("RS256")
        };
        let file = config::JwtKey {
            public_key_file: Some("/nonexistent/key.pem".into()),
            ..key("RS256")
        };
        for keys in [
            vec![],
            vec![short],
            vec![both],
            vec![file],
            vec![key("none")],
            vec![key("HS256")],
            vec![key("ES256")],
        ] {
            let error = JwtVerifier::new(&config(keys), Clock::system())
                .err()
                .unwrap();
            assert!(matches!(
                error,
                Error::Config {
                    key: "jwt.keys",
                    ..
                }
            ));
        }
    }
}
