//! From a handler of the specification's types to routes.
//!
//! A handler is an async function that takes up to nine extractors, then [`Ruma<T>`], and answers `Result<impl Answer, E>`.
//! [`Endpoints::endpoint`] adds it to a router under all paths and the method that `T` has in the specification:
//!
//! ```ignore
//! Router::new().endpoint(create_typing_event::handle)
//! ```
//!
//! Handlers are erased to one type at once, so that axum's machinery is compiled once and not once for each of them.

use std::{pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, Request},
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use ruma::api::{IncomingRequest, Metadata, path_builder::PathBuilder};

use crate::{
    Answer, MatrixError, Ruma,
    request::{EmptyLastArgument, Received},
};

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler of one of the specification's endpoints. Implemented for async functions.
pub trait EndpointHandler<S, Arguments>: Send + Sync + 'static {
    /// The endpoint.
    type Request: IncomingRequest;

    /// Answers one request.
    fn answer(self: Arc<Self>, request: Request, state: S) -> Answering;
}

macro_rules! handler_of {
    ($($argument:ident),*) => {
        #[allow(non_snake_case, reason = "an argument is named as its type")]
        impl<F, Fut, S, T, A, E, $($argument,)*> EndpointHandler<S, ($($argument,)* Ruma<T>,)> for F
        where
            F: Fn($($argument,)* Ruma<T>) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<A, E>> + Send,
            S: Send + Sync + 'static,
            T: IncomingRequest + Send + 'static,
            A: Answer,
            E: Into<MatrixError>,
            $($argument: FromRequestParts<S> + Send,)*
        {
            type Request = T;

            fn answer(self: Arc<Self>, request: Request, state: S) -> Answering {
                Box::pin(async move {
                    #[allow(unused_mut, unused_variables)]
                    let (mut parts, body) = request.into_parts();
                    $(
                        let $argument = match $argument::from_request_parts(&mut parts, &state).await {
                            Ok(argument) => argument,
                            Err(refusal) => return refusal.into_response(),
                        };
                    )*
                    drop(state);
                    let received = Received::from(Request::from_parts(parts, body)).await;
                    let request = match received.and_then(|received| received.parse()) {
                        Ok(request) => Ruma(request),
                        Err(refusal) => return refusal.into_response(),
                    };
                    let answer = (*self)($($argument,)* request).await;
                    answer.map_err(Into::into).and_then(Answer::into_http).unwrap_or_else(IntoResponse::into_response)
                })
            }
        }
    };
}

handler_of!();
handler_of!(A1);
handler_of!(A1, A2);
handler_of!(A1, A2, A3);
handler_of!(A1, A2, A3, A4);
handler_of!(A1, A2, A3, A4, A5);
handler_of!(A1, A2, A3, A4, A5, A6);
handler_of!(A1, A2, A3, A4, A5, A6, A7);
handler_of!(A1, A2, A3, A4, A5, A6, A7, A8);
handler_of!(A1, A2, A3, A4, A5, A6, A7, A8, A9);

/// Every handler, as axum sees it.
struct Erased<S>(Arc<dyn Fn(Request, S) -> Answering + Send + Sync>);

impl<S> Clone for Erased<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Send + 'static> Handler<(), S> for Erased<S> {
    type Future = Answering;

    fn call(self, request: Request, state: S) -> Answering {
        (self.0)(request, state)
    }
}

/// Routers that take handlers of the specification's endpoints.
pub trait Endpoints<S>: Sized {
    /// Adds an endpoint under all its paths.
    #[must_use]
    fn endpoint<H: EndpointHandler<S, Arguments>, Arguments>(self, handler: H) -> Self;
}

impl<S: Clone + Send + Sync + 'static> Endpoints<S> for Router<S> {
    fn endpoint<H: EndpointHandler<S, Arguments>, Arguments>(self, handler: H) -> Self {
        let handler = Arc::new(handler);
        let erased = Erased(Arc::new(move |request, state| {
            handler.clone().answer(request, state)
        }));
        let paths = H::Request::PATH_BUILDER.all_paths().collect();
        add(self, H::Request::METHOD, paths, erased)
    }
}

/// All paths of an endpoint of the specification, for a router that serves it by a handler of another shape.
#[must_use]
pub fn paths_of<T: IncomingRequest>() -> Vec<&'static str> {
    T::PATH_BUILDER.all_paths().collect()
}

fn add<S>(
    router: Router<S>,
    method: http::Method,
    paths: Vec<&'static str>,
    handler: Erased<S>,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let filter =
        MethodFilter::try_from(method).expect("the specification uses methods that axum knows");
    paths.into_iter().fold(router, |mut router, path| {
        // An empty state key may be left out, with or without the slash before it.
        if let Some(shorter) = path.strip_suffix("/{state_key}") {
            let handler = handler.clone();
            let short = Erased::<S>(Arc::new(move |mut request: Request, state| {
                request.extensions_mut().insert(EmptyLastArgument);
                (handler.0)(request, state)
            }));
            router = router.route(shorter, on(filter, short.clone()));
            router = router.route(&format!("{shorter}/"), on(filter, short));
        }
        // Clients write the paths that end in a slash without it too.
        if let Some(shorter) = path.strip_suffix('/') {
            router = router.route(shorter, on(filter, handler.clone()));
        }
        router.route(path, on(filter, handler.clone()))
    })
}
