//! Draws one tile of a frame from the still, given how its nodes move.

use crate::{
    arch::{
        Isa, Node, Patch,
        node::{WAY_PARTS, WEIGHT_PARTS},
        patch::{Canvas, Corners, Follow},
    },
    frames::{
        TILE_PX,
        field::{Field, NODE_STRIDE_PX},
        texture::Texture,
    },
    picture::{Plane, Yuv420},
};

/// Cells along the side of a tile.
const CELLS: usize = TILE_PX / NODE_STRIDE_PX;
/// Nodes along the side of a tile.
pub const TILE_NODES: usize = CELLS + 1;
/// Columns of a patch of chroma, which is two cells wide, and its rows.
const CHROMA_COLUMNS: usize = TILE_PX / 2;
const CHROMA_ROWS: usize = NODE_STRIDE_PX / 2;

/// The nodes of a tile, row by row.
pub type TileNodes<'a> = [[&'a Node; TILE_NODES]; TILE_NODES];

/// The still, ready to be drawn from.
pub struct Brush {
    isa: Isa,
    /// The planes to draw from.
    pub texture: Texture,
    /// How far every pixel follows the motion, 0..=255.
    pub mask: Plane<u8>,
    /// What the mask of each patch of luma comes to.
    follow: Plane<Follow>,
    /// The mask for chroma: each sample as far as the four pixels that it colours
    /// do on average.
    chroma_mask: Plane<u8>,
    /// What that of each patch of chroma comes to.
    chroma_follow: Plane<Follow>,
    /// Patches of luma, and of chroma, that are the still at every moment. Others
    /// are drawn even when they are it just now: what was drawn before stands there.
    rests: [Plane<bool>; 2],
}

impl Brush {
    /// Draws with the fastest kernels of this machine.
    pub fn new(texture: Texture, mask: Plane<u8>, field: &Field) -> Self {
        let chroma_mask =
            Plane::from_fn_on_threads(mask.width_px / 2, mask.height_px / 2, |x, y| {
                let [above, below] = [mask.row(2 * y), mask.row(2 * y + 1)];
                let four = [
                    above[2 * x],
                    above[2 * x + 1],
                    below[2 * x],
                    below[2 * x + 1],
                ];
                (four.map(u16::from).iter().sum::<u16>() / 4) as u8
            });
        let follow_luma = follow(&mask, [NODE_STRIDE_PX; 2]);
        let follow_chroma = follow(&chroma_mask, [CHROMA_COLUMNS, CHROMA_ROWS]);
        Self {
            isa: Isa::fastest(),
            texture,
            rests: [
                resting(&follow_luma, field, 1),
                resting(&follow_chroma, field, CELLS),
            ],
            follow: follow_luma,
            mask,
            chroma_follow: follow_chroma,
            chroma_mask,
        }
    }

    /// Draws the tile at a column and row of tiles; what never changes is left as it
    /// is.
    pub fn draw_tile(&self, tile: (usize, usize), nodes: &TileNodes<'_>, planes: &mut Yuv420) {
        let cells = cells(nodes);
        for (cell, corners) in cells.iter().enumerate() {
            let left = tile.0 * TILE_PX + cell % CELLS * NODE_STRIDE_PX;
            let top = tile.1 * TILE_PX + cell / CELLS * NODE_STRIDE_PX;
            self.draw_luma(corners, [left, top], &mut planes.y);
        }
        for (row, pair) in cells.chunks_exact(CELLS).enumerate() {
            let left = tile.0 * CHROMA_COLUMNS;
            let top = tile.1 * CHROMA_COLUMNS + row * CHROMA_ROWS;
            self.draw_chroma(
                [&pair[0], &pair[1]],
                [left, top],
                &mut planes.u,
                &mut planes.v,
            );
        }
    }

    /// Draws the luma of a tile that lies inside the picture as a whole.
    pub fn draw_luma_of(
        &self,
        tile: (usize, usize),
        nodes: &TileNodes<'_>,
        to: &mut [u8; TILE_PX * TILE_PX],
    ) {
        for (cell, corners) in cells(nodes).iter().enumerate() {
            let (across, down) = (cell % CELLS * NODE_STRIDE_PX, cell / CELLS * NODE_STRIDE_PX);
            let at = [tile.0 * TILE_PX + across, tile.1 * TILE_PX + down];
            let mut canvas = Canvas {
                samples: &mut to[down * TILE_PX + across..],
                stride: TILE_PX,
            };
            let mask = &self.mask.samples[at[1] * self.mask.width_px + at[0]..];
            self.luma(corners, at, (mask, self.mask.width_px), &mut canvas);
        }
    }

    /// The displacement of a pixel, in luma pixels in x and in y: of the layer that
    /// has the larger share there.
    pub fn displacement(&self, nodes: &TileNodes<'_>, x: usize, y: usize) -> [f32; 2] {
        let [column, row] = [x, y].map(|at| at % TILE_PX / NODE_STRIDE_PX);
        let corners = &cells(nodes)[row * CELLS + column];
        let [right, down] = [x, y].map(|at| (at % NODE_STRIDE_PX) as f32 / NODE_STRIDE_PX as f32);
        let between = |pick: &dyn Fn(&Node) -> i32| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|corner| pick(corners[corner]) as f32);
            let (above, below) = (a + (b - a) * right, c + (d - c) * right);
            above + (below - above) * down
        };
        let is_far = between(&|node| node.far_share) > WEIGHT_PARTS as f32 / 2.0;
        let follow = f32::from(self.mask.at(x, y)) / 255.0;
        [0, 1].map(|axis| {
            let way = between(&|node| [node.near, node.far][usize::from(is_far)][axis]);
            way * follow / WAY_PARTS as f32
        })
    }

    fn draw_luma(&self, corners: &Corners<'_>, at: [usize; 2], plane: &mut Plane<u8>) {
        const SIDE: usize = NODE_STRIDE_PX;
        let [left, top] = at;
        let (width, height) = (plane.width_px, plane.height_px);
        if left >= width || top >= height {
            return;
        }
        if self.rests[0].at(left / SIDE, top / SIDE) {
            return;
        }
        let from = top * width + left;
        if left + SIDE <= width && top + SIDE <= height {
            let mut canvas = Canvas {
                samples: &mut plane.samples[from..],
                stride: width,
            };
            let mask = &self.mask.samples[from..];
            self.luma(corners, at, (mask, width), &mut canvas);
        } else {
            let mut drawn = [0; SIDE * SIDE];
            let mut canvas = Canvas {
                samples: &mut drawn,
                stride: SIDE,
            };
            let mask = cut::<{ SIDE * SIDE }>(&self.mask, at);
            self.luma(corners, at, (&mask, SIDE), &mut canvas);
            paste(&drawn, at, plane);
        }
    }

    #[inline(always)]
    fn luma(
        &self,
        corners: &Corners<'_>,
        at: [usize; 2],
        (mask, mask_stride): (&[u8], usize),
        canvas: &mut Canvas<'_>,
    ) {
        let patch = Patch {
            from: [&self.texture.luma],
            cells: [corners, corners],
            at,
            mask,
            mask_stride,
            follow: self
                .follow
                .at(at[0] / NODE_STRIDE_PX, at[1] / NODE_STRIDE_PX),
            is_layered: is_layered(corners),
            is_lit: is_lit(corners),
        };
        self.isa.luma(&patch, canvas);
    }

    fn draw_chroma(
        &self,
        cells: [&Corners<'_>; 2],
        at: [usize; 2],
        blue: &mut Plane<u8>,
        red: &mut Plane<u8>,
    ) {
        const COUNT: usize = CHROMA_COLUMNS * CHROMA_ROWS;
        let [left, top] = at;
        let (width, height) = (blue.width_px, blue.height_px);
        if left >= width || top >= height {
            return;
        }
        let [column, row] = [left / CHROMA_COLUMNS, top / CHROMA_ROWS];
        if self.rests[1].at(column, row) {
            return;
        }
        let from = top * width + left;
        let mut patch = Patch {
            from: self.texture.chroma.each_ref(),
            cells,
            at,
            mask: &self.chroma_mask.samples[from..],
            mask_stride: width,
            follow: self.chroma_follow.at(column, row),
            is_layered: cells.iter().any(|corners| is_layered(corners)),
            is_lit: cells.iter().any(|corners| is_lit(corners)),
        };
        if left + CHROMA_COLUMNS <= width && top + CHROMA_ROWS <= height {
            let mut canvases = [blue, red].map(|plane| Canvas {
                samples: &mut plane.samples[from..],
                stride: width,
            });
            self.isa.chroma(&patch, &mut canvases);
        } else {
            let mask = cut::<COUNT>(&self.chroma_mask, at);
            patch.mask = &mask;
            patch.mask_stride = CHROMA_COLUMNS;
            let mut drawn = [[0; COUNT]; 2];
            let mut canvases = drawn.each_mut().map(|samples| Canvas {
                samples,
                stride: CHROMA_COLUMNS,
            });
            self.isa.chroma(&patch, &mut canvases);
            let [drawn_blue, drawn_red] = &drawn;
            paste(drawn_blue, at, blue);
            paste(drawn_red, at, red);
        }
    }
}

/// What the mask of every patch of that many columns and rows comes to.
fn follow(mask: &Plane<u8>, [columns, rows]: [usize; 2]) -> Plane<Follow> {
    let patches = (
        mask.width_px.div_ceil(columns),
        mask.height_px.div_ceil(rows),
    );
    Plane::from_fn_on_threads(patches.0, patches.1, |column, row| {
        let across = column * columns..((column + 1) * columns).min(mask.width_px);
        let down = row * rows..((row + 1) * rows).min(mask.height_px);
        Follow::of(down.flat_map(|y| mask.row(y)[across.clone()].iter().copied()))
    })
}

/// Which patches, so many cells wide, neither follow nor are ever lit.
fn resting(follow: &Plane<Follow>, field: &Field, cells: usize) -> Plane<bool> {
    let is_lit = |column: usize, row: usize| {
        column < field.columns && row < field.rows && field.is_lit(column, row)
    };
    Plane::from_fn(follow.width_px, follow.height_px, |column, row| {
        let mut corners = (row..row + 2).flat_map(|row| {
            let columns = column * cells..=(column + 1) * cells;
            columns.map(move |column| (column, row))
        });
        follow.at(column, row) == Follow::Not && !corners.any(|(column, row)| is_lit(column, row))
    })
}

/// The corners of the cells of a tile, row by row.
#[inline(always)]
fn cells<'a>(nodes: &TileNodes<'a>) -> [Corners<'a>; CELLS * CELLS] {
    let [top, middle, bottom] = nodes;
    [
        [top[0], top[1], middle[0], middle[1]],
        [top[1], top[2], middle[1], middle[2]],
        [middle[0], middle[1], bottom[0], bottom[1]],
        [middle[1], middle[2], bottom[1], bottom[2]],
    ]
}

fn is_layered(corners: &Corners<'_>) -> bool {
    corners.iter().any(|node| node.far_share != 0)
}

fn is_lit(corners: &Corners<'_>) -> bool {
    corners.iter().any(|node| node.light != 0)
}

/// A patch, eight columns wide, of a plane that ends within it; 0 outside.
fn cut<const COUNT: usize>(plane: &Plane<u8>, [left, top]: [usize; 2]) -> [u8; COUNT] {
    let mut patch = [0; COUNT];
    let right = (left + NODE_STRIDE_PX).min(plane.width_px);
    for (y, row) in (top..plane.height_px).zip(patch.chunks_exact_mut(NODE_STRIDE_PX)) {
        row[..right - left].copy_from_slice(&plane.row(y)[left..right]);
    }
    patch
}

/// Puts it back.
fn paste(patch: &[u8], [left, top]: [usize; 2], plane: &mut Plane<u8>) {
    let right = (left + NODE_STRIDE_PX).min(plane.width_px);
    for (y, row) in (top..plane.height_px).zip(patch.chunks_exact(NODE_STRIDE_PX)) {
        plane.row_mut(y)[left..right].copy_from_slice(&row[..right - left]);
    }
}
