//! Brings a photograph to the clip's size: covers it and crops the rest.
//!
//! A Lanczos window that widens with the reduction, so that nothing aliases,
//! on the coded values, as image viewers do. Rows are mixed first: that is
//! long straight loops over contiguous memory, and only one mixed row is held
//! at a time, so 4096x4096 pixels need no second picture.

use crate::{picture::Rgb, request::Size};

/// Lobes of the window on either side of its centre.
const LOBES: f64 = 3.0;

/// Scales `photo` to cover `size` and cuts off what stands over, equally on
/// both sides. What already has the size keeps every pixel.
pub(super) fn cover(photo: &Rgb, size: Size) -> Rgb {
    let (width_px, height_px) = (size.width_px(), size.height_px());
    let step = f64::min(
        photo.width_px as f64 / width_px as f64,
        photo.height_px as f64 / height_px as f64,
    );
    let columns = taps(photo.width_px, width_px, step);
    let rows = taps(photo.height_px, height_px, step);
    let stride = photo.width_px * 3;
    let mut mixed = vec![0.0f32; stride];
    let mut bytes = Vec::with_capacity(width_px * height_px * 3);
    for row in &rows {
        mixed.fill(0.0);
        let sources = photo.bytes[row.first * stride..].chunks_exact(stride);
        for (source, &weight) in sources.zip(&row.weights) {
            for (sum, &sample) in mixed.iter_mut().zip(source) {
                *sum += weight * f32::from(sample);
            }
        }
        for column in &columns {
            let mut pixel = [0.0f32; 3];
            let sources = mixed[column.first * 3..].chunks_exact(3);
            for (source, &weight) in sources.zip(&column.weights) {
                for (sum, &sample) in pixel.iter_mut().zip(source) {
                    *sum += weight * sample;
                }
            }
            // The cast saturates: Lanczos overshoots at hard edges.
            bytes.extend(pixel.map(|sample| (sample + 0.5) as u8));
        }
    }
    Rgb {
        width_px,
        height_px,
        bytes,
    }
}

/// What one output sample is mixed from.
struct Taps {
    /// Index of the first source sample.
    first: usize,
    /// Weights of the source samples from there on; their sum is 1.
    weights: Vec<f32>,
}

/// The taps along one axis: `step` source samples per output sample, centred.
fn taps(source: usize, target: usize, step: f64) -> Vec<Taps> {
    let margin = (source as f64 - target as f64 * step) / 2.0;
    // Enlarging interpolates; reducing averages over the samples in between.
    let stretch = step.max(1.0);
    let reach = LOBES * stretch;
    (0..target)
        .map(|index| {
            let centre = margin + (index as f64 + 0.5) * step - 0.5;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach).floor() as usize).min(source - 1);
            let weights: Vec<f64> = (first..=last)
                .map(|at| lanczos((at as f64 - centre) / stretch))
                .collect();
            let sum: f64 = weights.iter().sum();
            Taps {
                first,
                weights: weights.iter().map(|weight| (weight / sum) as f32).collect(),
            }
        })
        .collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        let turn = std::f64::consts::PI * x;
        if turn.abs() < 1e-9 {
            1.0
        } else {
            turn.sin() / turn
        }
    };
    if x.abs() < LOBES {
        sinc(x) * sinc(x / LOBES)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width_px: usize, height_px: usize) -> Size {
        Size::new(width_px, height_px).expect("a legal size")
    }

    #[test]
    fn the_same_size_keeps_every_pixel() {
        let photo = Rgb {
            width_px: 64,
            height_px: 64,
            bytes: (0..64 * 64 * 3).map(|at| (at * 7 % 251) as u8).collect(),
        };
        assert_eq!(cover(&photo, size(64, 64)), photo);
    }

    #[test]
    fn cropping_alone_keeps_every_pixel() {
        let photo = Rgb {
            width_px: 68,
            height_px: 64,
            bytes: (0..68 * 64).flat_map(|at| [(at % 68) as u8; 3]).collect(),
        };
        let cropped = cover(&photo, size(64, 64));
        let expected: Vec<u8> = (0..64 * 64)
            .flat_map(|at| [(at % 64) as u8 + 2; 3])
            .collect();
        assert_eq!(cropped.bytes, expected);
    }

    #[test]
    fn flat_colours_survive_any_scaling() {
        for (width_px, height_px) in [(1, 1), (2, 2), (301, 77), (640, 641)] {
            let photo = Rgb {
                width_px,
                height_px,
                bytes: [200, 100, 50].repeat(width_px * height_px),
            };
            let shown = cover(&photo, size(128, 66));
            assert!(shown.bytes.chunks(3).all(|pixel| pixel == [200, 100, 50]));
        }
    }

    #[test]
    fn a_fine_pattern_becomes_grey_and_not_moire() {
        let photo = Rgb {
            width_px: 640,
            height_px: 640,
            bytes: (0..640 * 640)
                .flat_map(|at| {
                    [if (at % 640 + at / 640) % 2 == 0 {
                        255u8
                    } else {
                        0
                    }; 3]
                })
                .collect(),
        };
        let shown = cover(&photo, size(100, 100));
        assert!(shown.bytes.iter().all(|&sample| sample.abs_diff(127) < 6));
    }
}
