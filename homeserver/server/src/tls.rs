//! TLS of the listeners that have a certificate; its files are read again when they change.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(30);

/// A certificate that follows its files.
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<(Arc<CertifiedKey>, Stamp)>,
}

/// What changes when files do.
type Stamp = [Option<SystemTime>; 2];

impl Certificate {
    /// Reads the files: the chain of certificates, and the key, both in PEM.
    pub(crate) fn open(chain: &Path, key: &Path) -> Result<Arc<Self>> {
        let current = RwLock::new((read(chain, key)?, stamp(chain, key)));
        Ok(Arc::new(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            current,
        }))
    }

    /// What takes connections with it.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor> {
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?;
        let mut config = versions
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Looks at the files now and then until `stop`.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(INTERVAL) => self.look(),
                () = stop.cancelled() => return,
            }
        }
    }

    /// Takes the files if they have changed. While one is being replaced they may not fit together: then the old ones stay until the next look.
    fn look(&self) {
        let stamp = stamp(&self.chain, &self.key);
        if self.current.read().1 == stamp {
            return;
        }
        match read(&self.chain, &self.key) {
            Ok(certified) => {
                *self.current.write() = (certified, stamp);
                tracing::info!(file = %self.chain.display(), "the certificate has changed");
            }
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the certificate stays as it was"
                );
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().0.clone())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.chain).finish()
    }
}

fn stamp(chain: &Path, key: &Path) -> Stamp {
    [chain, key].map(|file| {
        file.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
    })
}

fn read(chain: &Path, key: &Path) -> Result<Arc<CertifiedKey>> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificates in {}", chain.display()))?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the key in {}", key.display()))?;
    let certified = CertifiedKey::from_der(certificates, private, &ring::default_provider());
    let certified = certified.with_context(|| {
        format!(
            "{} and {} do not go together",
            chain.display(),
            key.display()
        )
    })?;
    Ok(Arc::new(certified))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(directory: &Path) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let (chain, key) = (directory.join("chain.pem"), directory.join("key.pem"));
        fs::write(&chain, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (chain, key)
    }

    #[test]
    fn changed_files_are_taken_and_broken_ones_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let (chain, key) = write(directory.path());
        let certificate = Certificate::open(&chain, &key).unwrap();
        let shown = || certificate.current.read().0.cert[0].clone();
        let first = shown();
        certificate.look();
        assert_eq!(shown(), first);

        write(directory.path());
        // Files of one second may have one stamp.
        let later = SystemTime::now() + Duration::from_secs(5);
        fs::File::options()
            .write(true)
            .open(&chain)
            .unwrap()
            .set_modified(later)
            .unwrap();
        certificate.look();
        let second = shown();
        assert_ne!(second, first);

        fs::write(&key, "no key").unwrap();
        certificate.look();
        assert_eq!(shown(), second);
        assert!(Certificate::open(&chain, &key).is_err());
    }
}
