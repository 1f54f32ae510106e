//! Whether light and colour stay what they are: brightness of every tile on
//! which light flickers, mean colour of everything else that moves.

use crate::{
    frames::{Renderer, TILE_PX, spread, tiles::Run},
    picture::{Plane, Yuv420},
};

/// Change of relative luminance from which a flicker counts as a flash, unless
/// even the darker of both is brighter than `FLASH_DARK_MAX` (WCAG 2.2, "general
/// flash and red flash thresholds", after ITU-R BT.1702).
const FLASH_CHANGE: f32 = 0.10;
const FLASH_DARK_MAX: f32 = 0.80;
/// Share of the picture that may be flames which the mask does not reach: bright
/// ones change by 16 grey levels from frame to frame, and shall.
const FLAMES: f32 = 1.0 / 6.0;
/// Tiles over which the mean colour is taken, evenly spread over all of them.
const COLOUR_TILES: usize = 300;
/// Exponent of a display (ITU-R BT.1886), from luma to relative luminance.
const DISPLAY_GAMMA: f32 = 2.4;
/// Black and the way to white in limited range.
const BLACK: f32 = 16.0;
const WHITE_LESS_BLACK: f32 = 219.0;

/// Where light and colour of one clip are looked at.
pub struct Ground {
    /// Column and row of the tiles on which light flickers.
    lit: Vec<(usize, usize)>,
    /// For each of them whether nothing moves in it.
    rests: Vec<bool>,
    /// Column and row of tiles that move in an even light.
    even: Vec<(usize, usize)>,
    /// Mean of each plane of the still over them.
    colour: [f32; 3],
    /// All tiles of the picture.
    tile_count: usize,
}

/// What was seen of light and colour in a part of the loop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steadiness {
    /// Mean luma of every lit tile in the first and in the last frame.
    first: Vec<f32>,
    last: Vec<f32>,
    /// Least and largest mean luma of every lit tile.
    range: Vec<[f32; 2]>,
    /// Largest change from frame to frame of every lit tile.
    steps: Vec<f32>,
    /// Largest difference of the mean colour from the still's.
    drift: f32,
}

impl Ground {
    /// Sorts the tiles of a clip.
    pub fn new(renderer: &Renderer, still: &Yuv420) -> Self {
        let even: Vec<_> = renderer.evenly_lit().iter().flat_map(Run::tiles).collect();
        let mut is_even = renderer.active_tiles().map(|_| false);
        for (column, row) in &even {
            is_even.samples[row * is_even.width_px + column] = true;
        }
        let lit: Vec<_> = renderer
            .moving_tiles()
            .filter(|(column, row)| !is_even.at(*column, *row))
            .collect();
        let mask = renderer.mask();
        let even = spread(&even, COLOUR_TILES);
        let rests = lit.iter().map(|(column, row)| {
            let mut samples = rows_of_tile(mask, *column, *row, TILE_PX, 1);
            samples.all(|row| row.iter().all(|share| *share == 0))
        });
        Self {
            rests: rests.collect(),
            colour: mean_colour(still, &even),
            tile_count: is_even.samples.len(),
            lit,
            even,
        }
    }
}

impl Steadiness {
    /// Looks at the next frame.
    pub fn watch(&mut self, ground: &Ground, planes: &Yuv420) {
        let colour = mean_colour(planes, &ground.even);
        let differences = colour.iter().zip(ground.colour);
        let mean_luma = |(column, row): &(usize, usize)| {
            mean(rows_of_tile(&planes.y, *column, *row, TILE_PX, 2))
        };
        let now: Vec<f32> = ground.lit.iter().map(mean_luma).collect();
        self.join(Self {
            range: now.iter().map(|mean| [*mean, *mean]).collect(),
            steps: vec![0.0; now.len()],
            drift: differences.fold(0.0, |most, (now, then)| most.max((now - then).abs())),
            first: now.clone(),
            last: now,
        });
    }

    /// Adds what was seen of the part that follows.
    pub fn join(&mut self, next: Self) {
        let drift = self.drift.max(next.drift);
        if self.first.is_empty() {
            *self = Self { drift, ..next };
            return;
        }
        self.add_steps(&next.first);
        widen(&mut self.steps, &next.steps);
        for ([least, most], [low, high]) in self.range.iter_mut().zip(next.range) {
            *least = least.min(low);
            *most = most.max(high);
        }
        self.drift = drift;
        self.last = next.last;
    }

    /// Adds the step over the seam, once the whole loop has been seen.
    pub fn close(&mut self) {
        let first = std::mem::take(&mut self.first);
        self.add_steps(&first);
        self.first = first;
    }

    fn add_steps(&mut self, to: &[f32]) {
        let steps: Vec<f32> = self
            .last
            .iter()
            .zip(to)
            .map(|(a, b)| (a - b).abs())
            .collect();
        widen(&mut self.steps, &steps);
    }

    /// Largest change from frame to frame of the mean luma of a tile in which
    /// nothing moves, in grey levels, beside those of [`FLAMES`].
    pub fn flicker(&self, ground: &Ground) -> f32 {
        let steps = self.steps.iter().zip(&ground.rests);
        let resting = steps.filter(|(_, rests)| **rests);
        let mut steps: Vec<f32> = resting.map(|(step, _)| *step).collect();
        steps.sort_by(|a, b| b.total_cmp(a));
        let flames = (FLAMES * ground.tile_count as f32) as usize;
        steps.get(flames).copied().unwrap_or(0.0)
    }

    /// Share of the picture that flashes.
    pub fn flash(&self, ground: &Ground) -> f32 {
        let flashes = self.range.iter().filter(|range| flash(range) > 1.0);
        flashes.count() as f32 / ground.tile_count as f32
    }

    /// Largest difference of the mean colour of what moves from the still's, in
    /// grey levels of the worst plane.
    pub fn drift(&self) -> f32 {
        self.drift
    }

    /// How much of its light every lit tile may keep (column, row, factor) so
    /// that none steps by more than `step_max` where it rests, and none flashes.
    pub fn light_kept<'a>(
        &'a self,
        ground: &'a Ground,
        step_max: f32,
    ) -> impl Iterator<Item = (usize, usize, f32)> + 'a {
        let tiles = ground.lit.iter().zip(&ground.rests);
        let seen = self.steps.iter().zip(&self.range);
        tiles
            .zip(seen)
            .map(move |(((column, row), rests), (step, range))| {
                let for_step = if *rests {
                    step_max / step.max(step_max)
                } else {
                    1.0
                };
                (*column, *row, for_step / flash(range).max(1.0))
            })
    }
}

/// The change of relative luminance between two lumas over the one from which it
/// is a flash.
fn flash(range: &[f32; 2]) -> f32 {
    let luminance = |luma: f32| ((luma - BLACK) / WHITE_LESS_BLACK).clamp(0.0, 1.0);
    let [dark, bright] = range.map(|luma| luminance(luma).powf(DISPLAY_GAMMA));
    if dark < FLASH_DARK_MAX {
        (bright - dark) / FLASH_CHANGE
    } else {
        0.0
    }
}

fn widen(most: &mut [f32], by: &[f32]) {
    for (most, value) in most.iter_mut().zip(by) {
        *most = most.max(*value);
    }
}

/// Mean of each plane over some tiles, in every fourth row.
fn mean_colour(planes: &Yuv420, tiles: &[(usize, usize)]) -> [f32; 3] {
    [
        (&planes.y, TILE_PX),
        (&planes.u, TILE_PX / 2),
        (&planes.v, TILE_PX / 2),
    ]
    .map(|(plane, side_px)| {
        mean(
            tiles
                .iter()
                .flat_map(|(column, row)| rows_of_tile(plane, *column, *row, side_px, 4)),
        )
    })
}

/// Every `step`-th row of one tile of a plane whose tiles have this side.
fn rows_of_tile(
    plane: &Plane<u8>,
    column: usize,
    row: usize,
    side_px: usize,
    step: usize,
) -> impl Iterator<Item = &[u8]> {
    let [columns, rows] = Run::of_tile((column, row)).samples(plane, side_px);
    rows.step_by(step)
        .map(move |y| &plane.row(y)[columns.clone()])
}

/// Mean of all samples; 0 of none.
fn mean<'a>(rows: impl Iterator<Item = &'a [u8]>) -> f32 {
    let (mut sum, mut count) = (0u64, 0u64);
    for row in rows {
        sum += u64::from(row.iter().map(|sample| u32::from(*sample)).sum::<u32>());
        count += row.len() as u64;
    }
    (sum as f64 / count.max(1) as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lit tiles, of which the first rests, and an evenly lit one.
    fn ground(still: &Yuv420) -> Ground {
        let even = vec![(2, 0)];
        Ground {
            lit: vec![(0, 0), (1, 0)],
            rests: vec![true, false],
            colour: mean_colour(still, &even),
            even,
            tile_count: 4,
        }
    }

    /// A picture of four tiles with these lumas and one colour.
    fn picture(lumas: [u8; 4], blue: u8) -> Yuv420 {
        Yuv420 {
            y: Plane::from_fn(64, 16, |x, _| lumas[x / 16]),
            u: Plane::filled(32, 8, blue),
            v: Plane::filled(32, 8, 128),
        }
    }

    fn seen(ground: &Ground, pictures: &[Yuv420]) -> Steadiness {
        let mut seen = Steadiness::default();
        for picture in pictures {
            seen.watch(ground, picture);
        }
        seen
    }

    #[test]
    fn steps_drift_and_flashes_are_seen_over_the_seam_and_in_pieces() {
        let pictures = [
            picture([100, 100, 50, 9], 128),
            picture([103, 150, 50, 9], 128),
            picture([105, 200, 54, 9], 121),
            picture([107, 200, 50, 9], 128),
        ];
        let ground = ground(&pictures[0]);
        let mut whole = seen(&ground, &pictures);
        assert_eq!(whole.flicker(&ground), 3.0);
        for cut in 1..4 {
            let (before, after) = pictures.split_at(cut);
            let mut joined = Steadiness::default();
            joined.join(seen(&ground, before));
            joined.join(seen(&ground, after));
            assert_eq!(joined, whole);
        }
        whole.close();
        // Back from 107 to 100; the second tile does not rest.
        assert_eq!(whole.flicker(&ground), 7.0);
        assert_eq!(whole.drift(), 7.0);
        // 100 to 200 is 38 % of white, 100 to 107 is 3 %.
        assert_eq!(whole.flash(&ground), 0.25);
        let kept: Vec<_> = whole.light_kept(&ground, 3.5).collect();
        assert_eq!((kept[0].0, kept[0].1, kept[0].2), (0, 0, 0.5));
        assert!((0.15..0.2).contains(&kept[1].2), "{kept:?}");
    }

    #[test]
    fn without_lit_tiles_only_colour_is_seen() {
        let still = picture([100; 4], 128);
        let ground = Ground {
            lit: Vec::new(),
            rests: Vec::new(),
            ..ground(&still)
        };
        let mut seen = seen(&ground, &[picture([0; 4], 128), picture([255; 4], 128)]);
        seen.close();
        assert_eq!((seen.flicker(&ground), seen.flash(&ground)), (0.0, 0.0));
        assert_eq!(seen.drift(), 155.0);
    }
}
