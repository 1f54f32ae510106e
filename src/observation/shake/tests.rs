use super::*;

fn sightings_of(shake: &Shake, mover_share: usize) -> Vec<Sighting> {
    let mut rng = fastrand::Rng::with_seed(3);
    (0..2000)
        .map(|index| {
            let from_centre = [rng.f32() * 190.0 - 95.0, rng.f32() * 110.0 - 55.0];
            let [right, down] = shake.at(from_centre);
            let noise = [rng.f32() * 0.1 - 0.05, rng.f32() * 0.1 - 0.05];
            let moves = index % 10 < mover_share;
            let way = if moves {
                [rng.f32() * 6.0 - 1.0, rng.f32() * 3.0]
            } else {
                [right + noise[0], down + noise[1]]
            };
            Sighting { from_centre, way }
        })
        .collect()
}

/// Luma of a smooth picture.
fn hills(x: f32, y: f32) -> f32 {
    128.0 + 50.0 * (0.11 * x + 0.04 * y).sin() + 50.0 * (0.09 * y - 0.05 * x).sin()
}

#[test]
fn a_shake_is_found_among_things_that_move() {
    let shake = Shake {
        grow: 0.002,
        turn: -0.004,
        right: 0.9,
        down: -0.4,
    };
    let found = fit(&sightings_of(&shake, 6)).expect("four tenths agree");
    for corner in [[95.0, 55.0], [-95.0, 55.0], [95.0, -55.0]] {
        let (wanted, got) = (shake.at(corner), found.at(corner));
        let off = (wanted[0] - got[0]).hypot(wanted[1] - got[1]);
        assert!(off < 0.05, "{corner:?}: {off}");
    }
}

#[test]
fn where_nothing_agrees_there_is_no_shake() {
    assert_eq!(fit(&sightings_of(&Shake::default(), 10)), None);
}

#[test]
fn what_was_shaken_is_put_back() {
    let shake = Shake {
        grow: 0.003,
        turn: 0.004,
        right: 0.3,
        down: -0.2,
    };
    let (width, height) = (128, 96);
    let still = Plane::from_fn(width, height, |x, y| hills(x as f32, y as f32));
    // What the shaken camera saw at q is what stands where q comes from.
    let shaken = Plane::from_fn(width, height, |x, y| {
        let centre = [64.0, 48.0];
        let mut from = [x as f32, y as f32];
        for _ in 0..20 {
            let [right, down] = shake.at([
                (from[0] + 0.5 - centre[0]) / 2.0,
                (from[1] + 0.5 - centre[1]) / 2.0,
            ]);
            from = [x as f32 - 2.0 * right, y as f32 - 2.0 * down];
        }
        hills(from[0], from[1])
    });
    let shakes = find(&Pyramid::of(&still), &[Pyramid::of(&shaken)]);
    let shakes = shakes.expect("a small shake");
    assert!(
        (0.006..SHAKE_MAX).contains(&shakes.share),
        "{}",
        shakes.share
    );
    let steady = shakes.undo(0, &shaken);
    let mut worst = 0.0f32;
    for y in 8..height - 8 {
        for x in 8..width - 8 {
            worst = worst.max((steady.at(x, y) - still.at(x, y)).abs());
        }
    }
    assert!(worst < 2.0, "{worst}");
}

#[test]
fn a_camera_that_shakes_does_not_rest_in_between_and_one_that_rests_does_not_shake() {
    let (width, height) = (128, 96);
    let gone = |right_px: f32| {
        let seen = |x, y| hills(x as f32 - right_px, y as f32);
        Pyramid::of(&Plane::from_fn(width, height, seen))
    };
    for (ways_px, found) in [
        ([0.3, 0.5, -0.1, 0.4], true),
        ([0.03, 0.0, 0.4, 0.02], false),
    ] {
        let pictures = ways_px.map(gone);
        let shakes = find(&gone(0.0), &pictures).expect("a small shake");
        for (shake, way_px) in shakes.of_pictures.iter().zip(ways_px) {
            let rests = !found && way_px < 0.1;
            let wanted = if rests {
                0.0
            } else {
                way_px / FINEST_SCALE as f32
            };
            assert!((shake.right - wanted).abs() < 0.04, "{way_px}: {shake:?}");
            assert!(!rests || *shake == Shake::default(), "{way_px}: {shake:?}");
        }
    }
}
