//! Connections: accepting them, serving them, and ending them well.
//!
//! Thousands of clients wait in `/sync` with a connection each that does nothing, so what a connection keeps while it waits
//! is kept small, and a connection that never says anything does not stay.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, body::Body, response::Response};
use http::{HeaderMap, HeaderName, Request};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use orvale_http::ClientAddress;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{
    config::{Config, Http},
    tls::Certificate,
};

/// The least that hyper takes.
const BUFFER: usize = 8 * 1024;

/// Where connections arrive.
pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    certificate: Option<Arc<Certificate>>,
    tls: Option<TlsAcceptor>,
}

impl Listening {
    /// Without TLS: behind a proxy, or on this machine.
    pub(crate) fn plain(listener: TcpListener) -> Self {
        Self {
            listener,
            certificate: None,
            tls: None,
        }
    }
}

/// Listens for clients everywhere it shall, so that a port in use is an error at the start.
pub(crate) async fn bind(config: &Config) -> Result<Vec<Listening>> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let (address, port) = (listener.address, listener.port);
        let bound = TcpListener::bind((address, port)).await;
        let bound =
            bound.with_context(|| format!("listeners: cannot listen on {address} port {port}"))?;
        listeners.push(Listening::plain(bound));
    }
    Ok(listeners)
}

/// Listens for other servers everywhere it shall.
pub(crate) async fn bind_federation(config: &Config) -> Result<Vec<Listening>> {
    let mut listeners = Vec::new();
    if !config.federation.enabled {
        return Ok(listeners);
    }
    for listener in &config.federation.listeners {
        let (address, port) = (listener.address, listener.port);
        let certificate = match (&listener.certificate, &listener.key) {
            (Some(chain), Some(key)) => {
                Some(Certificate::open(chain, key).context("federation.listeners")?)
            }
            _ => None,
        };
        let tls = certificate
            .as_ref()
            .map(Certificate::acceptor)
            .transpose()?;
        let bound = TcpListener::bind((address, port)).await;
        let listener = bound.with_context(|| {
            format!("federation.listeners: cannot listen on {address} port {port}")
        })?;
        listeners.push(Listening {
            listener,
            certificate,
            tls,
        });
    }
    Ok(listeners)
}

/// Serves until `stop`, then lets requests end, but no longer than the settings say.
pub(crate) async fn serve(
    listeners: Vec<Listening>,
    router: Router,
    http: &Http,
    stop: CancellationToken,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let server = Arc::new(Server::new(router, http));
    let accepting = listeners.into_iter().map(|listening| {
        if let Some(certificate) = listening.certificate.clone() {
            tokio::spawn(certificate.follow(stop.clone()));
        }
        tokio::spawn(accept(
            listening,
            server.clone(),
            graceful.clone(),
            stop.clone(),
        ))
    });
    for accepting in accepting.collect::<Vec<_>>() {
        let _ = accepting.await;
    }
    // Only those who accept had it, and they have ended.
    let Some(graceful) = Arc::into_inner(graceful) else {
        return;
    };
    let limit = Duration::from_secs(http.shutdown_seconds);
    if tokio::time::timeout(limit, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

struct Server {
    router: Router,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    /// How long a client may take to say which version it speaks.
    patience: Duration,
    proxies: Vec<IpAddr>,
}

impl Server {
    fn new(router: Router, http: &Http) -> Self {
        let patience = Duration::from_secs(http.header_timeout_seconds);
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(16 * BUFFER)
            .keep_alive(true);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(100)
            .max_header_list_size(2 * BUFFER as u32)
            .keep_alive_interval(Duration::from_secs(60))
            .keep_alive_timeout(Duration::from_secs(20));
        Self {
            router,
            http1,
            http2,
            patience,
            proxies: http.trusted_proxies.clone(),
        }
    }
}

async fn accept(
    Listening { listener, tls, .. }: Listening,
    server: Arc<Server>,
    graceful: Arc<GracefulShutdown>,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, from)) => {
                let _ = stream.set_nodelay(true);
                let from = from.ip().to_canonical();
                // Watched from the moment it is accepted, or a stop in between would miss it.
                let (server, watcher, stop) = (server.clone(), graceful.watcher(), stop.clone());
                match &tls {
                    Some(tls) => {
                        let tls = tls.clone();
                        tokio::spawn(begin_tls(server, tls, stream, from, watcher, stop));
                    }
                    None => {
                        tokio::spawn(begin(server, stream, from, watcher, stop));
                    }
                }
            }
            // Out of file descriptors, most likely: others must end before there is one more.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Finds out which version of HTTP a connection speaks, then serves it.
async fn begin(
    server: Arc<Server>,
    stream: TcpStream,
    from: IpAddr,
    watcher: Watcher,
    stop: CancellationToken,
) {
    let version = tokio::select! {
        version = tokio::time::timeout(server.patience, speaks_http2(&stream)) => version,
        () = stop.cancelled() => return,
    };
    let Ok(Ok(http2)) = version else { return };
    serve_in_task(&server, stream, http2, from, watcher);
}

/// Makes a connection a secret one, then serves it by the version of HTTP that was agreed on.
async fn begin_tls(
    server: Arc<Server>,
    tls: TlsAcceptor,
    stream: TcpStream,
    from: IpAddr,
    watcher: Watcher,
    stop: CancellationToken,
) {
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(server.patience, tls.accept(stream)) => accepted,
        () = stop.cancelled() => return,
    };
    let stream = match accepted {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, %from, "no TLS with who connected"),
        Err(_) => return,
    };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    serve_in_task(&server, stream, http2, from, watcher);
}

/// Serves a connection in a task no larger than its version of HTTP needs.
fn serve_in_task(
    server: &Server,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http2: bool,
    from: IpAddr,
    watcher: Watcher,
) {
    let service = service(server, from);
    let stream = TokioIo::new(stream);
    if http2 {
        tokio::spawn(run(
            watcher.watch(server.http2.serve_connection(stream, service))
        ));
    } else {
        tokio::spawn(run(
            watcher.watch(server.http1.serve_connection(stream, service))
        ));
    }
}

/// Whether a client begins as HTTP/2 does. Looks without taking anything: bytes taken and given back would double what the
/// connection keeps for as long as it lasts.
async fn speaks_http2(stream: &TcpStream) -> std::io::Result<bool> {
    const BEGINNING: &[u8; 4] = b"PRI ";
    let mut seen = [0; BEGINNING.len()];
    loop {
        let length = stream.peek(&mut seen).await?;
        if length == 0 || seen[..length] != BEGINNING[..length] {
            return Ok(false);
        }
        if length == BEGINNING.len() {
            return Ok(true);
        }
        // One to three letters that may become either: rare enough to ask again.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn service(
    server: &Server,
    from: IpAddr,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> + use<>
{
    let (router, proxies) = (server.router.clone(), server.proxies.clone());
    service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = client_address(from, &proxies, request.headers());
        request.extensions_mut().insert(ClientAddress(address));
        router.clone().oneshot(request)
    })
}

async fn run(connection: impl Future<Output = Result<(), hyper::Error>>) {
    // A client that breaks off or talks nonsense is its own affair.
    if let Err(error) = connection.await {
        tracing::trace!(%error, "a connection ended badly");
    }
}

/// Who is at the other end: the last address in `X-Forwarded-For` that no trusted proxy has, if a trusted proxy connects.
fn client_address(from: IpAddr, proxies: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
    if !proxies.contains(&from) {
        return from;
    }
    let named = headers
        .get_all(FORWARDED)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let chain: Vec<IpAddr> = named
        .flat_map(|value| value.split(','))
        .filter_map(|ip| ip.trim().parse().ok())
        .collect();
    chain
        .into_iter()
        .rev()
        .map(|ip| ip.to_canonical())
        .find(|ip| !proxies.contains(ip))
        .unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::get;
    use rustls::{ClientConfig, RootCertStore, crypto::ring};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::config::FederationListener;

    #[test]
    fn forwarded_address_is_believed_from_trusted_proxies_alone() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            "198.51.100.9, 203.0.113.7, 10.0.0.2".parse().unwrap(),
        );
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        assert_eq!(
            client_address(ip("10.0.0.1"), &proxies, &headers),
            ip("203.0.113.7")
        );
        assert_eq!(
            client_address(ip("192.0.2.5"), &proxies, &headers),
            ip("192.0.2.5")
        );
        assert_eq!(
            client_address(ip("10.0.0.1"), &proxies, &HeaderMap::new()),
            ip("10.0.0.1")
        );
    }

    #[tokio::test]
    async fn other_servers_connect_with_the_certificate_of_the_settings() {
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let file = |name: &str, text: String| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let mut config = Config::default();
        config.federation.listeners = vec![FederationListener {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            certificate: file("chain.pem", made.cert.pem()),
            key: file("key.pem", made.signing_key.serialize_pem()),
        }];
        let listening = bind_federation(&config).await.unwrap();
        let address = listening[0].listener.local_addr().unwrap();
        let (http, stop) = (config.http.clone(), CancellationToken::new());
        let stopping = stop.clone();
        let serving = tokio::spawn(async move {
            let router = Router::new().route("/", get(async || "hello"));
            serve(listening, router, &http, stopping).await;
        });

        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let connecting = TlsConnector::from(Arc::new(tls)).connect(name, stream);
        let mut stream = connecting.await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("hello"), "{answer}");
        stop.cancel();
        serving.await.unwrap();
    }
}
