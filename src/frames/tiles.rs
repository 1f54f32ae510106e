//! Which parts of the picture are drawn at all, and which need less care.

use crate::{
    frames::{
        TILE_PX,
        field::{Field, NODE_STRIDE_PX},
        mask::box_mean,
    },
    picture::Plane,
};

/// How freely a pixel may be taken from a place: fully inside what moves, less
/// and less towards its border. Blurred, because a rule that changes from pixel
/// to pixel would tear thin things apart.
pub fn reach(mask: &Plane<u8>) -> Plane<u8> {
    let radius = (mask.width_px.max(mask.height_px) / 320).max(1);
    box_mean(&mask.map(f32::from), radius).map(|open| {
        let inside = (open / 255.0 - 0.3) / 0.6;
        (inside.clamp(0.0, 1.0) * 255.0) as u8
    })
}

/// Tiles that move fully, and around which everything does as far as a pixel
/// may come from.
pub fn open_tiles(mask: &Plane<u8>, border_px: usize) -> Plane<bool> {
    let columns = mask.width_px.div_ceil(TILE_PX);
    let rows = mask.height_px.div_ceil(TILE_PX);
    let full = Plane::from_fn(columns, rows, |column, row| {
        let across = column * TILE_PX..((column + 1) * TILE_PX).min(mask.width_px);
        let mut down = row * TILE_PX..((row + 1) * TILE_PX).min(mask.height_px);
        let is_full = down.all(|y| mask.row(y)[across.clone()].iter().all(|m| *m == 255));
        f32::from(u8::from(is_full))
    });
    // One tile more, for the blur of the mask.
    let around = box_mean(&full, border_px.div_ceil(TILE_PX) + 1);
    around.map(|share| share > 0.999_99)
}

/// Column and row of the nodes in and around a tile.
pub fn nodes_of_tile(
    field: &Field,
    column: usize,
    row: usize,
) -> impl Iterator<Item = (usize, usize)> + Clone {
    const NODES: usize = TILE_PX / NODE_STRIDE_PX;
    let columns = column * NODES..((column + 1) * NODES + 1).min(field.columns);
    let rows = row * NODES..((row + 1) * NODES + 1).min(field.rows);
    rows.flat_map(move |r| columns.clone().map(move |c| (c, r)))
}

/// Tiles in which anything ever changes.
pub fn active_tiles(mask: &Plane<u8>, field: &Field) -> Plane<bool> {
    let columns = mask.width_px.div_ceil(TILE_PX);
    let rows = mask.height_px.div_ceil(TILE_PX);
    Plane::from_fn(columns, rows, |column, row| {
        let mut nodes = nodes_of_tile(field, column, row);
        let is_masked = || {
            (row * TILE_PX..((row + 1) * TILE_PX).min(mask.height_px)).any(|y| {
                mask.row(y)[column * TILE_PX..((column + 1) * TILE_PX).min(mask.width_px)]
                    .iter()
                    .any(|m| *m > 0)
            })
        };
        nodes.clone().any(|(c, r)| field.is_lit(c, r))
            || (nodes.any(|(c, r)| field.is_active(c, r)) && is_masked())
    })
}
