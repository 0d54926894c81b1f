//! The key that signs this server's events: made at the first start, kept in the data directory.
//!
//! The file is a line `ed25519 <version> <seed in base64>`, which other homeservers read and write too.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use orvale_events::ServerKey;
use ruma::ServerName;

const FILE: &str = "signing.key";
const NAME_FILE: &str = "server_name";

/// The key in this directory, which is made with a new one if it has none.
pub(crate) fn load_or_make(data_dir: &Path, server_name: &ServerName) -> Result<ServerKey> {
    make_directory(data_dir)
        .with_context(|| format!("data_dir: cannot make {}", data_dir.display()))?;
    same_name(data_dir, server_name)?;
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(line) => parse(&line, server_name)
            .with_context(|| format!("{} is not a signing key", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = ServerKey::generate(server_name.to_owned());
            let line = format!(
                "ed25519 {} {}\n",
                key.version(),
                STANDARD_NO_PAD.encode(key.seed())
            );
            write(data_dir, FILE, &line)?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Makes a directory into which only we may look.
pub(crate) fn make_directory(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// The name is in everybody's user ID and in every event: what was stored under one is worth nothing under another.
fn same_name(data_dir: &Path, server_name: &ServerName) -> Result<()> {
    match fs::read_to_string(data_dir.join(NAME_FILE)) {
        Ok(stored) if stored.trim() == server_name.as_str() => Ok(()),
        Ok(stored) => bail!(
            "server_name: {} belongs to {}, and a server cannot change its name",
            data_dir.display(),
            stored.trim()
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write(data_dir, NAME_FILE, &format!("{server_name}\n"))
        }
        Err(error) => Err(error).context("cannot read the data directory"),
    }
}

fn parse(line: &str, server_name: &ServerName) -> Result<ServerKey> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [algorithm, version, seed] = words[..] else {
        bail!("a line of three words is expected")
    };
    ensure!(algorithm == "ed25519", "its algorithm is not ed25519");
    let seed = STANDARD_NO_PAD
        .decode(seed.trim_end_matches('='))
        .context("its seed is not base64")?;
    let seed = <[u8; 32]>::try_from(seed)
        .ok()
        .context("its seed has not 32 bytes")?;
    Ok(ServerKey::from_seed(
        server_name.to_owned(),
        version,
        &seed,
    )?)
}

/// Writes a small file that only we may read: whole, or not at all.
fn write(directory: &Path, name: &str, text: &str) -> Result<()> {
    let (path, new) = (directory.join(name), directory.join(format!("{name}.new")));
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(directory)?.sync_all()
    };
    written().with_context(|| format!("data_dir: cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use ruma::server_name;

    use super::*;

    #[test]
    fn key_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let made = load_or_make(directory.path(), server_name!("a.example")).unwrap();
        let found = load_or_make(directory.path(), server_name!("a.example")).unwrap();
        assert_eq!((made.key_id(), made.seed()), (found.key_id(), found.seed()));
    }

    #[test]
    fn data_of_another_server_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        load_or_make(directory.path(), server_name!("a.example")).unwrap();
        let error = load_or_make(directory.path(), server_name!("b.example")).unwrap_err();
        assert!(error.to_string().starts_with("server_name:"), "{error}");
    }

    #[test]
    fn damaged_key_is_refused_and_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "ed25519 a short").unwrap();
        load_or_make(directory.path(), server_name!("a.example")).unwrap_err();
        assert_eq!(
            fs::read_to_string(directory.path().join(FILE)).unwrap(),
            "ed25519 a short"
        );
    }
}
