//! Where a patch of one picture is in the next: the inverse search of Dense
//! Inverse Search (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse
//! Search"), written once over eight [`Floats`].
//!
//! There is no fused multiplication and every sum is taken in one order, so all
//! instruction sets give the same bits and [`scalar`] says which.

pub mod floats;

pub mod scalar;

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;

#[cfg(target_arch = "aarch64")]
pub(super) mod neon;

#[cfg(test)]
mod tests;

use self::floats::{Floats, LANES};

/// Rows and columns of a patch.
pub const PATCH_PX: usize = LANES;
/// Pixels around a [`Raster`] that repeat its edge.
pub const MARGIN_PX: usize = 16;
/// Slope, in levels per pixel, that counts as none: it keeps patches that show
/// nothing from running away. Sensor noise has as much.
pub const SLOPE_MIN: f32 = 0.5;
/// A patch that goes farther than this from where it was sought is lost.
const REACH_PX: f32 = PATCH_PX as f32;
/// Steps shorter than this, in pixels, are not worth another.
const STEP_PX_MIN: f32 = 0.01;
/// Pixels of a patch.
pub const AREA: f32 = (PATCH_PX * PATCH_PX) as f32;

/// A picture with a margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Raster {
    /// Columns without the margins.
    pub width_px: usize,
    /// Rows without the margins.
    pub height_px: usize,
    samples: Vec<f32>,
}

impl Raster {
    /// A picture of at least one patch whose sample at column `x`, row `y` is
    /// `sample_at(x, y)`.
    ///
    /// # Panics
    /// If it is smaller than a patch.
    pub fn from_fn(
        width_px: usize,
        height_px: usize,
        sample_at: impl Fn(usize, usize) -> f32,
    ) -> Self {
        assert!(width_px >= PATCH_PX && height_px >= PATCH_PX);
        let inside = |at: usize, side: usize| at.saturating_sub(MARGIN_PX).min(side - 1);
        let mut samples =
            Vec::with_capacity((width_px + 2 * MARGIN_PX) * (height_px + 2 * MARGIN_PX));
        for row in 0..height_px + 2 * MARGIN_PX {
            for column in 0..width_px + 2 * MARGIN_PX {
                samples.push(sample_at(inside(column, width_px), inside(row, height_px)));
            }
        }
        Self {
            width_px,
            height_px,
            samples,
        }
    }

    /// Samples from one row to the next.
    fn stride(&self) -> usize {
        self.width_px + 2 * MARGIN_PX
    }

    /// The sample at column `x`, row `y`.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.samples[(y + MARGIN_PX) * self.stride() + x + MARGIN_PX]
    }

    /// `length` samples from `at` on, counted with the margins.
    #[inline(always)]
    fn run<const LENGTH: usize>(&self, at: usize) -> &[f32; LENGTH] {
        self.samples[at..]
            .first_chunk()
            .expect("a patch lies within the margins")
    }
}

/// Two pictures of the same size and the slopes of the first, in levels per pixel.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The picture that patches are taken from.
    pub from: &'a Raster,
    /// Its slope to the right.
    pub slope_x: &'a Raster,
    /// Its slope downwards.
    pub slope_y: &'a Raster,
    /// The picture in which they are sought.
    pub to: &'a Raster,
}

/// Where a patch was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// How far it has gone to the right and down, in pixels.
    pub flow: [f32; 2],
    /// What is left of the difference, its mean taken away, as a sum of squares.
    pub error: f32,
}

/// Pixels of a patch against where they are sought: sums over all of them.
struct Compared {
    sum: f32,
    squares: f32,
    along_x: f32,
    along_y: f32,
}

impl Compared {
    /// Sum of squares without the mean: light that comes and goes is no motion.
    fn error(&self) -> f32 {
        self.squares - self.sum * self.sum / AREA
    }
}

/// Seeks the patch whose first pixel is at `corner`: compares the `starts`, and goes
/// down from the best of them, at most `steps` times.
#[inline(always)]
fn search<F: Floats>(
    pair: &Pair<'_>,
    corner: [usize; 2],
    starts: &[[f32; 2]],
    steps: usize,
) -> Found {
    let mut best = Found {
        flow: starts[0],
        error: f32::INFINITY,
    };
    let mut compared = None;
    for &flow in starts {
        let there = compare::<F>(pair, corner, flow);
        if there.error() < best.error {
            best = Found {
                flow,
                error: there.error(),
            };
            compared = Some(there);
        }
    }
    let Some(mut compared) = compared else {
        return best;
    };
    let start = best.flow;
    let slopes = Slopes::of::<F>(pair, corner);
    for _ in 0..steps {
        let step = slopes.step(&compared);
        let flow = [best.flow[0] - step[0], best.flow[1] - step[1]];
        let away = [flow[0] - start[0], flow[1] - start[1]];
        let is_near = away[0].abs().max(away[1].abs()) < REACH_PX;
        if !is_near {
            break;
        }
        compared = compare::<F>(pair, corner, flow);
        let is_better = compared.error() < best.error;
        if !is_better {
            break;
        }
        best = Found {
            flow,
            error: compared.error(),
        };
        if step[0].abs().max(step[1].abs()) < STEP_PX_MIN {
            break;
        }
    }
    best
}

/// What the slopes of a patch say of a step: the inverse of their covariance.
struct Slopes {
    mean: [f32; 2],
    inverse: [f32; 3],
}

impl Slopes {
    #[inline(always)]
    fn of<F: Floats>(pair: &Pair<'_>, corner: [usize; 2]) -> Self {
        let zero = F::splat(0.0);
        let (mut x, mut y, mut xx, mut xy, mut yy) = (zero, zero, zero, zero, zero);
        let stride = pair.from.stride();
        let mut at = (corner[1] + MARGIN_PX) * stride + corner[0] + MARGIN_PX;
        for _ in 0..PATCH_PX {
            let slope_x = F::load(pair.slope_x.run(at));
            let slope_y = F::load(pair.slope_y.run(at));
            x = x.add(slope_x);
            y = y.add(slope_y);
            xx = xx.add(slope_x.mul(slope_x));
            xy = xy.add(slope_x.mul(slope_y));
            yy = yy.add(slope_y.mul(slope_y));
            at += stride;
        }
        let mean = [x.sum() / AREA, y.sum() / AREA];
        let least = AREA * SLOPE_MIN * SLOPE_MIN;
        let xx = xx.sum() - AREA * mean[0] * mean[0] + least;
        let yy = yy.sum() - AREA * mean[1] * mean[1] + least;
        let xy = xy.sum() - AREA * mean[0] * mean[1];
        // At least `least` squared, since a covariance has no negative value.
        let scale = 1.0 / (xx * yy - xy * xy);
        Self {
            mean,
            inverse: [yy * scale, -xy * scale, xx * scale],
        }
    }

    /// Gauss and Newton's step, in pixels.
    #[inline(always)]
    fn step(&self, compared: &Compared) -> [f32; 2] {
        let x = compared.along_x - compared.sum * self.mean[0];
        let y = compared.along_y - compared.sum * self.mean[1];
        let [xx, xy, yy] = self.inverse;
        [xx * x + xy * y, xy * x + yy * y]
    }
}

/// Pixels of one row of a patch in the picture in which it is sought.
struct Sought<'a> {
    to: &'a Raster,
    at: usize,
    weights: [f32; 4],
}

impl<'a> Sought<'a> {
    /// At `corner` plus `flow`, as far as the margins go.
    #[inline(always)]
    fn new(to: &'a Raster, corner: [usize; 2], flow: [f32; 2]) -> Self {
        let margin = MARGIN_PX as f32;
        let within = |corner: usize, flow: f32, side: usize| {
            // One pixel more than the patch is read.
            let last = (side + 2 * MARGIN_PX - PATCH_PX - 1) as f32 - 0.01;
            (corner as f32 + margin + flow).clamp(0.0, last)
        };
        let x = within(corner[0], flow[0], to.width_px);
        let y = within(corner[1], flow[1], to.height_px);
        let (column, row) = (x as usize, y as usize);
        let (right, down) = (x - column as f32, y - row as f32);
        Self {
            to,
            at: row * to.stride() + column,
            weights: [
                (1.0 - right) * (1.0 - down),
                right * (1.0 - down),
                (1.0 - right) * down,
                right * down,
            ],
        }
    }

    #[inline(always)]
    fn row<F: Floats>(&self, row: usize, weights: &[F; 4]) -> F {
        let above = self.at + row * self.to.stride();
        let below = above + self.to.stride();
        let left = F::load(self.to.run(above)).mul(weights[0]);
        let right = F::load(self.to.run(above + 1)).mul(weights[1]);
        let left_below = F::load(self.to.run(below)).mul(weights[2]);
        let right_below = F::load(self.to.run(below + 1)).mul(weights[3]);
        left.add(right).add(left_below.add(right_below))
    }
}

#[inline(always)]
fn compare<F: Floats>(pair: &Pair<'_>, corner: [usize; 2], flow: [f32; 2]) -> Compared {
    let sought = Sought::new(pair.to, corner, flow);
    let weights = sought.weights.map(F::splat);
    let zero = F::splat(0.0);
    let (mut sum, mut squares, mut along_x, mut along_y) = (zero, zero, zero, zero);
    let stride = pair.from.stride();
    let mut at = (corner[1] + MARGIN_PX) * stride + corner[0] + MARGIN_PX;
    for row in 0..PATCH_PX {
        let more = sought.row(row, &weights).sub(F::load(pair.from.run(at)));
        sum = sum.add(more);
        squares = squares.add(more.mul(more));
        along_x = along_x.add(more.mul(F::load(pair.slope_x.run(at))));
        along_y = along_y.add(more.mul(F::load(pair.slope_y.run(at))));
        at += stride;
    }
    Compared {
        sum: sum.sum(),
        squares: squares.sum(),
        along_x: along_x.sum(),
        along_y: along_y.sum(),
    }
}

/// Weighted sums of the flows of all patches that cover a pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Votes {
    width_px: usize,
    /// Of the weights, and of the weighted flows to the right and down.
    sums: [Vec<f32>; 3],
}

impl Votes {
    /// None yet.
    pub fn new(width_px: usize, height_px: usize) -> Self {
        let none = vec![0.0; width_px * height_px];
        Self {
            width_px,
            sums: [none.clone(), none.clone(), none],
        }
    }

    /// The mean flow at a pixel, to the right and down; none where no patch has
    /// been.
    pub fn mean(&self, x: usize, y: usize) -> [f32; 2] {
        let at = y * self.width_px + x;
        let [weight, right, down] = self.sums.each_ref().map(|sums| sums[at]);
        [right, down].map(|way| way / weight.max(f32::MIN_POSITIVE))
    }
}

/// Lets the patch at `corner` vote for its flow, at each pixel by how like it the
/// pixel is that it was found at.
#[inline(always)]
fn vote<F: Floats>(pair: &Pair<'_>, corner: [usize; 2], flow: [f32; 2], votes: &mut Votes) {
    let sought = Sought::new(pair.to, corner, flow);
    let weights = sought.weights.map(F::splat);
    let [right, down] = flow.map(F::splat);
    let one = F::splat(1.0);
    let stride = pair.from.stride();
    let mut at = (corner[1] + MARGIN_PX) * stride + corner[0] + MARGIN_PX;
    let mut cell = corner[1] * votes.width_px + corner[0];
    for row in 0..PATCH_PX {
        let more = sought.row(row, &weights).sub(F::load(pair.from.run(at)));
        let weight = one.div(more.abs().max(one));
        let shares = [weight, weight.mul(right), weight.mul(down)];
        for (sums, share) in votes.sums.iter_mut().zip(shares) {
            let sums = sums[cell..]
                .first_chunk_mut()
                .expect("a patch lies within the picture");
            F::load(sums).add(share).store(sums);
        }
        at += stride;
        cell += votes.width_px;
    }
}
