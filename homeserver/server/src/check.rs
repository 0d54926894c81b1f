//! What `orvale check` verifies beside the store by itself: that rooms and media agree with their indexes and bytes.

use std::sync::Arc;

use anyhow::{Result, bail};
use orvale_media::{Media, Objects};
use orvale_rooms::Rooms;
use orvale_storage::Store;
use orvale_users::{Clock, Users};
use ruma::MilliSecondsSinceUnixEpoch;

use crate::{config::Config, signing_key};

/// How many faults are told one by one.
const TOLD: usize = 100;

/// Reads every event and every upload and says what is wrong. Nothing may be written meanwhile.
pub(crate) async fn check(config: &Config, store: &Store) -> Result<String> {
    let key = Arc::new(signing_key::load_or_make(
        &config.data_dir,
        &config.server_name,
    )?);
    let users = Users::new(
        store.clone(),
        &config.server_name,
        config.users.clone(),
        Clock::system(),
    )?;
    let rooms = Rooms::new(
        store.clone(),
        users,
        key,
        config.rooms.clone(),
        Arc::new(MilliSecondsSinceUnixEpoch::now),
    )?;
    let rooms = tokio::task::spawn_blocking(move || rooms.check()).await??;
    let media = Media::open(
        store.clone(),
        config.server_name.clone(),
        Objects::in_directory(config.data_dir.join("media"))?,
        None,
        config.media.clone(),
    );
    let media = media.await?.check().await?;
    let faults = [rooms.faults, media.faults].concat();
    if !faults.is_empty() {
        let told = faults[..faults.len().min(TOLD)].join("\n");
        bail!("{} faults:\n{told}", faults.len());
    }
    Ok(format!(
        "{} events in {} rooms, {} uploads, all as they should be",
        rooms.events, rooms.rooms, media.media
    ))
}
