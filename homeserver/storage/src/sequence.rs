//! Positions: given out, landed, visible.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::{Position, Result};

/// Who waits for a batch.
pub(crate) type Tell = oneshot::Sender<Result<()>>;

/// Gives out positions and moves the visible one.
///
/// A position becomes visible when its batch is durable and every position before it is settled: durable too, or given up.
/// Visible is always a position that was used: one given up at the end may be given out again after a restart, so nobody
/// may have been told of it.
pub(crate) struct Sequence {
    state: Mutex<State>,
    visible: watch::Sender<Position>,
}

#[derive(Default)]
struct State {
    last: u64,
    /// The first position of each reservation not yet settled.
    outstanding: BTreeSet<u64>,
    /// Durable but not visible: last position of the batch, who waits for it.
    landed: BTreeMap<u64, Tell>,
}

/// A durable batch.
pub(crate) struct Landed {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) tell: Tell,
}

impl Sequence {
    /// Starts after the last position used before.
    pub(crate) fn new(last: Position) -> Self {
        let state = State {
            last: last.0,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            visible: watch::Sender::new(last),
        }
    }

    pub(crate) fn visible(&self) -> Position {
        *self.visible.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Position> {
        self.visible.subscribe()
    }

    /// Sets positions aside; returns the first, or the last one given out where none is wanted.
    pub(crate) fn reserve(&self, count: u64) -> u64 {
        let mut state = self.state.lock();
        if count == 0 {
            return state.last;
        }
        let first = state.last + 1;
        state.last += count;
        state.outstanding.insert(first);
        first
    }

    /// Gives a reservation up.
    pub(crate) fn give_up(&self, first: u64, count: u64) {
        if count > 0 {
            let mut state = self.state.lock();
            state.outstanding.remove(&first);
            let told = self.advance(&mut state);
            drop(state);
            tell(told);
        }
    }

    /// Notes durable batches and answers all that are visible now.
    pub(crate) fn land(&self, batches: impl IntoIterator<Item = Landed>) {
        let mut without_entries = Vec::new();
        let mut state = self.state.lock();
        for Landed { first, count, tell } in batches {
            if count == 0 {
                without_entries.push(tell);
            } else {
                state.outstanding.remove(&first);
                state.landed.insert(first + count - 1, tell);
            }
        }
        let told = self.advance(&mut state);
        drop(state);
        tell(told);
        tell(without_entries);
    }

    fn advance(&self, state: &mut State) -> Vec<Tell> {
        let limit = state
            .outstanding
            .first()
            .map_or(u64::MAX, |first| first - 1);
        let mut told = Vec::new();
        let mut visible = None;
        while let Some(entry) = state.landed.first_entry()
            && *entry.key() <= limit
        {
            visible = Some(*entry.key());
            told.push(entry.remove());
        }
        if let Some(visible) = visible {
            self.visible.send_replace(Position(visible));
        }
        told
    }
}

fn tell(waiting: Vec<Tell>) {
    for tell in waiting {
        // Whoever went away does not want to know.
        let _ = tell.send(Ok(()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landed(first: u64, count: u64) -> (Landed, oneshot::Receiver<Result<()>>) {
        let (tell, told) = oneshot::channel();
        (Landed { first, count, tell }, told)
    }

    #[test]
    fn a_batch_is_visible_only_after_all_before_it() {
        let sequence = Sequence::new(Position(5));
        let (a, b) = (sequence.reserve(2), sequence.reserve(1));
        assert_eq!((a, b), (6, 8));
        let (late, mut told_late) = landed(b, 1);
        sequence.land([late]);
        assert_eq!(sequence.visible(), Position(5));
        assert!(told_late.try_recv().is_err());
        let (early, mut told_early) = landed(a, 2);
        sequence.land([early]);
        assert_eq!(sequence.visible(), Position(8));
        assert!(told_early.try_recv().is_ok() && told_late.try_recv().is_ok());
    }

    #[test]
    fn a_reservation_given_up_holds_nothing_back_and_is_never_visible_itself() {
        let sequence = Sequence::new(Position::START);
        let (a, b, c) = (
            sequence.reserve(1),
            sequence.reserve(1),
            sequence.reserve(1),
        );
        let (batch, mut told) = landed(b, 1);
        sequence.land([batch]);
        sequence.give_up(a, 1);
        assert!(told.try_recv().is_ok());
        assert_eq!(sequence.visible(), Position(2));
        sequence.give_up(c, 1);
        assert_eq!(sequence.visible(), Position(2));
    }
}
