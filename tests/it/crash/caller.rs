//! Requests that may find nobody any more.

use reqwest::Method;
use serde_json::Value;

/// There was no answer, or not all of one: the server has ended.
#[derive(Debug)]
pub(crate) struct Ended;

/// Somebody who calls one process of the server.
#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Caller {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .build()
            .expect("a client can be made");
        Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        }
    }

    /// The same place, another token.
    pub(crate) fn of(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Ended> {
        json_of(&self.bytes(Method::GET, path, Vec::new()).await?)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Ended> {
        json_of(
            &self
                .bytes(Method::POST, path, body.to_string().into_bytes())
                .await?,
        )
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Ended> {
        json_of(
            &self
                .bytes(Method::PUT, path, body.to_string().into_bytes())
                .await?,
        )
    }

    /// Any request; the body of its answer.
    ///
    /// Panics if the answer is a refusal: nothing that is done here may be refused. But for a server that stops: that may say
    /// so.
    pub(crate) async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, Ended> {
        let (status, body) = self.ask(method.clone(), path, body).await?;
        if status >= 500 {
            eprintln!(
                "{method} {path}: {status} {}",
                String::from_utf8_lossy(&body)
            );
            return Err(Ended);
        }
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }

    /// Any request; status and body of its answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), Ended> {
        let prefix = if path.starts_with('/') {
            ""
        } else {
            "/_matrix/client/v3/"
        };
        let mut request = self
            .http
            .request(method, format!("{}{prefix}{path}", self.base))
            .bearer_auth(&self.token);
        if !body.is_empty() {
            request = request.body(body);
        }
        let answer = request.send().await.map_err(|_| Ended)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|_| Ended)?;
        Ok((status, body.to_vec()))
    }

    /// All events of a room from the newest back to one (excluded) or to its beginning, oldest first.
    pub(crate) async fn history(
        &self,
        room: &str,
        back_to: Option<&str>,
    ) -> Result<Vec<Value>, Ended> {
        let mut events = Vec::new();
        let mut path = format!("rooms/{room}/messages?dir=b&limit=500");
        'pages: loop {
            let mut page = self.get(&path).await?;
            let Value::Array(chunk) = page["chunk"].take() else {
                panic!("no chunk in {page}")
            };
            for event in chunk {
                if back_to.is_some_and(|known| event["event_id"] == known) {
                    break 'pages;
                }
                events.push(event);
            }
            match page["end"].as_str() {
                Some(end) => path = format!("rooms/{room}/messages?dir=b&limit=500&from={end}"),
                None => break,
            }
        }
        events.reverse();
        Ok(events)
    }
}

fn json_of(body: &[u8]) -> Result<Value, Ended> {
    Ok(serde_json::from_slice(body).unwrap_or(Value::Null))
}
