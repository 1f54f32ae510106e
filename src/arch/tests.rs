use proptest::prelude::*;

use super::{
    node::{LIGHT_PARTS, WAY_PARTS, WEIGHT_PARTS},
    padded::{GREY_PARTS, SLOPE},
    patch::{Canvas, Corners, Follow},
    *,
};

/// Columns of a canvas that is wider than the patch, so that a store beyond it is
/// seen.
const STRIDE: usize = 11;

/// Anything a patch of luma or chroma can be drawn from.
#[derive(Debug)]
struct Case {
    width: usize,
    samples: Vec<u8>,
    cells: [[Node; 4]; 2],
    at: [usize; 2],
    mask: Vec<u8>,
    follow: Follow,
    is_layered: bool,
    is_lit: bool,
}

impl Case {
    fn patch<'a, const PLANES: usize>(
        &'a self,
        from: [&'a Padded; PLANES],
        cells: &'a [Corners<'a>; 2],
    ) -> Patch<'a, PLANES> {
        Patch {
            from,
            cells: [&cells[0], &cells[PLANES - 1]],
            at: self.at,
            mask: &self.mask,
            mask_stride: 8,
            follow: self.follow,
            is_layered: self.is_layered,
            is_lit: self.is_lit,
        }
    }

    fn luma(&self, isa: Isa) -> Vec<u8> {
        let plane = Padded::of(&self.samples, self.width);
        let mut drawn = vec![77; 8 * STRIDE];
        let mut canvas = Canvas {
            samples: &mut drawn,
            stride: STRIDE,
        };
        let cells = self.cells.each_ref().map(<[Node; 4]>::each_ref);
        isa.luma(&self.patch([&plane], &cells), &mut canvas);
        drawn
    }

    fn chroma(&self, isa: Isa) -> [Vec<u8>; 2] {
        let blue = Padded::of(&self.samples, self.width);
        let other: Vec<u8> = self.samples.iter().rev().copied().collect();
        let red = Padded::of(&other, self.width);
        let mut drawn = [vec![77; 4 * STRIDE], vec![77; 4 * STRIDE]];
        let mut canvases = drawn.each_mut().map(|samples| Canvas {
            samples,
            stride: STRIDE,
        });
        let cells = self.cells.each_ref().map(<[Node; 4]>::each_ref);
        isa.chroma(&self.patch([&blue, &red], &cells), &mut canvases);
        drawn
    }
}

fn any_node() -> impl Strategy<Value = Node> {
    // Ordinary motion, far too much of it, and what no caller should ask for.
    let way = prop_oneof![
        4 => -2_000..2_000i32,
        2 => -200_000..200_000i32,
        1 => any::<i32>(),
    ];
    let weight = prop_oneof![8 => -20_000..20_000i32, 1 => any::<i32>()];
    let all = (
        prop::array::uniform4(way),
        prop::array::uniform4(weight.clone()),
        weight,
    );
    all.prop_map(|(way, weight, light)| Node {
        near: [way[0], way[1]],
        far: [way[2], way[3]],
        far_share: weight[0],
        near_excess: weight[1],
        far_excess: weight[2],
        base: weight[3],
        light,
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    (1..40usize, 1..20usize).prop_flat_map(|(width, height)| {
        (
            prop::collection::vec(any::<u8>(), width * height),
            prop::array::uniform2(prop::array::uniform4(any_node())),
            prop::array::uniform2(0..60usize),
            prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 64),
            any::<[bool; 2]>(),
        )
            .prop_map(move |(samples, cells, at, mask, flags)| Case {
                width,
                samples,
                cells,
                at,
                follow: Follow::of(mask.iter().copied()),
                mask,
                is_layered: flags[0],
                is_lit: flags[1],
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_instruction_set_draws_the_same_bytes(case in any_case()) {
        prop_assert_eq!(case.luma(Isa::fastest()), case.luma(Isa::SCALAR));
        prop_assert_eq!(case.chroma(Isa::fastest()), case.chroma(Isa::SCALAR));
    }
}

/// Smooth motion between nodes of which nobody wraps around anything, of a picture
/// of little contrast.
fn quiet_case() -> impl Strategy<Value = Case> {
    any_case().prop_map(|mut case| {
        case.samples = case.samples.iter().map(|sample| 96 + sample / 4).collect();
        for node in case.cells.iter_mut().flatten() {
            node.near = node.near.map(|way| way % 20_000);
            node.far = node.far.map(|way| way % 20_000);
            node.far_share = (node.far_share % WEIGHT_PARTS).abs();
            node.near_excess %= 2_000;
            node.far_excess %= 2_000;
            node.base %= 8_000;
            node.light %= 6_000;
        }
        case
    })
}

/// As that, all of it following motion that differs little or somewhat from node to node,
/// and mostly from inside the picture.
fn gentle_case() -> impl Strategy<Value = Case> {
    const SIDE: usize = 64;
    let samples = prop::collection::vec(any::<u8>(), SIDE * SIDE);
    (
        quiet_case(),
        samples,
        prop::array::uniform4(-2_000..2_000i32),
        prop_oneof![Just(300), Just(1_500)],
    )
        .prop_map(|(mut case, samples, ways, apart)| {
            case.samples = samples.iter().map(|sample| 96 + sample / 4).collect();
            case.width = SIDE;
            case.at = case.at.map(|at| 12 + at % 32);
            case.mask.fill(255);
            case.follow = Follow::Fully;
            for node in case.cells.iter_mut().flatten() {
                for axis in 0..2 {
                    node.near[axis] = ways[axis] + node.near[axis] % apart;
                    node.far[axis] = ways[2 + axis] + node.far[axis] % apart;
                }
            }
            case
        })
}

/// What should stand at a pixel of luma, in grey levels: the definition, in
/// floating point, one pixel at a time.
fn defined(case: &Case, column: usize, row: usize) -> f64 {
    let (right, down) = (column as f64 / 8.0, row as f64 / 8.0);
    let between = |pick: &dyn Fn(&Node) -> i32| {
        let [a, b, c, d] = case.cells[0].map(|node| f64::from(pick(&node)));
        let (above, below) = (a + (b - a) * right, c + (d - c) * right);
        above + (below - above) * down
    };
    let mask = f64::from(case.mask[row * 8 + column]);
    let follow = (mask + (mask / 128.0).floor()) / 256.0;
    let height = case.samples.len() / case.width;
    let sample = |way: [f64; 2]| {
        let mirrored = |own: usize, way: f64, count: usize| {
            let end = (count - 1) as f64;
            let at = own as f64 - follow * way / f64::from(WAY_PARTS);
            (end - (end - at.abs()).abs()).clamp(0.0, end)
        };
        let x = mirrored(case.at[0] + column, way[0], case.width);
        let y = mirrored(case.at[1] + row, way[1], height);
        let slope = f64::from(SLOPE) / 32768.0;
        let weight = |t: f64| match t.abs() {
            t if t < 1.0 => 1.0 + (slope - 3.0) * t * t + (2.0 - slope) * t * t * t,
            t if t < 2.0 => slope * (4.0 - 8.0 * t + 5.0 * t * t - t * t * t),
            _ => 0.0,
        };
        let mut sum = 0.0;
        for row in y as i64 - 1..=y as i64 + 2 {
            for column in x as i64 - 1..=x as i64 + 2 {
                let weight = weight(x - column as f64) * weight(y - row as f64);
                let held = |at: i64, count: usize| at.clamp(0, count as i64 - 1) as usize;
                let at = held(row, height) * case.width + held(column, case.width);
                sum += weight * (f64::from(case.samples[at]) - 128.0);
            }
        }
        sum
    };
    let share = |pick: &dyn Fn(&Node) -> i32| between(pick) / f64::from(WEIGHT_PARTS);
    let near = sample([between(&|node| node.near[0]), between(&|node| node.near[1])]);
    let far = sample([between(&|node| node.far[0]), between(&|node| node.far[1])]);
    let far_share = share(&|node| node.far_share);
    let base = follow * between(&|node| node.base) / f64::from(GREY_PARTS);
    let near_excess = follow * share(&|node| node.near_excess);
    let far_excess = follow * share(&|node| node.far_excess);
    let mixed = if case.is_layered {
        near * (1.0 - far_share + near_excess) + far * (far_share + far_excess) + base
    } else {
        near * (1.0 + near_excess) + base
    };
    let light = match case.is_lit {
        true => between(&|node| node.light) / f64::from(LIGHT_PARTS),
        false => 0.0,
    };
    (mixed + (mixed + 112.0) * light + 128.0).clamp(0.0, 255.0)
}

fn assert_drawn_as_defined(case: &Case) -> Result<(), TestCaseError> {
    let drawn = case.luma(Isa::SCALAR);
    for row in 0..8 {
        for column in 0..8 {
            let wanted = defined(case, column, row);
            let seen = f64::from(drawn[row * STRIDE + column]);
            // One grey level by the dither; the rest by positions in parts of 256
            // and weights in parts of 64, where neighbours differ by up to 64 and
            // weights and light add half of it.
            let off = (seen - wanted).abs();
            prop_assert!(off < 1.0 + 4.0, "{column},{row}: {seen} for {wanted}");
        }
    }
    for row in drawn.chunks(STRIDE) {
        prop_assert_eq!(&row[8..], &[77; 3]);
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_comes_from_inside_is_drawn_as_from_anywhere(mut case in gentle_case()) {
        let drawn = (case.luma(Isa::fastest()), case.chroma(Isa::fastest()));
        prop_assert_eq!(&drawn, &(case.luma(Isa::SCALAR), case.chroma(Isa::SCALAR)));
        // All of a part is the same and goes another way.
        case.follow = Follow::Partly;
        prop_assert_eq!(drawn, (case.luma(Isa::SCALAR), case.chroma(Isa::SCALAR)));
    }

    #[test]
    fn the_whole_numbers_draw_what_is_defined(case in quiet_case()) {
        assert_drawn_as_defined(&case)?;
    }

    #[test]
    fn what_comes_from_inside_is_drawn_as_defined(case in gentle_case()) {
        assert_drawn_as_defined(&case)?;
    }

    #[test]
    fn what_does_not_follow_stays_as_it_is(mut case in quiet_case()) {
        case.is_lit = false;
        case.mask.fill(0);
        let drawn = case.luma(Isa::fastest());
        let height = case.samples.len() / case.width;
        for row in 0..8 {
            for column in 0..8 {
                let (x, y) = (case.at[0] + column, case.at[1] + row);
                if x < case.width && y < height {
                    prop_assert_eq!(drawn[row * STRIDE + column], case.samples[y * case.width + x]);
                }
            }
        }
    }
}
