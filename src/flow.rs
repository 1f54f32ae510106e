//! Dense optical flow: how far each part of one picture has gone in the next.
//!
//! Dense Inverse Search (Kroeger, Timofte, Dai, Van Gool 2016): patches are sought
//! from coarse to fine, take over what their neighbours have found if that fits
//! them better, and vote for the flow of the pixels that they cover. There is no
//! variational refinement after it: `benches/flow.rs` shows how little the answer
//! differs from that of OpenCV, which has one.

use crate::{
    arch::{
        Isa,
        search::{PATCH_PX, Pair, Raster, Votes},
    },
    picture::Plane,
};

/// The finest flow is that of pictures half as wide and high as what was given:
/// half of the noise is averaged away there, and most of the work saved.
pub const FINEST_SCALE: usize = 2;
/// Pixels from one patch to the next: some seven patches cover a pixel.
const STRIDE_PX: usize = 3;
/// Steps of a patch in each of two passes over its scale.
const STEPS: usize = 8;
/// The coarsest picture is about so many patches long, and at least one wide.
const COARSEST_PATCHES: f32 = 4.0;

/// A picture at all the scales at which its parts are sought.
#[derive(Clone, Debug)]
pub struct Pyramid {
    /// Finest first.
    scales: Vec<Scale>,
}

#[derive(Clone, Debug)]
struct Scale {
    luma: Raster,
    slope_x: Raster,
    slope_y: Raster,
}

impl Scale {
    fn of(plane: &Plane<f32>) -> Self {
        let (width, height) = (plane.width_px, plane.height_px);
        let at = |x: usize, y: usize| plane.at(x.min(width - 1), y.min(height - 1));
        let slope = |x: usize, y: usize, right: usize, down: usize| {
            let before = at(x.saturating_sub(right), y.saturating_sub(down));
            (at(x + right, y + down) - before) / 2.0
        };
        Self {
            luma: Raster::from_fn(width, height, at),
            slope_x: Raster::from_fn(width, height, |x, y| slope(x, y, 1, 0)),
            slope_y: Raster::from_fn(width, height, |x, y| slope(x, y, 0, 1)),
        }
    }
}

impl Pyramid {
    /// The scales of a picture of at least 32 x 32 pixels, in levels of 0 to 255.
    pub fn of(luma: &Plane<f32>) -> Self {
        let (width, height) = (luma.width_px, luma.height_px);
        let long = width.max(height) as f32 / (COARSEST_PATCHES * PATCH_PX as f32);
        let wide = width.min(height) / PATCH_PX;
        let coarsest = (long.log2() + 0.5).min((wide as f32).log2());
        let mut scales = Vec::new();
        let mut plane = halved(luma);
        loop {
            scales.push(Scale::of(&plane));
            if scales.len() >= coarsest as usize {
                return Self { scales };
            }
            plane = halved(&plane);
        }
    }

    /// Columns and rows of the finest flow.
    pub fn size_px(&self) -> [usize; 2] {
        let luma = &self.scales[0].luma;
        [luma.width_px, luma.height_px]
    }

    /// A sample of the finest scale.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.scales[0].luma.at(x, y)
    }

    /// How far everything has gone in `to`, a picture of the same size: to the right
    /// and down, in pixels of the finest scale, each of which is [`FINEST_SCALE`] of
    /// what was given.
    pub fn flow(&self, to: &Self) -> Plane<[f32; 2]> {
        let isa = Isa::fastest();
        let mut flow: Option<Plane<[f32; 2]>> = None;
        for (from, to) in self.scales.iter().zip(&to.scales).rev() {
            let pair = Pair {
                from: &from.luma,
                slope_x: &from.slope_x,
                slope_y: &from.slope_y,
                to: &to.luma,
            };
            flow = Some(finer(isa, &pair, flow.as_ref()));
        }
        flow.expect("a pyramid has a scale")
    }
}

/// The mean of each four samples.
fn halved(plane: &Plane<f32>) -> Plane<f32> {
    Plane::from_fn(plane.width_px / 2, plane.height_px / 2, |x, y| {
        let [above, below] = [2 * y, 2 * y + 1].map(|row| &plane.row(row)[2 * x..2 * x + 2]);
        (above[0] + above[1] + below[0] + below[1]) / 4.0
    })
}

/// The flow of a scale, sought from that of the scale below it on.
fn finer(isa: Isa, pair: &Pair<'_>, coarser: Option<&Plane<[f32; 2]>>) -> Plane<[f32; 2]> {
    let (width, height) = (pair.from.width_px, pair.from.height_px);
    let corners = |side: usize| -> Vec<usize> {
        let last = side - PATCH_PX;
        let even = (0..last).step_by(STRIDE_PX);
        even.chain([last]).collect()
    };
    let (columns, rows) = (corners(width), corners(height));
    let mut patches = Plane::from_fn(columns.len(), rows.len(), |x, y| {
        let Some(coarser) = coarser else {
            return [0.0; 2];
        };
        let centre = |corner: usize, side: usize| ((corner + PATCH_PX / 2) / 2).min(side - 1);
        let x = centre(columns[x], coarser.width_px);
        coarser
            .at(x, centre(rows[y], coarser.height_px))
            .map(|way| 2.0 * way)
    });
    let cells = columns.len() * rows.len();
    for forwards in [true, false] {
        for index in 0..cells {
            let cell = if forwards { index } else { cells - 1 - index };
            let (x, y) = (cell % columns.len(), cell / columns.len());
            let mut starts = [patches.samples[cell]; 3];
            let mut count = 1;
            let beside = |at: usize, last: usize| {
                if forwards {
                    at.checked_sub(1)
                } else {
                    Some(at + 1).filter(|at| *at <= last)
                }
            };
            for (column, row) in [
                (beside(x, columns.len() - 1), Some(y)),
                (Some(x), beside(y, rows.len() - 1)),
            ] {
                if let (Some(column), Some(row)) = (column, row) {
                    starts[count] = patches.at(column, row);
                    count += 1;
                }
            }
            let found = isa.search(pair, [columns[x], rows[y]], &starts[..count], STEPS);
            patches.samples[cell] = found.flow;
        }
    }
    let mut votes = Votes::new(width, height);
    for (y, &row) in rows.iter().enumerate() {
        for (x, &column) in columns.iter().enumerate() {
            isa.vote(pair, [column, row], patches.at(x, y), &mut votes);
        }
    }
    Plane::from_fn(width, height, |x, y| votes.mean(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 192;
    const HEIGHT: usize = 112;

    /// What stands at (x, y), from broad hills to ripples.
    fn hills(x: f32, y: f32) -> f32 {
        let wave = |a: f32, b: f32, phase: f32| (a * x + b * y + phase).sin();
        128.0
            + 30.0 * wave(0.05, 0.03, 0.2)
            + 30.0 * wave(-0.13, 0.21, 1.1)
            + 30.0 * wave(0.35, 0.27, 2.0)
    }

    /// Where all of it has gone by `away`, which depends on the column alone.
    fn picture(away: impl Fn(usize) -> [f32; 2]) -> Pyramid {
        Pyramid::of(&Plane::from_fn(WIDTH, HEIGHT, |x, y| {
            let [right, down] = away(x);
            hills(x as f32 - right, y as f32 - down)
        }))
    }

    #[test]
    fn large_ways_are_found_as_exactly_as_small_ones() {
        let still = picture(|_| [0.0; 2]);
        for way in [[0.3, -0.2], [4.0, 2.5], [-11.0, 6.0]] {
            let flow = still.flow(&picture(|_| way));
            let mut off: Vec<f32> = Vec::new();
            for y in 8..HEIGHT / 2 - 8 {
                for x in 8..WIDTH / 2 - 8 {
                    let [right, down] = flow.at(x, y).map(|way| way * FINEST_SCALE as f32);
                    off.push((right - way[0]).hypot(down - way[1]));
                }
            }
            off.sort_by(f32::total_cmp);
            assert!(off[off.len() / 2] < 0.1, "{way:?}: {}", off[off.len() / 2]);
            assert!(off[off.len() * 9 / 10] < 0.3, "{way:?}");
        }
    }

    #[test]
    fn each_part_goes_its_own_way() {
        let still = picture(|_| [0.0; 2]);
        let flow = still.flow(&picture(|x| {
            if x < WIDTH / 2 {
                [2.0, 0.0]
            } else {
                [0.0, -2.0]
            }
        }));
        let [left, right] = [flow.at(24, 28), flow.at(72, 28)];
        assert!((left[0] - 1.0).hypot(left[1]) < 0.1, "{left:?}");
        assert!(right[0].hypot(right[1] + 1.0) < 0.1, "{right:?}");
    }
}
