// What the viewer sees: poster, clip, label and, while there is nothing else,
// one small line of status.

import { openLoop } from "./loop.js";

const FADE_MS = 600;
const FIRST_FRAME_MS_MAX = 15_000;
const NOTICE_MS = 10_000;
const STALL_CHECK_MS = 5_000;

/** Takes over the page's elements; `fit` is `cover` or `contain`. */
export function openStage(fit) {
  const stage = document.getElementById("stage");
  const poster = document.getElementById("poster");
  const label = document.getElementById("label");
  const status = document.getElementById("status");
  stage.dataset.fit = fit === "contain" ? "contain" : "cover";
  goFullScreenOnTap();

  let current = null;
  let notice = 0;
  const view = {
    /** The loop on screen, or null. */
    loop: () => current?.loop ?? null,

    /** Says what is being waited for; not shown over a clip. */
    waiting(text) {
      if (!current) status.textContent = text;
    },

    /** Says, for a short while, what went wrong. */
    notice(text) {
      clearTimeout(notice);
      status.textContent = text;
      if (current) notice = setTimeout(() => (status.textContent = ""), NOTICE_MS);
    },

    /** Shows the still until a clip plays. */
    async poster(bytes) {
      const url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      const trial = new Image();
      trial.src = url;
      try {
        await trial.decode();
      } catch {
        URL.revokeObjectURL(url);
        return;
      }
      URL.revokeObjectURL(poster.src);
      poster.src = url;
      poster.hidden = current !== null;
    },

    /**
     * Plays `bytes` and, once their first frame stands, lets go of what was
     * playing. Throws, and leaves that alone, when they do not play or when
     * `signal` fires meanwhile.
     */
    async play(bytes, text, signal) {
      const video = newVideo();
      stage.append(video);
      const loop = openLoop(video, bytes);
      try {
        await firstFrame(video);
        signal?.throwIfAborted();
      } catch (error) {
        loop.close();
        video.remove();
        throw error;
      }
      const former = current;
      const stopWatching = restartWhenStalled(video, () => view.play(bytes, text));
      current = { video, loop, stopWatching };
      video.classList.add("shown");
      clearTimeout(notice);
      status.textContent = "";
      label.textContent = text;
      label.hidden = text === "";
      setTimeout(() => {
        poster.hidden = true;
        if (!former) return;
        former.loop.close();
        former.video.remove();
      }, FADE_MS);
      former?.stopWatching();
    },
  };
  return view;
}

function newVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.preload = "auto";
  return video;
}

/** Starts playing; resolves when the first frame is on its way to the screen. */
function firstFrame(video) {
  return new Promise((resolve, reject) => {
    let timer = 0;
    const finish = (end, value) => {
      clearTimeout(timer);
      end(value);
    };
    const late = () => {
      // A page in the background shows no frames and is not to blame.
      if (document.hidden) document.addEventListener("visibilitychange", wait, { once: true });
      else reject(new Error("no picture came out of the clip"));
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(late, FIRST_FRAME_MS_MAX);
    };
    wait();
    video.addEventListener("error", () => finish(reject, new Error(video.error?.message || "the clip does not play")), { once: true });
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(() => finish(resolve));
    else video.addEventListener("playing", () => finish(resolve), { once: true });
    video.play().catch((error) => {
      if (error.name !== "NotAllowedError") return;
      // This browser wants a gesture first: wait for it as long as it takes.
      clearTimeout(timer);
      document.addEventListener("pointerdown", () => video.play(), { once: true });
    });
  });
}

/** A display runs for months: decoders hang and graphics processes die. */
function restartWhenStalled(video, restart) {
  let seen_s = -1;
  let stalls = 0;
  const timer = setInterval(() => {
    if (document.hidden) return;
    stalls = video.currentTime === seen_s ? stalls + 1 : 0;
    seen_s = video.currentTime;
    if (stalls === 1) video.play().catch(() => {});
    if (stalls >= 2 || video.error) {
      stalls = 0;
      restart().catch((error) => console.warn(`restart: ${error.message}`));
    }
  }, STALL_CHECK_MS);
  return () => clearInterval(timer);
}

function goFullScreenOnTap() {
  document.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.({ navigationUI: "hide" }).catch(() => {});
  });
}
