use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage};

use super::*;

const LIMITS: Limits = Limits {
    bytes_max: 1 << 20,
    side_px_max: 256,
    side_px_min: 2,
};

/// Red left, blue right: tells orientation and colours apart.
fn two_halves(width_px: u32, height_px: u32) -> RgbImage {
    RgbImage::from_fn(width_px, height_px, |x, _| {
        image::Rgb(if x < width_px / 2 {
            [220, 20, 20]
        } else {
            [20, 20, 220]
        })
    })
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture
        .write_to(&mut file, format)
        .expect("encodes to memory");
    file.into_inner()
}

fn pixel(photo: &Rgb, x: usize, y: usize) -> [u8; 3] {
    let at = (y * photo.width_px + x) * 3;
    [photo.bytes[at], photo.bytes[at + 1], photo.bytes[at + 2]]
}

fn is_red(pixel: [u8; 3]) -> bool {
    pixel[0] > 180 && pixel[2] < 80
}

#[test]
fn every_format_and_depth_shows_the_same_picture() {
    let picture = DynamicImage::ImageRgb8(two_halves(32, 16));
    let wide = DynamicImage::ImageRgba16(picture.to_rgba16());
    let files = [
        encoded(&picture, ImageFormat::Jpeg),
        encoded(&picture, ImageFormat::Png),
        encoded(&picture, ImageFormat::WebP),
        encoded(&wide, ImageFormat::Png),
    ];
    for file in files {
        let photo = decode(&file, &LIMITS).expect("a photograph");
        assert_eq!((photo.width_px, photo.height_px), (32, 16));
        assert!(is_red(pixel(&photo, 2, 8)) && !is_red(pixel(&photo, 29, 8)));
    }
}

#[test]
fn grey_photographs_have_three_equal_channels() {
    let grey = DynamicImage::ImageLuma8(image::GrayImage::from_pixel(8, 8, image::Luma([90])));
    for format in [ImageFormat::Jpeg, ImageFormat::Png] {
        let photo = decode(&encoded(&grey, format), &LIMITS).expect("a photograph");
        let [r, g, b] = pixel(&photo, 3, 3);
        assert!(r.abs_diff(90) <= 1 && r == g && g == b, "{r} {g} {b}");
    }
}

#[test]
fn exif_orientation_turns_the_picture_upright() {
    let file = encoded(
        &DynamicImage::ImageRgb8(two_halves(32, 16)),
        ImageFormat::Jpeg,
    );
    // APP1 with a big-endian TIFF of one entry: orientation 6, a quarter turn
    // clockwise, which brings the left side to the top.
    let mut exif = vec![0xff, 0xe1, 0, 34];
    exif.extend(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    let turned = [&file[..2], &exif, &file[2..]].concat();
    let photo = decode(&turned, &LIMITS).expect("a photograph");
    assert_eq!((photo.width_px, photo.height_px), (16, 32));
    assert!(is_red(pixel(&photo, 8, 2)) && !is_red(pixel(&photo, 8, 29)));
}

#[test]
fn cuts_anywhere_are_refused() {
    let noise = RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([x * 37 + y * 11, x * 5 + y * 91, x * y].map(|mix| mix as u8))
    });
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let file = encoded(&DynamicImage::ImageRgb8(noise.clone()), format);
        assert!(decode(&file, &LIMITS).is_ok(), "{format:?}");
        for cut in (1..file.len() - 1)
            .step_by(7)
            .chain([1, 2, 3, file.len() - 5])
        {
            let refused = decode(&file[..cut], &LIMITS);
            assert!(
                refused.is_err(),
                "{format:?} cut to {cut} of {} bytes",
                file.len()
            );
        }
    }
}

#[test]
fn composing_covers_and_crops_the_centre() {
    let size = Size::new(64, 64).expect("a legal size");
    let wide = two_halves(256, 64);
    let photo = Rgb {
        width_px: 256,
        height_px: 64,
        bytes: wide.into_raw(),
    };
    let still = Still::compose(&photo, size, Origin::Payload);
    let shown = still.planes.to_rgb();
    assert_eq!((shown.width_px, shown.height_px), (64, 64));
    assert!(is_red(pixel(&shown, 24, 32)) && !is_red(pixel(&shown, 40, 32)));
}

#[test]
fn limits_come_before_decoding() {
    let file = encoded(
        &DynamicImage::ImageRgb8(two_halves(300, 20)),
        ImageFormat::Png,
    );
    let said = decode(&file, &LIMITS).expect_err("too wide").to_string();
    assert_eq!(
        said,
        "photograph is 300x20 pixels, allowed are at most 256 per side"
    );
    let strict = Limits {
        bytes_max: 10,
        ..LIMITS
    };
    let said = decode(&file, &strict).expect_err("too long").to_string();
    assert!(said.ends_with("bytes, allowed are at most 10"), "{said}");
}
