//! `orvale reindex`: the search index anew, from the log.

use std::sync::Arc;

use anyhow::{Context, Result};
use orvale_rooms::Rooms;
use orvale_search::Search;
use orvale_storage::Store;
use orvale_users::{Clock, Users};
use ruma::MilliSecondsSinceUnixEpoch;

use crate::{build, config::Config, signing_key};

/// The search index while no server runs.
pub(crate) fn open(config: &Config, store: &Store) -> Result<Search> {
    let name = &config.server_name;
    let key = Arc::new(signing_key::load_or_make(&config.data_dir, name)?);
    let users = Users::new(store.clone(), name, config.users.clone(), Clock::system())?;
    let clock = Arc::new(MilliSecondsSinceUnixEpoch::now);
    let rooms = Rooms::new(store.clone(), users, key, config.rooms.clone(), clock)?;
    let search = Search::start(rooms, build::search_place(config), config.search.clone());
    search.context("cannot open the search index")
}

/// Makes it anew, and says how much is in it.
pub(crate) async fn reindex(search: &Search) -> Result<String> {
    let position = search.rebuild().await?;
    Ok(format!(
        "{} texts are found, everything up to position {position}",
        search.count()
    ))
}
