//! `orvale replace-key`: another key signs what this server says from now on.

use anyhow::{Context, Result};
use ruma::MilliSecondsSinceUnixEpoch;

use crate::{Settings, build, signing_key};

/// Replaces the server's key; what is to be printed.
pub(crate) async fn replace(settings: &Settings) -> Result<String> {
    let config = settings.load()?;
    // A server that runs would go on with the old one.
    let store = build::open_store(&config).await;
    let store = store.context("the server must not run meanwhile")?;
    let now = MilliSecondsSinceUnixEpoch::now();
    let replaced = signing_key::replace(&config.data_dir, &config.server_name, now);
    store.close().await?;
    let key = replaced?;
    Ok(format!(
        "{} signs from now on; the {} before it can be looked up for what they signed",
        key.key_id(),
        key.old().len()
    ))
}
