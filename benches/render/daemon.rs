//! From exec to a daemon that is ready, and the size of what is executed.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use mqtt5::{MqttClient, types::Message};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;
use zoetrope::device::broker::{BrokerOptions, LoopbackBroker};

use crate::{
    Bench, bars,
    bars::Scores,
    child,
    plan::Part,
    table::{Spread, Table, megabytes},
};

const DEVICE_ID: &str = "bench";
/// Longest wait for the daemon to be ready, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures and prints both.
///
/// # Errors
/// When the daemon does not become ready, or does not end.
pub fn measure(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // A quick run, too, can afford several: each takes a fraction of a second.
    let runs = bench.plan.rounds(Part::Daemon, &[()], |()| {
        runtime.block_on(ready_ms(bench.program.path()))
    })?;
    let mut table = Table::new(&["what", "measured"]);
    let ready_ms = Spread::of(&runs[0], |ms| *ms);
    table.row([
        "exec to the state `ready`, seen by a client of the broker, ms".to_owned(),
        ready_ms.show(0),
    ]);
    scores.note(bars::READY, ready_ms.min);
    match stripped_bytes(bench.program.path())? {
        Some(bytes) => {
            scores.note(bars::BINARY, megabytes(bytes));
            table.row([
                "binary, stripped, MB".to_owned(),
                format!("{:.1}", megabytes(bytes)),
            ]);
        }
        None => println!("\nStripped binary: SKIPPED for want of strip (binutils)"),
    }
    table.print("Daemon");
    Ok(())
}

/// Starts a broker and a client of it, then the daemon, and waits for its word.
async fn ready_ms(program: &Path) -> anyhow::Result<f64> {
    let broker = LoopbackBroker::start(&BrokerOptions::default()).await?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("zoetrope.toml");
    let text = format!(
        "device_id = \"{DEVICE_ID}\"\nclips_dir = \"clips\"\n\
         [broker]\nurl = \"mqtt://{}\"\n",
        broker.address()
    );
    fs::write(&config, text)?;
    let client = MqttClient::new("bench-onlooker");
    client
        .connect(&format!("mqtt://{}", broker.address()))
        .await?;
    let (tell, mut told) = mpsc::unbounded_channel();
    client
        .subscribe(&format!("zoetrope/{DEVICE_ID}/state"), move |message| {
            // Nobody listens any more when the time has been taken.
            let _ = tell.send((Instant::now(), message));
        })
        .await?;
    let start = Instant::now();
    let child = Command::new(program)
        .args([Path::new("run"), Path::new("--config"), &config])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the daemon does not start")?;
    let mut daemon = Daemon(child);
    let ready = async {
        while let Some((at, message)) = told.recv().await {
            if is_ready(&message) {
                return Ok(at);
            }
        }
        bail!("the broker went away")
    };
    let at = tokio::time::timeout(PATIENCE, ready)
        .await
        .context("the daemon does not become ready")??;
    daemon.stop()?;
    client.disconnect().await?;
    broker.stop().await;
    Ok((at - start).as_secs_f64() * 1e3)
}

fn is_ready(message: &Message) -> bool {
    let state: Option<serde_json::Value> = serde_json::from_slice(&message.payload).ok();
    state.is_some_and(|state| state["state"] == "ready")
}

/// A running daemon; it does not outlive the bench.
struct Daemon(Child);

impl Daemon {
    fn stop(&mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while self.0.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("the daemon does not end");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may well have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Size of the binary without symbols; `None` where none can be taken off.
fn stripped_bytes(program: &Path) -> anyhow::Result<Option<u64>> {
    if child::find("strip").is_none() {
        return Ok(None);
    }
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("zoetrope");
    child::run(
        Command::new("strip").arg("-o").arg(&stripped).arg(program),
        None,
    )?;
    Ok(Some(fs::metadata(stripped)?.len()))
}
