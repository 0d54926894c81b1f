//! What is done now and then: expiring, and writing what was put off.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::{Result, Users};

const PRESENCE_EVERY: Duration = Duration::from_secs(5);
const REST_EVERY: u32 = 36;

impl Users {
    /// Starts the housekeeping, which ends with the last handle.
    #[must_use]
    pub fn start_housekeeping(&self) -> JoinHandle<()> {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            let mut ticks = 0_u32;
            loop {
                tokio::time::sleep(PRESENCE_EVERY).await;
                let Some(inner) = inner.upgrade() else { return };
                let users = Self { inner };
                users.inner.presence.tick();
                ticks = ticks.wrapping_add(1);
                if ticks.is_multiple_of(REST_EVERY)
                    && let Err(error) = users.keep_house().await
                {
                    tracing::error!(%error, "housekeeping of accounts failed");
                }
            }
        })
    }

    /// One round of housekeeping. Also to be done before the store is closed, so that nothing put off is lost.
    ///
    /// # Errors
    /// Storage.
    pub async fn keep_house(&self) -> Result<()> {
        self.inner.uia.sweep(self.now());
        self.write_last_seen().await?;
        self.sweep_short_tokens().await?;
        self.sweep_transactions().await
    }
}
