//! The handle.

use std::sync::Arc;

use orvale_federation_client::FederationClient;
use orvale_storage::Store;
use ruma::{OwnedMxcUri, OwnedServerName, ServerName};

use crate::{
    Config, Objects, Result, accounts::Accounts, gifs::Gifs, names::Names, previews::Previews,
    remote::Remote, scanner::Scanner, thumbnails::Thumbnailer, waiters::Waiters,
};

/// The content repository. Cheap to clone.
#[derive(Clone)]
pub struct Media {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) server_name: OwnedServerName,
    pub(crate) objects: Objects,
    pub(crate) names: Names,
    pub(crate) accounts: Accounts,
    pub(crate) waiters: Waiters,
    pub(crate) thumbnailer: Thumbnailer,
    pub(crate) previews: Previews,
    pub(crate) gifs: Option<Gifs>,
    pub(crate) scanner: Option<Scanner>,
    pub(crate) remote: Option<Remote>,
    pub(crate) config: Config,
}

impl Media {
    /// Opens the repository, after removing what an interrupted upload or removal may have left. Without a way to other servers
    /// their media is not found.
    ///
    /// # Errors
    /// [`crate::Error::Storage`], [`crate::Error::Objects`], [`crate::Error::Disk`].
    pub async fn open(
        store: Store,
        server_name: OwnedServerName,
        objects: Objects,
        remote: Option<FederationClient>,
        config: Config,
    ) -> Result<Self> {
        let names = Names::open(store.clone(), &objects).await?;
        let inner = Inner {
            accounts: Accounts::new(store.clone()),
            thumbnailer: Thumbnailer::new(
                store.clone(),
                objects.clone(),
                config.thumbnails.clone(),
            ),
            previews: Previews::new(&config.previews)?,
            gifs: Gifs::new(&config.gifs)?,
            scanner: Scanner::new(&config.scanner),
            store,
            server_name,
            objects,
            names,
            waiters: Waiters::default(),
            remote: remote.map(Remote::new),
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn uri(&self, media_id: &str) -> OwnedMxcUri {
        format!("mxc://{}/{media_id}", self.inner.server_name).into()
    }

    pub(crate) fn is_ours(&self, server_name: &ServerName) -> bool {
        self.inner.server_name == server_name
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use ruma::{MilliSecondsSinceUnixEpoch, OwnedUserId, UInt, owned_server_name, owned_user_id};

    use super::*;
    use crate::{Details, Error};

    pub(crate) const DAY: u64 = 24 * 60 * 60 * 1000;

    pub(crate) async fn media_with(config: Config) -> Media {
        Media::open(
            Store::in_memory(),
            owned_server_name!("here"),
            Objects::in_memory(),
            None,
            config,
        )
        .await
        .unwrap()
    }

    pub(crate) fn alice() -> OwnedUserId {
        owned_user_id!("@alice:here")
    }

    pub(crate) fn at(millis: u64) -> MilliSecondsSinceUnixEpoch {
        MilliSecondsSinceUnixEpoch(UInt::try_from(millis).unwrap())
    }

    /// A body that arrives in these pieces.
    pub(crate) fn body(
        pieces: Vec<Bytes>,
    ) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + Unpin {
        stream::iter(pieces.into_iter().map(Ok))
    }

    /// Uploads for Alice; returns the media ID.
    pub(crate) async fn upload(
        media: &Media,
        content: impl Into<Bytes>,
        details: Details,
    ) -> Result<String, Error> {
        let uri = media
            .upload(&alice(), details, body(vec![content.into()]), at(1000))
            .await?;
        Ok(uri.parts().unwrap().1.to_owned())
    }
}
