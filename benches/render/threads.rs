//! What further cores gain.

use std::thread;

use crate::{
    Bench, bars,
    bars::Scores,
    child,
    plan::Part,
    program::{Order, allowed_cores},
    table::{Spread, Table},
};

/// Measures and prints one thread to as many as there are cores.
///
/// # Errors
/// When a render fails.
pub fn measure(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let means = match (bench.program.can_set_threads(), child::find("taskset")) {
        (true, _) => "--threads",
        (false, Some(_)) => "taskset",
        (false, None) => {
            println!("\nThreads: SKIPPED for want of taskset (util-linux)");
            return Ok(());
        }
    };
    let order = bench.standard_order();
    let cores = allowed_cores()?.len();
    let contenders: Vec<usize> = (1..=cores).collect();
    let runs = bench.plan.rounds(Part::Threads, &contenders, |threads| {
        bench.program.render(&Order {
            threads: Some(*threads),
            ..order
        })
    })?;
    // One by itself is the first contender; those that taskset confines would all be on
    // one core.
    let several = match bench.program.can_set_threads() {
        true => &contenders[1..],
        false => &[],
    };
    let beside_s = bench.plan.rounds(Part::Threads, several, |count| {
        side_by_side_s(bench, &order, *count)
    })?;
    let mut table = Table::new(&[
        "threads",
        "wall, s",
        "CPU, s",
        "speed-up",
        "as many renders of one thread, times the work of one",
        "peak RSS, MB",
    ]);
    let wall_s: Vec<Spread> = runs
        .iter()
        .map(|runs| Spread::of(runs, |run| run.usage.wall_s))
        .collect();
    for ((threads, runs), wall) in contenders.iter().zip(&runs).zip(&wall_s) {
        let beside = threads.checked_sub(2).and_then(|at| beside_s.get(at));
        let work = beside.map_or(String::new(), |walls_s| {
            let longest_s = Spread::of(walls_s, |wall_s| *wall_s).min;
            format!("{:.2}", *threads as f64 * wall_s[0].min / longest_s)
        });
        table.row([
            threads.to_string(),
            wall.show(2),
            Spread::of(runs, |run| run.usage.cpu_s).show(2),
            format!("{:.2}", wall_s[0].min / wall.min),
            work,
            Spread::of(runs, |run| run.usage.peak_rss_bytes as f64 / 1e6).show(0),
        ]);
    }
    table.print(&format!(
        "Threads, set by {means}: {:.0} s of {}, {} runs",
        order.clip_s,
        order.size(),
        runs[0].len()
    ));
    if let [one, two, ..] = wall_s[..] {
        scores.note(bars::TWO_THREADS, one.min / two.min);
    }
    Ok(())
}

/// Wall time of so many renders at a time that share nothing, of one thread each:
/// what the cores can do at most.
fn side_by_side_s(bench: &Bench, order: &Order<'_>, count: usize) -> anyhow::Result<f64> {
    thread::scope(|scope| {
        let render = || {
            bench.program.render(&Order {
                threads: Some(1),
                ..*order
            })
        };
        let renders: Vec<_> = (0..count).map(|_| scope.spawn(render)).collect();
        let mut longest_s = 0.0f64;
        for render in renders {
            let rendered = render.join().expect("rendering does not panic")?;
            longest_s = longest_s.max(rendered.usage.wall_s);
        }
        Ok(longest_s)
    })
}
