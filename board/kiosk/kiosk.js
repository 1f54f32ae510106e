// The display page. A clip record comes over MQTT; the bytes follow over HTTP
// or through the broker; what matches its SHA-256 is played, nothing else is.
//
// Options in the address: ?fit=cover (default) or ?fit=contain.
// `window.zoetrope` tells tests and the curious what is going on.

import { isCut } from "./chunks.js";
import { sha256Hex } from "./digest.js";
import { download, pause } from "./download.js";
import { brokerUrl, openLink } from "./link.js";
import { openStage } from "./stage.js";
import * as store from "./store.js";

const CLIP_BYTES_MAX = 256 * 1024 * 1024;
const BROKER_WAIT_MS = 60_000;
const PAGE_RETRY_MS = 3_000;
const SHOW_ATTEMPTS = 3;
const SHOW_RETRY_MS = 5_000;

const stage = openStage(new URLSearchParams(location.search).get("fit"));
const seen = {
  broker: "connecting",
  availability: null,
  state: null,
  sha256: null,
  source: null,
  requests: 0,
  refused: [],
  status: "",
  get method() { return stage.loop()?.method ?? null; },
  get frame_ms() { return stage.loop()?.frame_ms ?? null; },
  get loops() { return stage.loop()?.turns ?? 0; },
  get seam_gaps_ms() { return stage.loop()?.seam_gaps_ms ?? []; },
};
window.zoetrope = seen;

const page = await settings();
let link = null;
let acquiring = { sha256: null, stop: new AbortController() };

const kept = await store.load(page.device_id);
if (kept && (await sha256Hex(kept.bytes)) === kept.record.sha256) {
  await show(kept.record, kept.bytes, "kept").catch(() => {});
}
say("connecting to the broker");
link = openLink(brokerUrl(page.broker_websocket_url, location.hostname), page.base_topic, {
  connected(yes) {
    seen.broker = yes ? "connected" : "lost";
    say(yes ? "waiting for the first clip" : "waiting for the broker");
  },
  availability(text) { seen.availability = text; },
  state(state) { seen.state = state.state ?? null; },
  poster: (bytes) => stage.poster(bytes),
  record: follow,
});

/** What the board says about itself; asked for until it answers. */
async function settings() {
  for (;;) {
    try {
      const response = await fetch("kiosk.json", { cache: "no-store" });
      if (response.ok) return await response.json();
    } catch {
      // The board is starting or the network is away: ask again.
    }
    say("waiting for the board");
    await new Promise((resolve) => setTimeout(resolve, PAGE_RETRY_MS));
  }
}

/** Gets and shows the clip of `record`, unless it is there or on its way. */
function follow(record) {
  check(record);
  // Also when we have its clip already: the next one may come by message alone.
  if (!record.url) link.listen(true);
  if (record.sha256 === acquiring.sha256) return;
  acquiring.stop.abort();
  acquiring = { sha256: record.sha256, stop: new AbortController() };
  if (record.sha256 === seen.sha256) return;
  const { signal } = acquiring.stop;
  acquire(record, signal).catch((error) => {
    if (!signal.aborted) complain(`clip ${record.sha256.slice(0, 8)}: ${error.message}`);
  });
}

function check(record) {
  const known = record.v === 1 && /^[0-9a-f]{64}$/.test(record.sha256);
  if (!known) throw new Error("not a clip record of version 1");
  const sound = Number.isInteger(record.bytes) && record.bytes > 0 && record.bytes <= CLIP_BYTES_MAX;
  if (!sound) throw new Error(`clip of ${record.bytes} bytes, allowed are 1 to ${CLIP_BYTES_MAX}`);
}

async function acquire(record, signal) {
  for (;;) {
    const fromBroker = record.inline === false && isCut(record) ? inChunks : throughBroker;
    const found = (record.url && (await overHttp(record, signal))) || (await fromBroker(record, signal));
    signal.throwIfAborted();
    if (found) {
      await showAtLast(record, found, signal);
      if (record.url) link.listen(false);
      await store.save(page.device_id, record, found.bytes);
      return;
    }
    await pause(BROKER_WAIT_MS, signal);
  }
}

/** Shows what was found; a decoder that was busy or died gets another chance. */
async function showAtLast(record, found, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await show(record, found.bytes, found.source, signal);
    } catch (error) {
      if (signal.aborted || attempt >= SHOW_ATTEMPTS) throw error;
      console.warn(error.message);
    }
    await pause(SHOW_RETRY_MS, signal);
  }
}

/** The clip by its URL, or null when it cannot be had or is not what it says. */
async function overHttp(record, signal) {
  try {
    const { bytes, requests } = await download(new URL(record.url, location.href), record.bytes, signal);
    seen.requests = requests;
    if (await genuine(record, bytes, "http")) return { bytes, source: "http" };
  } catch (error) {
    if (signal.aborted) throw error;
    console.warn(error.message);
  }
  return null;
}

/** The clip as a message, or null when none came that is what it says. */
async function throughBroker(record, signal) {
  link.listen(true);
  for (let message = null; ;) {
    message = await link.next(record.sha256, message, BROKER_WAIT_MS, signal);
    if (!message) return null;
    if (await genuine(record, message.bytes, "mqtt")) return { bytes: message.bytes, source: "mqtt" };
  }
}

/** The clip in chunks, or null when they do not come or are not what it says. */
async function inChunks(record, signal) {
  const bytes = await link.pull(record, signal);
  return bytes && (await genuine(record, bytes, "chunks")) ? { bytes, source: "chunks" } : null;
}

async function genuine(record, bytes, source) {
  const actual = await sha256Hex(bytes);
  if (actual === record.sha256) return true;
  seen.refused.push({ expected: record.sha256, actual, source });
  seen.refused.splice(0, seen.refused.length - 16);
  complain(`clip ${record.sha256.slice(0, 8)} refused: its bytes have another checksum`);
  return false;
}

async function show(record, bytes, source, signal) {
  await stage.play(bytes, record.label === true ? "AI-made" : String(record.label || ""), signal);
  seen.sha256 = record.sha256;
  seen.source = source;
  seen.status = "";
}

function say(text) {
  seen.status = text;
  stage.waiting(text);
}

function complain(text) {
  seen.status = text;
  console.warn(text);
  stage.notice(text);
}
