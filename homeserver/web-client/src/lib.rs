//! The web client, compiled in: whoever has the binary has the whole product.
//!
//! `client-web` is built by vite into `files/built`; `build.rs` makes a table of those files, each with the brotli and gzip form
//! vite made beside it, so that nothing is compressed while serving. A build of the server without a build of the client compiles
//! too, and says on the page what to do.
//!
//! | file | holds |
//! |---|---|
//! | `file.rs` | one file: its type, how long it is kept, in which compression it goes out |
//! | `page.rs` | the page, with the content security policy and what the page may use of the device |
//!
//! Files below `assets/` carry a hash of their content in their names and are kept for a year; all others are asked for again and
//! answered with "not modified". The page itself is never kept: it carries a number made for each answer, without which the
//! browser accepts no style.

mod file;
mod page;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use file::File;

/// Everything vite built.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Where the page answers: the application reads the rest of the address itself.
const PAGES: [&str; 3] = ["/chat", "/chat/{*place}", "/dev/gallery"];

/// The page, the files it needs, and the way from `/` to it.
///
/// # Panics
/// If two built files have the same name, which a file system does not allow.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new().route("/", get(async || Redirect::temporary("/chat")));
    for place in PAGES {
        router = router.route(place, get(async || page::answer(FILES)));
    }
    for folder in folders() {
        let answer = async move |Path(name): Path<String>, headers: HeaderMap| {
            find(&format!("{folder}/{name}"), &headers)
        };
        router = router.route(&format!("/{folder}/{{*name}}"), get(answer));
    }
    for file in FILES {
        if !file.path.contains('/') && file.path != page::NAME {
            let answer = async move |headers: HeaderMap| file.answer(&headers);
            router = router.route(&format!("/{}", file.path), get(answer));
        }
    }
    router
}

/// The first parts of the names of files in folders.
fn folders() -> Vec<&'static str> {
    let mut folders: Vec<_> = FILES
        .iter()
        .filter_map(|file| file.path.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    folders.dedup();
    folders
}

fn find(path: &str, headers: &HeaderMap) -> Response {
    match FILES.binary_search_by(|file| file.path.cmp(path)) {
        Ok(found) => FILES[found].answer(headers),
        // An old page asks for a file of an older build: the client then offers to load the new one.
        Err(_) => (
            StatusCode::NOT_FOUND,
            "This file is not part of this version of Orvale; load the page again",
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, header},
    };
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> Response {
        let router: Router = routes();
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[test]
    fn table_is_in_order_so_that_it_can_be_searched() {
        assert!(FILES.is_sorted_by(|one, other| one.path < other.path));
    }

    #[tokio::test]
    async fn root_leads_to_the_chat() {
        let answer = get("/").await;
        assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.headers()[header::LOCATION], "/chat");
    }

    #[tokio::test]
    async fn every_place_in_the_chat_is_the_page() {
        for place in ["/chat", "/chat/room/!a:b", "/dev/gallery"] {
            let answer = get(place).await;
            assert!(
                answer.headers()[header::CONTENT_SECURITY_POLICY]
                    .to_str()
                    .unwrap()
                    .contains("default-src 'none'")
            );
        }
    }

    #[tokio::test]
    async fn file_of_an_older_build_is_not_the_page() {
        let answer = find("assets/index-of-last-year.js", &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}
