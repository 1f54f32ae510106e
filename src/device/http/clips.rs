//! Clips and posters: ranges, tags and caching.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::{REVALIDATE, Shelf};

/// A clip's address is its digest: what is there never changes.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub(super) async fn poster(State(shelf): State<Shelf>) -> Response {
    match shelf.latest() {
        Some(clip) => {
            let jpeg = axum::body::Bytes::from_owner(clip.poster_jpeg);
            ([(header::CONTENT_TYPE, "image/jpeg"), REVALIDATE], jpeg).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn clip(
    State(shelf): State<Shelf>,
    Path(file): Path<String>,
    request: Request,
) -> Response {
    let found = file
        .strip_suffix(".mp4")
        .and_then(|sha256| shelf.find(sha256));
    let Some(clip) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", clip.sha256);
    let mut response = if names(request.headers(), header::IF_NONE_MATCH, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file_response(&clip.path, &etag, request).await
    };
    let headers = response.headers_mut();
    // tower-http's own tag is made of size and time and differs between boards
    // that hold the same clip; ours is the content.
    headers.remove(header::ETAG);
    headers.remove(header::LAST_MODIFIED);
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        let tags = [
            (header::ETAG, etag.as_str()),
            (header::CACHE_CONTROL, IMMUTABLE),
        ];
        (tags, response).into_response()
    } else {
        response
    }
}

/// The file or the range of it that is asked for, if the conditions hold that
/// tower-http would judge by its own tag.
async fn file_response(path: &std::path::Path, etag: &str, mut request: Request) -> Response {
    let headers = request.headers_mut();
    if headers.contains_key(header::IF_RANGE) && !names(headers, header::IF_RANGE, etag) {
        headers.remove(header::RANGE);
    }
    if headers.contains_key(header::IF_MATCH) && !names(headers, header::IF_MATCH, etag) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    for condition in [
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
    ] {
        headers.remove(condition);
    }
    match ServeFile::new(path).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Whether a condition lists `etag` or everything.
fn names(headers: &HeaderMap, condition: HeaderName, etag: &str) -> bool {
    headers
        .get_all(condition)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag)
}
