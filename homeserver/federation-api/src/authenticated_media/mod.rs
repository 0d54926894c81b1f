//! Files of this server, for other servers.

pub(crate) mod get_content;
pub(crate) mod get_content_thumbnail;

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderValue, header};
use orvale_http::Whole;
use orvale_media::{Access, Media, MediaFile, content_type, filename};
use rand::{RngExt, distr::Alphanumeric};
use ruma::{MilliSecondsSinceUnixEpoch, ServerName};

use crate::Error;

/// A file of this server, waited for as long as the other likes.
async fn find(
    media: &Media,
    us: &ServerName,
    media_id: &str,
    timeout: std::time::Duration,
) -> Result<MediaFile, Error> {
    let now = MilliSecondsSinceUnixEpoch::now();
    let found = media.find(us, media_id, Access::Authenticated, timeout, now);
    Ok(found.await?)
}

/// A whole file, under its own name.
async fn original(media: &Media, file: &MediaFile) -> Result<Whole, Error> {
    let disposition = filename::disposition(file.content_type(), file.filename());
    let bytes = media.read(file, 0..file.size()).await?;
    let bytes = bytes.inspect_err(|error| tracing::error!(%error, "a download broke off"));
    let body = bytes.map_err(axum::Error::new);
    Ok(parts(
        &content_type::header(file.content_type()),
        &disposition,
        file.size(),
        body,
    ))
}

/// A response of two parts: what is known of the file, which is nothing yet, and the file.
///
/// <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid>
fn parts(
    content_type: &str,
    disposition: &str,
    size: u64,
    file: impl stream::Stream<Item = Result<Bytes, axum::Error>> + Send + 'static,
) -> Whole {
    let boundary: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(32)
        .map(char::from)
        .collect();
    let begin = format!(
        "--{boundary}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n\
         --{boundary}\r\nContent-Type: {content_type}\r\nContent-Disposition: {disposition}\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let length = size + (begin.len() + end.len()) as u64;
    let piece = |text: String| stream::once(async move { Ok(Bytes::from(text)) });
    let body = piece(begin).chain(file).chain(piece(end));
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    let multipart = format!("multipart/mixed; boundary={boundary}");
    let multipart = HeaderValue::try_from(multipart).expect("letters and digits");
    headers.insert(header::CONTENT_TYPE, multipart);
    headers.insert(header::CONTENT_LENGTH, length.into());
    Whole(response)
}

#[cfg(test)]
mod tests {
    use axum::{body::Bytes, http::Method};
    use futures_util::stream;
    use orvale_media::Details;
    use ruma::{
        MilliSecondsSinceUnixEpoch,
        api::{
            IncomingResponseExt,
            federation::authenticated_media::{FileOrLocation, get_content::v1},
        },
    };

    use crate::testing::Server;

    #[tokio::test]
    async fn file_is_told_in_parts_that_others_can_read() {
        let server = Server::start().await;
        let them = server.knows("them.example").await;
        let alice = server.account("alice").await;
        // Looks like the end of a part.
        let bytes = b"one\r\n--two\r\n\r\nthree--\r\n".to_vec();
        let details = Details {
            content_type: Some("text/plain".to_owned()),
            filename: Some("a \"b\".txt".to_owned()),
            size: None,
        };
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes.clone()))]);
        let now = MilliSecondsSinceUnixEpoch::now();
        let uri = server
            .state
            .media
            .upload(&alice, details, body, now)
            .await
            .unwrap();
        let (_, media_id) = uri.parts().unwrap();
        let path = format!("/_matrix/federation/v1/media/download/{media_id}");
        let answer = server.ask(&them, Method::GET, &path, None).await;
        let response = http::Response::builder()
            .header("content-type", &answer.content_type)
            .body(&answer.body[..])
            .unwrap();
        let read = v1::Response::try_from_http_response(response).unwrap();
        let FileOrLocation::File(file) = read.content else {
            panic!("a file is expected")
        };
        assert_eq!(file.file, bytes);
        assert_eq!(
            file.content_type.as_deref(),
            Some("text/plain; charset=utf-8")
        );
        let disposition = file.content_disposition.unwrap();
        assert_eq!(disposition.filename.as_deref(), Some("a \"b\".txt"));

        let path = "/_matrix/federation/v1/media/download/nothing";
        server
            .ask(&them, Method::GET, path, None)
            .await
            .refused(404, "M_NOT_FOUND");
        server
            .ask_with("", Method::GET, path, Vec::new())
            .await
            .refused(401, "M_UNAUTHORIZED");
    }
}
