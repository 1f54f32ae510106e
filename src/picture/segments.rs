//! Segments of one colour: what looks alike and hangs together.
//!
//! Graph-based segmentation of Felzenszwalb and Huttenlocher (2004): two regions
//! become one if they differ by no more at their border than each does in itself.

use super::{Plane, box_mean};

/// A region of n pixels may differ from one beside it by this many levels divided by
/// n more than it differs in itself. The larger, the larger are the segments.
const SCALE: f32 = 100.0;
/// Smaller regions join one beside them, in pixels.
const SIZE_MIN_PX: u32 = 16;
/// Parts of a level by which differences are put in order.
const PARTS: f32 = 8.0;
/// Neighbours with which a pixel is compared, right and down of it; so each pair
/// comes once.
const NEIGHBOURS: [[isize; 2]; 4] = [[1, 0], [-1, 1], [0, 1], [1, 1]];

/// The number of the segment to which each pixel belongs, from 0 without a gap, given
/// the channels of a picture in levels, 0 to 255.
pub fn segments(channels: &[Plane<f32>; 3]) -> Plane<u32> {
    let smooth = channels.each_ref().map(|channel| box_mean(channel, 1));
    let (width, height) = (smooth[0].width_px, smooth[0].height_px);
    let borders = borders(&smooth);
    let mut regions = Regions::of_one_pixel(width * height);
    for border in &borders {
        let [a, b] = border.pixels.map(|pixel| regions.root(pixel));
        if a != b && border.levels < regions.tolerance(a).min(regions.tolerance(b)) {
            regions.join(a, b, border.levels);
        }
    }
    for border in &borders {
        let [a, b] = border.pixels.map(|pixel| regions.root(pixel));
        if a != b && regions.size_px[a].min(regions.size_px[b]) < SIZE_MIN_PX {
            regions.join(a, b, border.levels);
        }
    }
    let mut numbers = vec![u32::MAX; width * height];
    let mut count = 0;
    Plane::from_fn(width, height, |x, y| {
        let number = &mut numbers[regions.root((y * width + x) as u32)];
        if *number == u32::MAX {
            *number = count;
            count += 1;
        }
        *number
    })
}

/// Between two pixels side by side.
#[derive(Clone, Copy)]
struct Border {
    pixels: [u32; 2],
    /// How far their colours are apart.
    levels: f32,
}

/// All borders, those of the least difference first.
fn borders(channels: &[Plane<f32>; 3]) -> Vec<Border> {
    let (width, height) = (channels[0].width_px, channels[0].height_px);
    let mut borders = Vec::with_capacity(NEIGHBOURS.len() * width * height);
    for pixel in 0..width * height {
        let (x, y) = (pixel % width, pixel / width);
        for [right, down] in NEIGHBOURS {
            let beside = (x.checked_add_signed(right), y.checked_add_signed(down));
            let (Some(column), Some(row)) = beside else {
                continue;
            };
            if column >= width || row >= height {
                continue;
            }
            let other = row * width + column;
            let square: f32 = channels
                .iter()
                .map(|channel| (channel.samples[pixel] - channel.samples[other]).powi(2))
                .sum();
            borders.push(Border {
                pixels: [pixel as u32, other as u32],
                levels: square.sqrt(),
            });
        }
    }
    in_order(&borders)
}

/// Sorted by counting, since there are few differences that are told apart and very
/// many borders.
fn in_order(borders: &[Border]) -> Vec<Border> {
    let parts = |border: &Border| (border.levels * PARTS) as usize;
    let most = borders.iter().map(parts).max().unwrap_or(0);
    let mut places = vec![0; most + 2];
    for border in borders {
        places[parts(border) + 1] += 1;
    }
    for part in 0..=most {
        places[part + 1] += places[part];
    }
    let mut sorted = borders.to_vec();
    for border in borders {
        let place = &mut places[parts(border)];
        sorted[*place] = *border;
        *place += 1;
    }
    sorted
}

/// Sets of pixels that grow together, each known by one of its pixels, the root.
struct Regions {
    parent: Vec<u32>,
    size_px: Vec<u32>,
    /// Greatest difference over which the region has grown, in levels.
    inside: Vec<f32>,
}

impl Regions {
    fn of_one_pixel(count: usize) -> Self {
        Self {
            parent: (0..count as u32).collect(),
            size_px: vec![1; count],
            inside: vec![0.0; count],
        }
    }

    fn root(&mut self, pixel: u32) -> usize {
        let mut at = pixel as usize;
        while self.parent[at] as usize != at {
            let above = self.parent[at] as usize;
            self.parent[at] = self.parent[above];
            at = self.parent[at] as usize;
        }
        at
    }

    /// By how much another region may differ and still be the same, in levels.
    fn tolerance(&self, root: usize) -> f32 {
        self.inside[root] + SCALE / self.size_px[root] as f32
    }

    fn join(&mut self, a: usize, b: usize, levels: f32) {
        let is_smaller = self.size_px[a] < self.size_px[b];
        let (large, small) = if is_smaller { (b, a) } else { (a, b) };
        self.parent[small] = large as u32;
        self.size_px[large] += self.size_px[small];
        self.inside[large] = levels;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture.
    fn segments_of(level: impl FnMut(usize, usize) -> f32) -> Plane<u32> {
        let luma = Plane::from_fn(48, 32, level);
        let grey = luma.map(|_| 128.0);
        segments(&[luma, grey.clone(), grey])
    }

    #[test]
    fn things_of_another_colour_are_segments_of_their_own() {
        let is_boat = |x: usize, y: usize| (10..30).contains(&x) && (12..20).contains(&y);
        let of = segments_of(|x, y| if is_boat(x, y) { 40.0 } else { 150.0 });
        let (boat, lake) = (of.at(20, 16), of.at(2, 2));
        assert_ne!(boat, lake);
        assert_eq!((of.at(12, 14), of.at(27, 18)), (boat, boat));
        assert_eq!((of.at(45, 2), of.at(20, 30)), (lake, lake));
    }

    #[test]
    fn a_colour_that_changes_slowly_is_one_segment() {
        let of = segments_of(|x, _| 40.0 + 3.0 * x as f32);
        assert!(of.samples.iter().all(|number| *number == 0));
    }

    #[test]
    fn a_texture_is_one_segment_beside_an_even_surface() {
        let mut rng = fastrand::Rng::with_seed(7);
        let of = segments_of(|x, _| {
            if x < 24 {
                60.0 + 60.0 * rng.f32()
            } else {
                200.0
            }
        });
        let even = of.at(40, 10);
        let rough: Vec<u32> = (0..32).map(|y| of.at(8, y)).collect();
        assert!(rough.iter().all(|number| *number != even));
        assert_eq!(of.at(40, 31), even);
    }

    #[test]
    fn specks_belong_to_what_is_around_them() {
        let of = segments_of(|x, y| if (x, y) == (20, 20) { 255.0 } else { 90.0 });
        assert!(of.samples.iter().all(|number| *number == 0));
    }
}
