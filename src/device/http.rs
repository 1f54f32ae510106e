//! The kiosk page and the finished clips over HTTP.
//!
//! A display opens `http://board.local`, learns of clips over MQTT and fetches
//! the bytes here; a monitor asks how the board is. Ranges are tower-http's
//! business. Deliberately absent: any way to change anything.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware,
    routing::get,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_http::set_header::SetResponseHeaderLayer;

mod assets;
mod clips;
mod gate;
mod hall;
mod shelf;
mod tls;
mod vitals;

use self::{gate::Gate, hall::Hall, tls::Keys};
use crate::config::{HTTP_CONNECTIONS_MAX_DEFAULT, KeyPair};

pub use shelf::{Shelf, ShelfClip};
pub use tls::check_keys;
pub use vitals::Vitals;

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

/// How the server shall be.
#[derive(Debug)]
pub struct HttpOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What the page is told.
    pub page: Page,
    /// What everybody must know who wants more than `/healthz`.
    pub token: Option<String>,
    /// TLS, when it is wanted.
    pub tls: Option<KeyPair>,
    /// Connections at a time; one peer may hold half of them.
    pub connections_max: usize,
}

impl HttpOptions {
    /// A server for everybody who can reach `listen`.
    pub fn open(listen: SocketAddr, page: Page) -> Self {
        Self {
            listen,
            page,
            token: None,
            tls: None,
            connections_max: HTTP_CONNECTIONS_MAX_DEFAULT,
        }
    }
}

/// The server cannot be started, or cannot change its keys.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why: in use, not ours, or privileged.
        reason: io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error("{}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The token and the keys of a running server; clones are the same server's.
#[derive(Clone)]
pub struct Renewal {
    gate: Arc<Gate>,
    keys: Option<Arc<Keys>>,
}

impl Renewal {
    /// Reads the certificate and its key again, and takes another token for
    /// everybody who comes from now on.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if they cannot be used; the old ones and the old token
    /// go on.
    pub fn renew(&self, token: Option<&str>) -> Result<(), HttpError> {
        if let Some(keys) = &self.keys {
            keys.renew()?;
        }
        self.gate.change(token);
        Ok(())
    }
}

/// A running server. Dropping it stops it without waiting.
pub struct HttpServer {
    local_addr: SocketAddr,
    renewal: Renewal,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Listens and serves until stopped.
    ///
    /// # Errors
    /// When the address cannot be bound or the certificate cannot be used.
    pub async fn start(
        options: HttpOptions,
        shelf: Shelf,
        vitals: Arc<dyn Vitals>,
    ) -> Result<Self, HttpError> {
        let keys = options.tls.map(Keys::read).transpose()?.map(Arc::new);
        let failed = |reason| HttpError::Listen {
            address: options.listen,
            reason,
        };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let gate = Arc::new(Gate::new(options.token.as_deref(), keys.is_some()));
        let router = router(&options.page, shelf, vitals, Arc::clone(&gate));
        let (stop, stopped) = oneshot::channel::<()>();
        let hall = Hall::new(router, keys.clone(), options.connections_max);
        let task = tokio::spawn(hall.receive(listener, stopped));
        Ok(Self {
            local_addr,
            renewal: Renewal { gate, keys },
            stop,
            task,
        })
    }

    /// The address that is listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What can be renewed while it runs.
    pub fn renewal(&self) -> Renewal {
        self.renewal.clone()
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

fn router(page: &Page, shelf: Shelf, vitals: Arc<dyn Vitals>, gate: Arc<Gate>) -> Router {
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
        .route("/clips/{file}", get(clips::clip))
        .route("/poster.jpg", get(clips::poster))
        .with_state(shelf)
        .merge(vitals::routes(vitals));
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
        // Beyond the routes, too: whoever may not come in does not learn what
        // is not there.
        .layer(middleware::from_fn_with_state(gate, gate::pass))
        .route("/healthz", get(|| async { ([NO_STORE], "ok\n") }))
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

#[cfg(test)]
mod tests;
