//! Connections: accepting them, serving them, and ending them well.
//!
//! Thousands of clients wait in `/sync` with a connection each that does nothing, so what a connection keeps while it waits
//! is kept small, and a connection that never says anything does not stay.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, body::Body};
use http::{HeaderMap, HeaderName, Request};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use orvale_http::ClientAddress;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::config::{Config, Http};

/// The least that hyper takes.
const BUFFER: usize = 8 * 1024;

/// Listens everywhere it shall, so that a port in use is an error at the start.
pub(crate) async fn bind(config: &Config) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for listener in &config.listeners {
        let (address, port) = (listener.address, listener.port);
        let bound = TcpListener::bind((address, port)).await;
        listeners.push(
            bound.with_context(|| format!("listeners: cannot listen on {address} port {port}"))?,
        );
    }
    Ok(listeners)
}

/// Serves until `stop`, then lets requests end, but no longer than the settings say.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    http: &Http,
    stop: CancellationToken,
) {
    let server = Arc::new(Server {
        router,
        builder: builder(http),
        proxies: http.trusted_proxies.clone(),
        graceful: GracefulShutdown::new(),
    });
    let accepting = listeners
        .into_iter()
        .map(|listener| tokio::spawn(accept(listener, server.clone(), stop.clone())));
    for accepting in accepting.collect::<Vec<_>>() {
        let _ = accepting.await;
    }
    let Some(server) = Arc::into_inner(server) else {
        return;
    };
    let limit = Duration::from_secs(http.shutdown_seconds);
    if tokio::time::timeout(limit, server.graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

struct Server {
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    proxies: Vec<IpAddr>,
    graceful: GracefulShutdown,
}

fn builder(http: &Http) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(http.header_timeout_seconds))
        .max_buf_size(16 * BUFFER)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(u32::try_from(2 * BUFFER).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

async fn accept(listener: TcpListener, server: Arc<Server>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, from)) => connect(&server, stream, from.ip().to_canonical()),
            // Out of file descriptors, most likely: others must end before there is one more.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn connect(server: &Arc<Server>, stream: TcpStream, from: IpAddr) {
    let _ = stream.set_nodelay(true);
    let router = server.router.clone();
    let proxies = server.proxies.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        let address = client_address(from, &proxies, request.headers());
        request.extensions_mut().insert(ClientAddress(address));
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = server
        .builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = server.graceful.watch(connection);
    tokio::spawn(async move {
        // A client that breaks off or talks nonsense is its own affair.
        if let Err(error) = connection.await {
            tracing::trace!(error, "a connection ended badly");
        }
    });
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
    use super::*;

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
}
