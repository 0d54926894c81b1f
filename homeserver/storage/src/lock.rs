//! The lock of a store's directory.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// How long a lock is waited for that should be free.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps other processes, and a second store of this one, out of a store's directory until it is dropped.
pub(crate) struct Lock(fs::File);

impl Lock {
    /// Makes the directory if it is missing. Blocks for [`PATIENCE`] at most.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::Io`].
    pub(crate) fn take(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))?;
        match patiently(|| Ok(file.try_lock()?)) {
            Ok(()) => Ok(Self(file)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(Error::InUse(directory.display().to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Lock {
    /// Closing the file would do it only when nobody else has it open.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes a lock that somebody may have for a moment still: a process just being started (sled runs `sync`) has the open files of the one
/// that starts it, and with them its locks, until it runs its own program.
pub(crate) fn patiently<T>(mut take: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let since = Instant::now();
    loop {
        match take() {
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock && since.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_free_once_the_lock_is_gone_whoever_has_its_file_open() {
        let directory = tempfile::tempdir().unwrap();
        let lock = Lock::take(directory.path()).unwrap();
        let _inherited = lock.0.try_clone().unwrap();
        assert!(matches!(Lock::take(directory.path()), Err(Error::InUse(_))));
        drop(lock);
        assert!(Lock::take(directory.path()).is_ok());
    }

    #[test]
    fn who_is_just_ending_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let lock = Lock::take(directory.path()).unwrap();
        std::thread::scope(|scope| {
            let next = scope.spawn(|| Lock::take(directory.path()));
            std::thread::sleep(Duration::from_millis(50));
            drop(lock);
            assert!(next.join().unwrap().is_ok());
        });
    }
}
