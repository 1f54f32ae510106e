use proptest::prelude::*;

use super::*;
use crate::arch::Isa;

const WIDTH: usize = 21;
const HEIGHT: usize = 17;

fn raster(seed: u64) -> Raster {
    Raster::from_fn(WIDTH, HEIGHT, |x, y| {
        let mixed = (x as u64 + 31 * y as u64 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as f32
    })
}

/// Hills, moved so many pixels.
fn hills(right: f32, down: f32) -> Raster {
    Raster::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f32 - right, y as f32 - down);
        128.0 + 40.0 * (0.7 * x + 0.2 * y).sin() + 40.0 * (0.6 * y - 0.3 * x).sin()
    })
}

fn slopes(of: &Raster) -> [Raster; 2] {
    let slope = |right: usize, down: usize| {
        Raster::from_fn(WIDTH, HEIGHT, |x, y| {
            let after = of.at((x + right).min(WIDTH - 1), (y + down).min(HEIGHT - 1));
            (after - of.at(x.saturating_sub(right), y.saturating_sub(down))) / 2.0
        })
    };
    [slope(1, 0), slope(0, 1)]
}

proptest! {
    #[test]
    fn every_instruction_set_answers_as_the_scalar_one(
        seeds in any::<[u64; 2]>(),
        corner in (0..=WIDTH - PATCH_PX, 0..=HEIGHT - PATCH_PX),
        starts in prop::collection::vec(prop::array::uniform2(-90.0f32..90.0), 1..4),
        steps in 0..12usize,
    ) {
        let [from, to] = seeds.map(raster);
        let [slope_x, slope_y] = slopes(&from);
        let pair = Pair { from: &from, slope_x: &slope_x, slope_y: &slope_y, to: &to };
        let corner = [corner.0, corner.1];
        let wanted = Isa::SCALAR.search(&pair, corner, &starts, steps);
        let found = Isa::fastest().search(&pair, corner, &starts, steps);
        prop_assert_eq!(wanted.flow.map(f32::to_bits), found.flow.map(f32::to_bits));
        prop_assert_eq!(wanted.error.to_bits(), found.error.to_bits());
        let mut votes = [(); 2].map(|()| Votes::new(WIDTH, HEIGHT));
        Isa::SCALAR.vote(&pair, corner, wanted.flow, &mut votes[0]);
        Isa::fastest().vote(&pair, corner, wanted.flow, &mut votes[1]);
        prop_assert_eq!(&votes[0], &votes[1]);
    }
}

/// Where the patch in the middle of `from` is found in `to`.
fn found(from: &Raster, to: &Raster, starts: &[[f32; 2]]) -> Found {
    let [slope_x, slope_y] = slopes(from);
    let pair = Pair {
        from,
        slope_x: &slope_x,
        slope_y: &slope_y,
        to,
    };
    Isa::fastest().search(&pair, [6, 5], starts, 20)
}

#[test]
fn a_patch_is_found_where_it_has_gone() {
    let found = found(&hills(0.0, 0.0), &hills(1.3, -0.6), &[[0.0; 2], [9.0, 9.0]]);
    let off = (found.flow[0] - 1.3).hypot(found.flow[1] + 0.6);
    assert!(off < 0.05, "{found:?}");
}

#[test]
fn light_is_no_motion() {
    let from = hills(0.0, 0.0);
    let to = Raster::from_fn(WIDTH, HEIGHT, |x, y| from.at(x, y) + 30.0);
    let found = found(&from, &to, &[[0.0; 2]]);
    assert!(found.flow[0].hypot(found.flow[1]) < 1e-3, "{found:?}");
    assert!(found.error < 0.1, "{found:?}");
}

#[test]
fn what_shows_nothing_stays() {
    let plain = Raster::from_fn(WIDTH, HEIGHT, |_, _| 90.0);
    assert_eq!(
        found(&plain, &plain, &[[0.0; 2], [3.0, 1.0]]).flow,
        [0.0; 2]
    );
}
