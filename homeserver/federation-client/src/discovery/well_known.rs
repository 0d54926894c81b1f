//! `https://<hostname>/.well-known/matrix/server`: who speaks for a server.

use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use reqwest::{Response, Url, header};
use ruma::{OwnedServerName, ServerName};
use serde::Deserialize;

use crate::{error::chain, web::Web};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;
/// How long an answer is believed that does not say.
const USUAL: Duration = Duration::from_secs(24 * 3600);
/// How long an answer is believed at most.
const LONGEST: Duration = Duration::from_secs(48 * 3600);
/// How long an answer is believed at least, so that one that wants to be asked each time is not.
const SHORTEST: Duration = Duration::from_secs(300);
/// How long a first failure is believed; twice as long each time, up to an hour.
const FAILURE: Duration = Duration::from_secs(60);
const LONGEST_FAILURE: Duration = Duration::from_secs(3600);

/// Answers of `.well-known`, kept.
pub(crate) struct WellKnown {
    web: Web,
    /// Half of how long one answer is waited for.
    patience: Duration,
    port: u16,
    kept: Cache<OwnedServerName, Known>,
}

/// What a server's `.well-known` said.
#[derive(Debug, Clone)]
struct Known {
    delegated: Option<OwnedServerName>,
    /// When it is asked again.
    until: Instant,
    /// When the last answer was there that could be used.
    answered: Option<Instant>,
    /// How often in a row there was none.
    failures: u32,
}

impl WellKnown {
    pub(crate) fn new(web: Web, patience: Duration, port: u16) -> Self {
        Self {
            web,
            patience,
            port,
            kept: Cache::new(10_000),
        }
    }

    /// The server that speaks for this one, if its `.well-known` names one.
    pub(crate) async fn delegated(&self, server: &ServerName) -> Option<OwnedServerName> {
        let before = self.kept.get(server);
        if let Some(known) = &before
            && Instant::now() < known.until
        {
            return known.delegated.clone();
        }
        let answer = tokio::time::timeout(self.patience * 2, self.ask(server)).await;
        let answer = answer.unwrap_or_else(|_| Err("it does not answer in time".to_owned()));
        if let Err(error) = &answer {
            tracing::debug!(server_name = %server, error, "no .well-known");
        }
        let known = learn(before, answer, Instant::now());
        self.kept.insert(server.to_owned(), known.clone());
        known.delegated
    }

    async fn ask(&self, server: &ServerName) -> Result<(OwnedServerName, Duration), String> {
        let url = format!(
            "https://{}:{}/.well-known/matrix/server",
            server.host(),
            self.port
        );
        let url = Url::parse(&url).map_err(|error| error.to_string())?;
        let response = self.web.get(url).await?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            return Err(format!("it answers {}", status.as_u16()));
        }
        let lifetime = lifetime(response.headers());
        let body = read(response).await?;
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok((answer.server, lifetime))
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "m.server")]
    server: OwnedServerName,
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| chain(&error.without_url()))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            return Err("it is too long".to_owned());
        }
    }
    Ok(body)
}

/// What is known from now on. Who answered not long ago and fails now is taken at its last word.
fn learn(
    before: Option<Known>,
    answer: Result<(OwnedServerName, Duration), String>,
    now: Instant,
) -> Known {
    match answer {
        Ok((delegated, lifetime)) => Known {
            delegated: Some(delegated),
            until: now + lifetime,
            answered: Some(now),
            failures: 0,
        },
        Err(_) => {
            let failures = before.as_ref().map_or(0, |known| known.failures) + 1;
            let answered = before.as_ref().and_then(|known| known.answered);
            let fresh = answered.is_some_and(|answered| now < answered + LONGEST);
            let pause = FAILURE * 2_u32.pow((failures - 1).min(6));
            Known {
                delegated: before.and_then(|known| known.delegated.filter(|_| fresh)),
                until: now + pause.min(LONGEST_FAILURE),
                answered,
                failures,
            }
        }
    }
}

/// How long an answer is to be believed, by its headers.
fn lifetime(headers: &header::HeaderMap) -> Duration {
    let directives = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase());
    let mut lifetime = None;
    for directive in directives {
        if matches!(directive.as_str(), "no-store" | "no-cache") {
            return SHORTEST;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            lifetime = seconds.trim_matches('"').parse().ok();
        }
    }
    lifetime
        .map_or(USUAL, Duration::from_secs)
        .clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;

    #[test]
    fn answers_live_as_long_as_they_say_within_bounds() {
        let of = |value: &str| {
            let mut headers = header::HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            lifetime(&headers)
        };
        assert_eq!(of("public, max-age=7200"), Duration::from_secs(7200));
        assert_eq!(of("max-age=1"), SHORTEST);
        assert_eq!(of("no-store"), SHORTEST);
        assert_eq!(of("max-age=99999999"), LONGEST);
        assert_eq!(of("public"), USUAL);
        assert_eq!(lifetime(&header::HeaderMap::new()), USUAL);
    }

    #[test]
    fn failures_are_believed_longer_each_time_and_the_last_word_counts_for_two_days() {
        let now = Instant::now();
        let name = server_name!("b.example").to_owned();
        let failed = || Err(String::new());
        let mut known = learn(None, failed(), now);
        assert_eq!(
            (known.delegated.clone(), known.until),
            (None, now + FAILURE)
        );
        for _ in 0..9 {
            known = learn(Some(known), failed(), now);
        }
        assert_eq!(known.until, now + LONGEST_FAILURE);

        let known = learn(Some(known), Ok((name.clone(), USUAL)), now);
        assert_eq!((known.failures, known.until), (0, now + USUAL));
        let later = learn(Some(known.clone()), failed(), now + USUAL);
        assert_eq!(later.delegated, Some(name));
        let much_later = learn(Some(later), failed(), now + LONGEST);
        assert_eq!(much_later.delegated, None);
    }
}
