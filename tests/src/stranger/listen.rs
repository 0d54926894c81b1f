//! Where a stranger is found.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::to_bytes, extract::Request, serve::Listener};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::answers::Shared;
use crate::federation::Place;

/// The most bytes of a request that it takes.
const MOST: usize = 64 << 20;

pub(super) fn serve(listener: TcpListener, place: &Place, shared: Arc<Shared>) {
    let router = Router::new().fallback(move |request: Request| {
        let shared = shared.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, MOST).await.unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            shared.take(&parts.uri, body).await
        }
    });
    let pem = |file| std::fs::read(file).expect("it was written");
    let certificate = CertificateDer::from_pem_slice(&pem(&place.certificate)).expect("it is PEM");
    let key = PrivateKeyDer::from_pem_slice(&pem(&place.key)).expect("it is PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("they are known")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let listener = Secret {
        listener,
        tls: TlsAcceptor::from(Arc::new(tls)),
    };
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// A listener with TLS.
struct Secret {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Secret {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
