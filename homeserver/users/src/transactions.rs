//! Transaction IDs: a request that is sent again is not done again.
//!
//! They are scoped to a device and an endpoint, and kept for half a day to a day.

use orvale_storage::{Batch, trees::users::TRANSACTIONS};

use crate::{Result, Users};

const HALF_DAY: u64 = 12 * 3600 * 1000;

impl Users {
    fn half_day(&self) -> u32 {
        u32::try_from(self.now() / HALF_DAY).unwrap_or(u32::MAX)
    }

    /// Whether a transaction was done; if not, the batch does it, unless somebody else does meanwhile.
    pub(crate) fn begin_transaction(
        &self,
        localpart: &str,
        device_id: &str,
        transaction: &str,
        batch: &mut Batch,
    ) -> Result<bool> {
        let now = self.half_day();
        for half_day in [now, now.saturating_sub(1)] {
            if self
                .store()
                .contains(&TRANSACTIONS, (half_day, localpart, device_id, transaction))?
            {
                return Ok(false);
            }
        }
        let key = (now, localpart, device_id, transaction);
        batch
            .expect::<_, ()>(&TRANSACTIONS, key, None)
            .put(&TRANSACTIONS, key, &());
        Ok(true)
    }

    /// Removes old ones, some thousands at a time.
    pub(crate) async fn sweep_transactions(&self) -> Result<()> {
        let oldest = self.half_day().saturating_sub(1);
        loop {
            let old = self
                .store()
                .range(&TRANSACTIONS, (0,), (oldest,), false, 5_000)?;
            if old.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for (key, ()) in old {
                batch.delete(&TRANSACTIONS, key);
            }
            self.store().commit(batch).await?;
        }
    }
}
