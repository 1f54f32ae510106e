//! The photographs: of the samples the ones that move a little, a third and all
//! over, by what the program itself says of them.

use std::{
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use image::imageops::{self, FilterType};
use tempfile::TempDir;

use crate::program::{Order, Program};

/// What may be called a small part, and a third of the picture, where it is
/// judged; at 1080p a third is then 28 to 38 %.
const SMALL: RangeInclusive<f64> = 0.02..=0.14;
const THIRD: RangeInclusive<f64> = 0.30..=0.38;
/// Size at which the photographs are judged, in pixels on the long and the
/// short side. It takes a tenth of the time of 1080p, where the shares are up to
/// a tenth smaller.
const JUDGED_PX: [usize; 2] = [640, 360];
/// Halvings while a share is looked for.
const HALVINGS: usize = 4;

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
    /// One of which 30 to 38 % move.
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
    /// together from two of them; if it cannot be, the nearest is taken and said.
    ///
    /// # Errors
    /// When a photograph cannot be rendered.
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
        let own_shares = |a: &&Photo, b: &&Photo| a.own_share().total_cmp(&b.own_share());
        let most = photos.iter().max_by(own_shares).context("no sample")?;
        let least = photos.iter().min_by(own_shares).context("no sample")?;
        let with = |shares: &RangeInclusive<f64>| {
            let sample = nearest(photos.clone(), shares).context("no sample")?;
            if shares.contains(&sample.share) {
                return Ok(sample);
            }
            let mut tried = composed(program, is_portrait, folder, [most, least], shares)?;
            tried.push(sample);
            let found = nearest(tried, shares).context("no composition")?;
            if !shares.contains(&found.share) {
                println!(
                    "- no photograph was found of which {:.0} to {:.0} % move; of the nearest it is {:.0} %",
                    shares.start() * 100.0,
                    shares.end() * 100.0,
                    found.share * 100.0
                );
            }
            anyhow::Ok(found)
        };
        Ok(Self {
            small: with(&SMALL)?,
            third: with(&THIRD)?,
            full: most.clone(),
        })
    }
}

/// The one whose share is nearest to the middle of these.
fn nearest(photos: Vec<Photo>, shares: &RangeInclusive<f64>) -> Option<Photo> {
    let middle = (shares.start() + shares.end()) / 2.0;
    let off = |photo: &Photo| (photo.share - middle).abs();
    photos.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)))
}

/// The picture that moves most beside the one that moves least, its width chosen
/// by halving the interval so that such a share of the picture moves: all that
/// were tried.
fn composed(
    program: &Program,
    is_portrait: bool,
    folder: &TempDir,
    [most, least]: [&Photo; 2],
    shares: &RangeInclusive<f64>,
) -> anyhow::Result<Vec<Photo>> {
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
    let [mut low, mut high] = [0.0, 1.0];
    let mut tried = Vec::new();
    for halving in 1..=HALVINGS {
        let part: f64 = (low + high) / 2.0;
        let seam_px = (f64::from(width_px) * part) as u32;
        let moving = most_picture.resize_to_fill(seam_px, height_px, FilterType::Triangle);
        let mut picture = least_picture.clone();
        imageops::replace(&mut picture, &moving.to_rgb8(), 0, 0);
        let percent = shares.start() * 100.0;
        let path = folder
            .path()
            .join(format!("{proportions}_{percent:.0}_{halving}.png"));
        picture.save(&path)?;
        let mut photo = judged(program, is_portrait, path)?;
        photo.name = format!("{} beside {}", most.name, least.name);
        tried.push(photo.clone());
        if shares.contains(&photo.share) {
            break;
        }
        // Where the camera moves, nothing is safe to move yet.
        if photo.own_share() < *shares.start() {
            low = part;
        } else {
            high = part;
        }
    }
    Ok(tried)
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
