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

pub mod contrast;

pub mod pace;

pub mod tiles;

use std::sync::Arc;

use crate::{
    arch::Padded,
    frames::{
        cell::Cell,
        contrast::{Trim, fine_contrast},
        field::{Field, NODE_STRIDE_PX, NodeState},
        mask::motion_mask,
        pace::Pace,
        texture::Texture,
        tiles::{active_tiles, nodes_of_tile, open_tiles, reach},
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
/// Black in limited range; brightness is scaled above it.
const BLACK: f32 = 16.0;

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
    texture: Texture,
    blue: Padded<u8>,
    red: Padded<u8>,
    mask: Plane<u8>,
    /// The mask, for looking up where a pixel comes from.
    reach: Padded<u8>,
    /// Tiles around which everything moves freely.
    open: Plane<bool>,
    field: Field,
    active: Plane<bool>,
    trim: Trim,
    pace: Pace,
    shape: Shape,
}

impl Renderer {
    /// Prepares a loop: mask, trajectories and the mirrored planes.
    pub fn new(scene: &Scene, motion: &Motion, shape: Shape) -> Self {
        let still = Arc::clone(&scene.still.planes);
        let mask = motion_mask(&still.y, motion);
        let mut field = Field::new(motion, scene.profile, &mask, shape.period_s());
        let border_px = field.reach_px().min(BORDER_PX_MAX).ceil() as usize + 1;
        let width_px = still.width_px();
        let texture = Texture::new(&still.y, &mask, border_px);
        field.compare_layers(|x, y| texture.fine_detail(x, y));
        let chroma =
            |plane: &Plane<u8>| Padded::new(&plane.samples, plane.width_px, border_px / 2 + 1);
        let mut renderer = Self {
            blue: chroma(&still.u),
            red: chroma(&still.v),
            active: active_tiles(&mask, &field),
            open: open_tiles(&mask, border_px),
            reach: Padded::new(&reach(&mask).samples, width_px, border_px),
            trim: Trim::NONE,
            pace: Pace::EVEN,
            texture,
            still,
            mask,
            field,
            shape,
        };
        renderer.trim = renderer.measured_trim();
        renderer.pace = renderer.measured_pace();
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
        &self.mask
    }

    /// The displacement of every pixel at `phase`, in luma pixels (x, y): of
    /// the layer that has the larger share there.
    pub fn displacement(&self, phase: f32) -> [Plane<f32>; 2] {
        let states = self.states(phase);
        let stride = NODE_STRIDE_PX;
        let (width, height) = (self.mask.width_px, self.mask.height_px);
        let mut displacement = [0, 1].map(|_| Plane::filled(width, height, 0.0));
        for y in 0..height {
            for x in 0..width {
                let cell = Cell::new(&states, x / stride, y / stride);
                let state = cell.line((y % stride) as f32).at((x % stride) as f32);
                let share = f32::from(self.mask.at(x, y)) / 255.0;
                let layer = if state.far_share > 0.5 {
                    state.far_px
                } else {
                    state.near_px
                };
                let at = (x as f32, y as f32);
                let from = self.source(at, share, layer, false);
                displacement[0].samples[y * width + x] = at.0 - from.0;
                displacement[1].samples[y * width + x] = at.1 - from.1;
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
        let states = self.states(frame.phase);
        for (column, row) in self.moving_tiles() {
            self.draw_tile(column, row, &states, &mut frame.planes);
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

    /// Draws a part of the moving tiles at a few moments to see what their
    /// contrast does.
    fn measured_trim(&self) -> Trim {
        const TILES: usize = 400;
        let one_in = (self.evenly_lit_tiles().count() / TILES).max(1);
        let mut scratch = Yuv420::clone(&self.still);
        Trim::measured(|phase| {
            let states = self.states(phase);
            for (column, row) in self.evenly_lit_tiles().step_by(one_in) {
                self.draw_tile(column, row, &states, &mut scratch);
            }
            fine_contrast(&scratch.y, self.evenly_lit_tiles().step_by(one_in))
        })
    }

    /// Draws a part of the moving tiles around a few moments to see how the
    /// steps differ.
    fn measured_pace(&self) -> Pace {
        const TILES: usize = 300;
        let one_in = (self.moving_tiles().count() / TILES).max(1);
        let mut scratch = Yuv420::clone(&self.still);
        Pace::measured(1.0 / self.frame_count() as f32, |phase| {
            let states = self.states(phase);
            let mut picture = Vec::new();
            for (column, row) in self.moving_tiles().step_by(one_in) {
                self.draw_tile(column, row, &states, &mut scratch);
                self.copy_tile(column, row, &scratch.y, &mut picture);
            }
            picture
        })
    }

    /// Appends every second row of a tile's luma.
    pub fn copy_tile(&self, column: usize, row: usize, luma: &Plane<u8>, to: &mut Vec<u8>) {
        let columns = column * TILE_PX..((column + 1) * TILE_PX).min(luma.width_px);
        let rows = row * TILE_PX..((row + 1) * TILE_PX).min(luma.height_px);
        for y in rows.step_by(2) {
            to.extend_from_slice(&luma.row(y)[columns.clone()]);
        }
    }

    fn states(&self, phase: f32) -> Plane<NodeState> {
        let phase = self.pace.at(phase);
        let trim = self.trim.at(phase);
        let moment = self.field.moment(phase);
        Plane::from_fn(self.field.columns, self.field.rows, |column, row| {
            if self.field.is_active(column, row) {
                let mut state = self.field.state(column, row, &moment);
                state.near_detail *= trim;
                state.far_detail *= trim;
                state
            } else {
                NodeState::RESTING
            }
        })
    }

    fn draw_tile(&self, column: usize, row: usize, states: &Plane<NodeState>, planes: &mut Yuv420) {
        const CELLS: usize = TILE_PX / NODE_STRIDE_PX;
        for cell_row in row * CELLS..(row + 1) * CELLS {
            for cell_column in column * CELLS..(column + 1) * CELLS {
                let mut cell = Cell::new(states, cell_column, cell_row);
                cell.is_open = self.open.at(column, row);
                self.draw_luma(&cell, cell_column, cell_row, &mut planes.y);
                self.draw_chroma(&cell, cell_column, cell_row, planes);
            }
        }
    }

    fn draw_luma(&self, cell: &Cell, column: usize, row: usize, plane: &mut Plane<u8>) {
        let left = column * NODE_STRIDE_PX;
        let right = (left + NODE_STRIDE_PX).min(plane.width_px);
        let top = row * NODE_STRIDE_PX;
        for y in top..(top + NODE_STRIDE_PX).min(plane.height_px) {
            let line = cell.line((y - top) as f32);
            for x in left..right {
                let share = f32::from(self.mask.at(x, y)) * (1.0 / 255.0);
                let state = line.at((x - left) as f32);
                let moved = if share == 0.0 {
                    f32::from(self.still.y.at(x, y))
                } else {
                    self.luma_at((x as f32, y as f32), share, &state, cell)
                };
                let lit = BLACK + (moved - BLACK) * state.light_gain;
                plane.samples[y * plane.width_px + x] = (lit + DITHER[y % 16][x % 16]) as u8;
            }
        }
    }

    #[inline(always)]
    fn luma_at(&self, at: (f32, f32), share: f32, state: &NodeState, cell: &Cell) -> f32 {
        let (near_base, near) =
            self.texture
                .bands(self.source(at, share, state.near_px, cell.is_open));
        if !cell.is_layered {
            return near_base + near * (1.0 + (state.near_detail - 1.0) * share);
        }
        let (far_base, far) =
            self.texture
                .bands(self.source(at, share, state.far_px, cell.is_open));
        // Where the mask fades, both layers approach the still and so each other.
        let near_share = 1.0 - state.far_share;
        let near_detail = near_share + (state.near_detail - near_share) * share;
        let far_detail = state.far_share + (state.far_detail - state.far_share) * share;
        near_base * near_share + far_base * state.far_share + near * near_detail + far * far_detail
    }

    /// Where in the still the pixel comes from. A way that leads to something
    /// that rests is shortened, so that no edge of it is carried along.
    #[inline(always)]
    fn source(
        &self,
        (x, y): (f32, f32),
        share: f32,
        [dx, dy]: [f32; 2],
        is_open: bool,
    ) -> (f32, f32) {
        if is_open {
            return (x - dx, y - dy);
        }
        let there = self.reach.nearest(x - dx * share, y - dy * share) / 255.0;
        let share = share * there;
        (x - dx * share, y - dy * share)
    }

    fn draw_chroma(&self, cell: &Cell, column: usize, row: usize, planes: &mut Yuv420) {
        const STRIDE: usize = NODE_STRIDE_PX / 2;
        let (width, height) = (planes.u.width_px, planes.u.height_px);
        let (left, top) = (column * STRIDE, row * STRIDE);
        for y in top..(top + STRIDE).min(height) {
            let line = cell.line((2 * (y - top)) as f32 + 0.5);
            for x in left..(left + STRIDE).min(width) {
                let share = self.chroma_share(x, y);
                let state = line.at((2 * (x - left)) as f32 + 0.5);
                for (moving, still, plane) in [
                    (&self.blue, &self.still.u, &mut planes.u),
                    (&self.red, &self.still.v, &mut planes.v),
                ] {
                    let moved = if share == 0.0 {
                        f32::from(still.at(x, y))
                    } else {
                        self.chroma_at(moving, (x as f32, y as f32), share, &state, cell)
                    };
                    let lit = 128.0 + (moved - 128.0) * state.light_gain;
                    plane.samples[y * width + x] = (lit + DITHER[y % 16][x % 16]) as u8;
                }
            }
        }
    }

    fn chroma_at(
        &self,
        plane: &Padded<u8>,
        (x, y): (f32, f32),
        share: f32,
        state: &NodeState,
        cell: &Cell,
    ) -> f32 {
        // Chroma samples stand between luma samples: 2x + 1/2.
        let at = |displacement| {
            let luma = (2.0 * x + 0.5, 2.0 * y + 0.5);
            let (from_x, from_y) = self.source(luma, share, displacement, cell.is_open);
            plane.bilinear((from_x - 0.5) / 2.0, (from_y - 0.5) / 2.0)
        };
        let near = at(state.near_px);
        if cell.is_layered {
            near + (at(state.far_px) - near) * state.far_share
        } else {
            near
        }
    }

    /// How far a chroma sample follows: as far as the four pixels that it
    /// colours do on average, and not at all where all four rest.
    fn chroma_share(&self, x: usize, y: usize) -> f32 {
        let above = &self.mask.row(2 * y)[2 * x..2 * x + 2];
        let below = &self.mask.row(2 * y + 1)[2 * x..2 * x + 2];
        let sum: u32 = above.iter().chain(below).map(|m| u32::from(*m)).sum();
        sum as f32 / (4.0 * 255.0)
    }
}

/// Rounding thresholds, different from pixel to pixel and the same in every
/// frame: a whole value keeps its value, and a change of a fraction of a grey
/// level shows on that fraction of the pixels. Rounding at one half everywhere
/// would swallow the first small steps away from the still.
static DITHER: [[f32; 16]; 16] = dither();

/// Interleaved gradient noise (Jimenez 2014), held within 1/32..31/32.
const fn dither() -> [[f32; 16]; 16] {
    let mut thresholds = [[0.0; 16]; 16];
    let mut y = 0;
    while y < 16 {
        let mut x = 0;
        while x < 16 {
            let inner = 0.067_110_56 * x as f32 + 0.005_837_15 * y as f32;
            let outer = 52.982_918 * (inner - inner as u32 as f32);
            let noise = outer - outer as u32 as f32;
            thresholds[y][x] = (1.0 + 30.0 * noise) / 32.0;
            x += 1;
        }
        y += 1;
    }
    thresholds
}
