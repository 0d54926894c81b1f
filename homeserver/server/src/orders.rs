//! What an administrator of the machine asks of the store: `orvale backup`, `orvale check`, `orvale
//! reindex`.
//!
//! A running server holds its store alone, so these commands ask it, over a socket in the data directory that only its owner may
//! open: a line of JSON there, a line of JSON back. If none runs, they open the store themselves.

use std::{
    fs::Permissions,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use orvale_search::Search;
use orvale_storage::Store;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use crate::{backup, build, check, config::Config, reindex};

const SOCKET: &str = "orvale.sock";
/// More than any order has.
const LONGEST: u64 = 16 * 1024;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Copy everything to a directory that does not exist yet.
    Backup(PathBuf),
    /// Read everything and say what is wrong.
    Check,
    /// Make the search index anew.
    Reindex,
}

/// Carries an order out, here or in the server that runs; what it prints at the end.
pub(crate) async fn carry_out(config: &Config, order: &Order) -> Result<String> {
    match UnixStream::connect(config.data_dir.join(SOCKET)).await {
        Ok(server) => ask(server, order).await,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            let store = build::open_store(config).await?;
            let search = match order {
                Order::Reindex => Some(reindex::open(config, &store)?),
                Order::Backup(_) | Order::Check => None,
            };
            let mut done = obey(&store, search.as_ref(), &config.data_dir, order).await;
            if let Some(search) = search {
                search.close().await;
            }
            // Only where nobody writes meanwhile.
            if let (Order::Check, Ok(entries)) = (order, &done) {
                let more = check::check(config, &store).await;
                done = more.map(|more| format!("{entries}; {more}"));
            }
            store.close().await?;
            done
        }
        Err(error) => Err(error).context("cannot ask the server that runs"),
    }
}

async fn ask(server: UnixStream, order: &Order) -> Result<String> {
    let mut server = BufReader::new(server);
    server
        .write_all(format!("{}\n", serde_json::to_string(order)?).as_bytes())
        .await?;
    let mut answer = String::new();
    server.read_line(&mut answer).await?;
    let answer: Result<String, String> =
        serde_json::from_str(&answer).context("the server broke off")?;
    answer.map_err(anyhow::Error::msg)
}

/// Takes orders until the process ends.
pub(crate) fn listen(data_dir: &Path, store: Store, search: Search) -> Result<()> {
    let path = data_dir.join(SOCKET);
    // The store is ours alone, so whoever left this is gone.
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error).context("cannot take orders");
    }
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("cannot listen at {}", path.display()))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let data_dir = data_dir.to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (store, search) = (store.clone(), search.clone());
            let data_dir = data_dir.clone();
            tokio::spawn(async move {
                if let Err(error) = take(stream, &store, &search, &data_dir).await {
                    tracing::warn!(%error, "an order broke off");
                }
            });
        }
    });
    Ok(())
}

/// Removes the socket: nobody listens any more.
pub(crate) fn stop_listening(data_dir: &Path) {
    let _ = std::fs::remove_file(data_dir.join(SOCKET));
}

async fn take(
    mut stream: UnixStream,
    store: &Store,
    search: &Search,
    data_dir: &Path,
) -> Result<()> {
    let (read, mut write) = stream.split();
    let mut line = String::new();
    BufReader::new(read)
        .take(LONGEST)
        .read_line(&mut line)
        .await?;
    let order: Order = serde_json::from_str(&line)?;
    tracing::info!(?order, "carrying out an order");
    let done = obey(store, Some(search), data_dir, &order)
        .await
        .map_err(|error| format!("{error:#}"));
    write
        .write_all(format!("{}\n", serde_json::to_string(&done)?).as_bytes())
        .await?;
    Ok(())
}

async fn obey(
    store: &Store,
    search: Option<&Search>,
    data_dir: &Path,
    order: &Order,
) -> Result<String> {
    match order {
        Order::Backup(to) => backup::backup(store, data_dir, to).await,
        Order::Check => {
            let report = store.check().await?;
            let entries: u64 = report.entries.values().sum();
            if report.wrong > 0 {
                bail!(
                    "{} of {entries} entries are wrong:\n{}",
                    report.wrong,
                    report.findings.join("\n")
                );
            }
            Ok(format!("{entries} entries, all as they should be"))
        }
        Order::Reindex => {
            let search = search.context("the search index is not open")?;
            reindex::reindex(search).await
        }
    }
}
