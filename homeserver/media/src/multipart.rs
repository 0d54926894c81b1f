//! Files of other servers arrive as two parts: what is known of the file, and the file, or where it is.
//!
//! <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid>

use bytes::{Bytes, BytesMut};
use futures_util::{
    Stream, TryStreamExt,
    stream::{self, BoxStream},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Everything before the file has to be shorter than this.
const LONGEST_HEAD: usize = 64 << 10;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// The file: its headers, and its bytes as they arrive.
pub(crate) struct File {
    pub(crate) headers: HeaderMap,
    pub(crate) body: BoxStream<'static, Result<Bytes, Malformed>>,
}

/// The boundary that the header `Content-Type` names, if the type is the right one.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_boundary = name.trim().eq_ignore_ascii_case("boundary");
        is_boundary.then(|| value.trim().trim_matches('"').to_owned())
    })?;
    // The specification of multipart bodies allows no more.
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// Reads up to the beginning of the second part.
pub(crate) async fn second_part<E: std::fmt::Display + Send + 'static>(
    boundary: &str,
    body: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
) -> Result<File, Malformed> {
    let mut reader = Reader {
        body,
        buffer: BytesMut::new(),
    };
    let first = format!("--{boundary}");
    reader.skip_past(first.as_bytes()).await?;
    reader.headers().await?;
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    reader.skip_past(&delimiter).await?;
    let headers = reader.headers().await?;
    let state = (reader, delimiter, false);
    let body = stream::try_unfold(state, |(mut reader, delimiter, ended)| async move {
        if ended {
            return Ok(None);
        }
        loop {
            if let Some(at) = find(&reader.buffer, &delimiter) {
                let last = reader.buffer.split_to(at).freeze();
                return Ok(Some((last, (reader, delimiter, true))));
            }
            // What may be the beginning of the delimiter waits for the rest of it.
            let certain = reader.buffer.len().saturating_sub(delimiter.len());
            if certain > 0 {
                let piece = reader.buffer.split_to(certain).freeze();
                return Ok(Some((piece, (reader, delimiter, false))));
            }
            reader.more().await?;
        }
    });
    Ok(File {
        headers,
        body: Box::pin(body),
    })
}

struct Reader<S> {
    body: S,
    buffer: BytesMut,
}

impl<E: std::fmt::Display, S: Stream<Item = Result<Bytes, E>> + Unpin> Reader<S> {
    async fn more(&mut self) -> Result<(), Malformed> {
        let chunk = self.body.try_next().await;
        match chunk.map_err(|error| Malformed(error.to_string()))? {
            Some(chunk) => self.buffer.extend_from_slice(&chunk),
            None => return Err(Malformed("it ends before its last part does".to_owned())),
        }
        Ok(())
    }

    /// Drops everything up to the end of the mark.
    async fn skip_past(&mut self, mark: &[u8]) -> Result<(), Malformed> {
        loop {
            if let Some(at) = find(&self.buffer, mark) {
                let _ = self.buffer.split_to(at + mark.len());
                return Ok(());
            }
            self.head_must_be_short()?;
            self.more().await?;
        }
    }

    /// What follows a boundary: the end of its line, then headers up to an empty line.
    async fn headers(&mut self) -> Result<HeaderMap, Malformed> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            self.head_must_be_short()?;
            self.more().await?;
        };
        let lines = self.buffer.split_to(end + 4);
        if lines.starts_with(b"--") {
            return Err(Malformed("it has fewer parts than two".to_owned()));
        }
        let mut headers = HeaderMap::new();
        for line in lines[..end].split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let name = HeaderName::from_bytes(line[..colon].trim_ascii());
            let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        Ok(headers)
    }

    fn head_must_be_short(&self) -> Result<(), Malformed> {
        if self.buffer.len() > LONGEST_HEAD {
            return Err(Malformed(
                "what comes before the file is too long".to_owned(),
            ));
        }
        Ok(())
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, mark)
}

/// Where the file is, if the second part only says that.
pub(crate) fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::LOCATION)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--B\r\nContent-Type: application/json\r\n\r\n{}\r\n--B\r\n\
        Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\none\r\n--two\r\n\r\n--B--\r\n";

    async fn read(body: &str, piece: usize) -> Result<(HeaderMap, Vec<u8>), Malformed> {
        let pieces: Vec<Result<Bytes, String>> = body
            .as_bytes()
            .chunks(piece)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let mut file = second_part("B", stream::iter(pieces)).await?;
        let mut whole = Vec::new();
        while let Some(piece) = file.body.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok((file.headers, whole))
    }

    #[tokio::test]
    async fn file_is_found_whatever_the_pieces() {
        for body in [BODY.to_owned(), format!("a preamble\r\n{BODY}and more")] {
            for piece in [1, 2, 3, 7, 1000] {
                let (headers, file) = read(&body, piece).await.unwrap();
                assert_eq!(file, b"one\r\n--two\r\n", "pieces of {piece}");
                assert_eq!(headers[header::CONTENT_TYPE], "text/plain");
                assert_eq!(location(&headers), None);
            }
        }
        let empty = BODY.replace("one\r\n--two\r\n", "");
        assert_eq!(read(&empty, 5).await.unwrap().1, b"");
        // Without headers there is an empty line all the same.
        let bare = "--B\r\n\r\n{}\r\n--B\r\n\r\nx\r\n--B--";
        assert_eq!(read(bare, 4).await.unwrap().1, b"x");
    }

    #[tokio::test]
    async fn file_may_be_elsewhere() {
        let body = "--B\r\n\r\n{}\r\n--B\r\nLocation: https://cdn.example/x\r\n\r\n\r\n--B--";
        let (headers, _) = read(body, 9).await.unwrap();
        assert_eq!(location(&headers), Some("https://cdn.example/x"));
    }

    #[tokio::test]
    async fn what_breaks_off_or_never_begins_is_refused() {
        for end in [0, 10, 60, BODY.len() - 8] {
            assert!(read(&BODY[..end], 16).await.is_err(), "{end}");
        }
        assert!(read("--B\r\n\r\n{}\r\n--B--\r\n\r\n", 16).await.is_err());
        assert!(read(&"x".repeat(100_000), 1000).await.is_err());
        assert!(
            read(&format!("--B\r\n{}", "x".repeat(100_000)), 1000)
                .await
                .is_err()
        );
    }

    #[test]
    fn boundary_is_taken_from_the_type() {
        let found = |header| boundary(header).unwrap_or_default();
        assert_eq!(found("multipart/mixed; boundary=abc"), "abc");
        assert_eq!(found("Multipart/Mixed; x=y; Boundary=\"a b\""), "a b");
        assert_eq!(found("multipart/form-data; boundary=abc"), "");
        assert_eq!(found("multipart/mixed"), "");
        assert_eq!(found("multipart/mixed; boundary="), "");
        assert_eq!(
            found(&format!("multipart/mixed; boundary={}", "x".repeat(71))),
            ""
        );
    }
}
