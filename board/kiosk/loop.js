// Plays a clip round and round without a gap.
//
// Time from the last frame shown to the first one of the next turn, measured
// by requestVideoFrameCallback in Chromium 156 (software decoding, two loaded
// cores, 30 frames per second, so one step is 33 ms; 640x360 and 1280x720):
//
//   loop attribute            50 to 86 ms  the decoder is flushed and restarted
//   seek to 0 before the end   3 to 37 ms  uneven, and the last frame is lost
//   two elements in turns    -17 to 44 ms  frames doubled or lost, two decoders
//   Media Source Extensions   24 to 34 ms  the same as any other step
//
// So the clip is cut into fragments once and these are appended for ever, each
// turn shifted by the clip's length: to the decoder it is one endless film.
// The attribute stays as the fallback for browsers without MSE.

import { MP4BoxBuffer, createFile } from "./vendor/mp4box.all.mjs";

const FRAMES_PER_FRAGMENT = 30;
// Timers of a busy or hidden page may be a second late.
const AHEAD_S_MIN = 4;
const PUMP_INTERVAL_MS = 250;
const SEAMS_KEPT = 64;

/**
 * Makes `video` loop the MP4 in `bytes`; playing starts with `video.play()`.
 * The result has `method`, `frame_ms`, `turns`, `seam_gaps_ms` and `close()`.
 */
export function openLoop(video, bytes) {
  const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
  try {
    const film = cut(bytes);
    const supported = Source?.isTypeSupported(film.type);
    if (supported) return measured(video, film, endless(video, film, Source));
    return measured(video, film, attribute(video, bytes));
  } catch (error) {
    // What mp4box cannot read the browser itself perhaps can.
    console.warn(`loop: ${error.message}`);
    return measured(video, null, attribute(video, bytes));
  }
}

/** An MP4 as an initialisation segment and media fragments for MSE. */
function cut(bytes) {
  const file = createFile();
  const film = { type: "", turn_s: 0, frame_s: 0, head: null, fragments: [] };
  let failure = null;
  file.onError = (module, message) => (failure = `${module}: ${message}`);
  file.onSegment = (_track, _user, buffer) => film.fragments.push(buffer);
  file.onReady = (info) => {
    const track = info.videoTracks[0];
    if (!track) return;
    film.type = `video/mp4; codecs="${track.codec}"`;
    film.turn_s = track.samples_duration / track.timescale;
    film.frame_s = film.turn_s / track.nb_samples;
    // A clip may be one group of pictures: a fragment need not start with a
    // key frame as long as they are appended in order.
    file.setSegmentOptions(track.id, null, { nbSamples: FRAMES_PER_FRAGMENT, rapAlignement: false });
    film.head = file.initializeSegmentation().buffer;
    file.start();
  };
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(copy, 0), true);
  file.flush();
  if (failure || film.fragments.length === 0 || !(film.turn_s > 0)) {
    throw new Error(failure ?? "no video track in the MP4");
  }
  return film;
}

/** Feeds the fragments to a media source, for ever. */
function endless(video, film, Source) {
  const source = new Source();
  const url = URL.createObjectURL(source);
  let buffer = null;
  let next = 0;

  const appendNext = () => {
    const turn = Math.floor(next / film.fragments.length);
    const index = next % film.fragments.length;
    if (index === 0) buffer.timestampOffset = turn * film.turn_s;
    buffer.appendBuffer(film.fragments[index]);
    next += 1;
  };
  const pump = () => {
    if (!buffer || buffer.updating || source.readyState !== "open" || video.error) return;
    const ranges = buffer.buffered;
    const end_s = ranges.length > 0 ? ranges.end(ranges.length - 1) : 0;
    // Whole past turns only: a removal runs on to the next key frame, and
    // inside the current turn that would take the frames about to be shown.
    const past_s = Math.floor(video.currentTime / film.turn_s) * film.turn_s - film.frame_s / 2;
    if (ranges.length > 0 && ranges.start(0) + film.turn_s <= past_s) buffer.remove(0, past_s);
    else if (end_s - video.currentTime < AHEAD_S_MIN) appendNext();
  };
  source.addEventListener("sourceopen", () => {
    if (buffer) return;
    URL.revokeObjectURL(url);
    buffer = source.addSourceBuffer(film.type);
    buffer.addEventListener("updateend", pump);
    buffer.appendBuffer(film.head);
  });
  // ManagedMediaSource opens only where casting is ruled out.
  video.disableRemotePlayback = true;
  video.src = url;
  const timer = setInterval(pump, PUMP_INTERVAL_MS);
  return { method: "mse", close: () => clearInterval(timer) };
}

/** The plain way. */
function attribute(video, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
  video.loop = true;
  video.src = url;
  return { method: "attribute", close: () => URL.revokeObjectURL(url) };
}

/** Counts the turns and times the seams of what `video` shows. */
function measured(video, film, feed) {
  const loop = {
    method: feed.method,
    frame_ms: film ? film.frame_s * 1000 : null,
    turns: 0,
    seam_gaps_ms: [],
    close() {
      feed.close();
      video.pause();
      video.removeAttribute("src");
      video.load();
    },
  };
  if (!film || !video.requestVideoFrameCallback) return loop;
  let last = null;
  const shown = (_now, frame) => {
    const position = frame.mediaTime + film.frame_s / 2;
    const place_s = position % film.turn_s;
    if (last && place_s < last.place_s) {
      loop.turns += 1;
      // When more than one frame went by, this callback was late and says
      // nothing about the screen.
      if (frame.presentedFrames === last.presentedFrames + 1) {
        loop.seam_gaps_ms.push(frame.presentationTime - last.presentationTime);
        loop.seam_gaps_ms.splice(0, loop.seam_gaps_ms.length - SEAMS_KEPT);
      }
    }
    last = { place_s, presentationTime: frame.presentationTime, presentedFrames: frame.presentedFrames };
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  return loop;
}
