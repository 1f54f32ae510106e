use super::*;

fn refused(payload: &[u8]) -> String {
    render_order(payload, Arrival::now(None), &Defaults::default())
        .expect_err("must be refused")
        .error
        .to_string()
}

fn photo(properties: &[(&str, &str)]) -> Result<Order, Box<Refusal>> {
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    photo_order(
        b"jpeg",
        Some("image/jpeg"),
        &properties,
        Arrival::now(None),
        &Limits::default(),
        &Defaults::default(),
    )
}

#[test]
fn a_button_press_is_the_camera_with_defaults() {
    let order = render_order(b"", Arrival::now(None), &Defaults::default()).unwrap();
    assert!(matches!(order.request.source, Source::Camera));
    assert_eq!(order.request.look, Look::default());
    assert_eq!(order.transaction, None);
}

#[test]
fn everything_can_be_said() {
    let order = render_order(
        br#"{"v":1,"job_id":"till","transaction":"t","source":"camera",
            "look":{"strength":0.5,"seed":7,"direction":90},
            "shape":{"size":"640x360","duration_ms":2000,"frame_rate":25}}"#,
        Arrival::now(None),
        &Defaults::default(),
    )
    .unwrap();
    assert_eq!(order.request.id.as_str(), "till");
    assert_eq!(order.request.look.seed, 7);
    assert_eq!(order.request.shape.size, Some(Size::new(640, 360).unwrap()));
    assert_eq!(order.transaction.as_deref(), Some("t"));
}

#[test]
fn bad_requests_say_value_and_limit() {
    for (payload, said) in [
        (r#"{"v":2}"#, "v is 2, known is 1"),
        (
            r#"{"look":{"strenght":1}}"#,
            "unknown field `strenght`, expected",
        ),
        (
            r#"{"look":{"strength":2}}"#,
            "strength is 2, allowed are 0 to 1",
        ),
        (
            r#"{"shape":{"frame_rate":-1}}"#,
            "invalid value: integer `-1`",
        ),
        (
            r#"{"shape":{"duration_ms":900000}}"#,
            "duration_ms is 900000, allowed are 500 to 60000",
        ),
        (
            r#"{"shape":{"size":"big"}}"#,
            r#"size is "big", expected WIDTHxHEIGHT"#,
        ),
        (r#"{"shape":{"width_px":640}}"#, "width_px alone"),
        (
            r#"{"source":"/etc/passwd"}"#,
            "unknown variant `/etc/passwd`",
        ),
        (
            r#"{"job_id":"a/b"}"#,
            "job_id has 3 characters or illegal ones",
        ),
        ("{", "EOF while parsing"),
        ("hello", "expected value at line 1"),
        ("[]", "invalid length"),
    ] {
        let message = refused(payload.as_bytes());
        assert!(message.contains(said), "{payload}: {message}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let long = vec![b' '; JSON_BYTES_MAX + 1];
    assert_eq!(refused(&long), "request has 65537 bytes, allowed are 65536");
    let deep = "[".repeat(60_000);
    assert!(!refused(deep.as_bytes()).is_empty());
    let deep = format!(r#"{{"look":{}"#, "[".repeat(60_000));
    assert!(!refused(deep.as_bytes()).is_empty());
}

#[test]
fn a_refusal_still_knows_its_transaction() {
    let refusal = render_order(
        br#"{"transaction":"t","look":{"strength":9}}"#,
        Arrival::now(None),
        &Defaults::default(),
    )
    .unwrap_err();
    assert_eq!(refusal.transaction.as_deref(), Some("t"));
    assert_eq!(refusal.error.code(), "bad_request");
}

#[test]
fn a_photo_brings_its_options_as_properties() {
    let order = photo(&[
        ("job_id", "a"),
        ("strength", "0.25"),
        ("traceparent", "00-1"),
    ])
    .unwrap();
    assert!(matches!(order.request.source, Source::Photo(_)));
    assert_eq!(order.request.look.strength, 0.25);
}

#[test]
fn bad_photo_options_say_value_and_limit() {
    for (name, value, said) in [
        (
            "frame_rate",
            "-1",
            r#"frame_rate is "-1", expected frames per second"#,
        ),
        (
            "frame_rate",
            "999",
            "frame_rate is 999, allowed are 5 to 60",
        ),
        (
            "seed",
            "x",
            r#"seed is "x", expected a whole number from 0"#,
        ),
        (
            "strenght",
            "1",
            r#"option "strenght" is unknown, nearest is "strength""#,
        ),
        ("strength", "NaN", "strength is NaN, allowed are 0 to 1"),
    ] {
        let message = photo(&[(name, value)]).unwrap_err().error.to_string();
        assert_eq!(message, said);
    }
    let twice = photo(&[("seed", "1"), ("seed", "2")]).unwrap_err();
    assert_eq!(twice.error, OrderError::Twice("seed"));
}

#[test]
fn a_photo_is_measured_before_anything_else() {
    let limits = Limits {
        bytes_max: 3,
        ..Limits::default()
    };
    let tried = |payload: &[u8], kind| {
        let arrival = Arrival::now(None);
        photo_order(payload, kind, &[], arrival, &limits, &Defaults::default())
            .unwrap_err()
            .error
            .to_string()
    };
    assert_eq!(tried(b"jpeg", None), "photo has 4 bytes, allowed are 3");
    assert!(tried(b"", None).starts_with("photo has 0 bytes"));
    assert!(tried(b"abc", Some("text/plain")).starts_with("content type is \"text/plain\""));
}

/// Something with the structure of a JPEG, of 9 bytes.
const JPEG: [u8; 9] = [0xff, 0xd8, 0xff, 0xfe, 0, 3, 7, 0xff, 0xd9];

fn burst(payload: &[u8], properties: &[(&str, &str)]) -> Result<Request, OrderError> {
    let properties: Vec<_> = properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let limits = Limits {
        bytes_max: 20,
        ..Limits::default()
    };
    let (arrival, defaults) = (Arrival::now(None), Defaults::default());
    let order = photo_order(payload, None, &properties, arrival, &limits, &defaults);
    order
        .map(|order| order.request)
        .map_err(|refusal| refusal.error)
}

#[test]
fn several_jpegs_are_a_burst_if_they_have_a_rate() {
    let several = JPEG.repeat(12);
    let request = burst(&several, &[("burst_fps", "10"), ("clean_plate", "true")]).unwrap();
    assert_eq!((request.burst_fps, request.clean_plate), (Some(10.0), true));
    assert!(matches!(request.source, Source::Photo(bytes) if *bytes == several));
    // Two fit what a photograph may be at most, and are none.
    let said = |payload: &[u8], properties: &[(&str, &str)]| {
        let error = burst(payload, properties).unwrap_err();
        (error.code(), error.to_string())
    };
    let (code, message) = said(&several[..18], &[]);
    assert_eq!(code, "bad_request");
    assert!(message.contains("but burst_fps is missing"), "{message}");
    let fps = [("burst_fps", "10")];
    assert_eq!(
        said(&JPEG, &fps).1,
        "burst_fps is given with one JPEG, expected are those before the photo and the photo"
    );
    assert_eq!(
        said(&several[..99], &fps).1,
        "burst lasts 0.90 s, allowed are 1 to 12 s"
    );
    let mut large = several.clone();
    large.splice(15..15, [0; 13]);
    large[14] = 16;
    assert_eq!(
        said(&large, &fps),
        ("too_large", "photo has 22 bytes, allowed are 20".to_owned())
    );
    let (_, message) = said(&JPEG, &[("clean_plate", "true")]);
    assert!(
        message.contains("nothing is seen before the photo"),
        "{message}"
    );
    let (_, message) = said(&several, &[("burst_fps", "10"), ("clean_plate", "yes")]);
    assert_eq!(message, "clean_plate is \"yes\", expected true or false");
}

#[test]
fn a_clean_plate_needs_somebody_who_watches() {
    let read = |json: &str| {
        render_order(json.as_bytes(), Arrival::now(None), &Defaults::default())
            .map(|order| order.request.clean_plate)
            .map_err(|refusal| refusal.error)
    };
    assert_eq!(read("{}"), Ok(false));
    assert_eq!(read(r#"{"look":{"clean_plate":true}}"#), Ok(true));
    let fetched = r#"{"source":{"url":"https://a.example/"},"look":{"clean_plate":true}}"#;
    assert_eq!(read(fetched), Err(OrderError::CleanPlate));
}

#[test]
fn the_sooner_of_deadline_and_expiry_counts_from_the_arrival() {
    let at = |deadline_ms: Option<u64>, expiry_s: Option<u32>| {
        let arrival = Arrival::now(expiry_s);
        let payload =
            deadline_ms.map_or("{}".to_owned(), |ms| format!(r#"{{"deadline_ms":{ms}}}"#));
        let order = render_order(payload.as_bytes(), arrival, &Defaults::default()).unwrap();
        order.deadline.map(|deadline| deadline.since(arrival.at))
    };
    assert_eq!(at(None, None), None);
    assert_eq!(at(Some(1500), None), Some(Duration::from_millis(1500)));
    assert_eq!(at(Some(1500), Some(1)), Some(Duration::from_secs(1)));
    assert_eq!(at(Some(1500), Some(2)), Some(Duration::from_millis(1500)));
    assert_eq!(
        refused(br#"{"deadline_ms":0}"#),
        "deadline_ms is 0, allowed are 1 to 86400000"
    );
    let arrival = Arrival::now(None);
    let order = photo(&[("deadline_ms", "250")]).unwrap();
    assert!(order.deadline.unwrap().since(arrival.at) >= Duration::from_millis(250));
}

/// Keys that are not known are passed over: without recursion where nothing of
/// them is kept, and to the parser's 128 levels where they are looked at.
#[test]
fn depth_never_reaches_the_stack() {
    use crate::publication::{ClipNotice, JobEvent};

    let document = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"job_id":"a","sha256":"00","bytes":3,"event":"capturing","v":1,"x":{deep}}}"#)
    };
    let event = |depth: usize| {
        let read = serde_json::from_str::<JobEvent>(&document(depth));
        read.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(event(100), Ok(()));
    for depth in [128, 30_000] {
        let said = event(depth).unwrap_err();
        assert!(said.starts_with("recursion limit exceeded"), "{said}");
        assert!(serde_json::from_str::<ClipNotice>(&document(depth)).is_ok());
    }
}
