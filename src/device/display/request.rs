//! Asking for one clip and waiting for it.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::sync::mpsc;

use super::{
    arrivals::{Arrivals, Arrived, Next},
    connect, connected, replace,
};
use crate::{
    config::Broker,
    device::mqtt::{Connection, Message},
    publication::{
        Availability, JobEvent, JobPhase, Publication, Response, ResponseStatus, Topics,
    },
    request::{JobId, Look, Shape},
};

/// Time to wait for the broker.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(15);

/// What is asked for, and of whom.
#[derive(Clone, Debug)]
pub struct RequestOptions {
    /// The broker.
    pub broker: Broker,
    /// The board.
    pub device_id: String,
    /// The photograph; without one, the board's camera.
    pub photo: Option<PathBuf>,
    /// How it shall move. Said in full: the board's own defaults do not count.
    pub look: Look,
    /// Size and length of the clip, said in full as well.
    pub shape: Shape,
    /// Where the MP4 shall stand.
    pub output: PathBuf,
    /// Time after which to give up, broker and render together.
    pub timeout: Duration,
}

/// A clip that was asked for and has come.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The job that made it.
    pub job_id: JobId,
    /// SHA-256 of the MP4, verified.
    pub sha256: String,
    /// Size of the MP4, in bytes.
    pub bytes: u64,
    /// Time from the request to the last byte.
    pub elapsed: Duration,
}

/// Sends a render request as soon as the board is online, waits for the clip
/// and saves it. `progress` is told what the board reports meanwhile.
///
/// # Errors
/// When the photograph cannot be read, the broker cannot be reached, the board
/// is not online, refuses or fails, the time is over, or the file cannot be
/// written.
pub fn request(options: &RequestOptions, progress: impl FnMut(&JobPhase)) -> anyhow::Result<Asked> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(ask(options, progress))
}

/// As [`request`], on the current tokio runtime.
///
/// # Errors
/// Those of [`request`].
pub async fn ask(
    options: &RequestOptions,
    progress: impl FnMut(&JobPhase),
) -> anyhow::Result<Asked> {
    let photo = match &options.photo {
        Some(path) => Some(
            std::fs::read(path)
                .with_context(|| format!("photo {} cannot be read", path.display()))?,
        ),
        None => None,
    };
    let started = Instant::now();
    let topics = Topics::new(&options.device_id);
    let id = JobId::generate();
    let answers = format!("{}/{id}", topics.response("to"));
    let mut arrivals = Arrivals::new(topics.clone(), answers.clone(), Some(id.clone()));
    let mut subscriptions = arrivals.subscriptions();
    subscriptions.extend([topics.job(&id), topics.availability()]);
    let (connection, mut messages) = connect(&options.broker, subscriptions)?;
    connected(&connection, options.timeout.min(CONNECT_TIME_MAX)).await?;
    let asked = publication(&topics, &id, photo, options, &answers);
    let mut is_online = false;
    let waiting = async {
        // A request to which nobody has subscribed yet is lost without a word.
        until_online(&topics, &mut arrivals, &connection, &mut messages).await?;
        is_online = true;
        let asked_at = Instant::now();
        connection.publish(asked).acknowledged().await?;
        let arrived =
            wait_for(&topics, &mut arrivals, &connection, &mut messages, progress).await?;
        anyhow::Ok((arrived, asked_at.elapsed()))
    };
    let time_left = options.timeout.saturating_sub(started.elapsed());
    let waited = tokio::time::timeout(time_left, waiting).await;
    connection.close(None).await;
    let Ok(outcome) = waited else {
        let board = &options.device_id;
        let missed = if is_online {
            format!("no clip from {board}")
        } else {
            format!("{board} did not come online")
        };
        let seconds = options.timeout.as_secs_f32();
        bail!("{missed} within {seconds} s; is the daemon running?");
    };
    let (arrived, elapsed) = outcome?;
    replace(&options.output, &arrived.mp4)?;
    Ok(Asked {
        job_id: id,
        sha256: arrived.notice.sha256,
        bytes: arrived.notice.bytes,
        elapsed,
    })
}

fn publication(
    topics: &Topics,
    id: &JobId,
    photo: Option<Vec<u8>>,
    options: &RequestOptions,
    answers: &str,
) -> Publication {
    let RequestOptions { look, shape, .. } = options;
    let size = shape
        .size
        .map(|size| format!("{}x{}", size.width_px(), size.height_px()));
    let mut publication = match photo {
        Some(bytes) => {
            let topic = topics.request_render_photo();
            let mut publication = Publication::bytes(topic, "application/octet-stream", bytes)
                .with("job_id", id)
                .with("strength", &look.strength)
                .with("seed", &look.seed)
                .with("frame_rate", &shape.frame_rate);
            if let Some(duration_ms) = shape.duration_ms {
                publication = publication.with("duration_ms", &duration_ms);
            }
            if let Some(direction) = look.direction_deg {
                publication = publication.with("direction", &direction);
            }
            if let Some(size) = size {
                publication = publication.with("size", &size);
            }
            publication
        }
        None => {
            let document = serde_json::json!({
                "v": 1,
                "job_id": id.as_str(),
                "source": "camera",
                "look": {
                    "strength": look.strength,
                    "seed": look.seed,
                    "direction": look.direction_deg,
                },
                "shape": {
                    "size": size,
                    "duration_ms": shape.duration_ms,
                    "frame_rate": shape.frame_rate,
                },
            });
            Publication::json(topics.request_render(), &document)
        }
    };
    publication.properties.response_topic = Some(answers.to_owned());
    publication.properties.correlation_data = Some(id.as_str().as_bytes().to_vec());
    publication
}

/// Waits until the board says that it is online; it does so once it has
/// subscribed to everything.
async fn until_online(
    topics: &Topics,
    arrivals: &mut Arrivals,
    connection: &Connection,
    messages: &mut mpsc::Receiver<Message>,
) -> anyhow::Result<()> {
    let topic = topics.availability();
    let online = Availability::Online.as_str().as_bytes();
    loop {
        if let Next::Other(message) = arrivals.next(connection, messages).await?
            && message.topic == topic
            && message.payload == online
        {
            return Ok(());
        }
    }
}

async fn wait_for(
    topics: &Topics,
    arrivals: &mut Arrivals,
    connection: &Connection,
    messages: &mut mpsc::Receiver<Message>,
    mut progress: impl FnMut(&JobPhase),
) -> anyhow::Result<Arrived> {
    let availability = topics.availability();
    loop {
        let message = match arrivals.next(connection, messages).await? {
            Next::Arrived(arrived) => return Ok(arrived),
            Next::Other(message) => message,
        };
        // What else is subscribed to are the answer, the job's events, and
        // whether the board is online: one that goes comes back to its jobs.
        if message.topic == availability {
            continue;
        }
        if message.properties.correlation_data.is_some() {
            let response: Response =
                serde_json::from_slice(&message.payload).context("the answer is not valid")?;
            if response.status == ResponseStatus::Error {
                let fault = response.error.context("the answer has no error")?;
                bail!("{} ({})", fault.message, fault.code);
            }
        } else {
            match serde_json::from_slice::<JobEvent>(&message.payload) {
                Ok(event) => progress(&event.phase),
                Err(error) => log::warn!("job event is not valid: {error}"),
            }
        }
    }
}
