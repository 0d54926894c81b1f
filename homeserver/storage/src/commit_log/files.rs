//! The files of the commit log, as it needs them: few operations, each with a known meaning after a power cut.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

/// A directory of files. Implemented by the disk, and by a simulated one that loses what was not synced.
pub(crate) trait Files: Send + Sync {
    /// The names of the files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// All of a file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Makes a file of zeros (over an older one of that name) and syncs its contents, but not its name.
    fn create(&self, name: &str, size: u64) -> io::Result<Box<dyn File>>;
    /// Opens a file for writing.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;
    /// Renames a file, over an older one of the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Syncs the names.
    fn sync_names(&self) -> io::Result<()>;
}

/// A file open for writing.
pub(crate) trait File: Send {
    /// Writes at an offset.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Syncs what was written.
    fn sync(&self) -> io::Result<()>;
}

/// A directory on disk.
pub(crate) struct Directory {
    path: std::path::PathBuf,
    /// Open since the start: no file descriptor needs to be free to sync it.
    handle: fs::File,
}

impl Directory {
    /// Opens a directory, made if missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self {
            path: path.to_owned(),
            handle: fs::File::open(path)?,
        })
    }
}

impl Files for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn create(&self, name: &str, size: u64) -> io::Result<Box<dyn File>> {
        let mut file = fs::File::create(self.path.join(name))?;
        // Page by page: the page cache then holds small folios, so that a write of one page dirties one page. After large
        // writes it holds large ones, and each sync walks over all their blocks, and accounts for them.
        let zeros = vec![0; super::frame::PAGE];
        let mut left = size;
        while left > 0 {
            let n = left.min(zeros.len() as u64);
            file.write_all(&zeros[..usize::try_from(n).expect("at most a page")])?;
            left -= n;
        }
        file.sync_all()?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(
            fs::File::options().write(true).open(self.path.join(name))?,
        ))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

impl File for fs::File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
