//! What the server said.

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// What the server said to one request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The body as JSON; null if it is none.
    pub json: Value,
    asked: String,
}

impl Answer {
    pub(crate) async fn of(asked: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response
            .bytes()
            .await
            .unwrap_or_else(|error| panic!("{asked}: the answer broke off: {error}"));
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            json,
            asked,
        }
    }

    /// The body of a success.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Value {
        assert!(
            self.status.is_success(),
            "{}: {} {}",
            self.asked,
            self.status,
            self.json
        );
        self.json
    }

    /// Checks that it refuses as it shall, with a sentence that helps; gives the body.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn refused(self, status: u16, errcode: &str) -> Value {
        let found = (self.status.as_u16(), &self.json["errcode"]);
        assert_eq!(
            found,
            (status, &json!(errcode)),
            "{}: {}",
            self.asked,
            self.json
        );
        let message = self.json["error"].as_str().unwrap_or_default();
        assert!(
            message.len() > 5,
            "{}: no sentence in {}",
            self.asked,
            self.json
        );
        self.json
    }

    /// A header, empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
