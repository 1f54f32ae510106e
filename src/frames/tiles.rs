//! Which parts of the picture are drawn at all, and which are drawn from.

use std::ops::Range;

use crate::{
    frames::{
        TILE_PX,
        field::{Field, NODE_STRIDE_PX},
        nodes::WAY_PX_MAX,
    },
    picture::Plane,
};

/// Neighbouring tiles in one row of tiles. Whoever goes through the pixels of many
/// tiles does it in a tenth of the time in a few long spans.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Row of the tiles.
    pub row: usize,
    /// Columns of the tiles.
    pub columns: Range<usize>,
}

impl Run {
    /// A tile by itself.
    pub fn of_tile((column, row): (usize, usize)) -> Self {
        Self {
            row,
            columns: column..column + 1,
        }
    }

    /// Column and row of each tile.
    pub fn tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        let row = self.row;
        self.columns.clone().map(move |column| (column, row))
    }

    /// Columns and rows of its samples in a plane in which a tile has this side.
    pub fn samples<T>(&self, plane: &Plane<T>, side_px: usize) -> [Range<usize>; 2] {
        [
            self.columns.start * side_px..(self.columns.end * side_px).min(plane.width_px),
            self.row * side_px..((self.row + 1) * side_px).min(plane.height_px),
        ]
    }
}

/// The tiles that are set, row by row.
pub fn runs(tiles: &Plane<bool>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in 0..tiles.height_px {
        let set = tiles.row(row).iter().enumerate().filter(|(_, set)| **set);
        for (column, _) in set {
            match runs.last_mut() {
                Some(run) if run.row == row && run.columns.end == column => run.columns.end += 1,
                _ => runs.push(Run::of_tile((column, row))),
            }
        }
    }
    runs
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

/// Tiles that anything in the active ones is ever drawn from.
pub fn needed_tiles(active: &Plane<bool>, field: &Field, size: [usize; 2]) -> Plane<bool> {
    // A sample needs its neighbours to the right and below.
    const MARGIN_PX: f32 = 2.0;
    let mut needed = active.clone();
    let tiles = active
        .samples
        .iter()
        .enumerate()
        .filter(|(_, active)| **active);
    for (at, _) in tiles {
        let tile = [at % active.width_px, at / active.width_px];
        let mut span = [[0.0f32; 2]; 2];
        for (column, row) in nodes_of_tile(field, tile[0], tile[1]) {
            for (whole, [least, most]) in span.iter_mut().zip(field.span_px(column, row)) {
                *whole = [whole[0].min(least), whole[1].max(most)];
            }
        }
        // What is displaced to the right comes from the left.
        let [columns, rows] = [0, 1].map(|axis| {
            let [least, most] = span[axis].map(|way| way.clamp(-WAY_PX_MAX, WAY_PX_MAX));
            let first = (tile[axis] * TILE_PX) as f32 - most - MARGIN_PX;
            let last = ((tile[axis] + 1) * TILE_PX) as f32 - least + MARGIN_PX;
            let count = [active.width_px, active.height_px][axis];
            // What lies outside is mirrored at the edges.
            let end = size[axis] as f32 - MARGIN_PX;
            let from = first.min(2.0 * end - last).max(0.0) as usize;
            let to = last.max(-first) as usize;
            from / TILE_PX..to.div_ceil(TILE_PX).min(count)
        });
        for row in rows {
            needed.row_mut(row)[columns.clone()].fill(true);
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_at_gaps_and_at_the_end_of_a_row() {
        let tiles = Plane::from_fn(4, 2, |x, y| (x, y) != (1, 0));
        let run = |row, columns| Run { row, columns };
        let expected = [run(0, 0..1), run(0, 2..4), run(1, 0..4)];
        assert_eq!(runs(&tiles), expected);
        // The last column and row of tiles are cut off.
        let plane = Plane::filled(56, 24, 0u8);
        assert_eq!(expected[1].samples(&plane, 16), [32..56, 0..16]);
        assert_eq!(expected[2].samples(&plane, 16), [0..56, 16..24]);
    }
}
