//! The kiosk page, built into the program.

/// A file of the page.
pub(super) struct Asset {
    /// Path in the address.
    pub path: &'static str,
    /// MIME type.
    pub content_type: &'static str,
    /// The whole file.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($content_type:expr, $file:literal, $path:expr) => {
        Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../../../board/kiosk/", $file)),
        }
    };
    ($content_type:expr, $file:literal) => {
        asset!($content_type, $file, concat!("/", $file))
    };
}

/// Every file of the page.
pub(super) const ASSETS: &[Asset] = &[
    asset!(HTML, "index.html", "/"),
    asset!(STYLE, "kiosk.css"),
    asset!(SCRIPT, "kiosk.js"),
    asset!(SCRIPT, "chunks.js"),
    asset!(SCRIPT, "digest.js"),
    asset!(SCRIPT, "download.js"),
    asset!(SCRIPT, "link.js"),
    asset!(SCRIPT, "loop.js"),
    asset!(SCRIPT, "stage.js"),
    asset!(SCRIPT, "store.js"),
    asset!(SCRIPT, "vendor/mqtt.esm.js"),
    asset!(SCRIPT, "vendor/sha256.min.mjs"),
    asset!(SCRIPT, "vendor/mp4box.all.mjs"),
    asset!(SCRIPT, "vendor/styp-9TIZZDLN.mjs"),
    asset!(SCRIPT, "vendor/rolldown-runtime-w6R9maHv.mjs"),
];
