//! The pixel kernels: `cargo bench --bench kernels`.
//!
//! One thread. Times are those of the processor, not of the clock, so that other
//! work of the machine disturbs them little; still compare figures of one run.

use std::{hint::black_box, process::Command};

use cpu_time::ThreadTime;
use zoetrope::arch::{
    Isa, Luma, Node, Padded, Patch,
    patch::{Canvas, Corners, Follow, Site},
};

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
/// Rows and columns of a patch of luma.
const SIDE: usize = Luma::ROWS;
const ROUNDS: usize = 9;

/// Median time of some rounds, in seconds; what is short is done so many times in each.
fn median_s(times: u32, mut work: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = ThreadTime::now();
            (0..times).for_each(|_| work());
            start.elapsed().as_secs_f64() / f64::from(times)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn row(kernel: &str, isa: &str, bytes: usize, seconds: f64) {
    let ns_px = seconds * 1e9 / (WIDTH * HEIGHT) as f64;
    let rate = bytes as f64 / seconds / 1e9;
    println!(
        "| {kernel} | {isa} | {ns_px:.2} | {rate:.2} | {:.2} |",
        seconds * 1e3
    );
}

/// Full-frame motion, different at every node by so many times as much.
fn node(column: usize, row: usize, times: f32) -> Node {
    let wave = |scale: f32, size: f32| {
        let angle = 0.3 * scale * column as f32 + 0.4 * row as f32;
        (times * size * angle.sin()) as i32
    };
    Node {
        near: [900 + wave(1.0, 200.0), 300 + wave(0.7, 150.0)],
        far: [wave(0.6, 180.0) - 1_100, wave(0.9, 150.0) - 260],
        far_share: 6_000,
        near_excess: 1_000,
        far_excess: 1_500,
        base: 20,
        light: 300,
    }
}

struct Bench {
    from: Padded,
    mask: Vec<u8>,
    nodes: Vec<Node>,
    out: Vec<u8>,
}

impl Bench {
    const COLUMNS: usize = WIDTH / SIDE + 2;

    fn new() -> Self {
        let mut rng = fastrand::Rng::with_seed(1);
        let samples: Vec<u8> = (0..WIDTH * HEIGHT).map(|_| rng.u8(..)).collect();
        Self {
            from: Padded::of(&samples, WIDTH),
            mask: vec![255; WIDTH * HEIGHT],
            nodes: Vec::new(),
            out: vec![0; WIDTH * HEIGHT],
        }
    }

    fn move_by(&mut self, times: f32) {
        let count = Self::COLUMNS * (HEIGHT / SIDE + 2);
        let nodes = (0..count).map(|at| node(at % Self::COLUMNS, at / Self::COLUMNS, times));
        self.nodes = nodes.collect();
    }

    fn luma(&mut self, isa: Isa, is_layered: bool, is_lit: bool) {
        for y in (0..HEIGHT).step_by(SIDE) {
            for x in (0..WIDTH).step_by(SIDE) {
                let first = y / SIDE * Self::COLUMNS + x / SIDE;
                let at = |corner: usize| &self.nodes[first + corner];
                let corners: Corners<'_> = [at(0), at(1), at(Self::COLUMNS), at(Self::COLUMNS + 1)];
                let patch = Patch {
                    from: [&self.from],
                    cells: [&corners, &corners],
                    at: [x, y],
                    mask: &self.mask[y * WIDTH + x..],
                    mask_stride: WIDTH,
                    follow: Follow::Fully,
                    is_layered,
                    is_lit,
                };
                let mut canvas = Canvas {
                    samples: &mut self.out[y * WIDTH + x..],
                    stride: WIDTH,
                };
                isa.luma(&patch, &mut canvas);
            }
        }
        black_box(&mut self.out);
    }
}

/// Times OpenCV's remap with fixed-point maps; `PYTHON` names the interpreter.
fn remap() {
    const SCRIPT: &str = "
import time
import cv2, numpy
cv2.setNumThreads(1)
width, height = 1920, 1080
picture = numpy.random.default_rng(1).integers(0, 256, (height, width), numpy.uint8)
x, y = numpy.meshgrid(numpy.arange(width, dtype=numpy.float32), numpy.arange(height, dtype=numpy.float32))
maps = cv2.convertMaps(x + 3 + numpy.sin(x / 26), y + 1 + numpy.sin(y / 20), cv2.CV_16SC2)
times = []
for _ in range(15):
    start = time.thread_time()
    cv2.remap(picture, *maps, cv2.INTER_LINEAR)
    times.append(time.thread_time() - start)
print(sorted(times)[7])
";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let answer = Command::new(&python).args(["-c", SCRIPT]).output();
    let seconds = answer
        .ok()
        .filter(|answer| answer.status.success())
        .and_then(|answer| String::from_utf8_lossy(&answer.stdout).trim().parse().ok());
    match seconds {
        Some(seconds) => row(
            "remap, fixed-point maps, linear",
            "OpenCV",
            WIDTH * HEIGHT,
            seconds,
        ),
        None => println!("\nSKIPPED OpenCV: {python} has no cv2 (PYTHON names another)"),
    }
}

fn main() {
    let mut bench = Bench::new();
    println!("{WIDTH}x{HEIGHT} luma, one thread, full-frame motion, median of {ROUNDS}\n");
    println!("| kernel | with | ns/px | GB/s | ms |\n|---|---|---|---|---|");
    let bytes = WIDTH * HEIGHT;
    let mask = bench.mask.clone();
    let seconds = median_s(300, || {
        bench.out.copy_from_slice(&mask);
        black_box(&mut bench.out);
    });
    row("memcpy", "libc", bytes, seconds);
    let mut sets = vec![Isa::SCALAR];
    sets.extend(Some(Isa::fastest()).filter(|isa| *isa != Isa::SCALAR));
    for (name, times, is_layered, is_lit) in [
        ("gather, one layer", 1.0, false, false),
        ("gather, two layers", 1.0, true, false),
        ("gather, two layers, lit", 1.0, true, true),
        ("gather, one layer, steep", 7.0, false, false),
        ("gather, two layers, steep", 7.0, true, false),
    ] {
        bench.move_by(times);
        for isa in &sets {
            let seconds = median_s(5, || bench.luma(*isa, is_layered, is_lit));
            row(name, isa.name(), bytes, seconds);
        }
    }
    remap();
}
