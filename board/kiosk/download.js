// Fetches a clip over HTTP. A download that is cut resumes where it stopped;
// one that makes no progress is given up after a few attempts.

const ATTEMPTS_WITHOUT_PROGRESS_MAX = 5;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 8_000;
const SILENCE_MS_MAX = 15_000;

/**
 * The bytes at `url`, exactly `sizeBytes` of them.
 * Throws when the server refuses, sends another size or stays away for long.
 */
export async function download(url, sizeBytes, signal) {
  const bytes = new Uint8Array(sizeBytes);
  const progress = { received: 0, requests: 0, etag: null };
  let fruitless = 0;
  while (progress.received < sizeBytes || progress.requests === 0) {
    const before = progress.received;
    try {
      await receive(url, bytes, progress, signal);
    } catch (error) {
      if (signal.aborted || error.final) throw error;
    }
    if (progress.received >= sizeBytes) break;
    fruitless = progress.received > before ? 0 : fruitless + 1;
    if (fruitless >= ATTEMPTS_WITHOUT_PROGRESS_MAX) {
      throw new Error(`${url}: no progress after ${fruitless} attempts`);
    }
    await pause(Math.min(BACKOFF_MS_MIN * 2 ** fruitless, BACKOFF_MS_MAX), signal);
  }
  return { bytes, requests: progress.requests };
}

/** One request: fills `bytes` from where the last one stopped. */
async function receive(url, bytes, progress, signal) {
  const watch = watchdog(signal);
  try {
    const headers = {};
    if (progress.received > 0) {
      headers.Range = `bytes=${progress.received}-`;
      // Without this a file that was replaced meanwhile would be spliced.
      if (progress.etag) headers["If-Range"] = progress.etag;
    }
    progress.requests += 1;
    // The browser's own cache may hold a half of what we want: go past it.
    const response = await fetch(url, { headers, cache: "no-store", signal: watch.signal });
    if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429) {
      throw final(`${url}: HTTP status ${response.status}`);
    }
    if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
    if (response.status !== 206) progress.received = 0;
    progress.etag = response.headers.get("ETag");
    for await (const part of parts(response.body)) {
      watch.reset();
      if (progress.received + part.length > bytes.length) {
        throw final(`${url}: longer than the ${bytes.length} bytes announced`);
      }
      bytes.set(part, progress.received);
      progress.received += part.length;
    }
    if (response.status === 200 && progress.received < bytes.length && !declaresMore(response, bytes.length)) {
      throw final(`${url}: ${progress.received} bytes, ${bytes.length} announced`);
    }
  } finally {
    watch.stop();
  }
}

/** True unless the server itself says that the file is shorter. */
function declaresMore(response, sizeBytes) {
  const length = response.headers.get("Content-Length");
  return length === null || Number(length) >= sizeBytes;
}

// Streams are not async iterable in every browser on a wall.
async function* parts(stream) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** A signal that follows `outer` and also fires after silence. */
function watchdog(outer) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  outer.addEventListener("abort", abort);
  if (outer.aborted) abort();
  let timer = setTimeout(abort, SILENCE_MS_MAX);
  return {
    signal: controller.signal,
    reset() {
      clearTimeout(timer);
      timer = setTimeout(abort, SILENCE_MS_MAX);
    },
    stop() {
      clearTimeout(timer);
      outer.removeEventListener("abort", abort);
    },
  };
}

function final(message) {
  return Object.assign(new Error(message), { final: true });
}

/** Waits, less when `signal` fires; then it throws. */
export function pause(delayMs, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("superseded", "AbortError"));
    }, { once: true });
  });
}
