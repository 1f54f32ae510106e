//! What drawing costs alone, encoding alone, and a whole render of the same.

use crate::{
    Bench, bars,
    bars::Scores,
    library::{self, Stages},
    plan::Part,
    program::Rendered,
    table::{Spread, Table},
};

enum Run {
    Whole(Box<Rendered>),
    Alone(Stages),
}

/// Measures and prints the stages of 1080p with a third moving.
///
/// # Errors
/// When a render fails.
pub fn measure(bench: &Bench, scores: &mut Scores) -> anyhow::Result<()> {
    let order = bench.standard_order();
    let runs = bench
        .plan
        .rounds(Part::Stages, &[true, false], |is_whole| {
            Ok(if *is_whole {
                Run::Whole(Box::new(bench.program.render(&order)?))
            } else {
                Run::Alone(library::measure(&order)?)
            })
        })?;
    let runs: Vec<Run> = runs.into_iter().flatten().collect();
    let whole: Vec<&Rendered> = runs
        .iter()
        .filter_map(|run| match run {
            Run::Whole(rendered) => Some(&**rendered),
            Run::Alone(_) => None,
        })
        .collect();
    let alone: Vec<&Stages> = runs
        .iter()
        .filter_map(|run| match run {
            Run::Alone(stages) => Some(stages),
            Run::Whole(_) => None,
        })
        .collect();
    let encode = Spread::of(&alone, |run| run.encode_s);
    let mut table = Table::new(&["what", "CPU, s", "CPU per frame, ms", "over encoding"]);
    let mut add = |what: &str, cpu_s: Spread| {
        table.row([
            what.to_owned(),
            cpu_s.show(2),
            format!("{:.2}", cpu_s.min / order.frames() * 1e3),
            format!("{:.2}", cpu_s.min / encode.min),
        ]);
    };
    let cpu_s = Spread::of(&whole, |run| run.usage.cpu_s);
    add(
        "before the first frame",
        Spread::of(&alone, |run| run.prepare_s),
    );
    add("drawing alone", Spread::of(&alone, |run| run.draw_s));
    add("encoding alone", encode);
    let direct = Spread::of(&alone, |run| run.direct_s);
    add("directing alone", direct);
    add("whole render", cpu_s);
    table.print(&format!(
        "Stages: {:.0} s of {}, {:.0} % moving, {} runs",
        order.clip_s,
        order.size(),
        whole[0].moving_share * 100.0,
        whole.len(),
    ));
    let wall_s = Spread::of(&whole, |run| run.usage.wall_s);
    println!(
        "\nThe whole render took {} s of wall time, {:.2} of the time that the clip plays.",
        wall_s.show(2),
        wall_s.min / order.clip_s
    );
    scores.note(bars::WHOLE_OVER_ENCODER, cpu_s.min / encode.min);
    scores.note(bars::DIRECTOR_SHARE, 100.0 * direct.min / cpu_s.min);
    scores.note(bars::WALL_OVER_PLAYED, wall_s.min / order.clip_s);
    Ok(())
}
