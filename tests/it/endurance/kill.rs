//! The daemon is killed; what it had accepted is done by the next.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{
    number,
    service::{Ambush, Service, torn_clips},
    witness::Witness,
};
use crate::{
    mqtt::bench::{PATIENCE, loopback},
    support::{Folder, missing_tool},
};

/// Longest life of a daemon that is to be killed.
const LIFE_MAX: Duration = Duration::from_secs(10);
/// Daemons that are killed before one is left to finish everything.
const KILLS_A_ROUND: u64 = 10;
/// Rounds at a time.
const LANES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_of_a_job() {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = Folder::new();
    Service::configure(&folder, port);
    let mut witness = Witness::connect(port).await;
    for step in ["accepted", "rendering", "clip", "published", "answered"] {
        let mut service = Service::start(&folder, None);
        let is_up = |witness: &Witness| !witness.state.is_empty();
        assert!(witness.hear(PATIENCE, is_up).await, "not up before {step}");
        witness.ask(step).await;
        let has_come = witness.hear(PATIENCE, |witness| match step {
            "clip" => witness.clips.contains_key(step),
            "answered" => witness.answers.contains_key(step),
            _ => witness.events.contains(&(step.to_owned(), step.to_owned())),
        });
        assert!(has_come.await, "no {step}");
        service.kill();
        assert_eq!(torn_clips(&folder), [""; 0], "killed when {step}");
        // Its last will: whatever it had said before is heard by now.
        let is_gone = |witness: &Witness| witness.state.is_empty();
        assert!(witness.hear(PATIENCE, is_gone).await, "no last will");
    }
    let mut service = Service::start(&folder, None);
    let is_done = |witness: &Witness| witness.unanswered().is_empty();
    assert!(witness.hear(PATIENCE, is_done).await, "not all is answered");
    service.stop().await;
    witness.testify();
}

/// A way to die.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// At a system call.
    Call(Ambush),
    /// This long after it has been asked for something.
    Later(Duration),
}

/// One in four at any time, the others at each call in turn that changes a
/// disk.
fn death(index: u64, random: &mut fastrand::Rng) -> Death {
    // How often one thread does it, at most, in such a life.
    const CALLS: [(&str, u64); 8] = [
        ("write", 40),
        ("fsync", 8),
        ("fdatasync", 2),
        ("rename,renameat,renameat2", 5),
        ("openat", 30),
        ("unlink,unlinkat", 3),
        ("mkdir,mkdirat", 3),
        // What the broker is told.
        ("sendto,writev", 30),
    ];
    if index.is_multiple_of(4) {
        return Death::Later(Duration::from_millis(random.u64(0..300)));
    }
    let turn = index - index / 4 - 1;
    let (calls, nth_max) = CALLS[(turn % CALLS.len() as u64) as usize];
    let nth = 1 + (turn / CALLS.len() as u64) % nth_max;
    Death::Call(Ambush { calls, nth })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes half an hour"]
async fn a_thousand_kills() {
    let has_strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if has_strace.is_err() {
        missing_tool("strace", "apt install strace");
        return;
    }
    let kills = number("ZOETROPE_KILLS", 1000) as usize;
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut rounds = JoinSet::new();
    for index in 0.. {
        if rounds.len() >= LANES {
            tally.add(&rounds.join_next().await.unwrap().unwrap());
        }
        if tally.killed >= kills {
            break;
        }
        rounds.spawn(round(index));
        if index % 10 == 9 {
            println!("{tally:?} in {} s", started.elapsed().as_secs());
        }
    }
    while let Some(round) = rounds.join_next().await {
        tally.add(&round.unwrap());
    }
    let Tally {
        killed,
        survived,
        asked,
        accepted,
        answers,
    } = tally;
    println!(
        "{killed} kills in {} s, {survived} lives that ended before their trap was reached",
        started.elapsed().as_secs(),
    );
    println!(
        "{asked} jobs asked for, {accepted} said to be accepted, all answered, {answers} answers: \
         0 lost, 0 torn, 0 of several clips"
    );
}

#[derive(Debug, Default)]
struct Tally {
    killed: usize,
    survived: usize,
    asked: usize,
    accepted: usize,
    answers: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.killed += other.killed;
        self.survived += other.survived;
        self.asked += other.asked;
        self.accepted += other.accepted;
        self.answers += other.answers;
    }
}

/// Some lives on one folder, and a last one that finishes everything.
async fn round(index: u64) -> Tally {
    let broker = loopback().await;
    let port = broker.address().port();
    let folder = Folder::new();
    Service::configure(&folder, port);
    let mut witness = Witness::connect(port).await;
    let mut random = fastrand::Rng::with_seed(index);
    let mut tally = Tally::default();
    for index in index * KILLS_A_ROUND..(index + 1) * KILLS_A_ROUND {
        let death = death(index, &mut random);
        if live_and_die(&folder, &mut witness, index, death).await {
            tally.killed += 1;
        } else {
            tally.survived += 1;
        }
        let torn = torn_clips(&folder);
        assert!(torn.is_empty(), "{torn:?} after {death:?}");
    }
    witness.state.clear();
    let mut service = Service::start(&folder, None);
    finish(&mut witness).await;
    service.stop().await;
    witness.testify();
    Tally {
        asked: witness.asked.len(),
        accepted: witness.accepted.len(),
        answers: witness.answers.values().sum(),
        ..tally
    }
}

/// One life: two new jobs, one of them twice, and one from before. Says whether
/// it was ended by its death, and not by us when there was nothing left to do.
async fn live_and_die(folder: &Folder, witness: &mut Witness, index: u64, death: Death) -> bool {
    let ambush = match death {
        Death::Call(ambush) => Some(ambush),
        Death::Later(_) => None,
    };
    // What the one before had said is heard by now, if its will has come.
    let is_gone = |witness: &Witness| witness.state.is_empty();
    witness.hear(LIFE_MAX, is_gone).await;
    let mut service = Service::start(folder, ambush);
    witness
        .hear(LIFE_MAX, |witness| {
            matches!(witness.state.as_str(), "ready" | "rendering") || service.has_ended()
        })
        .await;
    if service.has_ended() {
        return true;
    }
    let before = witness.asked.keys().next_back().cloned();
    let new = [format!("{index:05}-a"), format!("{index:05}-b")];
    for id in &new {
        witness.ask(id).await;
    }
    witness.ask(&format!("{index:05}-b")).await;
    if let Some(before) = before {
        witness.ask(&before).await;
    }
    match death {
        Death::Later(pause) => {
            witness.hear(pause, |_| false).await;
            service.kill();
            true
        }
        Death::Call(_) => {
            let is_over = |witness: &Witness| {
                let is_answered = |id: &String| witness.answers.contains_key(id);
                new.iter().chain(&witness.accepted).all(is_answered)
            };
            witness
                .hear(LIFE_MAX, |witness| is_over(witness) || service.has_ended())
                .await;
            // What follows the answers has its turn, too.
            witness
                .hear(Duration::from_millis(50), |_| service.has_ended())
                .await;
            let has_died = service.has_ended();
            service.kill();
            has_died
        }
    }
}

/// What was never accepted is asked for again, as a requester would.
async fn finish(witness: &mut Witness) {
    let is_up = |witness: &Witness| matches!(witness.state.as_str(), "ready" | "rendering");
    assert!(witness.hear(PATIENCE, is_up).await, "not up again");
    let accepted = witness.accepted.clone();
    let lost = |witness: &Witness| {
        let unanswered = witness.unanswered();
        unanswered.iter().any(|id| accepted.contains(id))
    };
    let is_done = witness.hear(PATIENCE, |witness| !lost(witness)).await;
    assert!(
        is_done,
        "accepted, not answered: {:?}",
        witness.unanswered()
    );
    for id in witness.unanswered() {
        witness.ask(&id).await;
    }
    let is_done = |witness: &Witness| witness.unanswered().is_empty();
    witness.hear(PATIENCE, is_done).await;
}
