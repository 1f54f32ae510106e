//! Time of one look by the network: `cargo bench --bench network`.
//!
//! One thread, on whatever else the machine does: compare figures of one run.

use std::time::Instant;

use zoetrope::{
    device::tract::TractNetwork,
    scene::{HINT_CHANNELS, Network, NetworkInput, Profile, STYLE_LENGTH},
};

const LOOKS: usize = 15;

fn input(profile: Profile) -> NetworkInput {
    let area = profile.width_px * profile.height_px;
    let cells = profile.grid_width() * profile.grid_height();
    NetworkInput {
        profile,
        rgb: (0..3 * area).map(|at| (at % 251) as f32 / 250.0).collect(),
        hints: vec![0.0; HINT_CHANNELS * area],
        noise: [vec![1.0; cells], vec![0.0; cells]].concat(),
        style: [1.0; STYLE_LENGTH],
    }
}

fn main() {
    let start = Instant::now();
    let network = TractNetwork::built_in().expect("the committed network");
    println!("loading: {} ms", start.elapsed().as_millis());
    println!("| input | first look, ms | median of {LOOKS}, ms | fastest, ms |\n|---|---|---|---|");
    for profile in network.profiles().to_vec() {
        let input = input(profile);
        let look = || {
            let start = Instant::now();
            network.infer(&input).expect("inference");
            start.elapsed().as_secs_f64() * 1e3
        };
        let first = look();
        let mut times: Vec<f64> = (0..LOOKS).map(|_| look()).collect();
        times.sort_by(f64::total_cmp);
        println!(
            "| {}x{} | {first:.0} | {:.0} | {:.0} |",
            profile.width_px,
            profile.height_px,
            times[LOOKS / 2],
            times[0]
        );
    }
}
