// Keeps the last good clip over a reload or a power cut, for a display that
// comes back before its broker does. In IndexedDB, because the Cache API needs
// a secure context. Every failure is harmless: the clip then comes again.

const STORE = "clips";

/** The clip last saved for `device`, `{record, bytes}`, or null. */
export async function load(device) {
  try {
    const kept = await request("readonly", (store) => store.get(device));
    return kept ? { record: kept.record, bytes: new Uint8Array(await kept.blob.arrayBuffer()) } : null;
  } catch {
    return null;
  }
}

/** Replaces the clip saved for `device`. */
export async function save(device, record, bytes) {
  try {
    const blob = new Blob([bytes], { type: "video/mp4" });
    await request("readwrite", (store) => store.put({ record, blob }, device));
  } catch (error) {
    console.warn(`clip not kept: ${error.message}`);
  }
}

async function request(mode, ask) {
  const database = await settled(Object.assign(indexedDB.open("zoetrope", 1), {
    onupgradeneeded: (event) => event.target.result.createObjectStore(STORE),
  }));
  try {
    return await settled(ask(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(pending) {
  return new Promise((resolve, reject) => {
    pending.onsuccess = () => resolve(pending.result);
    pending.onerror = () => reject(pending.error);
  });
}
