//! A small MQTT broker inside the process, for the demo and the tests.
//!
//! It listens on the loopback address only and keeps everything in memory.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use mqtt5::broker::{
    BrokerConfig, BrokerShutdownHandle, MqttBroker,
    config::{AuthConfig, StorageBackend, StorageConfig, WebSocketConfig},
};
use tokio::task::JoinHandle;

/// Path of the WebSocket listener.
const WEBSOCKET_PATH: &str = "/mqtt";

/// Time that the broker has to close its connections.
const STOP_TIME_MAX: Duration = Duration::from_secs(2);

/// How the broker shall be.
#[derive(Clone, Debug)]
pub struct BrokerOptions {
    /// TCP port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// Largest MQTT packet, in bytes.
    pub packet_bytes_max: usize,
    /// Users and their hashed passwords in mqtt5's own format; without it
    /// everybody is welcome.
    pub password_file: Option<PathBuf>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            port: 0,
            packet_bytes_max: 64 << 20,
            password_file: None,
        }
    }
}

/// A running broker. Dropping it ends it.
pub struct LoopbackBroker {
    address: SocketAddr,
    websocket_address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    task: JoinHandle<()>,
}

impl LoopbackBroker {
    /// Starts a broker for MQTT 3.1.1 and 5 over TCP and WebSocket.
    ///
    /// # Errors
    /// When a port is taken or the password file cannot be used.
    pub async fn start(options: &BrokerOptions) -> Result<Self, BrokerError> {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let failed = |error: mqtt5::MqttError| BrokerError(error.to_string());
        let mut config = BrokerConfig::default()
            .with_bind_address(loopback(options.port))
            .with_max_packet_size(options.packet_bytes_max)
            .with_websocket(
                WebSocketConfig::new()
                    .with_bind_address(loopback(0))
                    .with_path(WEBSOCKET_PATH),
            )
            // The default writes to `./mqtt_storage`.
            .with_storage(
                StorageConfig::new()
                    .with_backend(StorageBackend::Memory)
                    .with_persistence(false),
            )
            .with_sys_topics_enabled(false);
        if let Some(path) = &options.password_file {
            config = config.with_auth(AuthConfig {
                allow_anonymous: false,
                password_file: Some(path.clone()),
                ..AuthConfig::default()
            });
        }
        let mut broker = MqttBroker::with_config(config).await.map_err(failed)?;
        let bound = |address: Option<SocketAddr>| {
            address.ok_or_else(|| BrokerError("a listener has no address".to_owned()))
        };
        let address = bound(broker.local_addr())?;
        let websocket_address = bound(broker.ws_local_addr())?;
        let shutdown = broker.shutdown_handle();
        let task = tokio::spawn(async move {
            if let Err(error) = broker.run().await {
                log::error!("broker: {error}");
            }
        });
        Ok(Self {
            address,
            websocket_address,
            shutdown,
            task,
        })
    }

    /// Address of the TCP listener.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The WebSocket listener as a browser on this machine reaches it.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}{WEBSOCKET_PATH}", self.websocket_address)
    }

    /// Ends it. Its ports may stay taken for a moment, because connections are
    /// closed in the background.
    pub async fn stop(mut self) {
        self.shutdown.shutdown();
        // One that does not end in time is aborted when it is dropped.
        let _ = tokio::time::timeout(STOP_TIME_MAX, &mut self.task).await;
    }
}

impl Drop for LoopbackBroker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The broker cannot be started.
#[derive(Debug, thiserror::Error)]
#[error("in-process broker: {0}")]
pub struct BrokerError(String);
