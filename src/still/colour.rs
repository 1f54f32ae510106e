//! Any layout of samples to interleaved 8-bit RGB.

use image::ColorType;

/// Transparent pictures are logos and cut-outs far more often than
/// photographs, drawn to lie on a page; on white they look as intended, on
/// black their dark outlines vanish.
const PAPER: u32 = 255;

/// Converts packed samples (16-bit ones in native byte order) to RGB.
/// `None` if a decoder hands out a layout that still pictures do not have.
pub(super) fn to_rgb(samples: Vec<u8>, layout: ColorType) -> Option<Vec<u8>> {
    Some(match layout {
        ColorType::Rgb8 => samples,
        ColorType::L8 => grey_to_rgb(&samples),
        ColorType::La8 => grey_alpha_to_rgb(&samples),
        ColorType::Rgba8 => alpha_to_rgb(&samples),
        ColorType::L16 => grey_to_rgb(&narrowed(samples)),
        ColorType::La16 => grey_alpha_to_rgb(&narrowed(samples)),
        ColorType::Rgb16 => narrowed(samples),
        ColorType::Rgba16 => alpha_to_rgb(&narrowed(samples)),
        _ => return None,
    })
}

/// 16 to 8 bits, rounded to the nearest, within the same memory: a 16-bit
/// picture is the largest thing that is ever held.
fn narrowed(mut samples: Vec<u8>) -> Vec<u8> {
    let count = samples.len() / 2;
    for index in 0..count {
        let wide = u16::from_ne_bytes([samples[index * 2], samples[index * 2 + 1]]);
        samples[index] = ((u32::from(wide) + 128) / 257) as u8;
    }
    samples.truncate(count);
    samples.shrink_to_fit();
    samples
}

fn grey_to_rgb(samples: &[u8]) -> Vec<u8> {
    samples.iter().flat_map(|&grey| [grey; 3]).collect()
}

fn grey_alpha_to_rgb(samples: &[u8]) -> Vec<u8> {
    let (pixels, _) = samples.as_chunks::<2>();
    pixels
        .iter()
        .flat_map(|&[grey, alpha]| [over_paper(grey, alpha); 3])
        .collect()
}

fn alpha_to_rgb(samples: &[u8]) -> Vec<u8> {
    let (pixels, _) = samples.as_chunks::<4>();
    pixels
        .iter()
        .flat_map(|&[red, green, blue, alpha]| {
            [red, green, blue].map(|sample| over_paper(sample, alpha))
        })
        .collect()
}

fn over_paper(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + PAPER * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparent_is_paper_and_opaque_is_itself() {
        let samples = vec![9, 8, 7, 0, 9, 8, 7, 255, 0, 0, 0, 128];
        let rgb = to_rgb(samples, ColorType::Rgba8);
        assert_eq!(rgb, Some(vec![255, 255, 255, 9, 8, 7, 127, 127, 127]));
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let wide: Vec<u8> = [0u16, 128, 129, 257, 65_535, 32_896]
            .iter()
            .flat_map(|sample| sample.to_ne_bytes())
            .collect();
        assert_eq!(
            to_rgb(wide, ColorType::Rgb16),
            Some(vec![0, 0, 1, 1, 255, 128])
        );
    }

    #[test]
    fn grey_becomes_three_equal_samples() {
        assert_eq!(
            to_rgb(vec![5, 6], ColorType::L8),
            Some(vec![5, 5, 5, 6, 6, 6])
        );
        assert_eq!(to_rgb(vec![5, 0], ColorType::La8), Some(vec![255; 3]));
    }
}
