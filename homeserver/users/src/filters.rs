//! Filters that clients keep here to name them in syncs.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use orvale_storage::{Batch, record::JsonText, trees::users::FILTERS};
use ruma::{UserId, api::client::filter::FilterDefinition};

use crate::{Error, Result, Users, sessions::tokens::Hash};

impl Users {
    /// Keeps a filter and returns its ID. The ID is made from the filter: to upload one again costs nothing.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; storage.
    pub async fn create_filter(
        &self,
        user_id: &UserId,
        filter: &FilterDefinition,
    ) -> Result<String> {
        let localpart = self.localpart(user_id)?;
        let limits = &self.config().limits;
        let text = JsonText::of(filter).map_err(|e| Error::Internal(e.to_string()))?;
        if text.0.len() > limits.filter_bytes {
            return Err(Error::TooLarge(format!(
                "a filter has at most {} bytes",
                limits.filter_bytes
            )));
        }
        let filter_id = URL_SAFE_NO_PAD.encode(&Hash::of(&text.0).0[..12]);
        self.write(|| {
            let mut batch = Batch::new();
            if self.store().contains(&FILTERS, (localpart, &filter_id))? {
                return Ok((batch, ()));
            }
            if self
                .store()
                .prefix(&FILTERS, (localpart,), limits.filters)?
                .len()
                >= limits.filters
            {
                return Err(Error::TooLarge(format!(
                    "a user has at most {} filters",
                    limits.filters
                )));
            }
            batch.put(&FILTERS, (localpart, &filter_id), &text);
            Ok((batch, ()))
        })
        .await?;
        Ok(filter_id)
    }

    /// A filter of the user.
    ///
    /// # Errors
    /// [`Error::NotFound`]; storage.
    pub fn filter(&self, user_id: &UserId, filter_id: &str) -> Result<Arc<FilterDefinition>> {
        let localpart = self.localpart(user_id)?;
        self.inner
            .filters
            .get_or(&(user_id.to_owned(), filter_id.to_owned()), || {
                let text = self
                    .store()
                    .get(&FILTERS, (localpart, filter_id))?
                    .ok_or(Error::NotFound("filter"))?;
                text.parse()
                    .map(Arc::new)
                    .map_err(|e| Error::Internal(format!("a stored filter: {e}")))
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::users;

    fn filter(limit: u32) -> FilterDefinition {
        serde_json::from_value(json!({ "room": { "timeline": { "limit": limit } } })).unwrap()
    }

    #[tokio::test]
    async fn a_filter_is_kept_once_and_is_its_users_alone() {
        let users = users();
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let id = users.create_filter(&alice, &filter(10)).await.unwrap();
        assert_eq!(users.create_filter(&alice, &filter(10)).await.unwrap(), id);
        assert_ne!(users.create_filter(&alice, &filter(20)).await.unwrap(), id);
        assert!(!id.starts_with('{'));
        let found = users.filter(&alice, &id).unwrap();
        assert_eq!(found.room.timeline.limit, Some(10_u32.into()));
        assert!(matches!(users.filter(&bob, &id), Err(Error::NotFound(_))));
    }

    #[tokio::test]
    async fn filters_are_bounded_in_size_and_number() {
        let users = users();
        let alice = users.account("alice").await;
        let types = (0..10_000).map(|n| format!("type {n}")).collect::<Vec<_>>();
        let large =
            serde_json::from_value(json!({ "room": { "timeline": { "types": types } } })).unwrap();
        assert!(matches!(
            users.create_filter(&alice, &large).await,
            Err(Error::TooLarge(_))
        ));
        for n in 0..1000 {
            users.create_filter(&alice, &filter(n)).await.unwrap();
        }
        assert!(matches!(
            users.create_filter(&alice, &filter(1000)).await,
            Err(Error::TooLarge(_))
        ));
        assert!(users.create_filter(&alice, &filter(5)).await.is_ok());
    }
}
