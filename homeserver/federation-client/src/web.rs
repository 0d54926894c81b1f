//! Pages of the web that other servers lead to: `.well-known`, and media that is kept elsewhere.

use orvale_outward::Guard;
use reqwest::{Client, Response, Url, header};
use rustls::ClientConfig;
use std::time::Duration;

use crate::{
    Config, Error, Result,
    discovery::{Guarded, Names},
    error::chain,
};

/// How often an answer may lead elsewhere.
const REDIRECTIONS: usize = 5;

/// The way to the web. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Web {
    client: Client,
    guard: Guard,
    patience: Duration,
}

impl Web {
    pub(crate) fn new(
        names: Names,
        guard: Guard,
        tls: ClientConfig,
        config: &Config,
    ) -> Result<Self> {
        let patience = Duration::from_secs(config.connect_timeout_seconds);
        let resolver = Guarded {
            names,
            guard: guard.clone(),
        };
        let client = guard
            .client()
            .dns_resolver(resolver)
            .tls_backend_preconfigured(tls)
            .connect_timeout(patience)
            .pool_max_idle_per_host(0)
            .build();
        let client = client.map_err(|error| Error::Config {
            key: "federation",
            reason: chain(&error),
        })?;
        Ok(Self {
            client,
            guard,
            patience,
        })
    }

    /// A page, wherever it leads, as long as it is under TLS and at a public address. Only the head is there yet.
    pub(crate) async fn get(&self, mut url: Url) -> Result<Response, String> {
        for _ in 0..=REDIRECTIONS {
            if url.scheme() != "https" {
                return Err("it leads to an address without TLS".to_owned());
            }
            self.guard.check(&url).map_err(|why| why.to_string())?;
            let asking = self.client.get(url.clone()).send();
            let response = tokio::time::timeout(self.patience * 2, asking).await;
            let response = response
                .map_err(|_| "it does not answer in time".to_owned())?
                .map_err(|error| chain(&error.without_url()))?;
            let status = response.status();
            if !status.is_redirection() {
                return Ok(response);
            }
            let leads_to = response.headers().get(header::LOCATION);
            let leads_to = leads_to.and_then(|value| url.join(value.to_str().ok()?).ok());
            url = leads_to.ok_or("it leads nowhere")?;
        }
        Err("it leads from one address to the next".to_owned())
    }
}
