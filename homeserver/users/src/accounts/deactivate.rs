//! Ending an account for good.

use orvale_storage::{
    Batch, Entry,
    trees::users::{ACCOUNT_DATA, Erase, FILTERS, PRESENCE, PROFILES, PUSH_RULES},
};
use ruma::UserId;

use crate::{Result, Users};

impl Users {
    /// Deactivates an account: nobody can log in as it again, its sessions and devices end, its profile goes; with `erase`
    /// its account data, filters and push rules too. The caller makes it leave its rooms.
    ///
    /// # Errors
    /// [`crate::Error::NoSuchUser`]; storage.
    pub async fn deactivate(&self, user_id: &UserId, erase: bool) -> Result<()> {
        let localpart = self.localpart(user_id)?;
        // First the account: from here on no new session can be opened, so none is left behind below.
        self.change_account(localpart, |account| {
            account.password = None;
            account.admin = false;
            account.email = None;
            account.claimed_name = None;
            account.deactivated = Some(if erase { Erase::Yes } else { Erase::No });
        })
        .await?;
        if erase {
            self.inner.erased.add(localpart);
        }
        let devices = self.devices(user_id)?;
        self.delete_devices(
            user_id,
            &devices
                .iter()
                .map(|device| &*device.device_id)
                .collect::<Vec<_>>(),
        )
        .await?;

        let mut batch = Batch::new();
        batch
            .delete(&PROFILES, (localpart,))
            .delete(&PRESENCE, (localpart,));
        batch.log(Entry::Profile {
            user_id: user_id.to_string(),
        });
        batch.log(Entry::SessionEnded {
            user_id: user_id.to_string(),
            device_id: None,
        });
        if erase {
            batch.delete(&PUSH_RULES, (localpart,));
            self.forget_thread_subscriptions(localpart, &mut batch)?;
            for ((_, room, kind), _) in
                self.store()
                    .prefix(&ACCOUNT_DATA, (localpart,), usize::MAX)?
            {
                batch.delete(&ACCOUNT_DATA, (localpart, room, &kind));
            }
            for ((_, filter_id), _) in self.store().prefix(&FILTERS, (localpart,), usize::MAX)? {
                batch.delete(&FILTERS, (localpart, &filter_id));
            }
        }
        self.store().commit(batch).await?;
        if erase {
            self.forget_backups(user_id).await?;
        }
        self.inner.rulesets.forget([user_id]);
        self.inner.presence.forget(user_id);
        tracing::info!(%user_id, erase, "account deactivated");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, testing::users};

    #[tokio::test]
    async fn a_deactivated_account_is_out_and_its_name_stays_taken() {
        let users = users();
        let alice = users.account("alice").await;
        let session = users.session(&alice).await;
        users
            .set_account_data(&alice, None, "org.example.secret", "{}")
            .await
            .unwrap();
        users.deactivate(&alice, true).await.unwrap();
        assert!(
            users
                .authenticate(&session.access_token)
                .await
                .unwrap()
                .is_none()
        );
        assert!(users.is_deactivated(&alice).unwrap());
        assert!(users.is_erased(&alice));
        assert!(users.devices(&alice).unwrap().is_empty());
        assert!(
            users
                .account_data(&alice, None, "org.example.secret")
                .unwrap()
                .is_none()
        );
        assert!(matches!(
            users.check_available("alice"),
            Err(Error::UserInUse)
        ));
        assert!(matches!(
            users.open_session(&alice, None, None, false).await,
            Err(Error::Deactivated)
        ));
        assert!(
            !users
                .password_matches(&alice, "the password")
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn without_erasure_account_data_stays() {
        let users = users();
        let alice = users.account("alice").await;
        users
            .set_account_data(&alice, None, "org.example.kept", "{}")
            .await
            .unwrap();
        users.deactivate(&alice, false).await.unwrap();
        assert!(!users.is_erased(&alice));
        assert!(
            users
                .account_data(&alice, None, "org.example.kept")
                .unwrap()
                .is_some()
        );
    }
}
