//! Copies of everything, and servers made from them.
//!
//! A backup is a directory with the store (`store`), the uploaded files (`files`) and the server's keys and name. It is
//! consistent: the files are copied after the store, and a file is there before the store knows of it.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use orvale_storage::Store;

use crate::{build, config::Config, signing_key::make_directory};

/// What is copied as it is.
const SMALL: [&str; 3] = ["signing.key", "old_signing.keys", "server_name"];

/// Copies everything to a directory that does not exist yet. The server may go on meanwhile.
pub(crate) async fn backup(store: &Store, data_dir: &Path, to: &Path) -> Result<String> {
    ensure!(
        !to.exists(),
        "{} is there already; a backup makes its own directory",
        to.display()
    );
    // Under another name until it is whole.
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part).to_owned();
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    make_directory(&part).with_context(|| format!("cannot make {}", part.display()))?;
    let manifest = store.backup(&part.join("store")).await?;
    let (data_dir, to) = (data_dir.to_owned(), to.to_owned());
    tokio::task::spawn_blocking(move || {
        let files = copy_files(&data_dir.join("media/files"), &part.join("files"))?;
        for name in SMALL {
            copy(&data_dir.join(name), &part.join(name))?;
        }
        File::open(&part)?.sync_all()?;
        fs::rename(&part, &to)?;
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(format!(
            "{}: everything up to position {}, {files} uploaded files",
            to.display(),
            manifest.position
        ))
    })
    .await?
}

/// Makes the data directory from a backup. There must be no store in it.
pub(crate) async fn restore(config: &Config, from: &Path) -> Result<String> {
    let (place, data_dir, from) = (
        build::store_config(config),
        config.data_dir.clone(),
        from.to_owned(),
    );
    let name = config.server_name.clone();
    tokio::task::spawn_blocking(move || {
        let saved = fs::read_to_string(from.join("server_name"));
        let saved = saved.with_context(|| format!("{} is no backup", from.display()))?;
        ensure!(
            saved.trim() == name.as_str(),
            "server_name: the backup is of {}, not of {name}",
            saved.trim()
        );
        make_directory(&data_dir)?;
        let files = copy_files(&from.join("files"), &data_dir.join("media/files"))?;
        for name in SMALL {
            copy(&from.join(name), &data_dir.join(name))?;
        }
        // Last: whoever finds a store finds all the rest.
        let manifest = Store::restore(&from.join("store"), &place)?;
        Ok(format!(
            "{}: everything up to position {}, {files} uploaded files",
            data_dir.display(),
            manifest.position
        ))
    })
    .await?
}

/// Copies uploaded files, not those that are on their way in; how many.
fn copy_files(from: &Path, to: &Path) -> Result<u64> {
    fs::create_dir_all(to)?;
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            copied += copy_files(&entry.path(), &to.join(name))?;
        } else if !name.to_string_lossy().contains('#') {
            copied += u64::from(copy(&entry.path(), &to.join(name))?);
        }
    }
    File::open(to)?.sync_all()?;
    Ok(copied)
}

/// Copies one file, unless it has been removed meanwhile.
fn copy(from: &Path, to: &Path) -> Result<bool> {
    match fs::copy(from, to) {
        Ok(_) => {
            File::open(to)?.sync_all()?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error)
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display())),
    }
}
