//! The one writer: gathers waiting batches, makes them durable together, applies them, answers.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{
    Error, Result,
    batch::{Expectation, Writes},
    checkpoint::{Health, Order},
    commit_log::Appender,
    engine::Engine,
    sequence::{Landed, Sequence, Tell},
    store::Permit,
    tuning::Tuning,
};

/// A batch on its way.
pub(crate) struct Submission {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) writes: Bytes,
    pub(crate) expected: Vec<Expectation>,
    pub(crate) tell: Tell,
    #[expect(dead_code, reason = "held until the batch is answered")]
    pub(crate) permit: Option<Permit>,
    pub(crate) at: Instant,
}

/// What the committer is sent.
pub(crate) enum Message {
    Batch(Submission),
    /// There will be no more.
    Close,
}

/// Where batches go.
pub(crate) enum Writer {
    /// Applied at once, one after the other.
    Memory(Mutex<()>),
    /// To the committer's thread.
    Disk(mpsc::Sender<Message>),
}

impl Writer {
    pub(crate) fn submit(&self, engine: &Engine, sequence: &Sequence, submission: Submission) {
        match self {
            Self::Memory(one_at_a_time) => {
                let guard = one_at_a_time.lock();
                match check(engine, &Unwritten::default(), &submission.expected) {
                    Ok(()) => {
                        engine.apply(submission.writes.clone());
                        drop(guard);
                        land(sequence, vec![submission]);
                    }
                    Err(error) => refuse(sequence, submission, error),
                }
            }
            Self::Disk(committer) => {
                if let Err(mpsc::SendError(Message::Batch(submission))) =
                    committer.send(Message::Batch(submission))
                {
                    refuse(sequence, submission, Error::Closed);
                }
            }
        }
    }
}

/// The committer's thread.
pub(crate) struct Committer {
    pub(crate) engine: Arc<Engine>,
    pub(crate) sequence: Arc<Sequence>,
    pub(crate) appender: Appender,
    pub(crate) health: Arc<Health>,
    pub(crate) keeper: mpsc::Sender<Order>,
    pub(crate) tuning: Tuning,
}

impl Committer {
    /// Works until told to close, or until nobody is left to send anything.
    pub(crate) fn run(mut self, messages: &mpsc::Receiver<Message>) {
        let mut looked = false;
        while let Ok(Message::Batch(first)) = messages.recv() {
            let (group, closing) = self.gather(first, messages);
            self.commit(group);
            let (bytes, frozen) = self.engine.pressure();
            let wanted =
                self.appender.wants_next() || (bytes >= self.tuning.checkpoint_bytes && !frozen);
            if wanted && !looked {
                let _ = self.keeper.send(Order::Look);
            }
            looked = wanted;
            if closing {
                break;
            }
            self.wait_for_room();
        }
    }

    /// What waits already, as far as one group goes; it does not wait for more.
    fn gather(
        &self,
        first: Submission,
        messages: &mpsc::Receiver<Message>,
    ) -> (Vec<Submission>, bool) {
        let mut bytes = first.writes.len();
        let mut group = vec![first];
        while group.len() < self.tuning.group_batches && bytes < self.tuning.group_bytes {
            match messages.try_recv() {
                Ok(Message::Batch(submission)) => {
                    bytes += submission.writes.len();
                    group.push(submission);
                }
                Ok(Message::Close) => return (group, true),
                Err(_) => break,
            }
        }
        (group, false)
    }

    fn commit(&mut self, group: Vec<Submission>) {
        let group = self.admit(group);
        if group.is_empty() {
            return;
        }
        let batches = group.iter().map(|batch| {
            let count = u32::try_from(batch.count).expect("a batch has fewer entries than bytes");
            (batch.first, count, &batch.writes[..])
        });
        let written = self.health.check().and_then(|()| {
            self.appender.append(batches).map_err(|error| {
                let error = Error::from(error);
                self.health.fail(&error);
                error
            })
        });
        match written {
            Ok((number, bytes)) => {
                for batch in &group {
                    self.engine.apply(batch.writes.clone());
                }
                self.engine.applied(number);
                record(&group, bytes);
                land(&self.sequence, group);
            }
            Err(error) => {
                for batch in group {
                    refuse(&self.sequence, batch, error.clone());
                }
            }
        }
    }

    /// The batches whose preconditions hold when their turn comes; the others are refused.
    fn admit(&self, group: Vec<Submission>) -> Vec<Submission> {
        if group.iter().all(|batch| batch.expected.is_empty()) {
            return group;
        }
        let mut unwritten = Unwritten::default();
        let mut admitted = Vec::with_capacity(group.len());
        for batch in group {
            match check(&self.engine, &unwritten, &batch.expected) {
                Ok(()) => {
                    for write in Writes(batch.writes.clone()) {
                        let write = write.expect("a batch is well formed");
                        unwritten.insert(write.key, write.value);
                    }
                    admitted.push(batch);
                }
                Err(error) => refuse(&self.sequence, batch, error),
            }
        }
        admitted
    }

    /// Slows down, and at last waits, while checkpoints cannot keep up: what they have not written down is in memory.
    fn wait_for_room(&self) {
        const LONGEST: f64 = 0.25;
        let soft = self.tuning.limit_bytes / 2;
        loop {
            let (bytes, _) = self.engine.pressure();
            if bytes <= soft || self.health.check().is_err() {
                return;
            }
            let _ = self.keeper.send(Order::Look);
            let share = (bytes - soft) as f64 / (self.tuning.limit_bytes - soft) as f64;
            std::thread::sleep(Duration::from_secs_f64(LONGEST * share.min(1.0).powi(2)));
            if share < 1.0 {
                return;
            }
        }
    }
}

/// What earlier batches of a group will write.
type Unwritten = HashMap<Bytes, Option<Bytes>>;

fn check(engine: &Engine, unwritten: &Unwritten, expected: &[Expectation]) -> Result<()> {
    for e in expected {
        let holds = match unwritten.get(&e.key[..]) {
            Some(value) => value.as_deref() == e.value.as_deref(),
            None => engine.get(&e.key)?.as_deref() == e.value.as_deref(),
        };
        if !holds {
            return Err(Error::Conflict { tree: e.tree });
        }
    }
    Ok(())
}

fn record(group: &[Submission], bytes: u64) {
    let latency = metrics::histogram!("orvale_storage_commit_seconds");
    for batch in group {
        latency.record(batch.at.elapsed());
    }
    metrics::histogram!("orvale_storage_group_batches").record(group.len() as f64);
    metrics::counter!("orvale_storage_log_bytes").increment(bytes);
}

fn land(sequence: &Sequence, group: Vec<Submission>) {
    sequence.land(group.into_iter().map(
        |Submission {
             first, count, tell, ..
         }| Landed { first, count, tell },
    ));
}

fn refuse(sequence: &Sequence, submission: Submission, error: Error) {
    sequence.give_up(submission.first, submission.count);
    let _ = submission.tell.send(Err(error));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Batch, Entry, Position, Store, Tree,
        commit_log::{CommitLog, simulated::SimulatedDisk},
    };

    const NAMES: Tree<(String,), String> = Tree::new(0xff01, "test_names");

    /// A store in memory with a commit log on a simulated disk.
    fn store(disk: &SimulatedDisk) -> Store {
        let engine = Arc::new(Engine::new(None, 0));
        let sequence = Arc::new(Sequence::new(Position::START));
        let files = Arc::new(disk.clone());
        let (_, appender) = CommitLog::open(files, 64 << 10, 0, |_, _| Ok(())).unwrap();
        let (messages, inbox) = mpsc::channel();
        let committer = Committer {
            engine: engine.clone(),
            sequence: sequence.clone(),
            appender,
            health: Arc::default(),
            keeper: mpsc::channel().0,
            tuning: Tuning::default(),
        };
        std::thread::spawn(move || committer.run(&inbox));
        Store::over(engine, sequence, Writer::Disk(messages), None)
    }

    fn named(name: &str) -> Batch {
        let mut batch = Batch::new();
        batch
            .put(&NAMES, (name,), &name.to_owned())
            .log(Entry::Profile {
                user_id: name.to_owned(),
            });
        batch
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_or_readable_after_the_disk_has_refused_once() {
        let disk = SimulatedDisk::default();
        let store = store(&disk);
        store.commit(named("@a:x")).await.unwrap();
        disk.cut_in_sync(0);
        for name in ["@b:x", "@c:x"] {
            assert!(matches!(store.commit(named(name)).await, Err(Error::Io(_))));
            assert!(!store.contains(&NAMES, (name,)).unwrap());
        }
        assert_eq!(store.visible(), Position(1));
    }

    #[tokio::test]
    async fn a_batch_is_not_readable_before_it_is_durable_and_waits_for_those_before_it() {
        let store = store(&SimulatedDisk::default());
        let (first, second) = (store.permit().await.unwrap(), store.permit().await.unwrap());
        let pending = {
            let first = store.reserve(first, 1);
            let second = store.reserve(second, 1);
            let second = store.submit(second, named("@b:x"));
            while !store.contains(&NAMES, ("@b:x",)).unwrap() {
                std::thread::yield_now();
            }
            assert_eq!(
                store.visible(),
                Position::START,
                "the position before it is outstanding"
            );
            (store.submit(first, named("@a:x")), second)
        };
        pending.1.await.unwrap();
        pending.0.await.unwrap();
        assert_eq!(store.visible(), Position(2));
    }
}
