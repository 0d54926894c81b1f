//! Bodies that nobody reads to the end.
//!
//! Who is refused before all of a body has arrived may still be writing it. If the connection were closed then, as it is when
//! the rest of the body is thrown away unread, the client would see a broken connection and never the answer that tells why. So
//! the rest is read, by a task of its own, while the answer is on its way already; up to a bound.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::{runtime::Handle, time::timeout};

/// How much of a body is read for nothing, in bytes and in time. Above, the connection breaks after all.
const BYTES: usize = 64 << 20;
const TIME: Duration = Duration::from_secs(20);

/// A body whose rest is read when it is dropped.
pub(crate) fn lingering(headers: &HeaderMap, body: Body) -> Body {
    // Who waits to be told to go on has not begun to write, and what it writes next may be another request.
    if body.is_end_stream() || headers.contains_key(header::EXPECT) {
        return body;
    }
    Body::new(Lingering {
        body,
        is_ended: false,
    })
}

struct Lingering {
    body: Body,
    is_ended: bool,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.is_ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.is_ended || self.body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let rest = std::mem::take(&mut self.body);
            runtime.spawn(timeout(TIME, read(rest)));
        }
    }
}

async fn read(mut body: Body) {
    let mut left = BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
