//! How much push rules may cost.
//!
//! A user may have many rules with long patterns and many conditions, and what they are matched with is what others write. Both
//! together could take minutes for one sync. So whoever evaluates rules has work to spend, far more than rules need that people
//! make for themselves; where it is used up, conditions that cost more do not hold.

use std::cell::Cell;

/// Work that is left. One unit is about what a comparison of two characters takes.
#[derive(Debug)]
pub(crate) struct Work(Cell<usize>);

/// For one event.
const EVENT: usize = 1 << 20;
/// For all events that one request looks at.
const EVENTS: usize = 1 << 26;

/// Of a condition that is looked up in the event alone.
pub(crate) const CONDITION: usize = 16;
/// Of a condition that is looked up in the state of the room.
pub(crate) const LOOKUP: usize = 1 << 12;
/// Of a condition for which a state event is parsed.
pub(crate) const PARSE: usize = 1 << 14;

impl Work {
    pub(crate) fn for_event() -> Self {
        Self(Cell::new(EVENT))
    }

    pub(crate) fn for_events() -> Self {
        Self(Cell::new(EVENTS))
    }

    /// Does something with work for one event out of this.
    pub(crate) fn on_one_event<T>(&self, act: impl FnOnce(&Self) -> T) -> T {
        let given = self.0.get().min(EVENT);
        let one = Self(Cell::new(given));
        let done = act(&one);
        self.0.set(self.0.get() - (given - one.0.get()));
        done
    }

    /// Spends some of it; `None` if there is not as much, and then there is none left.
    pub(crate) fn spend(&self, cost: usize) -> Option<()> {
        let left = self.0.get().checked_sub(cost);
        self.0.set(left.unwrap_or_default());
        left.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_does_not_take_the_work_of_all() {
        let work = Work::for_events();
        work.on_one_event(|one| {
            one.spend(10).unwrap();
            assert_eq!(one.spend(EVENT), None);
            assert_eq!(one.spend(1), None);
        });
        assert_eq!(work.0.get(), EVENTS - EVENT);
        for _ in 1..EVENTS / EVENT {
            work.on_one_event(|one| one.spend(EVENT)).unwrap();
        }
        assert_eq!(work.spend(1), None);
    }
}
