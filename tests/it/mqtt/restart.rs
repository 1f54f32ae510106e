//! One daemon after another on the same folder: what was accepted is done.

use std::{
    fs,
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;
use zoetrope::{
    device::display::sha256_of,
    journal::{Address, JobRecord, Journal, Note, RequestDigest},
    publication::{Deadline, Order, Version},
    request::{Look, Request, Shape, Source},
};

use super::bench::{DEVICE, Display, PATIENCE, at, board, board_in, free_port, loopback};

fn nothing_of(_: &Path, _: &mut zoetrope::config::Config) {}

/// Waits until a folder holds a file that ends like this.
async fn file_in(folder: &Path, ending: &str) -> std::path::PathBuf {
    let started = Instant::now();
    loop {
        let entries = fs::read_dir(folder).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let found = paths.find(|path| path.to_string_lossy().ends_with(ending));
        if let Some(path) = found {
            return path;
        }
        assert!(started.elapsed() < PATIENCE, "no {ending} in {folder:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_and_stopping_leaves_all_to_the_next_daemon() {
    let broker = loopback().await;
    let port = broker.address().port();
    let first = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    first.renderer.is_closed.store(true, Ordering::Relaxed);
    for id in ["a", "b", "c", "d"] {
        display
            .send_photo(id.as_bytes(), &[("job_id", id), ("transaction", id)])
            .await;
    }
    let answer = display.json("/response/render_photo").await;
    assert_eq!(answer["error"]["code"], "queue_full");
    assert_eq!(answer["transaction"], "d");
    assert_eq!(
        answer["error"]["message"],
        "2 jobs are waiting, allowed are 2"
    );
    let folder = first.stop().await;
    display.state("stopping").await;

    let second = board_in(folder, at(port), nothing_of).await;
    for id in ["a", "b", "c"] {
        let answer = display.next("/response/render_photo", |_| true).await;
        assert_eq!(
            answer.properties.correlation_data.as_deref(),
            Some(&b"mine"[..])
        );
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(
            (&answer["status"], &answer["transaction"]),
            (&json!("ok"), &json!(id))
        );
        assert_eq!(answer["data"]["sha256"], sha256_of(id.as_bytes()));
    }
    let rendered = second.renderer.rendered.lock().unwrap().clone();
    assert_eq!(rendered, [b"a", b"b", b"c"]);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_job_a_hundred_times_is_one_render_and_a_hundred_answers() {
    let broker = loopback().await;
    let port = broker.address().port();
    let first = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    first.renderer.is_closed.store(true, Ordering::Relaxed);
    display.send_photo_times(40, b"one", "a").await;
    // The last of these is refused, and so all before it are accepted.
    display.send_photo(b"two", &[("job_id", "a")]).await;
    let refused = display.json("/response/render_photo").await;
    assert_eq!(refused["error"]["code"], "job_id_conflict");
    let folder = first.stop().await;

    display.state("stopping").await;
    let second = board_in(folder, at(port), nothing_of).await;
    // It hears by now.
    display.state("rendering").await;
    display.send_photo_times(30, b"one", "a").await;
    let mut answers = Vec::new();
    for _ in 0..70 {
        answers.push(display.json("/response/render_photo").await);
    }
    assert_eq!(*second.renderer.rendered.lock().unwrap(), [b"one".to_vec()]);
    let folder = second.stop().await;
    display.state("stopping").await;

    let third = board_in(folder, at(port), nothing_of).await;
    display.state("ready").await;
    display.send_photo_times(30, b"one", "a").await;
    for _ in 0..30 {
        answers.push(display.json("/response/render_photo").await);
    }
    for answer in &answers {
        assert_eq!(answer["status"], "ok", "{answer}");
        assert_eq!(answer["data"], answers[0]["data"]);
    }
    assert!(third.renderer.rendered.lock().unwrap().is_empty());
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_clip_comes_back_with_the_daemon_at_an_empty_broker() {
    let broker = loopback().await;
    let port = broker.address().port();
    let first = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    for id in ["a", "b"] {
        display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
        display.json("/response/render_photo").await;
    }
    let folder = first.stop().await;
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let second = board_in(folder, at(port), nothing_of).await;
    assert_eq!(display.next("/clip", |_| true).await.payload, b"b");
    assert_eq!(display.next("/poster", |_| true).await.payload, b"poster");
    let record = display.json("/clip/info").await;
    assert_eq!(record["job_id"], "b");
    assert_eq!(record["loop"]["verdict"], "good");
    assert!(second.renderer.rendered.lock().unwrap().is_empty());
    second.stop().await;
}

/// A folder with a job whose clip was rendered while no broker was there.
async fn rendered_only() -> TempDir {
    let broker = loopback().await;
    let port = broker.address().port();
    let first = board(at(port)).await;
    let mut display = Display::connect(port, "display").await;
    display.state("ready").await;
    first.renderer.is_closed.store(true, Ordering::Relaxed);
    for id in ["a", "b"] {
        display.send_photo(id.as_bytes(), &[("job_id", id)]).await;
        display.json(&format!("/job/{id}")).await;
    }
    broker.stop().await;
    first.renderer.is_closed.store(false, Ordering::Relaxed);
    // Renders go on without a broker.
    file_in(&first.folder.path().join("clips"), "2.clip").await;
    first.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rendered_is_published_as_it_is() {
    let folder = rendered_only().await;
    let port = free_port();
    let second = board_in(folder, at(port), nothing_of).await;
    let options = zoetrope::device::broker::BrokerOptions {
        port,
        ..Default::default()
    };
    let _broker = zoetrope::device::broker::LoopbackBroker::start(&options)
        .await
        .unwrap();
    let mut display = Display::connect(port, "display").await;
    for id in ["a", "b"] {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["data"]["job_id"], id, "{answer}");
        assert_eq!(answer["data"]["sha256"], sha256_of(id.as_bytes()));
    }
    assert!(second.renderer.rendered.lock().unwrap().is_empty());
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_is_damaged_before_it_is_published_is_rendered_again() {
    let folder = rendered_only().await;
    let clips = folder.path().join("clips");
    let mp4 = clips.join(format!("{}.mp4", sha256_of(b"a")));
    fs::write(&mp4, b"x").unwrap();
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let second = board_in(folder, at(port), nothing_of).await;
    let mut answered = Vec::new();
    for _ in 0..2 {
        let answer = display.json("/response/render_photo").await;
        assert_eq!(answer["status"], "ok", "{answer}");
        answered.push(answer["data"]["job_id"].as_str().unwrap().to_owned());
    }
    answered.sort();
    assert_eq!(answered, ["a", "b"]);
    assert_eq!(*second.renderer.rendered.lock().unwrap(), [b"a".to_vec()]);
    assert!(
        clips
            .join("damaged")
            .join(mp4.file_name().unwrap())
            .exists()
    );
    assert_eq!(fs::read(&mp4).unwrap(), b"a");
    second.stop().await;
}

fn accepted(journal: &Journal, sequence: u64, id: &str) {
    accepted_until(journal, sequence, id, None);
}

fn accepted_until(journal: &Journal, sequence: u64, id: &str, deadline: Option<Deadline>) {
    let mut request = Request {
        id: id.parse().unwrap(),
        source: Source::Photo(id.as_bytes().into()),
        look: Look::default(),
        shape: Shape::default(),
        burst_fps: None,
        clean_plate: false,
    };
    let digest = RequestDigest::of(&request);
    let photo = request.take_photo().unwrap();
    let record = JobRecord {
        v: Version,
        sequence,
        order: Order {
            request,
            transaction: Some(id.to_owned()),
            deadline,
        },
        digest,
        has_photo: true,
        address: Address {
            topic: format!("zoetrope/{DEVICE}/mine"),
            correlation_data: None,
            transaction: Some(id.to_owned()),
        },
        clip_bytes_max: None,
    };
    journal.accept(&record, Some(&photo)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_wanted_any_more_is_answered_and_not_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    {
        let journal = Journal::open(&folder.path().join("journal"))
            .unwrap()
            .journal;
        accepted(&journal, 1, "unwanted");
        journal.note(1, &Note::Begun).unwrap();
        journal.note(1, &Note::Cancelled).unwrap();
        let now = Instant::now();
        let late = Deadline::at(now.checked_sub(Duration::from_secs(1)).unwrap());
        accepted_until(&journal, 2, "late", Some(late));
        accepted_until(&journal, 3, "new", Some(Deadline::at(now + 10 * PATIENCE)));
    }
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let board = board_in(folder, at(port), nothing_of).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let answer = display.json("/mine").await;
        let of = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        outcomes.push((of(&answer["transaction"]), of(&answer["error"]["code"])));
    }
    outcomes.sort();
    let expected = [
        ("late", "deadline_exceeded"),
        ("new", ""),
        ("unwanted", "cancelled"),
    ];
    assert_eq!(
        outcomes,
        expected.map(|(id, code)| (id.to_owned(), code.to_owned()))
    );
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"new".to_vec()]);
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_crashes_the_daemon_again_and_again_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    {
        let opened = Journal::open(&folder.path().join("journal")).unwrap();
        for (sequence, id, crash_count) in [(1, "poison", 3), (2, "unlucky", 2), (3, "new", 0)] {
            accepted(&opened.journal, sequence, id);
            for _ in 0..crash_count {
                opened.journal.note(sequence, &Note::Begun).unwrap();
            }
        }
    }
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let board = board_in(folder, at(port), nothing_of).await;
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        let answer = display.json("/mine").await;
        outcomes.push((
            answer["transaction"].clone(),
            answer["error"]["message"].clone(),
        ));
    }
    let said = "the daemon crashed 3 times while rendering this job, allowed are 3";
    assert_eq!(
        outcomes,
        [
            (json!("poison"), json!(said)),
            (json!("unlucky"), json!(null)),
            (json!("new"), json!(null))
        ]
    );
    board.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_reported_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let journal_dir = folder.path().join("journal");
    {
        let opened = Journal::open(&journal_dir).unwrap();
        accepted(&opened.journal, 1, "whole");
        accepted(&opened.journal, 2, "torn");
    }
    let torn = file_in(&journal_dir, "2.job").await;
    let bytes = fs::read(&torn).unwrap();
    fs::write(&torn, &bytes[..bytes.len() - 1]).unwrap();
    let broker = loopback().await;
    let port = broker.address().port();
    let mut display = Display::connect(port, "display").await;
    let board = board_in(folder, at(port), nothing_of).await;
    let state = display.json("/state").await;
    let reason = state["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("1 damaged records were found, the first: "),
        "{reason}"
    );
    assert!(reason.ends_with("moved into damaged"), "{reason}");
    assert_eq!(display.json("/mine").await["transaction"], "whole");
    display.state("ready").await;
    assert_eq!(*board.renderer.rendered.lock().unwrap(), [b"whole"]);
    board.stop().await;
}
