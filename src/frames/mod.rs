//! The loop, frame by frame, each drawn from the still itself.
//!
//! A frame is a pure function of its phase: nothing is carried from one to the
//! next, so nothing drifts, any frame can be drawn on any thread, and phase 0
//! *is* the still. What never moves is never written: the frame starts as a
//! copy of the still and only active tiles are drawn.

pub mod mask;

pub mod laid;

pub mod field;

pub mod cell;

pub mod texture;

pub mod brush;

pub mod contrast;

pub mod pace;

pub mod tiles;

use std::sync::Arc;

use rayon::prelude::*;

use crate::{
    frames::{
        brush::Brush,
        contrast::{Trim, fine_contrast},
        field::{Field, NODE_STRIDE_PX, NodeState},
        mask::motion_mask,
        pace::Pace,
        tiles::{active_tiles, nodes_of_tile},
    },
    motion::Motion,
    picture::{Plane, Yuv420},
    request::Shape,
    scene::Scene,
};

/// Side of a tile, in luma pixels: a macroblock of the encoder.
pub const TILE_PX: usize = 16;
/// Clock of [`Frame::pts_ticks`], in hertz.
pub const TICKS_PER_SECOND: u32 = 90_000;
/// Widest border that is mirrored around the still, in pixels.
const BORDER_PX_MAX: f32 = 512.0;

/// One picture of the loop.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Position in the loop, from 0.
    pub index: u32,
    /// Position in the loop, in turns (0..1).
    pub phase: f32,
    /// Time of presentation, in ticks of 1/90000 s.
    pub pts_ticks: u64,
    /// The picture. INVARIANT: outside active tiles it is the still.
    pub planes: Yuv420,
}

/// Draws any frame of one loop.
pub struct Renderer {
    still: Arc<Yuv420>,
    brush: Brush,
    field: Field,
    active: Plane<bool>,
    /// Column and row of every node that moves.
    nodes: Vec<(usize, usize)>,
    trim: Trim,
    pace: Pace,
    shape: Shape,
}

impl Renderer {
    /// Prepares a loop: mask, trajectories and the mirrored planes.
    pub fn new(scene: &Scene, motion: &Motion, shape: Shape) -> Self {
        let mask = motion_mask(&scene.still.planes.y, motion);
        let field = Field::new(motion, scene.profile, &mask, shape.period_s());
        Self::with_field(scene, mask, field, shape)
    }

    /// Prepares a loop whose mask and field are known.
    pub fn with_field(scene: &Scene, mask: Plane<u8>, mut field: Field, shape: Shape) -> Self {
        let still = Arc::clone(&scene.still.planes);
        let border_px = field.reach_px().min(BORDER_PX_MAX).ceil() as usize + 1;
        let active = active_tiles(&mask, &field);
        let brush = Brush::new(Arc::clone(&still), mask, border_px);
        field.compare_layers(|x, y| brush.texture.fine_detail(x, y));
        let nodes =
            (0..field.rows).flat_map(|row| (0..field.columns).map(move |column| (column, row)));
        let mut renderer = Self {
            nodes: nodes
                .filter(|(column, row)| field.is_active(*column, *row))
                .collect(),
            trim: Trim::none(),
            pace: Pace::EVEN,
            still,
            brush,
            field,
            active,
            shape,
        };
        if renderer.moving_tiles().next().is_some() {
            renderer.trim = renderer.measured_trim();
            renderer.pace = renderer.measured_pace();
        }
        renderer
    }

    /// Frames in one turn of the loop.
    pub fn frame_count(&self) -> u32 {
        self.shape.frame_count()
    }

    /// Tiles that are ever drawn; one sample for each [`TILE_PX`] square.
    pub fn active_tiles(&self) -> &Plane<bool> {
        &self.active
    }

    /// How far every pixel follows the motion, 0..=255.
    pub fn mask(&self) -> &Plane<u8> {
        &self.brush.mask
    }

    /// The displacement of every pixel at `phase`, in luma pixels (x, y): of
    /// the layer that has the larger share there.
    pub fn displacement(&self, phase: f32) -> [Plane<f32>; 2] {
        let states = self.states(phase, &self.nodes);
        let (width, height) = (self.still.width_px(), self.still.height_px());
        let mut displacement = [0, 1].map(|_| Plane::filled(width, height, 0.0));
        for y in 0..height {
            for (cell, left) in (0..width).step_by(NODE_STRIDE_PX).enumerate() {
                let run = self.brush.displacement(&states, cell, y);
                for (plane, run) in displacement.iter_mut().zip(run) {
                    let pixels = plane.row_mut(y)[left..].iter_mut();
                    pixels.zip(run).for_each(|(pixel, moved)| *pixel = moved);
                }
            }
        }
        displacement
    }

    /// A frame to draw on; it may be drawn again and again.
    pub fn blank(&self) -> Frame {
        Frame {
            index: 0,
            phase: 0.0,
            pts_ticks: 0,
            planes: Yuv420::clone(&self.still),
        }
    }

    /// Draws frame `index` of the loop.
    pub fn draw(&self, index: u32, frame: &mut Frame) {
        let count = self.frame_count();
        frame.index = index;
        frame.phase = (index % count) as f32 / count as f32;
        frame.pts_ticks =
            u64::from(index) * u64::from(TICKS_PER_SECOND) / u64::from(self.shape.frame_rate);
        let states = self.states(frame.phase, &self.nodes);
        for tile in self.moving_tiles() {
            self.brush.draw_tile(tile, &states, &mut frame.planes);
        }
    }

    /// Column and row of every active tile.
    pub fn moving_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.active.width_px;
        let tiles = self.active.samples.iter().enumerate();
        tiles
            .filter(|(_, active)| **active)
            .map(move |(at, _)| (at % columns, at / columns))
    }

    /// The moving tiles whose light does not change: there a change of contrast
    /// is a fault, where a fire flickers it is the light itself.
    pub fn evenly_lit_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        self.moving_tiles().filter(|(column, row)| {
            let mut nodes = nodes_of_tile(&self.field, *column, *row);
            !nodes.any(|(c, r)| self.field.is_lit(c, r))
        })
    }

    /// Draws a part of the evenly lit tiles at a few moments to see what becomes
    /// of their contrast: those that have most of it, since they decide, and
    /// as many of the others.
    fn measured_trim(&self) -> Trim {
        const TILES: usize = 500;
        let contrast = |tile| fine_contrast(&self.still.y, std::iter::once(tile));
        let mut tiles: Vec<_> = self.evenly_lit_tiles().collect();
        tiles.sort_by_cached_key(|tile| std::cmp::Reverse((contrast(*tile) * 16.0) as u32));
        let (most, others) = tiles.split_at(tiles.len().min(TILES));
        let sample = [most, &spread(others, TILES)].concat();
        Trim::measured(self.frame_count(), |phases| {
            self.sampled(&sample, phases, |planes| {
                fine_contrast(&planes.y, sample.iter().copied())
            })
        })
    }

    /// Draws a part of the moving tiles around a few moments to see how the
    /// steps differ.
    fn measured_pace(&self) -> Pace {
        const TILES: usize = 250;
        let sample = spread(&self.moving_tiles().collect::<Vec<_>>(), TILES);
        Pace::measured(1.0 / self.frame_count() as f32, |phases| {
            self.sampled(&sample, phases, |planes| {
                let mut picture = Vec::new();
                for (column, row) in &sample {
                    self.copy_tile(*column, *row, &planes.y, &mut picture);
                }
                picture
            })
        })
    }

    /// What is seen in some tiles at some phases.
    fn sampled<T: Send>(
        &self,
        tiles: &[(usize, usize)],
        phases: &[f32],
        see: impl Fn(&Yuv420) -> T + Sync,
    ) -> Vec<T> {
        let mut nodes: Vec<_> = tiles
            .iter()
            .flat_map(|(column, row)| nodes_of_tile(&self.field, *column, *row))
            .filter(|(column, row)| self.field.is_active(*column, *row))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        let blank = || Yuv420::clone(&self.still);
        let drawn = phases.par_iter().map_init(blank, |planes, phase| {
            let states = self.states(*phase, &nodes);
            for tile in tiles {
                self.brush.draw_tile(*tile, &states, planes);
            }
            see(planes)
        });
        drawn.collect()
    }

    /// Appends every second row of a tile's luma.
    pub fn copy_tile(&self, column: usize, row: usize, luma: &Plane<u8>, to: &mut Vec<u8>) {
        let columns = column * TILE_PX..((column + 1) * TILE_PX).min(luma.width_px);
        let rows = row * TILE_PX..((row + 1) * TILE_PX).min(luma.height_px);
        for y in rows.step_by(2) {
            to.extend_from_slice(&luma.row(y)[columns.clone()]);
        }
    }

    fn states(&self, phase: f32, nodes: &[(usize, usize)]) -> Plane<NodeState> {
        let phase = self.pace.at(phase);
        let trim = self.trim.at(phase);
        let moment = self.field.moment(phase);
        let columns = self.field.columns;
        let mut states = Plane::filled(columns, self.field.rows, NodeState::RESTING);
        for (column, row) in nodes {
            let mut state = self.field.state(*column, *row, &moment);
            state.near_detail *= trim;
            state.far_detail *= trim;
            states.samples[row * columns + column] = state;
        }
        states
    }
}

/// At most `count` of the tiles, evenly spread: by the golden section, since
/// every so many-th would be a few columns of the picture.
pub fn spread(tiles: &[(usize, usize)], count: usize) -> Vec<(usize, usize)> {
    if tiles.len() <= count {
        return tiles.to_vec();
    }
    let picked = (0..count).map(|at| (at as f64 * 0.618_033_988_75).fract() * tiles.len() as f64);
    picked.map(|at| tiles[at as usize]).collect()
}
