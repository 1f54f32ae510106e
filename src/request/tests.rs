use super::*;

#[test]
fn sizes_at_and_beyond_the_limits() {
    assert!(Size::new(3840, 2160).is_ok());
    assert!(Size::new(2160, 3840).is_ok());
    assert!(Size::new(64, 64).is_ok());
    for (width_px, height_px) in [(62, 64), (3842, 2160), (3840, 2162), (101, 100), (0, 0)] {
        assert!(
            Size::new(width_px, height_px).is_err(),
            "{width_px}x{height_px}"
        );
    }
}

#[test]
fn fitting_keeps_proportions_and_never_enlarges() {
    let size = Size::fitting(4096, 2304);
    assert_eq!((size.width_px(), size.height_px()), (1280, 720));
    let size = Size::fitting(301, 640);
    assert_eq!((size.width_px(), size.height_px()), (302, 640));
    let size = Size::fitting(4096, 64);
    assert_eq!((size.width_px(), size.height_px()), (1280, 64));
}

#[test]
fn impossible_numbers_are_named() {
    let look = Look {
        strength: f32::NAN,
        ..Look::default()
    };
    assert!(look.validated().is_err());
    let shape = Shape {
        frame_rate: 0,
        ..Shape::default()
    };
    let said = shape
        .validated()
        .expect_err("0 frames per second")
        .to_string();
    assert_eq!(said, "frame_rate is 0, allowed are 5 to 60");
}

#[test]
fn frame_count_is_exact() {
    assert_eq!(Shape::default().frame_count(), 120);
    let odd = Shape {
        duration_ms: Some(1_017),
        ..Shape::default()
    };
    assert_eq!(odd.frame_count(), 31);
}

#[test]
fn job_ids_cannot_leave_their_topic() {
    assert!("a/b".parse::<JobId>().is_err());
    assert!("+".parse::<JobId>().is_err());
    assert!("".parse::<JobId>().is_err());
    assert!("x".repeat(65).parse::<JobId>().is_err());
    assert!("till-3_2026.1".parse::<JobId>().is_ok());
}

#[test]
fn a_request_reads_back_as_it_was_without_its_photograph() {
    let request = Request {
        id: "till".parse().unwrap(),
        source: Source::Photo(Arc::from(*b"jpeg")),
        look: Look {
            strength: 0.3,
            seed: u64::MAX,
            direction_deg: Some(-1.5),
        },
        shape: Shape {
            size: Some(Size::new(640, 360).unwrap()),
            ..Shape::default()
        },
        burst_fps: Some(12.5),
        clean_plate: true,
    };
    let text = serde_json::to_string(&request).unwrap();
    let mut back: Request = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&back.id, back.look, back.shape),
        (&request.id, request.look, request.shape)
    );
    assert_eq!((back.burst_fps, back.clean_plate), (Some(12.5), true));
    assert_eq!(back.take_photo().as_deref(), Some(&[][..]));
    // As it was written before there were bursts.
    let (before, _) = text.split_once(",\"burst_fps\"").unwrap();
    let back: Request = serde_json::from_str(&format!("{before}}}")).unwrap();
    assert_eq!((back.burst_fps, back.clean_plate), (None, false));
    for (whole, broken) in [("till", "a/b"), ("640x360", "641x360")] {
        let text = text.replace(whole, broken);
        assert!(serde_json::from_str::<Request>(&text).is_err(), "{text}");
    }
}
