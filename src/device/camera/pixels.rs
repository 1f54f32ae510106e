//! Raw frames as RGB.
//!
//! Chroma is not interpolated: each sample holds for all the pixels that it was
//! sent for, so that bringing the picture back to 4:2:0 finds the camera's own
//! samples again.

use super::layout::{Coding, Colour, Layout};
use crate::picture::Rgb;

/// The frame as sRGB. It has the layout's [`Layout::bytes_min`] at least, and
/// is no JPEG.
pub(super) fn to_rgb(frame: &[u8], layout: &Layout) -> Rgb {
    let (width_px, height_px, stride) = (layout.width_px, layout.height_px, layout.stride_bytes);
    let mut bytes = Vec::with_capacity(width_px * height_px * 3);
    let levels = layout.expansion();
    let matrix = Matrix::of(layout.colour);
    for y in 0..height_px {
        let row = &frame[y * stride..];
        match layout.coding {
            Coding::Yuyv => {
                for x in 0..width_px {
                    let pair = x / 2 * 4;
                    bytes.extend(matrix.pixel(row[x * 2], row[pair + 1], row[pair + 3]));
                }
            }
            Coding::Nv12 => {
                let chroma = &frame[(height_px + y / 2) * stride..];
                for (x, &luma) in row[..width_px].iter().enumerate() {
                    let pair = x / 2 * 2;
                    bytes.extend(matrix.pixel(luma, chroma[pair], chroma[pair + 1]));
                }
            }
            Coding::Grey => {
                let luma = &row[..width_px];
                bytes.extend(luma.iter().flat_map(|&code| [levels[usize::from(code)]; 3]));
            }
            Coding::Rgb | Coding::Bgr => {
                let (pixels, _) = row[..width_px * 3].as_chunks::<3>();
                let is_rgb = layout.coding == Coding::Rgb;
                bytes.extend(pixels.iter().flat_map(|&[a, b, c]| {
                    let rgb = if is_rgb { [a, b, c] } else { [c, b, a] };
                    rgb.map(|code| levels[usize::from(code)])
                }));
            }
            Coding::Jpeg => unreachable!("a JPEG has its own decoder"),
        }
    }
    Rgb {
        width_px,
        height_px,
        bytes,
    }
}

/// Y'CbCr to RGB.
struct Matrix {
    colour: Colour,
    red: f32,
    green: [f32; 2],
    blue: f32,
}

impl Matrix {
    fn of(colour: Colour) -> Self {
        let [kr, kb] = colour.weights;
        let kg = 1.0 - kr - kb;
        let (red, blue) = (2.0 * (1.0 - kr), 2.0 * (1.0 - kb));
        Self {
            colour,
            red,
            green: [kb * blue / kg, kr * red / kg],
            blue,
        }
    }

    fn pixel(&self, y: u8, cb: u8, cr: u8) -> [u8; 3] {
        let y = self.colour.luma(y);
        let [cb, cr] = [cb, cr].map(|code| self.colour.difference(code));
        [
            y + self.red * cr,
            y - self.green[0] * cb - self.green[1] * cr,
            y + self.blue * cb,
        ]
        // The cast saturates.
        .map(|sample| (sample + 0.5) as u8)
    }
}

/// The median of every sample of pictures of one size: noise that differs from
/// frame to frame goes, edges stay. Of an even number the mean of the two in
/// the middle.
pub(super) fn median(pictures: &[Rgb]) -> Rgb {
    let first = &pictures[0];
    let count = pictures.len();
    let mut samples = vec![0u8; count];
    let bytes = (0..first.bytes.len()).map(|at| {
        for (sample, picture) in samples.iter_mut().zip(pictures) {
            *sample = picture.bytes[at];
        }
        samples.sort_unstable();
        let [low, high] = [samples[(count - 1) / 2], samples[count / 2]];
        low.midpoint(high)
    });
    Rgb {
        width_px: first.width_px,
        height_px: first.height_px,
        bytes: bytes.collect(),
    }
}

/// The picture with a width of at most `width_px_max`, each pixel the mean of a
/// square of whole pixels; what is left over at the right and at the bottom goes.
pub(super) fn reduced(picture: Rgb, width_px_max: usize) -> Rgb {
    let side = picture.width_px.div_ceil(width_px_max);
    if side <= 1 {
        return picture;
    }
    let (width_px, height_px) = (picture.width_px / side, picture.height_px / side);
    let stride = picture.width_px * 3;
    let area = (side * side) as u32;
    let mut bytes = Vec::with_capacity(width_px * height_px * 3);
    let mut sums = vec![0u32; width_px * 3];
    for rows in picture.bytes.chunks_exact(side * stride) {
        sums.fill(0);
        for row in rows.chunks_exact(stride) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(row.chunks_exact(side * 3)) {
                for pixel in square.chunks_exact(3) {
                    for (sum, &sample) in sum.iter_mut().zip(pixel) {
                        *sum += u32::from(sample);
                    }
                }
            }
        }
        bytes.extend(sums.iter().map(|sum| ((sum + area / 2) / area) as u8));
    }
    Rgb {
        width_px,
        height_px,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Yuv420;

    fn layout(coding: Coding, width_px: usize, height_px: usize, quantization: u32) -> Layout {
        let mut layout = Layout {
            coding,
            width_px,
            height_px,
            stride_bytes: 0,
            colour: Colour::of(coding, 8, 0, quantization),
        };
        layout.stride_bytes = layout.row_bytes() + 4;
        layout
    }

    /// R, G, B of the colour bars at 100 %, and what BT.601 makes of them in
    /// limited range (Rec. BT.601, rounded as every generator does).
    const BARS: [([u8; 3], [u8; 3]); 8] = [
        ([255, 255, 255], [235, 128, 128]),
        ([255, 255, 0], [210, 16, 146]),
        ([0, 255, 255], [170, 166, 16]),
        ([0, 255, 0], [145, 54, 34]),
        ([255, 0, 255], [106, 202, 222]),
        ([255, 0, 0], [81, 90, 240]),
        ([0, 0, 255], [41, 240, 110]),
        ([0, 0, 0], [16, 128, 128]),
    ];

    fn close(found: &Rgb, expected: [u8; 3]) {
        for pixel in found.bytes.chunks(3) {
            let far = (0..3).any(|at| pixel[at].abs_diff(expected[at]) > 2);
            assert!(!far, "{pixel:?} is not {expected:?}");
        }
    }

    #[test]
    fn yuyv_of_odd_width_and_padded_rows() {
        for (rgb, [y, cb, cr]) in BARS {
            let layout = layout(Coding::Yuyv, 3, 2, 0);
            let row = [y, cb, y, cr, y, cb, 99, cr, 7, 7, 7, 7];
            let frame = row.repeat(2);
            assert!(frame.len() >= layout.bytes_min());
            close(&to_rgb(&frame, &layout), rgb);
            close(&to_rgb(&frame[..layout.bytes_min()], &layout), rgb);
        }
    }

    #[test]
    fn nv12_of_odd_sides() {
        for (rgb, [y, cb, cr]) in BARS {
            let layout = layout(Coding::Nv12, 3, 3, 0);
            let mut frame = [y, y, y, 7, 7, 7, 7].repeat(3);
            frame.extend([cb, cr, cb, cr, 7, 7, 7].repeat(2));
            let whole = &frame[..layout.bytes_min()];
            assert_eq!(whole.len(), frame.len() - 3);
            close(&to_rgb(whole, &layout), rgb);
        }
    }

    #[test]
    fn grey_and_both_orders_of_rgb() {
        let grey = layout(Coding::Grey, 2, 1, 1);
        assert_eq!(
            to_rgb(&[9, 200], &grey).bytes,
            [9, 9, 9, 200, 200, 200],
            "full range is as it is"
        );
        let grey = layout(Coding::Grey, 2, 1, 0);
        assert_eq!(to_rgb(&[16, 235], &grey).bytes, [0, 0, 0, 255, 255, 255]);
        let rgb = layout(Coding::Rgb, 1, 1, 0);
        assert_eq!(to_rgb(&[1, 2, 3], &rgb).bytes, [1, 2, 3]);
        let bgr = layout(Coding::Bgr, 1, 1, 2);
        assert_eq!(to_rgb(&[235, 16, 16], &bgr).bytes, [0, 0, 255]);
    }

    #[test]
    fn matrix_and_range_are_those_the_driver_names() {
        let colour =
            |space, encoding, quantization| Colour::of(Coding::Yuyv, space, encoding, quantization);
        // sRGB with all defaults: BT.601 of limited range.
        assert_eq!(colour(8, 0, 0).weights, [0.299, 0.114]);
        assert!(colour(8, 0, 0).is_limited);
        // Rec. 709 by its colour space or by its encoding.
        assert_eq!(colour(3, 0, 0), colour(8, 2, 2));
        assert!(!colour(7, 0, 0).is_limited, "JPEG is of full range");
        assert!(!colour(8, 0, 1).is_limited);
        assert_eq!(colour(10, 0, 0).weights, [0.2627, 0.0593]);
        assert!(!Colour::of(Coding::Rgb, 8, 0, 0).is_limited);
        // Saturated red in BT.709, limited range.
        let mut layout = layout(Coding::Yuyv, 2, 1, 0);
        layout.colour = colour(3, 0, 0);
        close(&to_rgb(&[63, 102, 63, 240], &layout), [255, 0, 0]);
    }

    #[test]
    fn the_cameras_chroma_is_found_again() {
        // BT.709 of limited range is what our own planes hold.
        let mut layout = layout(Coding::Nv12, 4, 4, 2);
        layout.stride_bytes = 4;
        layout.colour = Colour::of(Coding::Nv12, 3, 2, 2);
        let luma: Vec<u8> = (0..16).map(|at| 100 + at * 3).collect();
        let chroma = [100u8, 140, 110, 150, 120, 130, 130, 120];
        let frame = [luma.as_slice(), &chroma].concat();
        let planes = Yuv420::from_rgb(&to_rgb(&frame, &layout));
        let near = |found: &[u8], sent: Vec<u8>| {
            let all = found.iter().zip(&sent);
            assert!(
                all.clone().all(|(a, b)| a.abs_diff(*b) <= 1),
                "{found:?} {sent:?}"
            );
        };
        near(&planes.y.samples, luma);
        near(
            &planes.u.samples,
            chroma.iter().step_by(2).copied().collect(),
        );
        near(
            &planes.v.samples,
            chroma.iter().skip(1).step_by(2).copied().collect(),
        );
    }

    #[test]
    fn the_median_leaves_out_what_is_odd() {
        let flat = |level: u8| Rgb {
            width_px: 1,
            height_px: 1,
            bytes: vec![level, 2 * level, 255 - level],
        };
        assert_eq!(median(&[flat(7)]), flat(7));
        assert_eq!(median(&[flat(90), flat(10), flat(12)]), flat(12));
        let even = [flat(10), flat(100), flat(20), flat(0)];
        assert_eq!(median(&even).bytes, [15, 30, 240]);
    }

    #[test]
    fn a_reduced_picture_has_the_means_of_squares() {
        let picture = Rgb {
            width_px: 5,
            height_px: 5,
            bytes: (0..5 * 5 * 3).collect(),
        };
        assert_eq!(reduced(picture.clone(), 5), picture);
        let half = reduced(picture, 4);
        assert_eq!((half.width_px, half.height_px), (2, 2));
        // The mean of a square is that of its corners: 0, 3, 15 and 18.
        assert_eq!(half.bytes, [9, 10, 11, 15, 16, 17, 39, 40, 41, 45, 46, 47]);
    }
}
