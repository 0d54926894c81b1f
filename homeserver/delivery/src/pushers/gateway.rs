//! Requests to push gateways.
//!
//! Users name the address, so that a request could be made to lead into this network. It goes to public addresses only, unless the
//! settings allow more: asked after the name is resolved, of the very addresses that are then connected to; redirections are
//! not followed.

use std::time::Duration;

use orvale_outward::Guard;
use reqwest::{Client, StatusCode};
use serde::Deserialize;

use crate::{Error, Result, config};

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1 << 16;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The gateway has it. These pushkeys are not valid.
    Accepted { rejected: Vec<String> },
    /// The gateway does not want it, and will not want it later.
    Refused(u16),
    /// It did not get there; later it may.
    Failed(String),
}

/// The way to push gateways.
pub(crate) struct Gateways {
    client: Client,
    guard: Guard,
}

impl Gateways {
    /// # Errors
    /// [`Error::Config`].
    pub(crate) fn new(config: &config::Push) -> Result<Self> {
        let guard = Guard::new(config.allowed_private_ranges.clone());
        let mut client = guard
            .client()
            .timeout(Duration::from_secs(config.timeout_seconds.max(1)))
            .pool_max_idle_per_host(4);
        if let Some(file) = &config.extra_ca_file {
            let refused = |reason: String| Error::Config {
                key: "delivery.push.extra_ca_file",
                reason,
            };
            let pem =
                std::fs::read(file).map_err(|e| refused(format!("{}: {e}", file.display())))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| refused(e.to_string()))?;
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|e| Error::Config {
            key: "delivery.push",
            reason: e.to_string(),
        })?;
        Ok(Self { client, guard })
    }

    /// Tells a gateway.
    pub(crate) async fn tell(&self, url: &str, body: String) -> Told {
        let refused = reqwest::Url::parse(url)
            .ok()
            .and_then(|url| self.guard.check(&url).err());
        if let Some(refused) = refused {
            return Told::Failed(refused.to_string());
        }
        match self.ask(url, body).await {
            Ok(told) => told,
            Err(error) => Told::Failed(error.without_url().to_string()),
        }
    }

    async fn ask(&self, url: &str, body: String) -> reqwest::Result<Told> {
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        let mut response = request.send().await?;
        let status = response.status();
        if !status.is_success() {
            let later = status.is_server_error()
                || matches!(
                    status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                );
            return Ok(if later {
                Told::Failed(format!("it answered {status}"))
            } else {
                Told::Refused(status.as_u16())
            });
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            answer.extend_from_slice(&chunk);
            if answer.len() > LONGEST_ANSWER {
                break;
            }
        }
        #[derive(Deserialize, Default)]
        struct Answer {
            #[serde(default)]
            rejected: Vec<String>,
        }
        // It was accepted, whatever it says of it.
        let Answer { rejected } = serde_json::from_slice(&answer).unwrap_or_default();
        Ok(Told::Accepted { rejected })
    }
}
