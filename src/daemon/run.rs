//! The daemon as a process: its signals and its service manager.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use super::{Daemon, Pipeline, service};
use crate::{config::Config, device::memory};

/// Runs the daemon until SIGTERM or SIGINT; SIGHUP reads the configuration
/// again and keeps the old one if the new one is wrong; SIGUSR1 asks for a clip
/// from the camera.
///
/// # Errors
/// When the configuration, the network, the clips folder or the HTTP address
/// cannot be used at the start.
pub fn run(config_file: &Path) -> anyhow::Result<()> {
    memory::share_arenas();
    let config = Config::read(config_file)?;
    let renderer = Arc::new(Pipeline::open(&config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("zoetrope-io")
        .enable_all()
        .build()?;
    let result = runtime.block_on(serve(config_file, config, renderer));
    // A render that does not look at its cancellation ends with the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn serve(config_file: &Path, config: Config, renderer: Arc<Pipeline>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut user = signal(SignalKind::user_defined1())?;
    let is_tls = config.http.as_ref().is_some_and(|http| http.tls.is_some());
    let status = format!("serves zoetrope/{}/request/…", config.device_id);
    let mut daemon = Daemon::start(config, Some(config_file.to_owned()), renderer.clone()).await?;
    if let Some(address) = daemon.http_address() {
        let scheme = if is_tls { "https" } else { "http" };
        log::info!("kiosk page at {scheme}://{address}/");
    }
    service::ready(&status);
    // Not before: it takes processors that the start needs.
    renderer.prepare();
    let watchdog = tokio::spawn(service::feed_watchdog(daemon.vitals.clone()));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = user.recv() => daemon.ring(),
            _ = hang_up.recv() => {
                service::reloading();
                match Config::read(config_file) {
                    Ok(config) => daemon.reload(config).await,
                    Err(error) => log::error!("configuration kept as it was: {error:#}"),
                }
                service::ready(&status);
            }
            ended = &mut daemon.desk => {
                return Err(anyhow::anyhow!("the desk ended by itself: {ended:?}"));
            }
        }
    }
    log::info!("stopping");
    service::stopping();
    daemon.stop().await;
    watchdog.abort();
    Ok(())
}
