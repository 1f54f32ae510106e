//! Which cameras a board has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    choice::Offer,
    fault::{CameraError, CameraFault},
    node::Node,
};

/// Nodes that are looked at.
const NODES_MAX: usize = 64;

/// A node that gives pictures, or may.
#[derive(Debug)]
pub struct Found {
    /// Its name that stays, in `v4l/by-id` or else `v4l/by-path`; the number if
    /// it has none.
    pub name: PathBuf,
    /// Its node with the number.
    pub node: PathBuf,
    /// What it is and offers.
    pub about: Result<About, CameraError>,
}

/// What a camera says about itself.
#[derive(Debug)]
pub struct About {
    /// Its name for people.
    pub card: String,
    /// The kernel's driver.
    pub driver: String,
    /// Formats and sizes that we understand.
    pub offers: Vec<Offer>,
}

/// The cameras in `dev_dir`, in the order of their numbers. Nodes that give no
/// pictures, such as those for metadata, are left out.
pub fn survey(dev_dir: &Path) -> Vec<Found> {
    let nodes = numbered(dev_dir).into_iter().take(NODES_MAX);
    let found = nodes.map(|node| Found {
        name: lasting_name(dev_dir, &node).unwrap_or_else(|| node.clone()),
        about: look(&node),
        node,
    });
    found
        .filter(|found| {
            let error = found.about.as_ref().err();
            error.is_none_or(|error| !matches!(error.fault, CameraFault::Unsuitable(_)))
        })
        .collect()
}

/// Whether the name of a node is a number, which another camera may have after
/// the next start.
pub fn is_numbered(node: &Path) -> bool {
    number_of(node).is_some()
}

/// The name in `dev_dir` that a node keeps, if udev has given it one.
pub fn lasting_name(dev_dir: &Path, node: &Path) -> Option<PathBuf> {
    let target = fs::canonicalize(node).ok()?;
    ["v4l/by-id", "v4l/by-path"].iter().find_map(|folder| {
        let links = fs::read_dir(dev_dir.join(folder)).ok()?;
        let links = links.flatten().map(|link| link.path());
        links
            .filter(|link| fs::canonicalize(link).is_ok_and(|path| path == target))
            .min()
    })
}

fn look(node: &Path) -> Result<About, CameraError> {
    let looked = || {
        let opened = Node::open(node)?;
        Ok(About {
            offers: opened.offers()?,
            card: opened.card,
            driver: opened.driver,
        })
    };
    looked().map_err(|fault| CameraError {
        node: node.to_owned(),
        fault,
    })
}

fn numbered(dev_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dev_dir).into_iter().flatten().flatten();
    let mut nodes: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| is_numbered(path))
        .collect();
    nodes.sort_by_key(|path| number_of(path));
    nodes
}

fn number_of(node: &Path) -> Option<u32> {
    let name = node.file_name()?.to_str()?;
    name.strip_prefix("video")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_that_stay_are_preferred_to_numbers() {
        let dev = tempfile::tempdir().unwrap();
        for folder in ["v4l/by-id", "v4l/by-path"] {
            fs::create_dir_all(dev.path().join(folder)).unwrap();
        }
        for node in ["video10", "video2", "video0", "videoX", "null"] {
            fs::write(dev.path().join(node), "").unwrap();
        }
        let link = |name: &str, node: &str| {
            symlink(format!("../../{node}"), dev.path().join(name)).unwrap();
        };
        link("v4l/by-id/usb-Spike_Camera-index0", "video2");
        link("v4l/by-path/usb-0:1-index0", "video2");
        link("v4l/by-path/usb-0:2-index0", "video10");
        let names: Vec<String> = numbered(dev.path())
            .iter()
            .map(|node| {
                let name = lasting_name(dev.path(), node).unwrap_or_else(|| node.clone());
                let name = name.strip_prefix(dev.path()).unwrap();
                name.display().to_string()
            })
            .collect();
        let expected = [
            "video0",
            "v4l/by-id/usb-Spike_Camera-index0",
            "v4l/by-path/usb-0:2-index0",
        ];
        assert_eq!(names, expected);
        assert!(is_numbered(Path::new("/dev/video0")));
        assert!(!is_numbered(Path::new("/dev/v4l/by-id/usb-video0")));
        // Files are no cameras.
        assert!(survey(dev.path()).is_empty());
        assert!(survey(Path::new("/nowhere")).is_empty());
    }
}
