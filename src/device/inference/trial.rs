//! Trying engines out: whether they work and answer rightly, what has to be built
//! for them, and how fast they are.

use std::{collections::BTreeMap, num::NonZeroUsize, path::Path, sync::Arc, time::Instant};

use super::{
    Engines,
    parity::Difference,
    verdict::{self, Circumstances, Pace},
    worker::{StartError, Worker},
};
use crate::{
    config::EngineChoice,
    device::tract::TractNetwork,
    scene::{
        Engine, HARMONIC_COUNT, HINT_CHANNELS, Network, NetworkError, NetworkInput, Profile,
        STYLE_LENGTH,
    },
};

/// Pictures of which the median is taken; one more comes before them, which is
/// slower because everything is made ready for it.
const MEASURED_COUNT: usize = 7;

impl Engines {
    /// Tries out what could be used, builds what has to be built, measures where
    /// the fastest is wanted, and has the best take over. Takes seconds, or minutes
    /// where TensorRT builds; pictures are looked at meanwhile.
    pub fn prepare(&self) {
        if self.library.is_err() {
            return;
        }
        let mut able = Vec::new();
        let mut unbuilt = None;
        for engine in self.candidates() {
            match self.start(engine, false) {
                Ok(worker) => able.push((engine, Arc::new(worker))),
                Err(StartError::Unbuilt(reason)) => unbuilt = Some((engine, reason)),
                Err(StartError::Broken(reason)) => self.cannot(engine, reason),
            }
        }
        if let Some((engine, reason)) = &unbuilt {
            let mut standing = self.standing();
            standing.reason_is(*engine, format!("is being built: {reason}"));
            standing.order.retain(|known| known != engine);
            standing.preparing = Some(*engine);
            drop(standing);
            log::info!("engine {engine} is being built: {reason}");
        }
        self.decide(&mut able);
        let Some((engine, _)) = unbuilt else {
            return;
        };
        let built = self.start(engine, true);
        self.standing().preparing = None;
        match built {
            Ok(worker) => {
                log::info!("engine {engine} is built");
                able.insert(0, (engine, Arc::new(worker)));
                self.decide(&mut able);
            }
            Err(error) => {
                self.cannot(engine, format!("cannot be built: {error}"));
                self.tell();
            }
        }
    }

    /// An engine does not work here.
    fn cannot(&self, engine: Engine, reason: String) {
        let mut standing = self.standing();
        // It may have failed on a picture meanwhile, which was told then.
        let is_news = standing.usable().contains(&engine);
        standing.order.retain(|known| *known != engine);
        if is_news || self.wanted.engine == EngineChoice::Auto {
            log::info!("engine {engine} is passed over: {reason}");
        }
        standing.reason_is(engine, reason);
    }

    /// Has the best of those that work take over, tract included.
    fn decide(&self, able: &mut Vec<(Engine, Arc<Worker>)>) {
        if able.is_empty() {
            self.standing().order = vec![Engine::Tract];
            return self.tell();
        }
        match self.compared(able) {
            Ok(paces) => {
                if self.wanted.engine == EngineChoice::Auto {
                    self.keep(&paces);
                }
                let mut standing = self.standing();
                standing.rank(self.wanted.engine, &paces);
                // The first picture shall not wait for it to be started again.
                let best = standing.order[0];
                if let Some((_, worker)) = able.iter().find(|(engine, _)| *engine == best) {
                    let network: Arc<dyn Network> = Arc::clone(worker) as _;
                    standing.running = Some((best, network));
                }
            }
            Err(error) => log::error!("engines cannot be compared: {error}"),
        }
        self.tell();
    }

    /// How fast those are whose answers are right, tract among them; the others are
    /// taken out.
    fn compared(&self, able: &mut Vec<(Engine, Arc<Worker>)>) -> Result<Vec<Pace>, NetworkError> {
        let input = test_picture(self.model.profiles()[0]);
        let tract = TractNetwork::new(Arc::clone(&self.model))?;
        let expected = tract.infer(&input)?;
        able.retain(|(engine, worker)| {
            let (engine, tolerance) = (*engine, Difference::tolerance(*engine));
            let reason = match worker.infer(&input) {
                Ok(seen) => {
                    let difference = Difference::between(&seen, &expected);
                    if difference.is_within(tolerance) {
                        return true;
                    }
                    format!("answers otherwise than tract: {difference}, allowed {tolerance}")
                }
                Err(error) => error.to_string(),
            };
            self.cannot(engine, reason);
            false
        });
        if let Some(paces) = self.known_paces()
            && able.iter().all(|(engine, _)| has(&paces, *engine))
            && paces.len() == able.len() + 1
        {
            return Ok(paces);
        }
        let mut times = BTreeMap::<Engine, Vec<f32>>::new();
        // In turn, so that whatever else goes on disturbs all of them.
        for _ in 0..MEASURED_COUNT {
            able.retain(|(engine, worker)| match timed_ms(worker.as_ref(), &input) {
                Ok(time_ms) => {
                    times.entry(*engine).or_default().push(time_ms);
                    true
                }
                Err(error) => {
                    self.cannot(*engine, error.to_string());
                    times.remove(engine);
                    false
                }
            });
            let time_ms = timed_ms(&tract, &input)?;
            times.entry(Engine::Tract).or_default().push(time_ms);
        }
        let pace = |(engine, mut times): (Engine, Vec<f32>)| Pace {
            engine,
            median_ms: median(&mut times),
        };
        Ok(times.into_iter().map(pace).collect())
    }

    fn circumstances(&self) -> Option<(&Path, Circumstances)> {
        let cache_dir = self.wanted.cache_dir.as_deref()?;
        let library = self.library.as_ref().ok()?;
        let threads = self.threads.map_or(0, NonZeroUsize::get);
        let now = Circumstances::of(&self.model.card().sha256, library, threads);
        Some((cache_dir, now.ok()?))
    }

    /// What was measured at an earlier start.
    pub(super) fn known_paces(&self) -> Option<Vec<Pace>> {
        let (cache_dir, now) = self.circumstances()?;
        verdict::read(cache_dir, &now)
    }

    fn keep(&self, paces: &[Pace]) {
        if let Some((cache_dir, now)) = self.circumstances()
            && let Err(error) = verdict::write(cache_dir, &now, paces)
        {
            log::warn!("{}: {error}", cache_dir.display());
        }
    }
}

fn has(paces: &[Pace], engine: Engine) -> bool {
    paces.iter().any(|pace| pace.engine == engine)
}

fn timed_ms(network: &dyn Network, input: &NetworkInput) -> Result<f32, NetworkError> {
    let asked_at = Instant::now();
    network.infer(input)?;
    Ok(asked_at.elapsed().as_secs_f32() * 1e3)
}

/// The middle one; of an even number the upper.
fn median(times: &mut [f32]) -> f32 {
    times.sort_by(f32::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f32::INFINITY)
}

/// A picture to try engines out with: a bright sky over something striped, with
/// smooth noise of its own.
pub fn test_picture(profile: Profile) -> NetworkInput {
    let (width, height) = (profile.width_px, profile.height_px);
    let (area, cells) = (width * height, profile.grid_width() * profile.grid_height());
    let rgb = (0..3 * area).map(|at| {
        let (channel, x, y) = (at / area, at % width, at / width % height);
        let sky = 0.9 - 0.2 * channel as f32 * y as f32 / height as f32;
        let stripes = 0.4 + 0.3 * ((x as f32 / 5.0).sin() * (y as f32 / 3.0).cos());
        if 2 * y < height { sky } else { stripes }
    });
    let angles = (0..cells).map(|cell| cell as f32 / 40.0);
    let cosines = angles.clone().map(f32::cos);
    let mut style = [1.0; STYLE_LENGTH];
    style[1..3].copy_from_slice(&[0.5, -0.3]);
    for phasor in style[3..3 + 2 * HARMONIC_COUNT].chunks_exact_mut(2) {
        phasor.copy_from_slice(&[0.6, 0.8]);
    }
    NetworkInput {
        profile,
        rgb: rgb.collect(),
        hints: vec![0.0; HINT_CHANNELS * area],
        noise: cosines.chain(angles.map(f32::sin)).collect(),
        style,
    }
}
