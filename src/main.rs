use std::time::Instant;
use zoetrope::{device::{h264::H264Encoder, tract::TractNetwork}, pipeline::*, request::*, still::*, clip::*};
struct Look0(Option<String>);
impl Onlooker for Look0 {
    fn stage(&self, s: Stage) { eprintln!("{s:?} {:?}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() % 1000000); }
    fn frame(&self, i: u32, _c: u32, p: &zoetrope::picture::Yuv420) {
        if let Some(d) = &self.0 { let r = p.to_rgb(); image::save_buffer(format!("{d}/{i:04}.png"), &r.bytes, r.width_px as u32, r.height_px as u32, image::ColorType::Rgb8).unwrap(); }
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let net = TractNetwork::built_in().unwrap();
    let photo = std::fs::read(&a[1]).unwrap();
    let id = JobId::generate();
    let limits = Limits::default();
    let job = Job { id: &id, photo: &photo, origin: Origin::File, limits: &limits, look: Look::default(), shape: Shape { duration_ms: a.get(3).map_or(4000, |s| s.parse().unwrap()), ..Shape::default() }, clip_path: std::path::Path::new(&a[2]) };
    let t = Instant::now();
    let clip = render(&net, &|w, h, f| Ok(Box::new(H264Encoder::new(w, h, f)?) as Box<dyn VideoEncoder>), &job, &Look0(a.get(4).cloned())).unwrap();
    println!("{:?} {} bytes {} {}x{} {}", t.elapsed(), clip.size_bytes, clip.codecs, clip.width_px, clip.height_px, clip.report);
    println!("{:?}", clip.report);
}
