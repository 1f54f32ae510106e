//! The daemon at work for long: memory, files and threads stay what they are.

use std::time::{Duration, Instant};

use super::{Stage, number, service::Usage, witness::Witness};
use crate::mqtt::bench::{PATIENCE, loopback};

/// Growth of the resident size that says nothing about hours, in MB.
const NOISE_MB: f64 = 2.0;

/// Renders, with a pause between, and looks at the daemon after each.
async fn soak(renders: Option<usize>, length: Duration, pause: Duration) -> Vec<(f64, Usage)> {
    let broker = loopback().await;
    let mut stage = Stage::open(broker.address().port()).await;
    let Stage {
        witness, service, ..
    } = &mut stage;
    let started = Instant::now();
    let mut usages = Vec::new();
    while renders.map_or(started.elapsed() < length, |count| usages.len() < count) {
        witness.ask(&format!("{:06}", usages.len())).await;
        let is_done = |witness: &Witness| witness.unanswered().is_empty();
        assert!(witness.hear(PATIENCE, is_done).await, "not answered");
        usages.push((started.elapsed().as_secs_f64(), service.usage()));
        witness.hear(pause, |_| false).await;
    }
    let before = service.usage();
    let idle = if renders.is_some() { 0 } else { 30 };
    witness.hear(Duration::from_secs(idle), |_| false).await;
    let after = service.usage();
    if idle > 0 {
        println!(
            "idle for {idle} s: {} ms of CPU time, {} bytes written, {} KiB resident",
            after.cpu_ms - before.cpu_ms,
            after.written_bytes - before.written_bytes,
            after.rss_kib
        );
    }
    service.stop().await;
    witness.testify();
    usages
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_threads_do_not_grow_with_renders() {
    let usages = soak(Some(12), Duration::ZERO, Duration::ZERO).await;
    do_not_grow(&usages[3].1, &usages[11].1);
}

/// Neither files nor threads, but for threads that tokio keeps for a while.
#[track_caller]
fn do_not_grow(settled: &Usage, last: &Usage) {
    assert!(
        last.fd_count <= settled.fd_count + 2,
        "{settled:?} {last:?}"
    );
    assert!(
        last.thread_count <= settled.thread_count + 4,
        "{settled:?} {last:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes as long as it is told to"]
async fn for_long() {
    let length = Duration::from_secs(number("ZOETROPE_SOAK_S", 300));
    let usages = soak(None, length, Duration::from_secs(5)).await;
    // The first fifth is warm-up.
    let settled = &usages[usages.len() / 5..];
    let (first, last) = (settled[0], settled[settled.len() - 1]);
    let slope = slope_mb_per_h(settled);
    println!(
        "{} renders in {:.0} s; RSS {} KiB at the first, {} KiB after warm-up, {} KiB at the \
         end: {:+.2} MB/h; fds {} to {}; threads {} to {}; {} bytes written a render",
        usages.len(),
        last.0,
        usages[0].1.rss_kib,
        first.1.rss_kib,
        last.1.rss_kib,
        slope,
        first.1.fd_count,
        last.1.fd_count,
        first.1.thread_count,
        last.1.thread_count,
        (last.1.written_bytes - first.1.written_bytes) / (settled.len() as u64 - 1).max(1),
    );
    let hours = (last.0 - first.0) / 3600.0;
    assert!(slope * hours <= hours + NOISE_MB, "{slope} MB/h");
    do_not_grow(&first.1, &last.1);
}

/// Slope of the line that fits the resident sizes best.
fn slope_mb_per_h(usages: &[(f64, Usage)]) -> f64 {
    let count = usages.len() as f64;
    let rss = |usage: &Usage| usage.rss_kib as f64 * 1024.0 / 1e6;
    let mean_h = usages.iter().map(|(s, _)| s / 3600.0).sum::<f64>() / count;
    let mean_mb = usages.iter().map(|(_, usage)| rss(usage)).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (s, usage) in usages {
        let h = s / 3600.0 - mean_h;
        above += h * (rss(usage) - mean_mb);
        below += h * h;
    }
    above / below
}
