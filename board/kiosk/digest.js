// SHA-256 of a clip. Not by crypto.subtle: browsers offer that only to secure
// contexts, and a display opens http://board.local.

import sha256 from "./vendor/sha256.min.mjs";

// About 5 ms of hashing on a small board: short enough not to be seen.
const SLICE_BYTES = 256 * 1024;

/** SHA-256 of `bytes`, lower-case hexadecimal. Lets the page breathe between slices. */
export async function sha256Hex(bytes) {
  const hash = sha256.create();
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    hash.update(bytes.subarray(at, at + SLICE_BYTES));
    await new Promise((resolve) => setTimeout(resolve));
  }
  return hash.hex();
}
