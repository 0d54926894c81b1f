//! Transactions that were answered, or are at work: one that is sent again gets the same answer.
//!
//! In memory alone: what is in a transaction is known by its own ID if it comes again, so that a restart costs nothing but work.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
};

use orvale_http::MatrixError;
use parking_lot::Mutex;
use ruma::{
    OwnedServerName, OwnedTransactionId, ServerName, TransactionId,
    api::federation::transactions::send_transaction_message::v1::Response,
};
use tokio::sync::OnceCell;

/// How many are known.
const KEPT: usize = 4_096;

type Key = (OwnedServerName, OwnedTransactionId);
/// What a transaction is answered, once it is done.
pub(super) type Answered = Arc<OnceCell<Result<Response, MatrixError>>>;

/// Transactions that were answered, or are at work. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Transactions(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    answers: HashMap<Key, Answered>,
    order: VecDeque<Key>,
    /// One transaction of a server is done at a time, as it has promised to send them.
    turns: HashMap<OwnedServerName, Weak<tokio::sync::Mutex<()>>>,
}

impl Transactions {
    /// The answer to a transaction, which whoever comes first has to find.
    pub(super) fn answer(&self, origin: &ServerName, id: &TransactionId) -> Answered {
        let key = (origin.to_owned(), id.to_owned());
        let mut known = self.0.lock();
        if let Some(answer) = known.answers.get(&key) {
            return answer.clone();
        }
        if known.order.len() >= KEPT
            && let Some(oldest) = known.order.pop_front()
        {
            known.answers.remove(&oldest);
        }
        let answer = Answered::default();
        known.order.push_back(key.clone());
        known.answers.insert(key, answer.clone());
        answer
    }

    /// A transaction failed here: it may be sent again.
    pub(super) fn forget(&self, origin: &ServerName, id: &TransactionId) {
        let key = (origin.to_owned(), id.to_owned());
        let mut known = self.0.lock();
        known.answers.remove(&key);
        known.order.retain(|other| *other != key);
    }

    /// Whose turn it is among the transactions of a server.
    pub(super) fn turn(&self, origin: &ServerName) -> Arc<tokio::sync::Mutex<()>> {
        let mut known = self.0.lock();
        if let Some(turn) = known.turns.get(origin).and_then(Weak::upgrade) {
            return turn;
        }
        known.turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        known.turns.insert(origin.to_owned(), Arc::downgrade(&turn));
        turn
    }
}
