//! What the network saw and imagined, as pictures for people and arrays for
//! programs.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use image::{Rgb, RgbImage, imageops::FilterType};
use npyz::WriterBuilder;

use crate::{
    frames::Renderer,
    motion::{Harmonic, Motion},
    observation::Observation,
    picture::Plane,
    scene::{Class, Scene},
};

const README: &str = "\
Every array is little-endian, in C order, rows from the top. h x w is the
network's grid, H x W the clip. Velocities and displacements are in widths of
the picture as the network saw it, x to the right, y downwards; frames of the
network's input may be stretched slightly against the clip.

classes.npy       f32 [10, h, w]    probability of: CLASSES
mobility.npy      f32 [h, w]        0 never moves .. 1 moves freely
depth.npy         f32 [h, w]        0 near .. 1 far
flow.npy          f32 [3, h, w]     mean velocity x, y (widths per second), confidence 0..1
spectrum.npy      f32 [8, 4, h, w]  harmonic k = 1..8 at k/4 Hz: re x, im x, re y, im y (widths)
light.npy         f32 [h, w]        amplitude of brightness flicker, 0..1
gate.npy          f32 [h, w]        how much of the motion is let through, 0..1
motion_flow.npy   f32 [2, h, w]     mean velocity x, y that is rendered where the gate is open
motion_spectrum.npy f32 [8, 4, h, w]  oscillation that is rendered, as spectrum.npy
mask.npy          u8  [H, W]        how far each pixel follows the motion, 0..255
displacement.npy  f32 [2, H, W]     x, y in pixels, half-way through the loop

Of a scene that was watched:
observed.npy      f32 [6, h, w]     ratio (moves above 1), unseen 0..1, activity, calm, passing, light
observed_flow.npy f32 [3, h, w]     mean velocity x, y, steadiness 0..1
observed_spectrum.npy f32 [8, 4, h, w]  as spectrum.npy, the still at phase 0

classes.png       colours: COLOURS
flow.png          hue is the direction (red right, green-yellow down), brightness the speed
sway.png          brightness is the root mean square of the oscillation
observed*.png     the same of what was measured; imagined_flow.png of what was not
";

/// Colours of the classes, in the order of [`Class::ALL`].
const COLOURS: [[u8; 3]; 10] = [
    [110, 110, 110],
    [120, 190, 255],
    [20, 70, 200],
    [0, 210, 220],
    [235, 235, 235],
    [255, 90, 0],
    [40, 160, 40],
    [200, 60, 200],
    [255, 215, 60],
    [150, 30, 40],
];

/// Writes everything into `folder`, which is created when missing.
///
/// # Errors
/// The first file that could not be written.
pub fn write(
    folder: &Path,
    scene: &Scene,
    observation: Option<&Observation>,
    motion: &Motion,
    renderer: &Renderer,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let seen = &scene.seen;
    let save = |name: &str, leading: &[u64], planes: &[&Plane<f32>]| {
        let values = planes
            .iter()
            .flat_map(|plane| plane.samples.iter().copied());
        write_npy(&folder.join(name), leading, planes[0], values)
    };
    let spectrum: Vec<_> = seen.spectrum.iter().collect();
    let classes: Vec<_> = seen.classes.iter().collect();
    let [right, down] = &renderer.displacement(0.5);
    save("classes.npy", &[10], &classes)?;
    save("mobility.npy", &[], &[&seen.mobility])?;
    save("depth.npy", &[], &[&seen.depth])?;
    save(
        "flow.npy",
        &[3],
        &[&seen.flow_x, &seen.flow_y, &seen.flow_confidence],
    )?;
    save("spectrum.npy", &[8, 4], &spectrum)?;
    save("light.npy", &[], &[&seen.light])?;
    save("gate.npy", &[], &[&motion.gate])?;
    save("displacement.npy", &[2], &[right, down])?;
    save("motion_flow.npy", &[2], &[&motion.flow_x, &motion.flow_y])?;
    let rendered = parts(&motion.harmonics, |harmonic: Harmonic| {
        [harmonic.x[0], harmonic.x[1], harmonic.y[0], harmonic.y[1]]
    });
    save(
        "motion_spectrum.npy",
        &[8, 4],
        &rendered.iter().collect::<Vec<_>>(),
    )?;
    let mask = renderer.mask();
    write_npy(
        &folder.join("mask.npy"),
        &[],
        mask,
        mask.samples.iter().copied(),
    )?;

    let painter = Painter {
        folder,
        width_px: mask.width_px as u32,
        height_px: mask.height_px as u32,
    };
    painter.paint("classes", &scene.class_map(), |class| {
        COLOURS[usize::from(class)]
    })?;
    painter.paint("mobility", &seen.mobility, grey)?;
    painter.paint("depth", &seen.depth, grey)?;
    painter.paint("light", &seen.light, grey)?;
    painter.paint("gate", &motion.gate, grey)?;
    painter.paint("mask", mask, |value| [value; 3])?;
    painter.paint("flow", &wheel(&motion.flow_x, &motion.flow_y), |colour| {
        colour
    })?;
    painter.paint("sway", &sway(&rendered), grey)?;
    if let Some(seen) = observation {
        let planes = [
            &seen.ratio,
            &seen.unseen,
            &seen.activity,
            &seen.calm,
            &seen.passing,
            &seen.light,
        ];
        save("observed.npy", &[6], &planes)?;
        let flow = [&seen.flow_x, &seen.flow_y, &seen.steadiness];
        save("observed_flow.npy", &[3], &flow)?;
        let measured = parts(&seen.harmonics, |parts| parts);
        save(
            "observed_spectrum.npy",
            &[8, 4],
            &measured.iter().collect::<Vec<_>>(),
        )?;
        painter.paint("observed", &seen.ratio, |ratio| grey(ratio / 2.0))?;
        painter.paint("observed_passing", &seen.passing, grey)?;
        painter.paint("observed_flow", &wheel(&seen.flow_x, &seen.flow_y), |c| c)?;
        painter.paint("observed_sway", &sway(&measured), grey)?;
        painter.paint(
            "imagined_flow",
            &wheel(&scene.seen.flow_x, &scene.seen.flow_y),
            |c| c,
        )?;
    }
    fs::write(folder.join("README.txt"), readme())?;
    Ok(())
}

fn readme() -> String {
    let names = Class::ALL.map(Class::name);
    let colours: Vec<String> = names
        .iter()
        .zip(COLOURS)
        .map(|(name, [r, g, b])| format!("{name} #{r:02x}{g:02x}{b:02x}"))
        .collect();
    README
        .replace("CLASSES", &names.join(", "))
        .replace("COLOURS", &colours.join(", "))
}

fn write_npy<T, U>(
    path: &Path,
    leading: &[u64],
    size: &Plane<U>,
    values: impl Iterator<Item = T>,
) -> io::Result<()>
where
    T: npyz::Serialize + npyz::AutoSerialize,
{
    let mut shape = leading.to_vec();
    shape.extend([size.height_px as u64, size.width_px as u64]);
    let mut file = BufWriter::new(File::create(path)?);
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut file)
        .begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    file.flush()
}

/// Paints planes of any size at the clip's size, cell by cell.
struct Painter<'a> {
    folder: &'a Path,
    width_px: u32,
    height_px: u32,
}

impl Painter<'_> {
    fn paint<T: Copy>(
        &self,
        name: &str,
        plane: &Plane<T>,
        colour: impl Fn(T) -> [u8; 3],
    ) -> image::ImageResult<()> {
        let small = RgbImage::from_fn(plane.width_px as u32, plane.height_px as u32, |x, y| {
            Rgb(colour(plane.at(x as usize, y as usize)))
        });
        image::imageops::resize(&small, self.width_px, self.height_px, FilterType::Nearest)
            .save(self.folder.join(format!("{name}.png")))
    }
}

fn grey(value: f32) -> [u8; 3] {
    [(value.clamp(0.0, 1.0) * 255.0) as u8; 3]
}

/// Speed that is painted at full brightness, in widths per second.
const FULL_SPEED: f32 = 0.05;
/// Oscillation that is painted white, in widths.
const FULL_SWAY: f32 = 0.006;

fn wheel(flow_x: &Plane<f32>, flow_y: &Plane<f32>) -> Plane<[u8; 3]> {
    Plane::from_fn(flow_x.width_px, flow_x.height_px, |x, y| {
        let (vx, vy) = (flow_x.at(x, y), flow_y.at(x, y));
        let value = (vx.hypot(vy) / FULL_SPEED).min(1.0);
        let sector = vy.atan2(vx).rem_euclid(std::f32::consts::TAU) / std::f32::consts::FRAC_PI_3;
        // HSV with full saturation: each channel is a trapezoid over the hue.
        let channel = |offset: f32| {
            let k = (offset + sector).rem_euclid(6.0);
            let level = value * (1.0 - k.min(4.0 - k).clamp(0.0, 1.0));
            (level * 255.0) as u8
        };
        [channel(5.0), channel(3.0), channel(1.0)]
    })
}

/// The four parts of each harmonic, each as a plane.
fn parts<T: Copy>(harmonics: &[Plane<T>], of: impl Fn(T) -> [f32; 4]) -> Vec<Plane<f32>> {
    harmonics
        .iter()
        .flat_map(|plane| (0..4).map(|part| plane.map(|harmonic| of(harmonic)[part])))
        .collect()
}

fn sway(parts: &[Plane<f32>]) -> Plane<f32> {
    Plane::from_fn(parts[0].width_px, parts[0].height_px, |x, y| {
        let power: f32 = parts.iter().map(|part| part.at(x, y).powi(2)).sum();
        (power / 2.0).sqrt() / FULL_SWAY
    })
}
