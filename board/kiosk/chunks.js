// Fetches a clip in chunks through the broker, when it does not come as one
// message and there is no HTTP.

const WINDOW_CHUNKS = 32;
const SILENCE_MS_MAX = 5_000;
const SILENCES_MAX = 6;
const CHUNK_BYTES_MAX = 1024 * 1024;

/** True when the record says how the clip can be had in chunks. */
export function isCut(record) {
  const { chunk_bytes: size, count } = record.chunks ?? {};
  const sound = Number.isInteger(size) && size > 0 && size <= CHUNK_BYTES_MAX;
  return sound && count === Math.ceil(record.bytes / size);
}

/** Chunks as messages; subscribed only while a clip is fetched. */
export function chunkChannel(client, base) {
  let taking = null;
  const topicOf = (record) => `${base}/clip/${record.sha256}`;
  return {
    /** Takes a message over if it is a chunk. */
    received(topic, payload) {
      const { record, take } = taking ?? {};
      const prefix = record && `${topicOf(record)}/chunk/`;
      if (prefix && topic.startsWith(prefix)) take(Number(topic.slice(prefix.length)), payload);
    },
    /** The clip's bytes, or null when some did not come for long. */
    async pull(record, signal) {
      const size = record.chunks.chunk_bytes;
      const bytes = new Uint8Array(record.bytes);
      const missing = new Set(Array(record.chunks.count).keys());
      let wake = () => {};
      const take = (index, payload) => {
        const place = index * size;
        const expected = Math.min(size, bytes.length - place);
        if (!missing.has(index) || payload.length !== expected) return;
        bytes.set(payload, place);
        missing.delete(index);
        wake();
      };
      const mine = { record, take };
      taking = mine;
      client.subscribe(`${topicOf(record)}/chunk/+`, { qos: 1 });
      try {
        for (let silences = 0; missing.size > 0; ) {
          const [first] = missing;
          let count = 0;
          while (count < WINDOW_CHUNKS && missing.has(first + count)) count += 1;
          const wanted = JSON.stringify({ v: 1, first, count });
          client.publish(`${topicOf(record)}/get`, wanted, { qos: 1 });
          const before = missing.size;
          while (missing.size > before - count && (await comes((notify) => (wake = notify), signal)));
          silences = missing.size < before ? 0 : silences + 1;
          if (silences >= SILENCES_MAX) return null;
        }
        return bytes;
      } finally {
        client.unsubscribe(`${topicOf(record)}/chunk/+`);
        if (taking === mine) taking = null;
      }
    },
  };
}

/** True when `listen`'s callback is called in time; throws when `signal` fires. */
function comes(listen, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), SILENCE_MS_MAX);
    listen(() => {
      clearTimeout(timer);
      resolve(true);
    });
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("superseded", "AbortError"));
    }, { once: true });
  });
}
