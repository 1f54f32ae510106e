//! Which engines may be used, in which order, and why the others are not.

use std::{sync::Arc, time::Instant};

use super::verdict::Pace;
use crate::{
    config::EngineChoice,
    scene::{Engine, Network, PassedOver},
};

/// How things stand.
#[derive(Default)]
pub(super) struct Standing {
    /// What may be used, best first; ends with tract.
    pub(super) order: Vec<Engine>,
    /// Why others are not, or have failed.
    pub(super) reasons: Vec<PassedOver>,
    /// What has failed, and when it may be tried again.
    pub(super) resting: Vec<(Engine, Instant)>,
    /// What is in memory.
    pub(super) running: Option<(Engine, Arc<dyn Network>)>,
    /// What has looked at the last picture.
    pub(super) used: Option<Engine>,
    pub(super) preparing: Option<Engine>,
}

impl Standing {
    pub(super) fn reason_is(&mut self, engine: Engine, reason: String) {
        self.reasons.retain(|passed| passed.engine != engine);
        self.reasons.push(PassedOver { engine, reason });
    }

    /// What may be used now, best first.
    pub(super) fn usable(&mut self) -> Vec<Engine> {
        let now = Instant::now();
        self.resting.retain(|(_, until)| *until > now);
        let is_resting = |engine: &Engine| self.resting.iter().any(|(known, _)| known == engine);
        let order = self.order.iter().copied();
        order.filter(|engine| !is_resting(engine)).collect()
    }

    /// The order of use.
    pub(super) fn rank(&mut self, choice: EngineChoice, paces: &[Pace]) {
        let mut paces = paces.to_vec();
        if choice == EngineChoice::Auto {
            paces.sort_by(|a, b| a.median_ms.total_cmp(&b.median_ms));
        } else {
            paces.sort_by_key(|pace| pace.engine);
        }
        let order: Vec<Engine> = paces.iter().map(|pace| pace.engine).collect();
        self.resting.retain(|(engine, _)| !order.contains(engine));
        if let Some(best) = paces.first() {
            for pace in &paces[1..] {
                let reason = format!(
                    "is slower here: {:.1} ms, {} {:.1} ms",
                    pace.median_ms, best.engine, best.median_ms
                );
                self.reason_is(pace.engine, reason);
            }
        }
        // What comes after the one that is always there is never asked.
        let end = order.iter().position(|engine| *engine == Engine::Tract);
        self.order = order[..end.map_or(order.len(), |at| at + 1)].to_vec();
        if end.is_none() {
            self.order.push(Engine::Tract);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn paces() -> Vec<Pace> {
        let pace = |(engine, median_ms)| Pace { engine, median_ms };
        let found = [
            (Engine::Cuda, 9.0),
            (Engine::OnnxruntimeCpu, 30.0),
            (Engine::Tract, 20.0),
        ];
        found.map(pace).to_vec()
    }

    #[test]
    fn the_fastest_comes_first_and_nothing_after_the_one_that_is_always_there() {
        let mut standing = Standing::default();
        standing.rank(EngineChoice::Auto, &paces());
        assert_eq!(standing.usable(), [Engine::Cuda, Engine::Tract]);
        let slower = &standing.reasons[1];
        assert_eq!(slower.reason, "is slower here: 30.0 ms, cuda 9.0 ms");
        standing.rank(EngineChoice::Only(Engine::Cuda), &paces());
        let by_name = [Engine::Cuda, Engine::OnnxruntimeCpu, Engine::Tract];
        assert_eq!(standing.usable(), by_name);
    }

    #[test]
    fn what_failed_is_left_alone_for_a_while() {
        let mut standing = Standing::default();
        standing.rank(EngineChoice::Auto, &paces());
        let (past, later) = (Instant::now(), Instant::now() + Duration::from_secs(60));
        standing.resting = vec![(Engine::Cuda, later)];
        assert_eq!(standing.usable(), [Engine::Tract]);
        standing.resting = vec![(Engine::Cuda, past)];
        assert_eq!(standing.usable(), [Engine::Cuda, Engine::Tract]);
    }
}
