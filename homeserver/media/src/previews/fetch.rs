//! Asking strangers' servers.

use std::time::Duration;

use orvale_outward::{Guard, Refused};
use reqwest::{Client, Response, Url, header};

use super::no_preview;
use crate::{Error, PreviewConfig, Result};

/// How often an answer may lead elsewhere.
const REDIRECTIONS: usize = 5;

/// What was found at an address.
pub(crate) struct Fetched {
    /// The address at the end of all redirections.
    pub(crate) url: Url,
    /// Of which type it says it is, in lower case.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// The way outside.
pub(crate) struct Fetcher {
    client: Client,
    guard: Guard,
    denied: Vec<String>,
    max_page_bytes: usize,
    max_picture_bytes: usize,
}

/// What becomes of what is larger than allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// The beginning is enough.
    Cut,
    /// A part of it is nothing.
    Refuse,
}

impl Fetcher {
    pub(crate) fn new(guard: Guard, config: &PreviewConfig) -> Result<Self> {
        let timeout = Duration::from_secs(config.timeout_seconds.max(1));
        let client = guard
            .client()
            .user_agent("Mozilla/5.0 (compatible; orvale; link preview)")
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            // Who answers the next request is looked up anew.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| no_preview(&error.to_string()))?;
        let denied = config.denied_hosts.iter();
        Ok(Self {
            client,
            guard,
            denied: denied.map(|host| host.to_ascii_lowercase()).collect(),
            max_page_bytes: config.max_page_bytes,
            max_picture_bytes: config.max_picture_bytes,
        })
    }

    /// Whether an address may be asked, as far as can be told before its name is resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<()> {
        let refused = |why: Refused| no_preview(&why.to_string());
        self.guard.check_page(url).map_err(refused)?;
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let is_below = |denied: &String| {
            host.strip_suffix(denied.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.denied.iter().any(is_below) {
            return Err(no_preview(
                "this server makes no previews of that one's pages",
            ));
        }
        Ok(())
    }

    /// The beginning of a page, as much of it as is looked at.
    pub(crate) async fn page(&self, url: &Url) -> Result<Fetched> {
        let accepted = "text/html,application/xhtml+xml;q=0.9,application/json;q=0.5,image/*;q=0.5";
        self.get(url, accepted).await
    }

    /// What a service answers to programs.
    pub(crate) async fn json(&self, url: &Url) -> Result<Fetched> {
        self.get(url, "application/json").await
    }

    /// A whole picture.
    pub(crate) async fn picture(&self, url: &Url) -> Result<Fetched> {
        let found = self.get(url, "image/*").await?;
        if found.content_type.starts_with("image/") {
            Ok(found)
        } else {
            Err(no_preview("that is no picture"))
        }
    }

    async fn get(&self, url: &Url, accepted: &str) -> Result<Fetched> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTIONS {
            self.check(&url)?;
            let request = self
                .client
                .get(url.clone())
                .header(header::ACCEPT, accepted)
                .header(header::ACCEPT_LANGUAGE, "en, *;q=0.5");
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            if status.is_redirection() {
                let leads_to = response.headers().get(header::LOCATION);
                let leads_to = leads_to.and_then(|value| url.join(value.to_str().ok()?).ok());
                url = leads_to.ok_or_else(|| no_preview("it leads nowhere"))?;
                continue;
            }
            if !status.is_success() {
                return Err(no_preview(&format!("it answers {}", status.as_u16())));
            }
            let content_type = response.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().trim().to_ascii_lowercase();
            let (most, beyond) = if content_type.starts_with("image/") {
                (self.max_picture_bytes, Beyond::Refuse)
            } else {
                (self.max_page_bytes, Beyond::Cut)
            };
            let body = read(response, most, beyond).await?;
            return Ok(Fetched {
                url,
                content_type,
                body,
            });
        }
        Err(no_preview("it leads from one address to the next"))
    }
}

/// The body, unpacked. What is unpacked counts: a small answer may hold a huge one.
async fn read(mut response: Response, most: usize, beyond: Beyond) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(body),
            // What there is of a page that broke off may do.
            Err(_) if beyond == Beyond::Cut && !body.is_empty() => return Ok(body),
            Err(error) => return Err(unreachable(error)),
        };
        let room = most - body.len();
        if chunk.len() > room {
            if beyond == Beyond::Refuse {
                return Err(no_preview("it is too large"));
            }
            body.extend_from_slice(&chunk[..room]);
            return Ok(body);
        }
        body.extend_from_slice(&chunk);
    }
}

/// Says no more than a stranger may know: not what is behind names that lead into this network.
fn unreachable(error: reqwest::Error) -> Error {
    tracing::debug!(error = %error.without_url(), "nothing to preview");
    no_preview("it cannot be reached")
}
