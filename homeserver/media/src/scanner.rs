//! A program of the administrators' that looks at each upload before anybody can have it.
//!
//! It gets the content on its standard input and answers by its exit status, as scanners for malware do: 0, nothing was found; 1, something was;
//! anything else, it could not tell. What it could not tell of is not taken: otherwise whoever breaks the scanner gets everything past it.

use std::{process::Stdio, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::{io::AsyncWriteExt, process::Command, sync::Semaphore};

use crate::{Error, Result, ScannerConfig};

pub(crate) struct Scanner {
    program: String,
    arguments: Vec<String>,
    patience: Duration,
    turns: Semaphore,
}

impl Scanner {
    /// Nothing, if no program is named.
    pub(crate) fn new(config: &ScannerConfig) -> Option<Self> {
        let (program, arguments) = config.command.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            patience: Duration::from_secs(config.timeout_seconds.max(1)),
            turns: Semaphore::new(config.concurrency.max(1)),
        })
    }

    /// Looks at a content.
    ///
    /// # Errors
    /// [`Error::Infected`], [`Error::NotScanned`]; [`Error::Closed`].
    pub(crate) async fn look(
        &self,
        content: impl Stream<Item = Result<Bytes>> + Send + Unpin,
    ) -> Result<()> {
        let _turn = self.turns.acquire().await.map_err(|_| Error::Closed)?;
        let status = tokio::time::timeout(self.patience, self.run(content)).await;
        match status {
            Ok(Ok(Some(0))) => Ok(()),
            Ok(Ok(Some(1))) => {
                metrics::counter!("orvale_media_uploads_infected_total").increment(1);
                Err(Error::Infected)
            }
            Ok(Ok(other)) => {
                tracing::error!(status = ?other, program = self.program, "the scanner of uploads could not tell");
                Err(Error::NotScanned)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, program = self.program, "the scanner of uploads does not run");
                Err(Error::NotScanned)
            }
            Err(_) => {
                tracing::error!(
                    program = self.program,
                    "the scanner of uploads takes too long"
                );
                Err(Error::NotScanned)
            }
        }
    }

    /// The exit status; none if the program was killed.
    async fn run(
        &self,
        mut content: impl Stream<Item = Result<Bytes>> + Send + Unpin,
    ) -> std::io::Result<Option<i32>> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Whoever does not wait any more wants it gone.
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            while let Some(chunk) = content.next().await {
                let chunk = chunk.map_err(std::io::Error::other)?;
                // One that has seen enough need not read on.
                if input.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            let _ = input.shutdown().await;
        }
        Ok(child.wait().await?.code())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Config, Details, Error, Media, ScannerConfig,
        media::tests::{alice, media_with, upload},
    };

    async fn scanned_by(script: &str) -> Media {
        let scanner = ScannerConfig {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            timeout_seconds: 5,
            ..ScannerConfig::default()
        };
        media_with(Config {
            scanner,
            ..Config::default()
        })
        .await
    }

    #[tokio::test]
    async fn what_the_scanner_finds_is_never_there() {
        let media = scanned_by("! grep -q EVIL").await;
        upload(&media, "good", Details::default()).await.unwrap();
        let large = vec![b'x'; 3 << 20];
        upload(&media, large, Details::default()).await.unwrap();
        let refused = upload(&media, "so EVIL", Details::default()).await;
        assert!(matches!(refused, Err(Error::Infected)), "{refused:?}");
        assert_eq!(media.usage(&alice()).unwrap().files, 2);
    }

    #[tokio::test]
    async fn one_that_has_seen_enough_need_not_read_on() {
        let media = scanned_by("head -c 1 > /dev/null; exit 1").await;
        let large = vec![b'x'; 8 << 20];
        let refused = upload(&media, large, Details::default()).await;
        assert!(matches!(refused, Err(Error::Infected)), "{refused:?}");
    }

    #[tokio::test]
    async fn what_it_cannot_tell_of_is_not_taken() {
        for script in ["exit 2", "kill -9 $$"] {
            let media = scanned_by(script).await;
            let refused = upload(&media, "x", Details::default()).await;
            assert!(matches!(refused, Err(Error::NotScanned)), "{refused:?}");
        }
        let scanner = ScannerConfig {
            command: vec!["/no/such/program".to_owned()],
            ..ScannerConfig::default()
        };
        let media = media_with(Config {
            scanner,
            ..Config::default()
        })
        .await;
        let refused = upload(&media, "x", Details::default()).await;
        assert!(matches!(refused, Err(Error::NotScanned)), "{refused:?}");
    }
}
