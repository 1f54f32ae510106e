use std::fs;

use super::*;
use crate::{
    publication::{ClipNotice, Fault, Order, Version},
    request::{Look, Request, Shape, Source},
};

fn address(topic: &str) -> Address {
    Address {
        topic: topic.to_owned(),
        correlation_data: Some(vec![0, 255]),
        transaction: Some("t".to_owned()),
    }
}

fn job(sequence: u64, photo: Option<&[u8]>) -> JobRecord {
    let mut request = Request {
        id: format!("job-{sequence}").parse().unwrap(),
        source: photo.map_or(Source::Camera, |bytes| Source::Photo(bytes.into())),
        look: Look::default(),
        shape: Shape::default(),
        burst_fps: None,
        clean_plate: false,
    };
    let digest = RequestDigest::of(&request);
    request.take_photo();
    JobRecord {
        v: Version,
        sequence,
        order: Order {
            request,
            transaction: None,
            deadline: None,
        },
        digest,
        has_photo: photo.is_some(),
        address: address("first"),
        clip_bytes_max: Some(1000),
    }
}

fn ended(sequence: u64, ended_sequence: u64) -> EndedJob {
    let record = job(sequence, None);
    EndedJob {
        v: Version,
        sequence,
        ended_sequence,
        job_id: record.order.request.id,
        digest: record.digest,
        outcome: match sequence % 2 {
            0 => Ok(ClipNotice {
                job_id: format!("job-{sequence}"),
                sha256: "ab".repeat(32),
                bytes: 5,
                url: None,
                inline: true,
                chunks: None,
            }),
            _ => Err(Fault {
                code: "bad_photo".to_owned(),
                message: "is none".to_owned(),
            }),
        },
    }
}

fn sequences(pending: &[PendingJob]) -> Vec<u64> {
    pending.iter().map(|job| job.record.sequence).collect()
}

#[test]
fn what_is_accepted_is_there_after_a_restart_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let Opened { journal, lock, .. } = Journal::open(&path).unwrap();
    assert!(matches!(
        Journal::open(&path),
        Err(JournalError::InUse { .. })
    ));
    for sequence in [300, 2, 4] {
        let bytes = journal.accept(&job(sequence, Some(b"jpeg")), Some(b"jpeg"));
        let on_disk = fs::metadata(path.join(file_name(sequence))).unwrap().len();
        assert_eq!(bytes.unwrap(), on_disk);
    }
    journal.accept(&job(5, None), None).unwrap();
    journal.note(2, &Note::Begun).unwrap();
    journal.note(2, &Note::Address(address("second"))).unwrap();
    journal.note(2, &Note::Begun).unwrap();
    journal.note(2, &Note::LeftOff).unwrap();
    journal.end(&ended(4, 301)).unwrap();
    assert_eq!(journal.photo(2).unwrap(), b"jpeg");
    fs::write(path.join("0000000000000009.job.part"), "half").unwrap();
    drop(lock);

    let opened = Journal::open(&path).unwrap();
    assert_eq!(sequences(&opened.pending), [2, 5, 300]);
    assert_eq!(opened.damages, []);
    let first = &opened.pending[0];
    assert_eq!(first.addresses, [address("first"), address("second")]);
    assert_eq!(first.crash_count, 1);
    assert_eq!(first.record.digest, job(2, Some(b"jpeg")).digest);
    assert_eq!(opened.ended, [ended(4, 301)]);
    assert!(!path.join("0000000000000009.job.part").exists());
    opened.journal.forget(4).unwrap();
    drop(opened);
    assert_eq!(Journal::open(&path).unwrap().ended, []);
}

#[test]
fn digests_tell_photographs_and_options_apart() {
    let digest = |photo| job(1, photo).digest;
    assert_eq!(digest(Some(b"a")), job(2, Some(b"a")).digest);
    assert_ne!(digest(Some(b"a")), digest(Some(b"b")));
    assert_ne!(digest(None), digest(Some(b"")));
}

#[test]
fn a_note_that_is_torn_is_cut_off_and_the_next_one_read() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { journal, lock, .. } = Journal::open(folder.path()).unwrap();
    journal
        .accept(&job(1, Some(b"jpeg")), Some(b"jpeg"))
        .unwrap();
    let path = folder.path().join(file_name(1));
    let whole = fs::read(&path).unwrap();
    journal.note(1, &Note::Begun).unwrap();
    let noted = fs::read(&path).unwrap();
    drop(lock);
    for length in whole.len() + 1..noted.len() {
        fs::write(&path, &noted[..length]).unwrap();
        let opened = Journal::open(folder.path()).unwrap();
        assert_eq!(opened.damages.len(), 1, "{length} bytes");
        assert_eq!(opened.pending[0].crash_count, 0);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    let opened = Journal::open(folder.path()).unwrap();
    assert_eq!(opened.damages, []);
    opened.journal.note(1, &Note::Begun).unwrap();
    drop(opened);
    let opened = Journal::open(folder.path()).unwrap();
    assert_eq!(opened.pending[0].crash_count, 1);
}

/// A journal of a job with notes, a job without photograph and an ended one.
fn three(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let journal = Journal::open(folder).unwrap().journal;
    journal
        .accept(&job(1, Some(b"jpeg")), Some(b"jpeg"))
        .unwrap();
    journal.note(1, &Note::Address(address("second"))).unwrap();
    journal.note(1, &Note::Begun).unwrap();
    journal.accept(&job(2, None), None).unwrap();
    journal.accept(&job(3, None), None).unwrap();
    journal.end(&ended(3, 4)).unwrap();
    (1..=3)
        .map(|sequence| {
            let path = folder.join(file_name(sequence));
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_costs_that_record_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = three(folder.path());
    let request_bytes = {
        let mut file = File::open(&files[0].0).unwrap();
        let reading = sealed::read(&mut file, |_| RECORD_BYTES_MAX).unwrap();
        reading.frames[1].end_bytes as usize
    };
    let (mut flips, mut lost) = (0, 0);
    for (index, (path, bytes)) in files.iter().enumerate() {
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            // Every bit gets its turn.
            flipped[at] ^= 1 << (at % 8);
            fs::write(path, flipped).unwrap();
            let opened = Journal::open(folder.path()).unwrap();
            assert_eq!(opened.damages.len(), 1, "byte {at} of {}", path.display());
            assert_eq!(opened.damages[0].path, *path);
            let is_note = index == 0 && at >= request_bytes;
            let pending: Vec<u64> = match index {
                0 if is_note => vec![1, 2],
                0 => vec![2],
                1 => vec![1],
                _ => vec![1, 2],
            };
            assert_eq!(sequences(&opened.pending), pending, "byte {at}");
            assert_eq!(opened.ended.len(), usize::from(index != 2));
            let aside = folder
                .path()
                .join("damaged")
                .join(path.file_name().unwrap());
            assert_eq!(aside.exists(), !is_note);
            if !is_note {
                lost += 1;
                fs::remove_file(aside).unwrap();
            }
            drop(opened);
            fs::write(path, bytes).unwrap();
            flips += 1;
        }
    }
    assert!(flips >= 1000, "{flips} flips");
    assert!(lost >= 900, "{lost} of {flips} in what makes a record");
}

#[test]
fn a_photograph_that_is_altered_is_not_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap().journal;
    journal
        .accept(&job(1, Some(b"jpeg")), Some(b"jpeg"))
        .unwrap();
    let path = folder.path().join(file_name(1));
    let mut bytes = fs::read(&path).unwrap();
    let photo_at = bytes.windows(4).position(|four| four == b"jpeg").unwrap();
    bytes[photo_at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let said = journal.photo(1).unwrap_err().to_string();
    assert!(said.contains("is altered in what begins at byte"), "{said}");
    assert!(!path.exists());
    assert!(matches!(journal.photo(1), Err(DiskError::Io { .. })));
}

#[test]
fn foreign_and_misnamed_files_are_set_aside_or_left() {
    let folder = tempfile::tempdir().unwrap();
    let files = three(folder.path());
    fs::copy(&files[1].0, folder.path().join(file_name(7))).unwrap();
    fs::write(folder.path().join("notes.job"), "mine").unwrap();
    fs::write(folder.path().join("README"), "mine").unwrap();
    let opened = Journal::open(folder.path()).unwrap();
    let said: Vec<String> = opened.damages.iter().map(Damage::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("is the record 0000000000000002 under another name"));
    assert!(said[1].contains("is not of this format"));
    assert_eq!(sequences(&opened.pending), [1, 2]);
    assert!(folder.path().join("README").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let said = Journal::open(&file).unwrap_err().to_string();
    assert!(said.starts_with(&file.display().to_string()), "{said}");
    let gone = folder.path().join("gone");
    let opened = Journal::open(&gone).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let said = opened.journal.accept(&job(1, None), None).unwrap_err();
    assert!(
        said.to_string()
            .contains("0000000000000001.job: No such file")
    );
    assert!(opened.journal.note(1, &Note::Begun).is_err());
}
