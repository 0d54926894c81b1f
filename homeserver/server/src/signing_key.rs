//! The key that signs this server's events: made at the first start, kept in the data directory.
//!
//! The file is a line `ed25519 <version> <seed in base64>`, which other homeservers read and write too. Of the keys before it, the public part stays, with
//! the time since when nothing is signed with it: a line `ed25519 <version> <public key in base64> <milliseconds>` each in a file of their own.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use orvale_events::{OldKey, ServerKey};
use ruma::{MilliSecondsSinceUnixEpoch, ServerName, UInt};

const FILE: &str = "signing.key";
const OLD_FILE: &str = "old_signing.keys";
const NAME_FILE: &str = "server_name";

/// The key in this directory, which is made with a new one if it has none.
pub(crate) fn load_or_make(data_dir: &Path, server_name: &ServerName) -> Result<ServerKey> {
    make_directory(data_dir)
        .with_context(|| format!("data_dir: cannot make {}", data_dir.display()))?;
    same_name(data_dir, server_name)?;
    let path = data_dir.join(FILE);
    let key = match fs::read_to_string(&path) {
        Ok(line) => parse(&line, server_name)
            .with_context(|| format!("{} is not a signing key", path.display()))?,
        Err(error) if error.kind() == ErrorKind::NotFound => make(data_dir, server_name)?,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let mut old = old_keys(data_dir)?;
    // Replacing a key was broken off: it is the key still.
    old.retain(|old| old.key_id != key.key_id());
    Ok(key.after(old))
}

/// Replaces the key in this directory by a new one; nothing is signed with the old one from now on.
pub(crate) fn replace(
    data_dir: &Path,
    server_name: &ServerName,
    now: MilliSecondsSinceUnixEpoch,
) -> Result<ServerKey> {
    let key = load_or_make(data_dir, server_name)?;
    let mut old = key.old().to_vec();
    old.push(OldKey {
        key_id: key.key_id().to_owned(),
        public_key: key.public_key(),
        expired_ts: now,
    });
    let lines = old.iter().map(|old| {
        let version = old.key_id.trim_start_matches("ed25519:");
        let (public, expired) = (&old.public_key, old.expired_ts.get());
        format!("ed25519 {version} {public} {expired}\n")
    });
    // First: a key that others cannot look up makes all that it signed worthless.
    write(data_dir, OLD_FILE, &lines.collect::<String>())?;
    Ok(make(data_dir, server_name)?.after(old))
}

/// Writes a new key.
fn make(data_dir: &Path, server_name: &ServerName) -> Result<ServerKey> {
    let key = ServerKey::generate(server_name.to_owned());
    let line = format!(
        "ed25519 {} {}\n",
        key.version(),
        STANDARD_NO_PAD.encode(key.seed())
    );
    write(data_dir, FILE, &line)?;
    Ok(key)
}

/// The keys before the one in use.
fn old_keys(data_dir: &Path) -> Result<Vec<OldKey>> {
    let path = data_dir.join(OLD_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let keys = text.lines().map(parse_old).collect::<Result<_>>();
    keys.with_context(|| format!("{} is no list of old signing keys", path.display()))
}

fn parse_old(line: &str) -> Result<OldKey> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["ed25519", version, public, expired] = words[..] else {
        bail!("a line has four words, of which the first is ed25519")
    };
    let bytes = STANDARD_NO_PAD.decode(public).unwrap_or_default();
    ensure!(bytes.len() == 32, "a key has not 32 bytes in base64");
    let expired = expired.parse().context("a time is no number")?;
    let expired = UInt::new(expired).context("a time is too far away")?;
    Ok(OldKey {
        key_id: format!("ed25519:{version}"),
        public_key: public.to_owned(),
        expired_ts: MilliSecondsSinceUnixEpoch(expired),
    })
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

    #[test]
    fn a_replaced_key_is_an_old_one_from_then_on() {
        let directory = tempfile::tempdir().unwrap();
        let (path, name) = (directory.path(), server_name!("a.example"));
        let at = |ms| MilliSecondsSinceUnixEpoch(UInt::new(ms).unwrap());
        let first = load_or_make(path, name).unwrap();
        let second = replace(path, name, at(5)).unwrap();
        let third = replace(path, name, at(7)).unwrap();
        let found = load_or_make(path, name).unwrap();
        assert_eq!(found.seed(), third.seed());
        let old = |key: &ServerKey, ms| OldKey {
            key_id: key.key_id().to_owned(),
            public_key: key.public_key(),
            expired_ts: at(ms),
        };
        assert_eq!(found.old(), [old(&first, 5), old(&second, 7)]);
        fs::write(path.join(OLD_FILE), "ed25519 a short 7").unwrap();
        load_or_make(path, name).unwrap_err();
    }

    #[test]
    fn a_key_whose_replacement_broke_off_is_the_key_still() {
        let directory = tempfile::tempdir().unwrap();
        let (path, name) = (directory.path(), server_name!("a.example"));
        let line = load_or_make(path, name).map(|_| fs::read(path.join(FILE)).unwrap());
        replace(path, name, MilliSecondsSinceUnixEpoch::now()).unwrap();
        fs::write(path.join(FILE), line.unwrap()).unwrap();
        assert_eq!(load_or_make(path, name).unwrap().old(), []);
    }
}
