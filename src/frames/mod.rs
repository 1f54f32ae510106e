//! The loop, frame by frame, each drawn from the still itself.
//!
//! A frame is a pure function of its phase: nothing is carried from one to the
//! next, so nothing drifts, any frame can be drawn on any thread, and phase 0
//! *is* the still. What never moves is never written: the frame starts as a
//! copy of the still and only active tiles are drawn.

pub mod mask;

pub mod laid;

pub mod blend;

pub mod flicker;

pub mod state;

pub mod field;

pub mod texture;

pub mod nodes;

pub mod brush;

pub mod contrast;

pub mod pace;

pub mod tiles;

use std::sync::Arc;

use crate::{
    arch::Node,
    frames::{
        brush::{Brush, TILE_NODES},
        contrast::{Trim, backdrop, fine_contrast, fine_power},
        field::Field,
        laid::Openness,
        mask::motion_mask,
        nodes::{Nodes, free_nodes},
        pace::Pace,
        texture::{Texture, fine_detail},
        tiles::{Run, active_tiles, needed_tiles, nodes_of_tile, runs},
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
/// The contrast is measured once in so many frames, and so often at least.
const FRAMES_PER_MOMENT: u32 = 6;
const MOMENTS_MIN: u32 = 20;

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
    /// Nodes from which nothing that rests is ever reached.
    free: Vec<bool>,
    active: Plane<bool>,
    /// The active tiles.
    moving: Vec<Run>,
    /// Those whose light does not change.
    evenly_lit: Vec<Run>,
    /// What detail in an even light is seen against: see [`backdrop`].
    backdrop: f32,
    trim: Trim,
    pace: Pace,
    shape: Shape,
}

impl Renderer {
    /// Prepares a loop: mask, trajectories and the planes to draw from.
    pub fn new(scene: &Scene, motion: &Motion, shape: Shape) -> Self {
        let mask = motion_mask(&scene.still.planes.y, motion);
        let open = Openness::of(&mask);
        let field = Field::new(motion, scene.profile(), open, shape.period_s());
        Self::with_field(scene, mask, field, shape)
    }

    /// Prepares a loop whose mask and field are known.
    pub fn with_field(scene: &Scene, mask: Plane<u8>, mut field: Field, shape: Shape) -> Self {
        let still = Arc::clone(&scene.still.planes);
        let active = active_tiles(&mask, &field);
        let size = [still.width_px(), still.height_px()];
        let needed = needed_tiles(&active, &field, size);
        field.compare_layers(&fine_detail(&still.y, &needed));
        let is_evenly_lit = Plane::from_fn(active.width_px, active.height_px, |column, row| {
            let mut nodes = nodes_of_tile(&field, column, row);
            active.at(column, row) && !nodes.any(|(c, r)| field.is_lit(c, r))
        });
        let [moving, evenly_lit] = [&active, &is_evenly_lit].map(runs);
        let mut renderer = Self {
            trim: Trim::none(),
            pace: Pace::EVEN,
            brush: Brush::new(Texture::new(&still), mask, &field),
            backdrop: backdrop(&still.y, &moving, &evenly_lit),
            moving,
            evenly_lit,
            still,
            free: free_nodes(&field),
            field,
            active,
            shape,
        };
        if !renderer.moving.is_empty() {
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
        let nodes = self.nodes(phase);
        let mut displacement = [0, 1].map(|_| self.still.y.map(|_| 0.0));
        for tile in self.moving_tiles() {
            let owned = tile_nodes(&nodes, tile);
            let corners = owned.each_ref().map(<[Node; TILE_NODES]>::each_ref);
            for y in tile.1 * TILE_PX..((tile.1 + 1) * TILE_PX).min(self.still.height_px()) {
                for x in tile.0 * TILE_PX..((tile.0 + 1) * TILE_PX).min(self.still.width_px()) {
                    let moved = self.brush.displacement(&corners, x, y);
                    for (plane, moved) in displacement.iter_mut().zip(moved) {
                        plane.row_mut(y)[x] = moved;
                    }
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
        let nodes = self.nodes(frame.phase);
        // The nodes above, in and below a row of tiles; the last row of one is the
        // first of the next.
        let mut rows = [(); TILE_NODES].map(|()| vec![Node::RESTING; self.field.columns]);
        let mut ready = None;
        for (column, row) in self.moving_tiles() {
            if ready != Some(row) {
                let first = row * (TILE_NODES - 1);
                rows.rotate_right(1);
                if ready.is_none_or(|ready| ready + 1 != row) {
                    nodes.fill_row(first, &mut rows[0]);
                }
                for (below, nodes_of_row) in rows.iter_mut().enumerate().skip(1) {
                    nodes.fill_row(first + below, nodes_of_row);
                }
                ready = Some(row);
            }
            let first = column * (TILE_NODES - 1);
            let corners = [
                nodes_from(&rows[0], first),
                nodes_from(&rows[1], first),
                nodes_from(&rows[2], first),
            ];
            self.brush
                .draw_tile((column, row), &corners, &mut frame.planes);
        }
    }

    /// The active tiles, row by row.
    pub fn moving(&self) -> &[Run] {
        &self.moving
    }

    /// Column and row of each of them.
    pub fn moving_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        self.moving.iter().flat_map(Run::tiles)
    }

    /// The moving tiles whose light does not change: there a change of contrast
    /// is a fault, where a fire flickers it is the light itself.
    pub fn evenly_lit(&self) -> &[Run] {
        &self.evenly_lit
    }

    /// Contrast of the fine detail of a frame's luma where the light is even, in
    /// grey levels: what [`Self::even_out`] keeps even. Where little of it is
    /// there, it is seen against what else moves.
    pub fn contrast(&self, luma: &Plane<u8>) -> f32 {
        let contrast = fine_contrast(luma, &self.evenly_lit);
        (contrast * contrast + self.backdrop).sqrt()
    }

    /// Keeps the contrast of detail evener than the few tiles that were measured
    /// tell, given its contrast in every frame that was drawn.
    pub fn even_out(&mut self, contrasts: &[f32]) {
        let pace = self.pace;
        self.trim = self.trim.corrected(contrasts, |phase| pace.at(phase));
    }

    /// How fast the seam is passed.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Passes the seam so many times as fast as the few tiles that were measured tell.
    pub fn quicken_seam(&mut self, times: f32) {
        self.pace = self.pace.quickened(times);
    }

    /// Draws a part of the evenly lit tiles at a few moments to see what becomes
    /// of their contrast.
    fn measured_trim(&self) -> Trim {
        const TILES: usize = 400;
        let mut tiles = self.whole_tiles(&self.evenly_lit);
        let mut powers = Vec::with_capacity(tiles.len());
        self.sample(&tiles, 0.0, |tile| powers.push(fine_power(tile)));
        let mut order: Vec<usize> = (0..tiles.len()).collect();
        order.sort_by(|a, b| powers[*b].total_cmp(&powers[*a]));
        tiles = order.into_iter().map(|at| tiles[at]).collect();
        // The tenth with most contrast decides, so it is looked at more closely.
        // Each part counts by how many tiles it stands for: if tiles with much
        // contrast counted for more than that, what moves into them, which has
        // less on average, would look like a loss.
        let (most, others) = tiles.split_at(tiles.len() / 10);
        let parts = [most, others].map(|part| (spread(part, TILES), part.len()));
        let moments = self
            .frame_count()
            .div_ceil(FRAMES_PER_MOMENT)
            .max(MOMENTS_MIN);
        Trim::measured(moments, |phase| {
            let power = parts.iter().map(|(sample, count)| {
                let mut power = 0.0;
                self.sample(sample, phase, |tile| power += fine_power(tile));
                power * *count as f32 / sample.len().max(1) as f32
            });
            (power.sum::<f32>() / tiles.len().max(1) as f32 + self.backdrop).sqrt()
        })
    }

    /// Draws a part of the moving tiles around a few moments to see how the
    /// steps differ.
    fn measured_pace(&self) -> Pace {
        const TILES: usize = 240;
        let sample = spread(&self.whole_tiles(&self.moving), TILES);
        Pace::measured(1.0 / self.frame_count() as f32, |phase| {
            let mut picture = Vec::with_capacity(sample.len() * TILE_PX * TILE_PX / 2);
            self.sample(&sample, phase, |tile| {
                for row in tile.chunks_exact(TILE_PX).step_by(2) {
                    picture.extend_from_slice(row);
                }
            });
            picture
        })
    }

    /// Those that lie inside the picture as a whole.
    fn whole_tiles(&self, runs: &[Run]) -> Vec<(usize, usize)> {
        let columns = self.still.width_px() / TILE_PX;
        let rows = self.still.height_px() / TILE_PX;
        let is_whole = |(column, row): &(usize, usize)| *column < columns && *row < rows;
        (runs.iter().flat_map(Run::tiles))
            .filter(is_whole)
            .collect()
    }

    /// Draws the luma of some tiles at a phase, one after the other.
    fn sample(
        &self,
        tiles: &[(usize, usize)],
        phase: f32,
        mut see: impl FnMut(&[u8; TILE_PX * TILE_PX]),
    ) {
        let nodes = self.nodes(phase);
        let mut drawn = [0; TILE_PX * TILE_PX];
        for tile in tiles {
            let owned = tile_nodes(&nodes, *tile);
            let corners = owned.each_ref().map(<[Node; TILE_NODES]>::each_ref);
            self.brush.draw_luma_of(*tile, &corners, &mut drawn);
            see(&drawn);
        }
    }

    fn nodes(&self, phase: f32) -> Nodes<'_> {
        let phase = self.pace.at(phase);
        let trim = self.trim.at(phase);
        Nodes::new(&self.field, &self.free, &self.brush.texture, phase, trim)
    }
}

/// The nodes of a tile in a row of nodes, from its first on; what lies beyond the
/// end rests.
#[inline]
fn nodes_from(row: &[Node], first: usize) -> [&Node; TILE_NODES] {
    let at = |column: usize| row.get(column).unwrap_or(&Node::RESTING);
    [at(first), at(first + 1), at(first + 2)]
}

/// The nodes of one tile.
fn tile_nodes(
    nodes: &Nodes<'_>,
    (column, row): (usize, usize),
) -> [[Node; TILE_NODES]; TILE_NODES] {
    let [first_column, first_row] = [column, row].map(|index| index * (TILE_NODES - 1));
    std::array::from_fn(|row| {
        std::array::from_fn(|column| nodes.at(first_column + column, first_row + row))
    })
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

#[cfg(test)]
mod tests;
