use std::time::Duration;

use sha2::{Digest, Sha256};

use super::*;
use crate::{
    director::Report,
    request::{Look, Request, Shape, Source},
    scene::EngineReport,
};

fn digest() -> RequestDigest {
    RequestDigest::of(&Request {
        id: "a".parse().unwrap(),
        source: Source::Camera,
        look: Look::default(),
        shape: Shape::default(),
        burst_fps: None,
        clean_plate: false,
    })
}

fn limits(count_max: usize) -> StoreLimits {
    StoreLimits {
        count_max,
        ..StoreLimits::default()
    }
}

/// A clip of this many bytes, each of them its number.
fn rendered(store: &Store, number: u8, bytes: usize) -> Clip {
    let id = format!("j{number}").parse().unwrap();
    let path = store.path_for(&id).unwrap();
    let mp4 = vec![number; bytes];
    fs::write(&path, &mp4).unwrap();
    Clip {
        path,
        size_bytes: bytes as u64,
        sha256: format!("{:x}", Sha256::digest(&mp4)),
        codecs: "avc1".to_owned(),
        width_px: 2,
        height_px: 2,
        frame_rate: 30,
        frame_count: 2,
        job_id: id,
        poster_jpeg: b"poster".to_vec(),
        report: Report::default(),
        engine: EngineReport::default(),
        observation: None,
    }
}

fn keep(store: &Store, sequence: u64, bytes: usize) -> Clip {
    let mut clip = rendered(store, sequence as u8, bytes);
    store.keep(&mut clip, sequence, &digest()).unwrap();
    clip
}

fn open(folder: &Path, limits: StoreLimits) -> Store {
    let (store, damages) = Store::open(folder, limits).unwrap();
    assert_eq!(damages, []);
    store
}

fn kept(store: &Store) -> Vec<u64> {
    store.index().clips.keys().copied().collect()
}

#[test]
fn the_oldest_go_first_and_foreign_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(3));
    fs::write(folder.path().join("holiday.mp4"), "mine").unwrap();
    for sequence in 1..=6 {
        keep(&store, sequence, 10);
        store.has_shown(sequence);
    }
    assert_eq!(kept(&store), [4, 5, 6]);
    let mp4s = disk::names(folder.path(), ".mp4").unwrap();
    assert_eq!(mp4s.len(), 4);
    assert!(mp4s.contains(&"holiday.mp4".to_owned()));
    store.set_limits(StoreLimits {
        bytes_max: 15,
        ..limits(3)
    });
    store.make_room();
    assert_eq!(kept(&store), [6]);
}

#[test]
fn what_waits_and_what_was_shown_last_is_never_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(1));
    for sequence in 1..=4 {
        keep(&store, sequence, 10);
    }
    assert_eq!(kept(&store), [1, 2, 3, 4]);
    store.has_shown(1);
    assert_eq!(kept(&store), [1, 2, 3, 4]);
    store.has_shown(2);
    assert_eq!(kept(&store), [2, 3, 4]);
    store.forget(4);
    store.has_shown(3);
    assert_eq!(kept(&store), [3]);
}

#[test]
fn age_counts_but_for_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(8));
    for sequence in 1..=3 {
        keep(&store, sequence, 10);
        store.has_shown(sequence);
    }
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    for sequence in [2, 3] {
        let made_at = Moment::now().earlier(hours(721));
        store.index().clips.get_mut(&sequence).unwrap().made_at = made_at;
    }
    store.make_room();
    assert_eq!(kept(&store), [1, 3]);
}

#[test]
fn everything_is_there_after_a_restart_but_what_was_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(8));
    let clip = keep(&store, 7, 10);
    let same = {
        let mut clip = rendered(&store, 7, 10);
        store.keep(&mut clip, 8, &digest()).unwrap();
        clip
    };
    assert_eq!(clip.path, same.path);
    rendered(&store, 9, 10);
    let orphan = folder.path().join(mp4_name(&"ab".repeat(32)));
    fs::write(&orphan, "no record").unwrap();
    fs::write(folder.path().join("0000000000000009.clip.part"), "half").unwrap();

    let store = open(folder.path(), limits(8));
    assert_eq!(store.sequence_max(), 8);
    let left = fs::read_dir(folder.path().join(UNFINISHED)).unwrap();
    assert_eq!((left.count(), orphan.exists()), (0, false));
    assert_eq!(disk::names(folder.path(), ".part").unwrap().len(), 0);
    let resumed = store.resume(7, &digest()).unwrap();
    assert_eq!(resumed.poster_jpeg, b"poster");
    assert_eq!((&resumed.path, &resumed.report), (&clip.path, &clip.report));
    assert_eq!(&*store.mp4(7, &clip).unwrap(), [7; 10]);
    assert_eq!(store.last_shown().unwrap().0, 8);
    assert_eq!(store.newest(4).len(), 1);
    let other = RequestDigest::of(&Request {
        id: "a".parse().unwrap(),
        source: Source::Path("x".into()),
        look: Look::default(),
        shape: Shape::default(),
        burst_fps: None,
        clean_plate: false,
    });
    assert!(store.resume(7, &other).is_none());
    // The MP4 stays for the other record of it.
    store.forget(7);
    assert!(clip.path.exists());
    store.forget(8);
    assert!(!clip.path.exists());
}

#[test]
fn a_flipped_bit_anywhere_is_found_and_costs_that_clip_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(8));
    let (first, second) = (keep(&store, 1, 200), keep(&store, 2, 200));
    let record = store.record(1);
    let mut flips = 0;
    for path in [&record, &first.path] {
        let whole = [&record, &first.path].map(|path| (path, fs::read(path).unwrap()));
        let bytes = fs::read(path).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(path, flipped).unwrap();
            let (store, damages) = Store::open(folder.path(), limits(8)).unwrap();
            if *path == record {
                assert_eq!(damages.len(), 1, "byte {at}");
                assert!(store.resume(1, &digest()).is_none());
            } else {
                let clip = store.resume(1, &digest()).unwrap();
                let said = store.mp4(1, &clip).unwrap_err().to_string();
                assert!(said.contains("is not what was rendered; moved"), "{said}");
                assert!(store.resume(1, &digest()).is_none());
            }
            let other = store.resume(2, &digest()).unwrap();
            assert_eq!(&*store.mp4(2, &other).unwrap(), [2; 200]);
            assert_eq!(other.path, second.path);
            for (path, bytes) in &whole {
                fs::write(path, bytes).unwrap();
            }
            flips += 1;
        }
    }
    assert!(flips >= 1000, "{flips} flips");
    fs::remove_file(&first.path).unwrap();
    assert_eq!(Store::open(folder.path(), limits(8)).unwrap().1.len(), 1);
}

#[test]
fn a_folder_that_is_a_file_is_refused_and_one_that_is_gone_comes_back() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(Store::open(file.path(), limits(8)).is_err());
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), limits(8));
    fs::remove_dir_all(folder.path()).unwrap();
    keep(&store, 1, 10);
}

#[test]
fn what_is_sent_in_pieces_is_verified_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), limits(8)).unwrap();
    let mut clip = rendered(&store, 3, 100);
    store.keep(&mut clip, 1, &digest()).unwrap();
    let sha256 = clip.sha256.parse().unwrap();
    let (file, size_bytes) = store.open_clip(&sha256).unwrap().unwrap();
    assert_eq!(size_bytes, 100);
    store.verify(&sha256, &file).unwrap();
    fs::write(&clip.path, vec![4; 100]).unwrap();
    let (file, _) = store.open_clip(&sha256).unwrap().unwrap();
    let damaged = store.verify(&sha256, &file).unwrap_err();
    assert!(matches!(damaged, DiskError::Damaged(_)), "{damaged}");
    assert!(store.open_clip(&sha256).unwrap().is_none());
    assert_eq!(store.sequence_max(), 0);
}
