//! What the daemon counts and measures, for `/metrics` and for `health`.
//!
//! Everything is an atomic behind one `Arc`: whoever has something to count
//! holds the registry, and whoever reads it never waits.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};

use crate::device::{mqtt::Link, thermal::Climate};

/// Upper bounds of the histograms, in seconds: from a fast server to a slow
/// board.
const SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    result: &'static str,
    /// A word of ours, such as `camera`; empty when all went well.
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InStage {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InZone {
    zone: String,
}

/// The registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    renders: Family<Ending, Counter>,
    /// Sums over `renders`, which cannot be walked through: with a clip, and
    /// without one.
    ended: [AtomicU64; 2],
    refusals: Family<Refusal, Counter>,
    stages: Family<InStage, Histogram>,
    render_seconds: Histogram,
    last_render_ms: Gauge,
    has_rendered: AtomicBool,
    queue_length: Gauge,
    outbox_length: Gauge,
    connected: Gauge,
    connections: Counter,
    temperatures: Family<InZone, Gauge<f64, AtomicU64>>,
    throttled: Gauge,
    hot: Gauge,
}

/// The figures that `health` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Clips made.
    pub renders_ok: u64,
    /// Jobs that ended without a clip.
    pub renders_failed: u64,
    /// Time that the last clip took, in milliseconds; none before the first.
    pub last_render_ms: Option<u64>,
    /// Jobs that wait.
    pub queue_length: u64,
    /// Connections to the broker after the first.
    pub broker_reconnects: u64,
    /// Temperature of the hottest zone, in degrees Celsius.
    pub temperature_celsius: Option<f64>,
    /// The board is slower than it could be.
    pub is_throttled: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let of_seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Registry::with_prefix("zoetrope"),
            renders: Family::default(),
            ended: Default::default(),
            refusals: Family::default(),
            stages: Family::new_with_constructor(of_seconds),
            render_seconds: of_seconds(),
            last_render_ms: Gauge::default(),
            has_rendered: AtomicBool::new(false),
            queue_length: Gauge::default(),
            outbox_length: Gauge::default(),
            connected: Gauge::default(),
            connections: Counter::default(),
            temperatures: Family::default(),
            throttled: Gauge::default(),
            hot: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let ended = "Jobs that have ended, by result and code";
        registry.register("renders", ended, self.renders.clone());
        let refused = "Requests that were never accepted, by code";
        registry.register("requests_refused", refused, self.refusals.clone());
        let stages = "Time that each stage of a render took";
        registry.register_with_unit("stage", stages, Unit::Seconds, self.stages.clone());
        let whole = "Time from the photograph to the file";
        registry.register_with_unit("render", whole, Unit::Seconds, self.render_seconds.clone());
        let last = "Time that the last clip took, in milliseconds";
        registry.register("last_render_ms", last, self.last_render_ms.clone());
        registry.register("queue_length", "Jobs that wait", self.queue_length.clone());
        let outbox = "Messages that wait to be sent";
        registry.register("outbox_length", outbox, self.outbox_length.clone());
        let connected = "Whether the broker is connected";
        registry.register("broker_connected", connected, self.connected.clone());
        let connections = "Connections made to the broker";
        registry.register("broker_connections", connections, self.connections.clone());
        let temperature = "Temperature of a thermal zone";
        registry.register_with_unit(
            "temperature",
            temperature,
            Unit::Celsius,
            self.temperatures.clone(),
        );
        let throttled = "Whether the board is slower than it could be";
        registry.register("throttled", throttled, self.throttled.clone());
        let hot = "Whether renders are paced because the board is hot or throttled";
        registry.register("paced", hot, self.hot.clone());
    }

    /// A job has ended: with a clip, or with the code of its failure.
    pub fn ended(&self, failure: Option<&str>) {
        let ending = Ending {
            result: if failure.is_none() { "ok" } else { "failed" },
            code: failure.unwrap_or_default().to_owned(),
        };
        self.renders.get_or_create(&ending).inc();
        self.ended[usize::from(failure.is_some())].fetch_add(1, Ordering::Relaxed);
    }

    /// A request was refused with this code.
    pub fn refused(&self, code: &str) {
        let refusal = Refusal {
            code: code.to_owned(),
        };
        self.refusals.get_or_create(&refusal).inc();
    }

    /// A stage of a render has taken this long.
    pub fn stage_took(&self, stage: &'static str, time: Duration) {
        self.stages
            .get_or_create(&InStage { stage })
            .observe(time.as_secs_f64());
    }

    /// A clip has taken this long.
    pub fn render_took(&self, time: Duration) {
        self.render_seconds.observe(time.as_secs_f64());
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.last_render_ms.set(ms);
        self.has_rendered.store(true, Ordering::Relaxed);
    }

    /// So many jobs wait.
    pub fn queue_is(&self, length: usize) {
        self.queue_length
            .set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// So many messages wait to be sent.
    pub fn outbox_is(&self, length: usize) {
        self.outbox_length
            .set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// The board is like this, and its renders are paced or not.
    pub fn climate_is(&self, climate: &Climate, is_paced: bool) {
        for (zone, celsius) in &climate.zones {
            let zone = InZone { zone: zone.clone() };
            self.temperatures.get_or_create(&zone).set(*celsius);
        }
        self.throttled.set(i64::from(climate.throttled.is_some()));
        self.hot.set(i64::from(is_paced));
    }

    /// The connection to the broker is like this.
    pub fn link_is(&self, link: &Link) {
        self.connected.set(i64::from(link.is_up));
        self.connections
            .inner()
            .fetch_max(link.connections, Ordering::Relaxed);
    }

    /// Everything, in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }

    /// The figures that `health` tells, for this climate.
    pub fn reading(&self, climate: &Climate) -> Reading {
        let unsigned = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or_default();
        let [ok, failed] = &self.ended;
        Reading {
            renders_ok: ok.load(Ordering::Relaxed),
            renders_failed: failed.load(Ordering::Relaxed),
            last_render_ms: self
                .has_rendered
                .load(Ordering::Relaxed)
                .then(|| unsigned(&self.last_render_ms)),
            queue_length: unsigned(&self.queue_length),
            broker_reconnects: self.connections.get().saturating_sub(1),
            temperature_celsius: climate.hottest().map(|(_, celsius)| celsius),
            is_throttled: climate.throttled.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_what_was_counted() {
        let metrics = Metrics::new();
        metrics.ended(None);
        metrics.ended(Some("camera"));
        metrics.ended(Some("camera"));
        metrics.refused("queue_full");
        metrics.stage_took("looking", Duration::from_millis(70));
        metrics.render_took(Duration::from_millis(1_500));
        metrics.queue_is(3);
        let climate = Climate {
            zones: [("cpu-thermal".to_owned(), 61.5)].into(),
            throttled: Some("under-voltage".to_owned()),
        };
        metrics.climate_is(&climate, true);
        metrics.link_is(&Link {
            is_up: true,
            connections: 4,
            ..Link::default()
        });
        let text = metrics.text();
        for line in [
            "zoetrope_renders_total{result=\"ok\",code=\"\"} 1",
            "zoetrope_renders_total{result=\"failed\",code=\"camera\"} 2",
            "zoetrope_requests_refused_total{code=\"queue_full\"} 1",
            "zoetrope_stage_seconds_count{stage=\"looking\"} 1",
            "zoetrope_stage_seconds_bucket{le=\"0.1\",stage=\"looking\"} 1",
            "zoetrope_render_seconds_sum 1.5",
            "zoetrope_last_render_ms 1500",
            "zoetrope_queue_length 3",
            "zoetrope_broker_connected 1",
            "zoetrope_broker_connections_total 4",
            "zoetrope_temperature_celsius{zone=\"cpu-thermal\"} 61.5",
            "zoetrope_throttled 1",
            "zoetrope_paced 1",
        ] {
            assert!(text.lines().any(|said| said == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let expected = Reading {
            renders_ok: 1,
            renders_failed: 2,
            last_render_ms: Some(1_500),
            queue_length: 3,
            broker_reconnects: 3,
            temperature_celsius: Some(61.5),
            is_throttled: true,
        };
        assert_eq!(metrics.reading(&climate), expected);
    }

    #[test]
    fn what_comes_from_outside_stays_within_its_label() {
        let metrics = Metrics::new();
        let zone = "a\"} 1\nzoetrope_forged 1".to_owned();
        let climate = Climate {
            zones: [(zone, 20.0)].into(),
            throttled: None,
        };
        metrics.climate_is(&climate, false);
        let text = metrics.text();
        assert!(!text.lines().any(|line| line.starts_with("zoetrope_forged")));
    }
}
