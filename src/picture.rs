//! Planes of samples and the two picture layouts that the stages exchange.
//!
//! Deliberately absent: files, codecs and any idea of time.

mod around;

mod segments;

use rayon::prelude::*;

pub use around::{box_mean, distances, region_of, spread};
pub use segments::segments;

/// A rectangle of samples, rows packed without padding.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane<T> {
    /// Samples per row.
    pub width_px: usize,
    /// Number of rows.
    pub height_px: usize,
    /// `width_px * height_px` samples, row by row from the top left.
    pub samples: Vec<T>,
}

impl<T: Copy> Plane<T> {
    /// A plane in which every sample is `value`.
    pub fn filled(width_px: usize, height_px: usize, value: T) -> Self {
        Self {
            width_px,
            height_px,
            samples: vec![value; width_px * height_px],
        }
    }

    /// A plane whose sample at column `x`, row `y` is `sample_at(x, y)`.
    pub fn from_fn(
        width_px: usize,
        height_px: usize,
        mut sample_at: impl FnMut(usize, usize) -> T,
    ) -> Self {
        let mut samples = Vec::with_capacity(width_px * height_px);
        for y in 0..height_px {
            for x in 0..width_px {
                samples.push(sample_at(x, y));
            }
        }
        Self {
            width_px,
            height_px,
            samples,
        }
    }

    /// The same, its rows made on all threads.
    pub fn from_fn_on_threads(
        width_px: usize,
        height_px: usize,
        sample_at: impl Fn(usize, usize) -> T + Sync,
    ) -> Self
    where
        T: Send,
    {
        let row_at = |y: usize| (0..width_px).map(|x| sample_at(x, y)).collect();
        let rows: Vec<Vec<T>> = (0..height_px).into_par_iter().map(row_at).collect();
        Self {
            width_px,
            height_px,
            samples: rows.concat(),
        }
    }

    /// Row `y` from left to right.
    pub fn row(&self, y: usize) -> &[T] {
        &self.samples[y * self.width_px..(y + 1) * self.width_px]
    }

    /// Row `y` from left to right, for writing.
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        &mut self.samples[y * self.width_px..(y + 1) * self.width_px]
    }

    /// The sample at column `x`, row `y`.
    pub fn at(&self, x: usize, y: usize) -> T {
        self.samples[y * self.width_px + x]
    }

    /// A plane of the same size with `change` applied to every sample.
    pub fn map<U>(&self, change: impl FnMut(T) -> U) -> Plane<U> {
        Plane {
            width_px: self.width_px,
            height_px: self.height_px,
            samples: self.samples.iter().copied().map(change).collect(),
        }
    }
}

impl<T: Copy> Plane<T> {
    /// The four samples around a continuous position in pixels (0, 0 is the centre
    /// of the first sample) and their bilinear weights; outside the plane the
    /// nearest edge sample holds.
    pub fn around(&self, x: f32, y: f32) -> [(T, f32); 4] {
        // By way of 32 bits: processors convert no float to 64 bits without a sign.
        let [last_x, last_y] = [self.width_px, self.height_px].map(|side_px| side_px as i32 - 1);
        let x = x.clamp(0.0, last_x as f32);
        let y = y.clamp(0.0, last_y as f32);
        let (left, above) = (x as i32, y as i32);
        let (fx, fy) = (x - left as f32, y - above as f32);
        let [x0, y0] = [left, above].map(|at| at as usize);
        let [x1, y1] = [(left + 1).min(last_x), (above + 1).min(last_y)].map(|at| at as usize);
        [
            (self.at(x0, y0), (1.0 - fx) * (1.0 - fy)),
            (self.at(x1, y0), fx * (1.0 - fy)),
            (self.at(x0, y1), (1.0 - fx) * fy),
            (self.at(x1, y1), fx * fy),
        ]
    }
}

impl Plane<f32> {
    /// Bilinear sample at a continuous position, as [`Plane::around`].
    pub fn bilinear(&self, x: f32, y: f32) -> f32 {
        let weighted = self.around(x, y).map(|(sample, weight)| sample * weight);
        weighted.iter().sum()
    }

    /// The plane resampled bilinearly to another size, edges aligned to edges.
    pub fn resized(&self, width_px: usize, height_px: usize) -> Self {
        let step_x = self.width_px as f32 / width_px as f32;
        let step_y = self.height_px as f32 / height_px as f32;
        Self::from_fn(width_px, height_px, |x, y| {
            self.bilinear(
                (x as f32 + 0.5) * step_x - 0.5,
                (y as f32 + 0.5) * step_y - 0.5,
            )
        })
    }
}

impl Plane<u8> {
    /// The plane at another size, edges aligned to edges: where it is smaller each
    /// sample is the mean of those that it covers, where larger it is bilinear.
    pub fn shrunk(&self, width_px: usize, height_px: usize) -> Plane<f32> {
        if width_px > self.width_px || height_px > self.height_px {
            return self.map(f32::from).resized(width_px, height_px);
        }
        let span = |index: usize, parts: usize, whole: usize| {
            index * whole / parts..((index + 1) * whole).div_ceil(parts)
        };
        Plane::from_fn(width_px, height_px, |x, y| {
            let rows = span(y, height_px, self.height_px);
            let columns = span(x, width_px, self.width_px);
            let count = rows.len() * columns.len();
            let sum: u32 = rows
                .flat_map(|row| &self.row(row)[columns.clone()])
                .map(|sample| u32::from(*sample))
                .sum();
            sum as f32 / count as f32
        })
    }
}

/// Interleaved 8-bit sRGB.
#[derive(Clone, Debug, PartialEq)]
pub struct Rgb {
    /// Pixels per row.
    pub width_px: usize,
    /// Number of rows.
    pub height_px: usize,
    /// `width_px * height_px * 3` bytes: red, green, blue.
    pub bytes: Vec<u8>,
}

/// BT.709 limited-range Y'CbCr with chroma at half resolution, sited at the
/// centre of each 2x2 block. Width and height are even.
#[derive(Clone, Debug, PartialEq)]
pub struct Yuv420 {
    /// Luma, 16..=235 nominal.
    pub y: Plane<u8>,
    /// Blue difference, 128 is neutral, half the width and height of luma.
    pub u: Plane<u8>,
    /// Red difference, 128 is neutral, half the width and height of luma.
    pub v: Plane<u8>,
}

impl Yuv420 {
    /// Width of the luma plane.
    pub fn width_px(&self) -> usize {
        self.y.width_px
    }

    /// Height of the luma plane.
    pub fn height_px(&self) -> usize {
        self.y.height_px
    }

    /// Converts sRGB with the ITU-R BT.709 matrix; chroma is the mean of each
    /// 2x2 block. An odd last column or row is not representable.
    ///
    /// # Panics
    /// If the width or the height is odd: the caller fits the picture first.
    pub fn from_rgb(rgb: &Rgb) -> Self {
        let (width_px, height_px) = (rgb.width_px, rgb.height_px);
        assert!(
            width_px.is_multiple_of(2) && height_px.is_multiple_of(2),
            "4:2:0 needs even sizes, got {width_px}x{height_px}"
        );
        let pixel = |x: usize, y: usize| {
            let at = (y * width_px + x) * 3;
            [rgb.bytes[at], rgb.bytes[at + 1], rgb.bytes[at + 2]].map(f32::from)
        };
        let y = Plane::from_fn(width_px, height_px, |x, y| {
            let [r, g, b] = pixel(x, y);
            quantise(16.0 + LUMA_SCALE * (KR * r + KG * g + KB * b))
        });
        let block_mean = |cx: usize, cy: usize| {
            let mut sum = [0.0f32; 3];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let sample = pixel(cx * 2 + dx, cy * 2 + dy);
                for (total, part) in sum.iter_mut().zip(sample) {
                    *total += part / 4.0;
                }
            }
            sum
        };
        let mut u = Plane::filled(width_px / 2, height_px / 2, 128u8);
        let mut v = u.clone();
        for cy in 0..height_px / 2 {
            for cx in 0..width_px / 2 {
                let [r, g, b] = block_mean(cx, cy);
                let luma = KR * r + KG * g + KB * b;
                let at = cy * (width_px / 2) + cx;
                u.samples[at] = quantise(128.0 + CHROMA_SCALE * (b - luma) / (2.0 * (1.0 - KB)));
                v.samples[at] = quantise(128.0 + CHROMA_SCALE * (r - luma) / (2.0 * (1.0 - KR)));
            }
        }
        Self { y, u, v }
    }

    /// Converts back to sRGB; chroma is taken from the nearest sample.
    pub fn to_rgb(&self) -> Rgb {
        let (width_px, height_px) = (self.width_px(), self.height_px());
        let mut bytes = vec![0; width_px * height_px * 3];
        for (y, row) in bytes.chunks_exact_mut(width_px * 3).enumerate() {
            let chroma = self.u.row(y / 2).iter().zip(self.v.row(y / 2));
            let pairs = self.y.row(y).chunks(2).zip(row.chunks_mut(2 * 3));
            for ((lumas, pixels), (blue, red)) in pairs.zip(chroma) {
                let blue = 2.0 * (1.0 - KB) * ((f32::from(*blue) - 128.0) / CHROMA_SCALE);
                let red = 2.0 * (1.0 - KR) * ((f32::from(*red) - 128.0) / CHROMA_SCALE);
                for (luma, pixel) in lumas.iter().zip(pixels.as_chunks_mut().0) {
                    let luma = (f32::from(*luma) - 16.0) / LUMA_SCALE;
                    let (r, b) = (luma + red, luma + blue);
                    let g = (luma - KR * r - KB * b) / KG;
                    *pixel = [quantise(r), quantise(g), quantise(b)];
                }
            }
        }
        Rgb {
            width_px,
            height_px,
            bytes,
        }
    }
}

/// Luma weights of ITU-R BT.709-6, item 3.2.
const KR: f32 = 0.2126;
const KG: f32 = 0.7152;
const KB: f32 = 0.0722;
/// Limited range: 219 luma steps and 224 chroma steps (BT.709-6, item 4.6).
const LUMA_SCALE: f32 = 219.0 / 255.0;
const CHROMA_SCALE: f32 = 224.0 / 255.0;

fn quantise(value: f32) -> u8 {
    // A float-to-integer cast saturates, so it clamps as well.
    (value + 0.5) as u8
}

/// Seeded noise in -1..=1 that changes over about `period` cells: cubic
/// interpolation of a random lattice.
pub fn smooth_noise(
    width: usize,
    height: usize,
    period: f32,
    rng: &mut fastrand::Rng,
) -> Plane<f32> {
    let period = period.max(1.0);
    let columns = (width as f32 / period) as usize + 4;
    let rows = (height as f32 / period) as usize + 4;
    let lattice = Plane::from_fn(columns, rows, |_, _| rng.f32() * 2.0 - 1.0);
    // Uniform cubic B-spline: smooth to the second derivative, never overshoots.
    let weights = |t: f32| {
        let s = 1.0 - t;
        [
            s * s * s / 6.0,
            (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
            (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
            t * t * t / 6.0,
        ]
    };
    let smooth = Plane::from_fn(width, height, |x, y| {
        let (px, py) = (x as f32 / period, y as f32 / period);
        let (wx, wy) = (weights(px.fract()), weights(py.fract()));
        let mut sum = 0.0;
        for (dy, wy) in wy.iter().enumerate() {
            for (dx, wx) in wx.iter().enumerate() {
                sum += wx * wy * lattice.at(px as usize + dx, py as usize + dy);
            }
        }
        sum
    });
    // The spline averages the lattice, so its spread is restored to fill -1..=1.
    let peak = smooth.samples.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
    smooth.map(|v| v / peak)
}

/// The middle value, of an even number the upper one; 0 of none.
pub fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(r: u8, g: u8, b: u8) -> Rgb {
        Rgb {
            width_px: 2,
            height_px: 2,
            bytes: [r, g, b].repeat(4),
        }
    }

    #[test]
    fn bt709_reference_levels() {
        let white = Yuv420::from_rgb(&flat(255, 255, 255));
        assert_eq!(
            (white.y.samples[0], white.u.samples[0], white.v.samples[0]),
            (235, 128, 128)
        );
        let red = Yuv420::from_rgb(&flat(255, 0, 0));
        assert_eq!(
            (red.y.samples[0], red.u.samples[0], red.v.samples[0]),
            (63, 102, 240)
        );
    }

    #[test]
    fn rgb_survives_the_round_trip_within_quantisation() {
        for colour in [[0, 0, 0], [12, 200, 90], [255, 128, 3], [77, 77, 78]] {
            let back = Yuv420::from_rgb(&flat(colour[0], colour[1], colour[2])).to_rgb();
            for (channel, (was, is)) in colour.iter().zip(&back.bytes).enumerate() {
                assert!(
                    was.abs_diff(*is) <= 3,
                    "channel {channel}: {was} became {is}"
                );
            }
        }
    }

    #[test]
    fn resizing_a_ramp_keeps_its_ends_and_its_mean() {
        let ramp = Plane::from_fn(4, 1, |x, _| x as f32);
        let wide = ramp.resized(8, 2);
        assert_eq!((wide.at(0, 0), wide.at(7, 1)), (0.0, 3.0));
        let mean = wide.samples.iter().sum::<f32>() / 16.0;
        assert!((mean - 1.5).abs() < 1e-6);
    }
}
