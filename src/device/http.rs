//! The kiosk page and the finished clips over HTTP.
//!
//! Plain HTTP on a local network: a display opens `http://board.local`, learns
//! of clips over MQTT and fetches the bytes here. Ranges are tower-http's
//! business. Deliberately absent: any way to change anything.

use std::{future::IntoFuture, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower::ServiceExt;
use tower_http::{services::ServeFile, set_header::SetResponseHeaderLayer};

mod assets;
mod shelf;

pub use shelf::{Shelf, ShelfClip};

/// Time that downloads under way get to finish when the server is stopped.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Scripts and styles come from here alone; pictures and clips are blobs made
/// by the page; connections go to the broker and to clips that a record may
/// place on another server, whose names are not known here.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob: data:; media-src 'self' blob:; \
     connect-src 'self' ws: wss: http: https:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// What the page is told about the board; `/kiosk.json`.
#[derive(Clone, Debug)]
pub struct Page {
    /// The board's name in every topic.
    pub device_id: String,
    /// The broker's WebSocket listener, such as `ws://board.local:9001/mqtt`.
    ///
    /// The board does not know by which name a display reaches it. A host that
    /// is empty (`ws://:9001/mqtt`), `{host}`, `0.0.0.0` or `[::]` is replaced
    /// by the page with the host that it was itself loaded from; a loopback
    /// address is replaced too when the page came from another machine.
    pub broker_websocket_url: String,
}

/// A running server. Dropping it stops it without waiting.
pub struct HttpServer {
    local_addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl HttpServer {
    /// Listens on `listen` (port 0 takes a free one) and serves until stopped.
    ///
    /// # Errors
    /// When the address cannot be bound: in use, not ours, or privileged.
    pub async fn start(listen: SocketAddr, page: Page, shelf: Shelf) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let local_addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            axum::serve(listener, router(&page, shelf)).with_graceful_shutdown(async move {
                // A dropped sender means stop as well.
                let _ = stopped.await;
            });
        let task = tokio::spawn(served.into_future());
        Ok(Self {
            local_addr,
            stop,
            task,
        })
    }

    /// The address that is listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Takes no more connections, lets downloads under way finish for a short
    /// while, then ends them.
    pub async fn stop(self) {
        let Self { stop, task, .. } = self;
        let abort = task.abort_handle();
        // An error means that the server has ended already.
        let _ = stop.send(());
        if tokio::time::timeout(STOP_GRACE, task).await.is_err() {
            abort.abort();
        }
    }
}

fn router(page: &Page, shelf: Shelf) -> Router {
    let described = serde_json::json!({
        "v": 1,
        "base_topic": format!("zoetrope/{}", page.device_id),
        "device_id": page.device_id,
        "broker_websocket_url": page.broker_websocket_url,
    })
    .to_string();
    let mut router = Router::new()
        .route(
            "/kiosk.json",
            get(move || async move { ([JSON, NO_STORE], described) }),
        )
        .route("/healthz", get(|| async { ([NO_STORE], "ok\n") }))
        .route("/clips/{file}", get(clip))
        .route("/poster.jpg", get(poster))
        .with_state(shelf);
    for asset in assets::ASSETS {
        router = router.route(
            asset.path,
            get(move || async move {
                let headers = [(header::CONTENT_TYPE, asset.content_type), REVALIDATE];
                (headers, asset.bytes)
            }),
        );
    }
    let always = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    router
        .layer(always(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "no-referrer"))
}

const JSON: (HeaderName, &str) = (header::CONTENT_TYPE, "application/json");
const NO_STORE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-store");
/// The page belongs to the program that serves it: after an upgrade no display
/// may go on with the old one.
const REVALIDATE: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");
/// A clip's address is its digest: what is there never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

async fn poster(State(shelf): State<Shelf>) -> Response {
    match shelf.latest() {
        Some(clip) => {
            let jpeg = axum::body::Bytes::from_owner(clip.poster_jpeg);
            ([(header::CONTENT_TYPE, "image/jpeg"), REVALIDATE], jpeg).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn clip(State(shelf): State<Shelf>, Path(file): Path<String>, request: Request) -> Response {
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

#[cfg(test)]
mod tests;
