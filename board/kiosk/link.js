// The display's side of MQTT: subscribes, decodes, hands on. mqtt.js reconnects
// and subscribes again by itself, and retained messages then come anew.

import { chunkChannel } from "./chunks.js";
import mqtt from "./vendor/mqtt.esm.js";

const PACKET_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The broker's address as this page can reach it. The board does not know by
 * which name it is reached, so a host that is empty, `{host}`, 0.0.0.0 or [::]
 * stands for the page's own; so does a loopback address once the page itself
 * came from elsewhere.
 */
export function brokerUrl(configured, pageHost) {
  const [, scheme, host, rest] = /^(wss?:\/\/)(\[[^\]]*\]|[^:/?#]*)(.*)$/.exec(configured) ?? [];
  if (!scheme) return configured;
  const anywhere = ["", "{host}", "0.0.0.0", "[::]"].includes(host);
  const astray = isLoopback(host) && !isLoopback(pageHost);
  return anywhere || astray ? scheme + pageHost + rest : configured;
}

function isLoopback(host) {
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

/**
 * Connects and stays connected. `on` has `connected(yes)`, `record(object)`,
 * `poster(bytes)`, `availability(text)` and `state(object)`.
 */
export function openLink(url, base, on) {
  // getRandomValues, because randomUUID needs a secure context.
  const suffix = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  const client = mqtt.connect(url, {
    protocolVersion: 5,
    clientId: `kiosk-${suffix}`,
    clean: true,
    keepalive: 30,
    connectTimeout: 10_000,
    // Spread, so that a wall of displays does not come back in one moment.
    reconnectPeriod: 1_000 + Math.random() * 1_000,
    // mqtt.js's own timers run in a worker made from text, which our content
    // security policy forbids.
    timerVariant: "native",
    properties: { maximumPacketSize: PACKET_BYTES_MAX },
  });
  client.subscribe(["clip/info", "poster", "availability", "state"].map((leaf) => `${base}/${leaf}`), { qos: 1 });

  const clips = clipChannel(client, `${base}/clip`);
  const chunks = chunkChannel(client, base);
  const handlers = {
    [`${base}/clip`]: clips.received,
    [`${base}/clip/info`]: (payload) => on.record(JSON.parse(payload.toString())),
    [`${base}/poster`]: (payload) => on.poster(payload),
    [`${base}/availability`]: (payload) => on.availability(payload.toString()),
    [`${base}/state`]: (payload) => on.state(JSON.parse(payload.toString())),
  };
  client.on("message", (topic, payload, packet) => {
    // An empty retained message only clears the topic.
    if (payload.length === 0) return;
    try {
      if (handlers[topic]) handlers[topic](payload, packet);
      else chunks.received(topic, payload);
    } catch (error) {
      console.warn(`${topic}: ${error.message}`);
    }
  });
  client.on("connect", () => on.connected(true));
  client.on("close", () => on.connected(false));
  client.on("error", (error) => console.warn(`broker: ${error.message}`));
  return { ...clips, pull: chunks.pull };
}

/** Clips as messages; subscribed only while somebody wants them. */
function clipChannel(client, topic) {
  let subscribed = false;
  let latest = null;
  let waiting = null;
  return {
    received(payload, packet) {
      const claimed = packet.properties?.userProperties?.sha256;
      latest = { bytes: payload, sha256: Array.isArray(claimed) ? claimed[0] : claimed };
      waiting?.(latest);
    },
    /** Subscribes or unsubscribes. */
    listen(wanted) {
      if (wanted && !subscribed) client.subscribe(topic, { qos: 1 });
      if (!wanted && subscribed) {
        client.unsubscribe(topic);
        latest = null;
      }
      subscribed = wanted;
    },
    /**
     * The next message that may be the clip: one that names this `sha256` or
     * none. Null when none came in time. `seen` is the message to look beyond.
     */
    next(sha256, seen, timeoutMs, signal) {
      const fits = (message) => message && message !== seen && (message.sha256 ?? sha256) === sha256;
      return new Promise((resolve, reject) => {
        if (fits(latest)) return resolve(latest);
        const timer = setTimeout(() => done(null), timeoutMs);
        const done = (message) => {
          clearTimeout(timer);
          waiting = null;
          resolve(message);
        };
        waiting = (message) => fits(message) && done(message);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new DOMException("superseded", "AbortError"));
        }, { once: true });
      });
    },
  };
}
