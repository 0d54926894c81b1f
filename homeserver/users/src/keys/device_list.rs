//! When the devices of users, or their keys, changed.

use orvale_storage::{
    Batch, Entry, Position,
    trees::users::{CROSS_SIGNING, DEVICE_CHANGES, DEVICE_LISTS, KEY_SIGNATURES},
};
use ruma::{OwnedUserId, UserId};

use crate::{Result, Users, users::Places};

impl Users {
    /// Adds to a batch that a user's devices or their keys change by it.
    pub(crate) fn device_list_changes(
        &self,
        user_id: &UserId,
        places: &Places<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let key = (self.localpart(user_id)?,);
        let at = places.at(batch.entries());
        let before = self.store().get(&DEVICE_LISTS, key)?;
        batch.expect(&DEVICE_LISTS, key, before.as_ref());
        if let Some(before) = before {
            batch.delete(&DEVICE_CHANGES, (before,));
        }
        batch
            .put(&DEVICE_LISTS, key, &at)
            .put(&DEVICE_CHANGES, (at,), &key.0.to_owned())
            .log(Entry::DeviceList {
                user_id: user_id.to_string(),
            });
        Ok(())
    }

    /// The position of the last change to a user's devices or their keys.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn device_list_changed_at(&self, user_id: &UserId) -> Result<Position> {
        Ok(self
            .store()
            .get(&DEVICE_LISTS, (self.localpart(user_id)?,))?
            .unwrap_or(Position::START))
    }

    /// The users whose devices or keys changed after a position; at most `limit`.
    ///
    /// # Errors
    /// Storage.
    pub fn device_lists_changed(&self, since: Position, limit: usize) -> Result<Vec<OwnedUserId>> {
        let (from, to) = ((since.next(),), (Position::END,));
        let found = self
            .store()
            .range(&DEVICE_CHANGES, from, to, false, limit)?;
        found
            .into_iter()
            .map(|(_, localpart)| self.user_id(&localpart))
            .collect()
    }

    /// The users whose keys look different to one user alone, by what this one did after a position.
    ///
    /// # Errors
    /// Storage; [`crate::Error::NotLocal`].
    pub fn key_signatures_changed(
        &self,
        user_id: &UserId,
        since: Position,
    ) -> Result<Vec<OwnedUserId>> {
        let localpart = self.localpart(user_id)?;
        let mut changed = Vec::new();
        let own = self.store().get(&CROSS_SIGNING, (localpart,))?;
        if own.is_some_and(|own| own.private_at > since) {
            changed.push(user_id.to_owned());
        }
        for ((_, of, ..), signature) in
            self.store()
                .prefix(&KEY_SIGNATURES, (localpart,), usize::MAX)?
        {
            if signature.at > since
                && let Ok(of) = UserId::parse(of)
            {
                changed.push(of);
            }
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::users;

    #[tokio::test]
    async fn each_user_is_listed_at_the_last_change() {
        let users = users();
        let (alice, bob) = (users.account("alice").await, users.account("bob").await);
        let start = users.store().visible();
        let phone = users.session(&alice).await.device_id;
        let other = users.session(&bob).await.device_id;
        for name in ["a", "b"] {
            users.rename_device(&alice, &phone, name).await.unwrap();
        }
        let between = users.store().visible();
        users.rename_device(&bob, &other, "c").await.unwrap();
        let since = |at| users.device_lists_changed(at, 10).unwrap();
        assert_eq!(since(start), [alice.clone(), bob.clone()]);
        assert_eq!(since(between), [bob]);
        let changed = users.device_list_changed_at(&alice).unwrap();
        assert!(changed > start && changed <= between);
        assert_eq!(since(users.store().visible()), Vec::<OwnedUserId>::new());
    }
}
