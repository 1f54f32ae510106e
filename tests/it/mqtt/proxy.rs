//! A network that misbehaves: between the daemon and its broker.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Duration,
};

/// What it does to the bytes that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Nothing.
    Fair,
    /// Holds each piece back for so many milliseconds.
    Slow(u64),
    /// Takes what comes and passes nothing on, either way; nobody is told.
    HalfOpen,
    /// Reads nothing at all, so that the sender's socket fills up.
    Jammed,
    /// Turns over one bit of every piece.
    Noisy,
    /// Ends every connection and takes no new one.
    Cut,
}

/// A proxy in front of one broker. Dropping it ends it.
pub struct Proxy {
    pub port: u16,
    weather: watch::Sender<Weather>,
    pub connections: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn before(broker_port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (weather, reports) = watch::channel(Weather::Fair);
        let (counter, connections) = watch::channel(0);
        let task = tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                counter.send_modify(|count| *count += 1);
                if *reports.borrow() == Weather::Cut {
                    continue;
                }
                let Ok(broker) = TcpStream::connect(("127.0.0.1", broker_port)).await else {
                    continue;
                };
                tasks.spawn(pass(client, broker, reports.clone()));
            }
        });
        Self {
            port,
            weather,
            connections,
            task,
        }
    }

    pub fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, broker: TcpStream, mut weather: watch::Receiver<Weather>) {
    let ((from_client, to_client), (from_broker, to_broker)) =
        (client.into_split(), broker.into_split());
    let there = one_way(from_client, to_broker, weather.clone());
    let back = one_way(from_broker, to_client, weather.clone());
    tokio::select! {
        () = there => {}
        () = back => {}
        // Both sides are told when all is dropped.
        _ = weather.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let mut piece = vec![0; 16 << 10];
    loop {
        if weather
            .wait_for(|weather| *weather != Weather::Jammed)
            .await
            .is_err()
        {
            return;
        }
        let count = match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => count,
        };
        let now = *weather.borrow();
        match now {
            Weather::HalfOpen => continue,
            Weather::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Weather::Noisy => piece[count / 2] ^= 0x10,
            _ => {}
        }
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}
