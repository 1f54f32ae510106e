//! The photographs: of the samples the ones that move a little, a third and all
//! over, by what the program itself says of them.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use image::imageops::{self, FilterType};
use tempfile::TempDir;

use crate::program::{Order, Program};

/// What may be called a small part, and a third of the picture.
const SMALL: RangeInclusive<f64> = 0.02..=0.14;
const THIRD: RangeInclusive<f64> = 0.28..=0.38;
/// Size at which the photographs are judged, in pixels on the long and the
/// short side.
const JUDGED_PX: [usize; 2] = [1920, 1080];
/// Halvings while a share is looked for.
const HALVINGS: usize = 6;

/// A photograph for one proportion, and how much of it moves.
#[derive(Clone, Debug)]
pub struct Photo {
    pub name: String,
    pub path: PathBuf,
    share: f64,
    is_breath: bool,
}

/// One photograph for each moving share.
#[derive(Clone, Debug)]
pub struct Photos {
    /// One of which 2 to 14 % move.
    pub small: Photo,
    /// One of which 28 to 38 % move.
    pub third: Photo,
    /// The one that moves most.
    pub full: Photo,
}

impl Photos {
    /// All three, the least motion first.
    pub fn all(&self) -> [&Photo; 3] {
        [&self.small, &self.third, &self.full]
    }

    /// Judges every sample, upright or lying. A share that no sample has is put
    /// together from two of them.
    ///
    /// # Errors
    /// When a sample cannot be rendered, or a share cannot be put together.
    pub fn judge(program: &Program, is_portrait: bool, folder: &TempDir) -> anyhow::Result<Self> {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/samples");
        let mut photos = Vec::new();
        for entry in fs::read_dir(samples)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jpg") {
                photos.push(judged(program, is_portrait, path)?);
            }
        }
        // Folders have no order of their own.
        photos.sort_by(|a, b| a.name.cmp(&b.name));
        let most = photos.iter().max_by(|a, b| a.share.total_cmp(&b.share));
        let least = photos
            .iter()
            .min_by(|a, b| a.own_share().total_cmp(&b.own_share()));
        let (most, least) = most.zip(least).context("no sample")?;
        let with = |shares: RangeInclusive<f64>| {
            let middle = (shares.start() + shares.end()) / 2.0;
            let off = |photo: &Photo| (photo.share - middle).abs();
            let nearest = photos.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
            match nearest.filter(|photo| shares.contains(&photo.share)) {
                Some(photo) => Ok(photo.clone()),
                None => composed(program, is_portrait, folder, [most, least], &shares),
            }
        };
        Ok(Self {
            small: with(SMALL)?,
            third: with(THIRD)?,
            full: most.clone(),
        })
    }
}

/// The picture that moves most beside the one that moves least, its width chosen
/// by halving the interval so that such a share of the picture moves.
fn composed(
    program: &Program,
    is_portrait: bool,
    folder: &TempDir,
    [most, least]: [&Photo; 2],
    shares: &RangeInclusive<f64>,
) -> anyhow::Result<Photo> {
    let [long_px, short_px] = JUDGED_PX.map(|side| side as u32);
    let (width_px, height_px) = if is_portrait {
        (short_px, long_px)
    } else {
        (long_px, short_px)
    };
    let most_picture = image::open(&most.path)?;
    let least_picture = image::open(&least.path)?
        .resize_to_fill(width_px, height_px, FilterType::Triangle)
        .to_rgb8();
    let proportions = if is_portrait { "upright" } else { "lying" };
    let path = folder
        .path()
        .join(format!("{proportions}_{:.0}.png", shares.start() * 100.0));
    let [mut low, mut high] = [0.0, 1.0];
    let mut share = f64::NAN;
    for _ in 0..HALVINGS {
        let part: f64 = (low + high) / 2.0;
        let seam_px = (f64::from(width_px) * part) as u32;
        let moving = most_picture.resize_to_fill(seam_px, height_px, FilterType::Triangle);
        let mut picture = least_picture.clone();
        imageops::replace(&mut picture, &moving.to_rgb8(), 0, 0);
        picture.save(&path)?;
        let photo = judged(program, is_portrait, path.clone())?;
        share = photo.share;
        if shares.contains(&share) {
            let name = format!("{} beside {}", most.name, least.name);
            return Ok(Photo { name, ..photo });
        }
        // Where the camera moves, nothing is safe to move yet.
        if photo.own_share() < *shares.start() {
            low = part;
        } else {
            high = part;
        }
    }
    bail!("no composition moves by {shares:?}, the last one by {share:.2}")
}

impl Photo {
    /// The share that moves by itself, not with the camera.
    fn own_share(&self) -> f64 {
        if self.is_breath { 0.0 } else { self.share }
    }
}

fn judged(program: &Program, is_portrait: bool, path: PathBuf) -> anyhow::Result<Photo> {
    let [long_px, short_px] = JUDGED_PX;
    let rendered = program.render(&Order {
        photo: &path,
        width_px: if is_portrait { short_px } else { long_px },
        height_px: if is_portrait { long_px } else { short_px },
        clip_s: 0.5,
        frame_rate: 5,
        threads: None,
    })?;
    let name = path.file_stem().context("a file name")?;
    let name = name.to_string_lossy().replace('_', " ");
    ensure!(
        (0.0..=1.0).contains(&rendered.moving_share),
        "{name}: {} of it moves",
        rendered.moving_share
    );
    Ok(Photo {
        name,
        path,
        share: rendered.moving_share,
        is_breath: rendered.is_breath,
    })
}
