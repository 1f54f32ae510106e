//! What stands around each sample of a plane.

use super::Plane;

/// Mean over a square of side `2 * radius + 1`, clipped at the edges.
pub fn box_mean(plane: &Plane<f32>, radius: usize) -> Plane<f32> {
    let (width, height) = (plane.width_px, plane.height_px);
    let mut mean = Plane::filled(width, height, 0.0);
    // Sums of columns, to which each row adds one line and takes one away.
    let mut columns = vec![0.0f64; width];
    let mut running = vec![0.0f64; width + 1];
    let add = |columns: &mut [f64], y: usize, sign: f64| {
        for (sum, sample) in columns.iter_mut().zip(plane.row(y)) {
            *sum += sign * f64::from(*sample);
        }
    };
    for y in 0..radius.min(height) {
        add(&mut columns, y, 1.0);
    }
    for y in 0..height {
        if y + radius < height {
            add(&mut columns, y + radius, 1.0);
        }
        if let Some(gone) = y.checked_sub(radius + 1) {
            add(&mut columns, gone, -1.0);
        }
        let mut sum = 0.0;
        for (next, column) in running[1..].iter_mut().zip(&columns) {
            sum += column;
            *next = sum;
        }
        let rows = (y + radius + 1).min(height) - y.saturating_sub(radius);
        for (x, mean) in mean.row_mut(y).iter_mut().enumerate() {
            let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            *mean = ((running[to] - running[from]) / ((to - from) * rows) as f64) as f32;
        }
    }
    mean
}

/// All samples of a square of side `2 * radius + 1`, clipped at the edges, joined into
/// one: by `f32::min` or `f32::max`, by "and" or "or", or by anything else that may take
/// a sample twice.
pub fn spread<T: Copy>(plane: &Plane<T>, radius: usize, join: impl Fn(T, T) -> T) -> Plane<T> {
    let (width, height) = (plane.width_px, plane.height_px);
    let across = Plane::from_fn(width, height, |x, y| {
        let row = &plane.row(y)[x.saturating_sub(radius)..(x + radius + 1).min(width)];
        row[1..].iter().fold(row[0], |all, next| join(all, *next))
    });
    Plane::from_fn(width, height, |x, y| {
        let first = y.saturating_sub(radius);
        (first + 1..(y + radius + 1).min(height))
            .fold(across.at(x, first), |all, row| join(all, across.at(x, row)))
    })
}

/// How far every sample is from the nearest that is set, in samples, along steps to
/// the eight around each (Borgefors, Distance transformations in digital images, 1986):
/// a twelfth too far at most. Infinite where none is set.
pub fn distances(is_set: &Plane<bool>) -> Plane<f32> {
    use std::f32::consts::SQRT_2;
    let (width, height) = (is_set.width_px, is_set.height_px);
    let mut far = is_set.map(|is_set| if is_set { 0.0 } else { f32::INFINITY });
    // Once with what is above and to the left, once, turned around, with the rest.
    for _ in 0..2 {
        for y in 0..height {
            for x in 0..width {
                let mut least = far.at(x, y);
                if x > 0 {
                    least = least.min(far.at(x - 1, y) + 1.0);
                }
                if y > 0 {
                    least = least.min(far.at(x, y - 1) + 1.0);
                    for beside in [x.checked_sub(1), Some(x + 1)].into_iter().flatten() {
                        if beside < width {
                            least = least.min(far.at(beside, y - 1) + SQRT_2);
                        }
                    }
                }
                far.row_mut(y)[x] = least;
            }
        }
        far.samples.reverse();
    }
    far
}

/// All cells that are connected with one, edge to edge or corner to corner,
/// without crossing a cell that has been seen; then all of them have been.
pub fn region_of(start: usize, is_seen: &mut Plane<bool>) -> Vec<usize> {
    let (width, height) = (is_seen.width_px, is_seen.height_px);
    let mut region = vec![start];
    is_seen.samples[start] = true;
    let mut next = 0;
    while let Some(cell) = region.get(next).copied() {
        next += 1;
        let (x, y) = (cell % width, cell / width);
        for row in y.saturating_sub(1)..(y + 2).min(height) {
            for column in x.saturating_sub(1)..(x + 2).min(width) {
                let beside = row * width + column;
                if !is_seen.samples[beside] {
                    is_seen.samples[beside] = true;
                    region.push(beside);
                }
            }
        }
    }
    region
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_mean_of_a_constant_is_the_constant_and_of_an_impulse_its_share() {
        assert!(
            box_mean(&Plane::filled(5, 3, 2.0), 4)
                .samples
                .iter()
                .all(|v| *v == 2.0)
        );
        let mut impulse = Plane::filled(5, 5, 0.0);
        impulse.samples[12] = 9.0;
        assert!((box_mean(&impulse, 1).at(2, 2) - 1.0).abs() < 1e-6);
        assert_eq!(box_mean(&impulse, 1).at(0, 0), 0.0);
    }

    #[test]
    fn distances_are_those_to_the_nearest_on_any_side() {
        let mut is_set = Plane::filled(41, 31, false);
        let set = [(5, 4), (30, 29), (40, 0)];
        for (x, y) in set {
            is_set.row_mut(y)[x] = true;
        }
        let far = distances(&is_set);
        for (at, far) in far.samples.iter().enumerate() {
            let (x, y) = ((at % 41) as f32, (at / 41) as f32);
            let to = |(column, row): (usize, usize)| (x - column as f32).hypot(y - row as f32);
            let exact = set.map(to).into_iter().fold(f32::INFINITY, f32::min);
            assert!(
                (exact - 1e-4..=exact * 1.0824).contains(far),
                "{x}, {y}: {far}, not {exact}"
            );
        }
        let nowhere = distances(&Plane::filled(3, 2, false));
        assert!(nowhere.samples.iter().all(|far| *far == f32::INFINITY));
    }

    #[test]
    fn samples_spread_over_a_square() {
        let mut lone = Plane::filled(7, 5, 0.0f32);
        lone.samples[2 * 7 + 3] = 4.0;
        let most = spread(&lone, 1, f32::max);
        let reached = most.samples.iter().filter(|sample| **sample == 4.0).count();
        assert_eq!(
            (reached, most.at(2, 1), most.at(4, 3), most.at(5, 2)),
            (9, 4.0, 4.0, 0.0)
        );
        assert!(
            spread(&lone, 1, f32::min)
                .samples
                .iter()
                .all(|sample| *sample == 0.0)
        );
        assert_eq!(spread(&most, 1, f32::min), lone);
    }
}
