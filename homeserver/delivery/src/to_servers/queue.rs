//! A task for each server that is to be told something, which ends when nothing is left.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use orvale_federation_client::{Error as ClientError, FederationClient};
use orvale_storage::{Batch, Entry, Position, trees::delivery::TO_SERVERS};
use parking_lot::Mutex;
use ruma::{OwnedRoomId, OwnedServerName, OwnedTransactionId, OwnedUserId, ServerName};
use tokio::{
    sync::{Notify, Semaphore, broadcast::error::RecvError},
    time::sleep,
};

use super::transaction::{MOST_EDUS, Transaction};
use crate::{
    Result,
    delivery::{Inner, blocking},
};

/// How many transactions are under way at once, to all servers together.
const AT_ONCE: usize = 128;
/// The least pause before the next attempt at a server that says how long it wants to be left alone.
const ASKED_TO_WAIT: Duration = Duration::from_millis(100);
/// The longest pause before the next attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Of a queue longer than this, only the newest event of each room is kept for a server that is not reached.
const LONG: usize = 5_000;
/// How many entries are looked at at once to shorten it.
const PAGE: usize = 1_000;
/// How much is told in passing at once; more is dropped.
const MOST_IN_PASSING: usize = 1_000;

/// Who types where, or no longer does.
type Typing = ((OwnedRoomId, OwnedUserId), bool);

/// What all other servers are still to be told.
pub(crate) struct Queues {
    pub(crate) client: FederationClient,
    queues: Mutex<HashMap<OwnedServerName, Queue>>,
    requests: Arc<Semaphore>,
    /// Tells this process's transactions from those of earlier ones.
    process: u64,
    transactions: AtomicU64,
}

/// What is to be told to one server besides what the store holds, and how it goes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) typing: BTreeMap<(OwnedRoomId, OwnedUserId), bool>,
    pub(super) presence: BTreeSet<OwnedUserId>,
    failures: u32,
    /// It waits after an attempt that did not reach the server: a sign of life ends the wait.
    unreached: bool,
    /// There may be something new in the store.
    more: bool,
    wake: Arc<Notify>,
}

impl Queues {
    pub(crate) fn new(client: FederationClient, process: u64) -> Self {
        Self {
            client,
            queues: Mutex::default(),
            requests: Arc::new(Semaphore::new(AT_ONCE)),
            process,
            transactions: AtomicU64::default(),
        }
    }

    pub(super) fn next_transaction_id(&self) -> OwnedTransactionId {
        let n = self.transactions.fetch_add(1, Ordering::Relaxed);
        format!("{}-{n}", self.process).into()
    }

    /// Takes what is to be told in passing: at most so many notices of typing, and all of presence.
    pub(super) fn take_passing(&self, server: &ServerName) -> (Vec<Typing>, BTreeSet<OwnedUserId>) {
        let mut queues = self.queues.lock();
        let Some(queue) = queues.get_mut(server) else {
            return Default::default();
        };
        queue.more = false;
        let mut typing = std::mem::take(&mut queue.typing);
        // Few enough to leave place for what must not be lost.
        let rest = typing.keys().nth(MOST_EDUS / 4).cloned();
        if let Some(rest) = rest {
            queue.typing = typing.split_off(&rest);
        }
        (
            typing.into_iter().collect(),
            std::mem::take(&mut queue.presence),
        )
    }

    /// The task of a server ends, unless there is something new.
    fn end(&self, server: &ServerName) -> bool {
        let mut queues = self.queues.lock();
        let has_more = queues.get(server).is_some_and(|queue| {
            queue.more || !queue.typing.is_empty() || !queue.presence.is_empty()
        });
        if !has_more {
            queues.remove(server);
        }
        !has_more
    }

    fn succeeded(&self, server: &ServerName) {
        if let Some(queue) = self.queues.lock().get_mut(server) {
            (queue.failures, queue.unreached) = (0, false);
        }
    }

    /// Notes a failure: how many there were one after the other, and what ends the wait.
    fn failed(&self, server: &ServerName, unreached: bool) -> (u32, Arc<Notify>) {
        let mut queues = self.queues.lock();
        let queue = queues.entry(server.to_owned()).or_default();
        queue.failures = queue.failures.saturating_add(1);
        queue.unreached = unreached;
        queue.typing.clear();
        queue.presence.clear();
        queue.wake = Arc::default();
        (queue.failures, queue.wake.clone())
    }

    /// A server is there after all.
    fn lives(&self, server: &ServerName) {
        if let Some(queue) = self.queues.lock().get_mut(server)
            && std::mem::take(&mut queue.unreached)
        {
            queue.failures = 0;
            queue.wake.notify_one();
        }
    }
}

/// Tries servers again that show a sign of life.
pub(crate) async fn follow_signs_of_life(inner: Weak<Inner>) {
    let signs = inner.upgrade().and_then(|shared| {
        let queues = shared.to_servers.as_ref()?;
        Some(queues.client.alive())
    });
    let Some(mut signs) = signs else { return };
    loop {
        let server = match signs.recv().await {
            Ok(server) => server,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(shared) = inner.upgrade() else {
            return;
        };
        if let Some(queues) = &shared.to_servers {
            queues.lives(&server);
        }
    }
}

impl Inner {
    /// Has all servers told what an earlier process left.
    pub(crate) fn tell_servers(self: &Arc<Self>) -> Result<()> {
        let store = self.rooms.store();
        let mut after = String::new();
        loop {
            let (from, to) = (
                (&after, Position::START),
                (char::MAX.to_string(), Position::END),
            );
            let first = store.range(&TO_SERVERS, from, to, false, 1)?;
            let Some(((server, _), _)) = first.into_iter().next() else {
                return Ok(());
            };
            if let Ok(name) = ServerName::parse(&server) {
                self.tell_server(&name);
            }
            after = server + "\u{1}";
        }
    }

    /// Has a server told what the store holds for it.
    pub(super) fn tell_server(self: &Arc<Self>, server: &OwnedServerName) {
        self.with_queue(server, |queue| queue.more = true);
    }

    /// Has a server told something, unless it is not reached.
    pub(super) fn tell_in_passing(
        self: &Arc<Self>,
        server: &OwnedServerName,
        add: impl FnOnce(&mut Queue),
    ) {
        self.with_queue(server, |queue| {
            let full = queue.typing.len() + queue.presence.len() >= MOST_IN_PASSING;
            if queue.failures == 0 && !full {
                add(queue);
            }
        });
    }

    /// Whether a server was reached when it was last told something.
    pub(super) fn is_reached(&self, server: &ServerName) -> bool {
        let Some(queues) = &self.to_servers else {
            return false;
        };
        let queues = queues.queues.lock();
        queues.get(server).is_none_or(|queue| queue.failures == 0)
    }

    fn with_queue(self: &Arc<Self>, server: &OwnedServerName, change: impl FnOnce(&mut Queue)) {
        let Some(queues) = &self.to_servers else {
            return;
        };
        let mut queues = queues.queues.lock();
        let is_new = !queues.contains_key(server);
        change(queues.entry(server.clone()).or_default());
        // A queue is there as long as its task.
        if is_new {
            tokio::spawn(work(Arc::downgrade(self), server.clone()));
        }
    }

    /// Notes that a server has what a transaction held.
    async fn told(&self, server: &ServerName, transaction: &Transaction) -> Result<()> {
        let mut batch = Batch::new();
        for at in &transaction.entries {
            batch.delete(&TO_SERVERS, (server, *at));
        }
        for at in &transaction.to_device {
            self.users.to_device_elsewhere_done(*at, &mut batch);
        }
        if !batch.is_empty() {
            self.rooms.store().commit(batch).await?;
        }
        Ok(())
    }

    /// Shortens a queue of more places than `long`: of each room, the newest event is enough for the server to find the rest.
    pub(super) async fn shorten(&self, server: &ServerName, long: usize) -> Result<()> {
        let store = self.rooms.store();
        let (from, to) = ((server, Position::START), (server, Position::END));
        let newest = store.range(&TO_SERVERS, from, to, true, long)?;
        let end = match newest.first() {
            Some(((_, at), _)) if newest.len() == long => *at,
            _ => return Ok(()),
        };
        let mut rooms = BTreeSet::new();
        let mut before = end.next();
        loop {
            let to = (server, before);
            // From the newest to the oldest.
            let page = store.range(&TO_SERVERS, from, to, true, PAGE)?;
            let Some(((_, oldest), _)) = page.last() else {
                return Ok(());
            };
            before = *oldest;
            let mut batch = Batch::new();
            for ((_, at), _) in &page {
                let goes = match store.get(&orvale_storage::trees::system::LOG, (*at,))? {
                    Some(Entry::Event(record)) => !rooms.insert(record.room),
                    Some(Entry::Forward { event, .. }) => {
                        !rooms.insert(self.rooms.event(event)?.room)
                    }
                    Some(Entry::ToDeviceElsewhere { .. } | Entry::DeviceList { .. }) => false,
                    _ => true,
                };
                if goes {
                    batch.delete(&TO_SERVERS, (server, *at));
                }
            }
            if !batch.is_empty() {
                store.commit(batch).await?;
            }
        }
    }
}

/// Tells a server what there is for it, until nothing is left.
async fn work(inner: Weak<Inner>, server: OwnedServerName) {
    // How much is put into a transaction; less after one that was refused as a whole.
    let mut most = usize::MAX;
    loop {
        let Some(shared) = inner.upgrade() else {
            return;
        };
        let Some(queues) = &shared.to_servers else {
            return;
        };
        let made = blocking(|| shared.next_transaction(queues, &server, most));
        let transaction = match made {
            Ok(Some(transaction)) => transaction,
            Ok(None) if queues.end(&server) => return,
            Ok(None) => continue,
            Err(error) => {
                tracing::error!(%error, server_name = %server, "a transaction cannot be made");
                drop(shared);
                sleep(Duration::from_secs(5)).await;
                continue;
            }
        };
        let size = transaction.entries.len();
        let outcome = {
            let _request = queues.requests.acquire().await;
            shared.send_transaction(queues, &server, &transaction).await
        };
        let (wait, wake) = match outcome {
            Sent::Told => {
                queues.succeeded(&server);
                match shared.told(&server, &transaction).await {
                    Ok(()) => {
                        most = usize::MAX;
                        continue;
                    }
                    Err(error) => {
                        tracing::error!(%error, server_name = %server, "what a server was told cannot be kept");
                        (Duration::from_secs(5), Arc::default())
                    }
                }
            }
            Sent::Refused if size > 1 => {
                most = size / 2;
                continue;
            }
            Sent::Refused => {
                tracing::warn!(server_name = %server, entries = ?transaction.entries, "a server refuses what it is told: it is dropped");
                metrics::counter!("orvale_delivery_to_servers_dropped").increment(1);
                if let Err(error) = shared.told(&server, &transaction).await {
                    tracing::error!(%error, server_name = %server, "what a server refused cannot be dropped");
                    (Duration::from_secs(5), Arc::default())
                } else {
                    continue;
                }
            }
            Sent::Later { unreached, after } => {
                let (failures, wake) = queues.failed(&server, unreached);
                if let Err(error) = shared.shorten(&server, LONG).await {
                    tracing::error!(%error, server_name = %server, "a queue cannot be shortened");
                }
                let retry = shared.config.servers.retry();
                // Who says how long to wait is there; but if that is not enough again and again, it is not believed.
                let first = match after.is_zero() {
                    true => retry,
                    false => retry.min(ASKED_TO_WAIT),
                };
                (pause(first, failures).max(after), wake)
            }
        };
        drop(transaction);
        drop(shared);
        tokio::select! {
            () = sleep(wait) => {}
            () = wake.notified() => {}
        }
    }
}

/// What became of a transaction.
enum Sent {
    Told,
    /// It is not wanted like this, and will not be later.
    Refused,
    Later {
        unreached: bool,
        /// How long the server wants to be left alone.
        after: Duration,
    },
}

impl Inner {
    async fn send_transaction(
        &self,
        queues: &Queues,
        server: &ServerName,
        transaction: &Transaction,
    ) -> Sent {
        let Some(request) = &transaction.request else {
            return Sent::Told;
        };
        metrics::counter!("orvale_delivery_transactions").increment(1);
        let error = match queues.client.send_once(server, request.clone()).await {
            Ok(response) => {
                for (event_id, result) in response.pdus {
                    if let Err(reason) = result {
                        tracing::info!(server_name = %server, %event_id, reason, "a server refuses an event");
                    }
                }
                return Sent::Told;
            }
            Err(error) => error,
        };
        tracing::info!(%error, server_name = %server, "a server cannot be told");
        metrics::counter!("orvale_delivery_transactions_failed").increment(1);
        match error {
            ClientError::Matrix(answer) => match answer.status.as_u16() {
                // What stands before a server refuses for reasons of its own, and in no words of Matrix; but the size is the size.
                413 => Sent::Refused,
                400 | 422 if !answer.errcode.is_empty() => Sent::Refused,
                _ => Sent::Later {
                    unreached: false,
                    after: answer.retry_after.unwrap_or_default().min(LONGEST_PAUSE),
                },
            },
            // An answer that is of no use is a sign of life too, and must not be one to try again at.
            error => Sent::Later {
                unreached: matches!(error, ClientError::NotReached(_)),
                after: Duration::ZERO,
            },
        }
    }
}

/// How long to wait after so many failures: twice as long each time, and not all at the same moment.
fn pause(first: Duration, failures: u32) -> Duration {
    let pause = first
        .saturating_mul(1 << failures.saturating_sub(1).min(20))
        .min(LONGEST_PAUSE);
    pause.mul_f64(rand::random_range(0.75..1.25))
}
