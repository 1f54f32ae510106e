use super::*;

fn shell(script: &str, timeout_ms: u64) -> CommandSource {
    let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
    CommandSource::new(argv, Duration::from_millis(timeout_ms), 1000)
}

fn complaint_of(mut source: impl StillSource) -> String {
    source.capture().expect_err("must fail").to_string()
}

#[test]
fn what_a_command_prints_is_the_photograph() {
    let mut source = shell("echo noise >&2; printf photo", 5_000);
    let capture = source.capture().expect("a photograph");
    assert_eq!(capture, Capture::alone(b"photo".to_vec()));
}

#[test]
fn a_failing_command_is_quoted_without_control_characters() {
    let said = complaint_of(shell("printf 'no \\033camera\\nat all' >&2; exit 3", 5_000));
    assert_eq!(
        said,
        "command sh: ended with exit status: 3: no  camera / at all"
    );
    let said = complaint_of(shell(
        "head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1",
        5_000,
    ));
    assert!(said.len() < 500, "{} characters", said.len());
}

#[test]
fn silence_and_excess_are_named() {
    assert_eq!(
        complaint_of(shell("true", 5_000)),
        "command sh: printed no photograph"
    );
    assert_eq!(
        complaint_of(shell("head -c 1001 /dev/zero", 5_000)),
        "command sh: printed more than the allowed 1000 bytes"
    );
    assert_eq!(
        complaint_of(shell("cat /dev/zero", 5_000)),
        "command sh: printed more than the allowed 1000 bytes"
    );
}

#[test]
fn a_command_that_hangs_is_ended_with_its_children() {
    let marker = tempfile::tempdir().expect("a folder");
    let file = marker.path().join("alive");
    let script = format!("(sleep 1.0; touch {}) & sleep 60", file.display());
    let before = Instant::now();
    let said = complaint_of(shell(&script, 200));
    assert_eq!(said, "command sh: did not finish within 0.2 s");
    assert!(
        before.elapsed() < Duration::from_secs(10),
        "{:?}",
        before.elapsed()
    );
    thread::sleep(Duration::from_millis(1_300));
    assert!(!file.exists(), "a grandchild outlived its command");
}

#[test]
fn a_child_that_keeps_the_output_open_does_not_hold_us() {
    let said = complaint_of(shell("sleep 60 & printf photo", 200));
    assert_eq!(said, "command sh: did not finish within 0.2 s");
}

/// Something with the structure of a JPEG, of 9 bytes.
fn jpeg(mark: u8) -> Vec<u8> {
    vec![0xff, 0xd8, 0xff, 0xfe, 0, 3, mark, 0xff, 0xd9]
}

/// Prints these bytes after `wish` has been made.
fn printed(bytes: &[u8], wish: Option<Watch>) -> Result<Capture, StillError> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("output");
    std::fs::write(&file, bytes).expect("a file");
    shell(&format!("cat {}", file.display()), 5_000)
        .watching(wish)
        .capture()
}

const WISH: Watch = Watch {
    duration: Duration::from_secs(2),
    frame_rate: 10,
};

#[test]
fn the_last_of_several_jpegs_is_the_photograph() {
    let printed_ones: Vec<u8> = (0..40).flat_map(jpeg).collect();
    let capture = printed(&printed_ones, Some(WISH)).expect("a photograph");
    assert_eq!(capture.still, jpeg(39));
    // The two seconds before it, and not what came still earlier.
    let frames = (18..39).map(jpeg).collect();
    assert_eq!(
        capture.burst,
        Some(Burst::at_rate(frames, 10.0).expect("a burst"))
    );
    assert_eq!(capture.burst_fault, None);
    // Nobody has asked for a burst.
    let capture = printed(&printed_ones, None).expect("a photograph");
    assert_eq!(capture, Capture::alone(jpeg(39)));
    // What was cut off at its end.
    let cut = &printed_ones[..printed_ones.len() - 3];
    assert_eq!(printed(cut, None).expect("a photograph").still, jpeg(38));
}

#[test]
fn why_there_is_no_burst_is_said() {
    let fault = |bytes: &[u8]| {
        let capture = printed(bytes, Some(WISH)).expect("a photograph");
        assert_eq!(capture.burst, None);
        (capture.still, capture.burst_fault.expect("a reason"))
    };
    let alone = "the command prints one picture alone".to_owned();
    assert_eq!(fault(&jpeg(7)), (jpeg(7), alone.clone()));
    // No JPEG, and one with something behind it.
    assert_eq!(fault(b"photo"), (b"photo".to_vec(), alone.clone()));
    let motion_photo = [&jpeg(7)[..], b"ftypmp42"].concat();
    assert_eq!(fault(&motion_photo), (motion_photo.clone(), alone));
    let few: Vec<u8> = (0..6).flat_map(jpeg).collect();
    let said = "burst has 5 pictures, allowed are 10 to 128".to_owned();
    assert_eq!(fault(&few), (jpeg(5), said));
}

#[test]
fn several_jpegs_may_be_larger_than_one() {
    // 1000 bytes are allowed to one, and four times as many to all.
    let many: Vec<u8> = (0..200).flat_map(jpeg).collect();
    assert_eq!(printed(&many, None).expect("a photograph").still, jpeg(199));
    let said = |bytes: &[u8]| printed(bytes, None).expect_err("too much").to_string();
    let more: Vec<u8> = (0..250).flat_map(jpeg).collect();
    let more = [more.clone(), more].concat();
    assert_eq!(
        said(&more),
        "command sh: printed more than the allowed 4000 bytes"
    );
    let mut large = jpeg(1);
    large.splice(6..6, vec![0; 1000]);
    large[4..6].copy_from_slice(&1003u16.to_be_bytes());
    for bytes in [large.clone(), [jpeg(0), large].concat()] {
        assert_eq!(
            said(&bytes),
            "command sh: printed more than the allowed 1000 bytes"
        );
    }
}

#[test]
fn a_missing_program_is_named() {
    let argv = vec!["/no/such/camera".to_owned()];
    let said = complaint_of(CommandSource::new(argv, Duration::from_secs(1), 10));
    assert!(
        said.starts_with("command /no/such/camera: cannot be started"),
        "{said}"
    );
}
