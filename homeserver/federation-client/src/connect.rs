//! Connections: TCP to the first address of an authority that takes one, then TLS with the authority's name.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use orvale_outward::{Guard, Refused};
use ruma::ServerName;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName as TlsName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::Service;

use crate::{
    Config, Error, Result,
    discovery::{Discovery, Target},
    error::chain,
};

/// The most addresses of an authority that are tried.
const MOST_ADDRESSES: usize = 8;

/// TLS towards other servers, without protocols to choose from.
pub(crate) fn tls(config: &Config) -> Result<ClientConfig> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = &config.extra_ca_file {
        let refused = |reason: String| Error::Config {
            key: "federation.extra_ca_file",
            reason: format!("{}: {reason}", file.display()),
        };
        let found = CertificateDer::pem_file_iter(file).map_err(|e| refused(e.to_string()))?;
        let before = roots.len();
        for certificate in found {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| refused(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(refused("it has no certificates".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Config {
            key: "federation",
            reason: error.to_string(),
        })?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// Makes connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connector {
    discovery: Arc<Discovery>,
    guard: Guard,
    tls: TlsConnector,
    patience: Duration,
}

impl Connector {
    pub(crate) fn new(
        discovery: Arc<Discovery>,
        guard: Guard,
        mut tls: ClientConfig,
        config: &Config,
    ) -> Self {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self {
            discovery,
            guard,
            tls: TlsConnector::from(Arc::new(tls)),
            patience: Duration::from_secs(config.connect_timeout_seconds),
        }
    }

    async fn connect(&self, authority: &ServerName) -> Result<Stream> {
        let unreachable = Error::NotReached;
        // A certificate is for the name that was asked for, never for what DNS made of it.
        let name = TlsName::try_from(authority.host().trim_matches(['[', ']']).to_owned())
            .map_err(|error| unreachable(error.to_string()))?;
        let targets = tokio::time::timeout(self.patience, self.discovery.targets(authority));
        let targets = targets
            .await
            .map_err(|_| unreachable("its address was not found in time".to_owned()))??;
        let mut last = unreachable("it has no address".to_owned());
        let mut left = MOST_ADDRESSES;
        for Target { host, port } in targets {
            let addresses = match self.discovery.addresses(&host).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            for address in addresses {
                if left == 0 {
                    return Err(last);
                }
                left -= 1;
                let connecting = self.connect_to(address, port, name.clone());
                match tokio::time::timeout(self.patience, connecting).await {
                    Ok(Ok(stream)) => return Ok(stream),
                    Ok(Err(why)) => last = unreachable(why),
                    Err(_) => last = unreachable("it does not answer in time".to_owned()),
                }
            }
        }
        Err(last)
    }

    async fn connect_to(
        &self,
        address: IpAddr,
        port: u16,
        name: TlsName<'static>,
    ) -> Result<Stream, String> {
        if !self.guard.allows(address) {
            return Err(Refused::NotPublic.to_string());
        }
        let stream = TcpStream::connect(SocketAddr::new(address, port)).await;
        let stream = stream.map_err(|error| chain(&error))?;
        let _ = stream.set_nodelay(true);
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| chain(&error))?;
        Ok(Stream(TokioIo::new(stream)))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let authority = uri.authority().map_or("", http::uri::Authority::as_str);
            let authority = <&ServerName>::try_from(authority)
                .map_err(|error| Error::Request(error.to_string()))?;
            connector.connect(authority).await
        })
    }
}

/// A connection with TLS.
pub(crate) struct Stream(TokioIo<TlsStream<TcpStream>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let (_, tls) = self.0.inner().get_ref();
        if tls.alpn_protocol() == Some(b"h2") {
            Connected::new().negotiated_h2()
        } else {
            Connected::new()
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
