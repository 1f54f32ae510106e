//! Connections: how many, from whom, and how long each may take.
//!
//! Whoever sends slowly, reads slowly or not at all holds a place, so places
//! are counted, every wait ends, and no peer has more than half of them.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;

use super::tls::Keys;

/// Time for a request's head, and for the TLS handshake before the first.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// Time that a connection may say nothing, between requests or in one.
const SILENCE_TIME_MAX: Duration = Duration::from_secs(60);
/// Time in which a peer must take some of what is sent to it.
const UNREAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes; more is answered 431.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Pause after the system has refused a connection, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Hall {
    router: Router,
    keys: Option<Arc<Keys>>,
    places: Arc<Places>,
}

impl Hall {
    pub(super) fn new(router: Router, keys: Option<Arc<Keys>>, connections_max: usize) -> Self {
        Self {
            router,
            keys,
            places: Arc::new(Places {
                total_max: connections_max,
                taken: Mutex::default(),
            }),
        }
    }

    /// Serves until `stopped`, then until every request under way is answered.
    pub(super) async fn receive(self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        let mut is_full = false;
        loop {
            let accepted = tokio::select! {
                // A dropped sender means stop as well.
                _ = &mut stopped => break,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    log::warn!("http: a connection was not accepted: {error}");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(place) = self.places.take(peer.ip()) else {
                // Said once, until there is room again.
                if !std::mem::replace(&mut is_full, true) {
                    let limit = self.places.total_max;
                    log::warn!(
                        "http: {peer} is turned away, allowed are {limit} connections \
                         and half of them for one peer"
                    );
                }
                continue;
            };
            is_full = false;
            let visit = Visit {
                router: self.router.clone(),
                keys: self.keys.clone(),
                watcher: graceful.watcher(),
            };
            tokio::spawn(async move {
                // Peers that break off are everyday life.
                if let Err(error) = visit.serve(stream).await {
                    log::debug!("http: {peer}: {error}");
                }
                drop(place);
            });
        }
        drop(listener);
        graceful.shutdown().await;
    }
}

struct Visit {
    router: Router,
    keys: Option<Arc<Keys>>,
    watcher: Watcher,
}

impl Visit {
    async fn serve(self, stream: TcpStream) -> io::Result<()> {
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(SILENCE_TIME_MAX));
        stream.set_write_timeout(Some(UNREAD_TIME_MAX));
        let stream = Box::pin(stream);
        match &self.keys {
            None => self.answer(stream).await,
            Some(keys) => {
                let handshake = keys.acceptor().accept(stream);
                let stream = timeout(HEAD_TIME_MAX, handshake).await??;
                self.answer(stream).await
            }
        }
    }

    async fn answer(self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> io::Result<()> {
        let mut settings = http1::Builder::new();
        settings
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME_MAX)
            .max_buf_size(HEAD_BYTES_MAX);
        let service = TowerToHyperService::new(self.router);
        let connection = settings.serve_connection(TokioIo::new(stream), service);
        self.watcher
            .watch(connection)
            .await
            .map_err(io::Error::other)
    }
}

struct Places {
    total_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

impl Places {
    fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = taken.values().sum();
        let of_peer = taken.get(&peer).copied().unwrap_or_default();
        if total >= self.total_max || of_peer >= self.total_max.div_ceil(2) {
            return None;
        }
        taken.insert(peer, of_peer + 1);
        Some(Place {
            peer,
            places: Arc::clone(self),
        })
    }
}

/// Free again when dropped.
struct Place {
    peer: IpAddr,
    places: Arc<Places>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self
            .places
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_has_half_of_the_places_and_all_have_no_more() {
        let places = Arc::new(Places {
            total_max: 4,
            taken: Mutex::default(),
        });
        let peer = |number| IpAddr::from([10, 0, 0, number]);
        let mut taken: Vec<_> = [1, 1, 1, 2, 3, 4]
            .map(|number| places.take(peer(number)))
            .into();
        let has: Vec<_> = taken.iter().map(Option::is_some).collect();
        assert_eq!(has, [true, true, false, true, true, false]);
        taken.clear();
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
