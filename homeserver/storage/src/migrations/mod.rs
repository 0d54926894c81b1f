//! Migrations: how data stored by an older program becomes what this one expects.
//!
//! A store has a *form*, a number kept in [`META`]. A change to stored data is a step here with the next number, in a file of
//! its own, with a test that starts from the old form. Steps run when a store is opened, in order, before anything else.
//! A step may be interrupted and is then begun again, so it must stand finding some of its work done.

mod forks;

use std::sync::Arc;

use crate::{
    Batch, Error, Result, Tree,
    checkpoint::Keeper,
    commit_log::Appender,
    engine::Engine,
    key::Key,
    record::Record,
    store::{self, successor},
    trees::system::META,
};

/// A change to stored data.
pub(crate) struct Step {
    /// The form it leads to: one more than that it starts from.
    pub(crate) to: u64,
    /// What it does, for the log.
    pub(crate) what: &'static str,
    pub(crate) run: fn(&mut Migrator<'_>) -> Result<()>,
}

/// The form of stores that no step has touched.
const FIRST: u64 = 1;
/// All steps, in order.
pub(crate) const STEPS: &[Step] = &[Step {
    to: 2,
    what: "say where events stand in rooms whose history forked",
    run: forks::run,
}];
const FORM: &str = "form";

/// What a step works with: a store that nobody else has yet.
pub(crate) struct Migrator<'a> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) appender: &'a mut Appender,
    pub(crate) keeper: &'a mut Keeper,
}

impl Migrator<'_> {
    /// Brings the store to the newest form.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Result<()> {
        let known = steps.last().map_or(FIRST, |step| step.to);
        let Some(found) = self.form()? else {
            return self.set_form(known);
        };
        if found > known {
            return Err(Error::Newer { found, known });
        }
        for step in steps.iter().filter(|step| step.to > found) {
            tracing::info!(form = step.to, what = step.what, "migrating the store");
            (step.run)(self)?;
            self.set_form(step.to)?;
        }
        Ok(())
    }

    /// The form of the store; none if it is new.
    fn form(&self) -> Result<Option<u64>> {
        let malformed = |reason: String| Error::Corrupt {
            tree: META.name,
            reason,
        };
        if let Some(bytes) = self.engine.get(&META.key(&(FORM,)))? {
            let form: String = store::record(&META, &bytes)?;
            return form
                .parse()
                .map(Some)
                .map_err(|_| malformed(format!("form {form:?}")));
        }
        for (from, to) in Engine::SPACES {
            if !self.engine.range(from, to, false, 1)?.is_empty() {
                return Err(malformed("the store has data, but no form".to_owned()));
            }
        }
        Ok(None)
    }

    fn set_form(&mut self, form: u64) -> Result<()> {
        let mut batch = Batch::new();
        batch.put(&META, (FORM,), &form.to_string());
        self.write(batch)
    }

    /// Makes a batch durable.
    pub(crate) fn write(&mut self, batch: Batch) -> Result<()> {
        let writes = bytes::Bytes::from(batch.writes);
        let (group, _) = self.appender.append(std::iter::once((0, 0, &writes[..])))?;
        self.engine.apply(writes);
        self.engine.applied(group);
        if self.keeper.due() {
            self.keeper.checkpoint()
        } else {
            Ok(())
        }
    }

    /// Calls `change` with each entry of a tree, some at a time, with the batch that they are written in.
    #[cfg_attr(not(test), expect(dead_code, reason = "for a step to come"))]
    pub(crate) fn each<K: Key, V: Record>(
        &mut self,
        tree: &Tree<K, V>,
        mut change: impl FnMut(&mut Batch, K, V) -> Result<()>,
    ) -> Result<()> {
        let from = tree.number.to_be_bytes().to_vec();
        let to = successor(from.clone());
        let engine = self.engine.clone();
        engine.walk(&from, &to, |entries| {
            let mut batch = Batch::new();
            for (key, value) in entries {
                let (key, value) = store::entry(tree, key, value)?;
                change(&mut batch, key, value)?;
            }
            self.write(batch)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Store, Tuning};

    const OLD: Tree<(String,), String> = Tree::new(0xff01, "test_old");
    const NEW: Tree<(u64,), u64> = Tree::new(0xff02, "test_new");

    /// Numbers were kept as text once.
    const TO_NUMBERS: Step = Step {
        to: 2,
        what: "keep numbers as numbers",
        run: |migrator| {
            migrator.each(&OLD, |batch, (key,), value| {
                let number = |text: &str| {
                    text.parse().map_err(|_| Error::Corrupt {
                        tree: OLD.name,
                        reason: text.to_owned(),
                    })
                };
                batch
                    .put(&NEW, (number(&key)?,), &number(&value)?)
                    .delete(&OLD, (key,));
                Ok(())
            })
        },
    };

    /// Stops in the middle, as a crash would.
    const INTERRUPTED: Step = Step {
        to: 2,
        what: "stop in the middle",
        run: |migrator| {
            let mut left = 1500;
            migrator.each(&OLD, |batch, (key,), value| {
                left -= 1;
                batch
                    .put(
                        &NEW,
                        (key.parse::<u64>().unwrap(),),
                        &value.parse().unwrap(),
                    )
                    .delete(&OLD, (key,));
                if left == 0 {
                    Err(Error::Closed)
                } else {
                    Ok(())
                }
            })
        },
    };

    fn open(directory: &tempfile::TempDir, steps: &[Step]) -> Result<Store> {
        let config = Config {
            path: directory.path().to_owned(),
            cache_bytes: 1 << 20,
            free_bytes: 0,
        };
        Store::open_migrating(
            &config,
            &Tuning {
                segment_bytes: 64 << 10,
                ..Tuning::default()
            },
            steps,
        )
    }

    #[tokio::test]
    async fn data_of_an_old_form_becomes_the_new_form_also_when_interrupted() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory, &[]).unwrap();
        let mut batch = Batch::new();
        for n in 0..2500 {
            batch.put(&OLD, (n.to_string(),), &(n * 2).to_string());
        }
        store.commit(batch).await.unwrap();
        drop(store);

        assert!(matches!(
            open(&directory, &[INTERRUPTED]),
            Err(Error::Closed)
        ));
        let store = open(&directory, &[TO_NUMBERS]).unwrap();
        assert!(store.prefix(&OLD, (), 10).unwrap().is_empty());
        let found = store.prefix(&NEW, (), 9999).unwrap();
        assert!(found.into_iter().eq((0..2500).map(|n| ((n,), n * 2))));
        store.close().await.unwrap();
        drop(store);

        assert!(
            open(&directory, &[TO_NUMBERS]).is_ok(),
            "there is nothing left to do"
        );
    }

    #[tokio::test]
    async fn a_store_of_a_newer_program_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        drop(open(&directory, &[TO_NUMBERS]).unwrap());
        let error = open(&directory, &[]).err().unwrap();
        assert!(
            matches!(error, Error::Newer { found: 2, known: 1 }),
            "{error}"
        );
        assert!(error.to_string().contains("newer program"));
    }
}
