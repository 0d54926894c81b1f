//! [`FederationClient`]: one request to another server.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use orvale_events::ServerKey;
use orvale_outward::Guard;
use orvale_storage::Store;
use ruma::{
    MilliSecondsSinceUnixEpoch, OwnedServerName, ServerName,
    api::{
        IncomingResponseExt, OutgoingBody, OutgoingRequest, error::FromHttpResponseError,
        path_builder::SinglePath,
    },
};
use serde::Deserialize;
use tokio::{
    sync::broadcast,
    time::{Instant, sleep_until},
};
use tracing::Instrument;

use crate::{
    Answered, Config, Error, Result,
    connect::{Connector, tls},
    discovery::{Discovery, Names},
    error::chain,
    keys::Keys,
    signing::{authorization, canonical},
    web::Web,
};

/// How long a server is waited for that wants to be left alone. Where there are others to ask, that is better than to wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long at least, whatever it says.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often it is asked.
const MOST_TRIES: usize = 4;

/// What a clock is: the time now.
pub type Clock = Arc<dyn Fn() -> MilliSecondsSinceUnixEpoch + Send + Sync>;

/// Asks other servers, in this server's name. Cheap to clone.
#[derive(Clone)]
pub struct FederationClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    key: Arc<ServerKey>,
    client: Client<Connector, Full<Bytes>>,
    discovery: Arc<Discovery>,
    web: Web,
    pub(crate) keys: Keys,
    pub(crate) config: Config,
    alive: broadcast::Sender<OwnedServerName>,
}

/// An answer whose body is still arriving.
pub type Opened = Response<BoxStream<'static, Result<Bytes>>>;

/// How long an answer may take, and how large it may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the beginning until the answer is there as a whole.
    pub timeout: Duration,
    /// The most bytes of the answer.
    pub max_bytes: usize,
}

impl FederationClient {
    /// A client that asks in the name of this key's server.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn new(store: Store, key: Arc<ServerKey>, config: Config, clock: Clock) -> Result<Self> {
        Self::with(store, key, config, clock, Names::of_system()?, 443)
    }

    pub(crate) fn with(
        store: Store,
        key: Arc<ServerKey>,
        config: Config,
        clock: Clock,
        names: Names,
        https_port: u16,
    ) -> Result<Self> {
        let guard = Guard::new(config.allowed_private_ranges.clone());
        let tls = tls(&config)?;
        let web = Web::new(names.clone(), guard.clone(), tls.clone(), &config)?;
        let discovery = Arc::new(Discovery::new(names, web.clone(), &config, https_port));
        let connector = Connector::new(discovery.clone(), guard, tls, &config);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .build(connector);
        let inner = Inner {
            keys: Keys::new(store, key.clone(), clock),
            key,
            client,
            discovery,
            web,
            config,
            alive: broadcast::channel(1024).0,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// This server's name.
    #[must_use]
    pub fn server_name(&self) -> &ServerName {
        self.inner.key.server_name()
    }

    /// This server's key.
    #[must_use]
    pub fn key(&self) -> &Arc<ServerKey> {
        &self.inner.key
    }

    /// Whether other servers are asked at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner.config.enabled
    }

    /// Names of servers, whenever one of them has shown that it is there: it asked something, or answered.
    #[must_use]
    pub fn alive(&self) -> broadcast::Receiver<OwnedServerName> {
        self.inner.alive.subscribe()
    }

    /// Tells those who wait for it that a server is there.
    pub fn heard_from(&self, server: &ServerName) {
        // Nobody may be waiting.
        let _ = self.inner.alive.send(server.to_owned());
    }

    /// The bounds of the settings.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            timeout: Duration::from_secs(self.inner.config.timeout_seconds),
            max_bytes: self.inner.config.max_response_bytes,
        }
    }

    /// Asks a server, within the bounds of the settings. One that wants to be left alone for some seconds is asked again then, where the
    /// bounds allow it.
    ///
    /// # Errors
    /// [`Error::Matrix`] if that is the answer; any other if there is none that can be used.
    pub async fn send<R>(&self, to: &ServerName, request: R) -> Result<R::IncomingResponse>
    where
        R: OutgoingRequest<PathBuilder = SinglePath>,
    {
        self.send_within(to, request, self.bounds()).await
    }

    /// Asks a server, within bounds.
    ///
    /// # Errors
    /// As [`FederationClient::send`].
    pub async fn send_within<R>(
        &self,
        to: &ServerName,
        request: R,
        bounds: Bounds,
    ) -> Result<R::IncomingResponse>
    where
        R: OutgoingRequest<PathBuilder = SinglePath>,
    {
        let request = made(request)?;
        let deadline = Instant::now() + bounds.timeout;
        let response = patiently(deadline, || {
            self.exchange(to, request.clone(), deadline, bounds.max_bytes)
        });
        parsed::<R>(response.await?)
    }

    /// As [`FederationClient::send`], for those who wait by themselves where a server wants to be left alone.
    ///
    /// # Errors
    /// As [`FederationClient::send`].
    pub async fn send_once<R>(&self, to: &ServerName, request: R) -> Result<R::IncomingResponse>
    where
        R: OutgoingRequest<PathBuilder = SinglePath>,
    {
        let bounds = self.bounds();
        let deadline = Instant::now() + bounds.timeout;
        let response = self.exchange(to, made(request)?, deadline, bounds.max_bytes);
        parsed::<R>(response.await?)
    }

    /// Signs a request, sends it and takes the whole answer, unless it is an error.
    async fn exchange(
        &self,
        to: &ServerName,
        request: Request<Vec<u8>>,
        deadline: Instant,
        max_bytes: usize,
    ) -> Result<Response<Bytes>> {
        self.must_be_allowed(to)?;
        let span = tracing::debug_span!("ask", server_name = %to, path = request.uri().path());
        let asking = async {
            let late = |_| Error::NotReached("it did not answer in time".to_owned());
            let response = tokio::time::timeout_at(deadline, self.begin(to, request));
            let (parts, body) = response.await.map_err(late)??.into_parts();
            let body = tokio::time::timeout_at(deadline, collect(body, max_bytes));
            let body = body.await.map_err(late)??;
            if parts.status.is_success() {
                self.heard_from(to);
                return Ok(Response::from_parts(parts, body));
            }
            let error = refusal(parts.status, &parts.headers, &body);
            if error.answered().is_some() {
                self.heard_from(to);
            }
            Err(error)
        };
        let answer = asking.instrument(span.clone()).await;
        if let Err(error) = &answer {
            span.in_scope(|| tracing::debug!(%error, "a request to another server failed"));
        }
        answer
    }

    /// Asks a server, and takes the body of its answer as it arrives. `bounds` are for the head, and for the body of an error.
    ///
    /// # Errors
    /// As [`FederationClient::send`], also in the stream.
    pub async fn open<R>(&self, to: &ServerName, request: R, bounds: Bounds) -> Result<Opened>
    where
        R: OutgoingRequest<PathBuilder = SinglePath>,
    {
        self.open_http(to, made(request)?, bounds).await
    }

    /// As [`FederationClient::open`], for a request that is no endpoint of the server-server API.
    ///
    /// # Errors
    /// As [`FederationClient::open`].
    pub async fn open_http(
        &self,
        to: &ServerName,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Opened> {
        let deadline = Instant::now() + bounds.timeout;
        patiently(deadline, || self.open_once(to, request.clone(), bounds)).await
    }

    async fn open_once(
        &self,
        to: &ServerName,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Opened> {
        self.must_be_allowed(to)?;
        let late = |_| Error::NotReached("it did not answer in time".to_owned());
        let response = tokio::time::timeout(bounds.timeout, self.begin(to, request));
        let (parts, body) = response.await.map_err(late)??.into_parts();
        if !parts.status.is_success() {
            let body = tokio::time::timeout(bounds.timeout, collect(body, bounds.max_bytes));
            let body = body.await.map_err(late)??;
            return Err(refusal(parts.status, &parts.headers, &body));
        }
        self.heard_from(to);
        let body = body.into_data_stream();
        let body = body.map_err(|error| Error::NotReached(format!("it broke off: {error}")));
        Ok(Response::from_parts(parts, body.boxed()))
    }

    /// Asks for a page of the web to which a server's answer leads.
    ///
    /// # Errors
    /// [`Error::NotReached`], also in the stream.
    pub async fn open_page(&self, url: &str) -> Result<Opened> {
        let unreachable = Error::NotReached;
        let url = url.parse::<reqwest::Url>();
        let url = url.map_err(|error| unreachable(error.to_string()))?;
        let response = self.inner.web.get(url).await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(unreachable(format!("it answers {}", status.as_u16())));
        }
        let mut opened = Response::builder().status(status);
        if let Some(headers) = opened.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = response.bytes_stream();
        let body = body.map_err(|error| Error::NotReached(format!("it broke off: {error}")));
        opened
            .body(body.boxed())
            .map_err(|error| Error::BadAnswer(error.to_string()))
    }

    fn must_be_allowed(&self, to: &ServerName) -> Result<()> {
        if self.is_enabled() && to != self.server_name() {
            Ok(())
        } else {
            Err(Error::NotAllowed(to.to_string()))
        }
    }

    /// Signs a request and sends it, until the head of the answer is there.
    pub(crate) async fn begin(
        &self,
        to: &ServerName,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Incoming>> {
        let (mut parts, body) = request.into_parts();
        let content = match &body[..] {
            [] => None,
            body => Some(canonical(body).map_err(|error| Error::Request(error.to_string()))?),
        };
        let path = parts
            .uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str)
            .to_owned();
        let signed = authorization(
            &self.inner.key,
            &parts.method,
            &path,
            to,
            content.as_deref(),
        );
        let unmade = |error: http::Error| Error::Request(error.to_string());
        let signed = HeaderValue::try_from(signed).map_err(|error| unmade(error.into()))?;
        parts.headers.insert(header::AUTHORIZATION, signed);
        parts
            .headers
            .insert(header::USER_AGENT, HeaderValue::from_static("orvale"));
        let authority = self.inner.discovery.authority(to).await;
        if authority.port() == Some(443) {
            // Else it would be left out, as the web does; here it is part of the name.
            let host = HeaderValue::try_from(authority.as_str());
            let host = host.map_err(|error| unmade(error.into()))?;
            parts.headers.insert(header::HOST, host);
        }
        parts.uri = Uri::builder()
            .scheme("https")
            .authority(authority.as_str())
            .path_and_query(path)
            .build()
            .map_err(unmade)?;
        let body = Full::new(Bytes::from(content.unwrap_or_default()));
        let response = self
            .inner
            .client
            .request(Request::from_parts(parts, body))
            .await;
        response.map_err(|error| Error::NotReached(chain(&error)))
    }
}

/// Asks again where a server wants to be left alone for a moment, as long as that is worth waiting for.
async fn patiently<T, F>(deadline: Instant, mut ask: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let until = deadline.min(Instant::now() + LONGEST_WAIT);
    for _ in 1..MOST_TRIES {
        let answer = ask().await;
        let wanted = answer.as_ref().err().and_then(Error::wants_pause);
        match wanted.map(|pause| Instant::now() + pause.max(SHORTEST_PAUSE)) {
            Some(then) if then < until => sleep_until(then).await,
            _ => return answer,
        }
    }
    ask().await
}

/// What an endpoint answers.
fn parsed<R: OutgoingRequest>(response: Response<Bytes>) -> Result<R::IncomingResponse> {
    let (parts, body) = response.into_parts();
    let parsed =
        R::IncomingResponse::try_from_http_response(Response::from_parts(parts, &body[..]));
    parsed.map_err(|error| match error {
        FromHttpResponseError::Deserialization(error) => Error::BadAnswer(error.to_string()),
        // Errors were taken out before.
        _ => Error::BadAnswer("its status".to_owned()),
    })
}

/// A request as HTTP, not signed yet.
fn made<R>(request: R) -> Result<Request<Vec<u8>>>
where
    R: OutgoingRequest<PathBuilder = SinglePath>,
{
    let unmade = |error: &dyn std::fmt::Display| Error::Request(error.to_string());
    let request = request
        .try_into_http_request_inner("https://to", ())
        .map_err(|error| unmade(&error))?;
    let (mut parts, body) = request.into_parts();
    if let Some(content_type) = body.content_type() {
        parts
            .headers
            .entry(header::CONTENT_TYPE)
            .or_insert(content_type);
    }
    let body: Vec<u8> = body
        .try_into_buf()
        .map_err(|error| unmade(&Into::<ruma::api::error::IntoHttpError>::into(error)))?;
    Ok(Request::from_parts(parts, body))
}

/// The whole body of an answer, if it is not too large.
async fn collect(body: Incoming, max_bytes: usize) -> Result<Bytes> {
    match Limited::new(body, max_bytes).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Error::TooLarge(max_bytes))
        }
        Err(error) => Err(Error::NotReached(format!("its answer broke off: {error}"))),
    }
}

/// What an answer that is no success means. Proxies fail with pages of their own: then the server behind was not reached.
fn refusal(status: StatusCode, headers: &http::HeaderMap, body: &[u8]) -> Error {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Body {
        errcode: String,
        error: String,
        retry_after_ms: Option<u64>,
        room_version: Option<String>,
    }
    let parsed = serde_json::from_slice::<Body>(body).unwrap_or_default();
    if parsed.errcode.is_empty() && (status.is_server_error() || status.is_redirection()) {
        return Error::NotReached(format!("it answers {}", status.as_u16()));
    }
    let header = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    Error::Matrix(Box::new(Answered {
        status,
        errcode: parsed.errcode,
        message: parsed.error,
        retry_after: header.max(parsed.retry_after_ms.map(Duration::from_millis)),
        room_version: parsed.room_version,
    }))
}

#[cfg(test)]
mod tests;
