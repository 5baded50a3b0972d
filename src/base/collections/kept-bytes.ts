/**
 * Memory for bytes that are kept for long and by the hundred thousand.
 *
 * V8 begins a full collection whenever the memory of array buffers has grown by 64 MB, however much of it is in use, and from then on
 * marks for milliseconds at every further one until it is done: with 600 MB of kept bytes that was all of a server's heap every three
 * seconds under load, and a second in which nobody was answered. Memory that threads may share it does not count. So only every eleventh of
 * small buffers is one that counts: the heap is collected for them after 700 MB, which bounds what nobody needs any more. Large ones count,
 * each of them, since the objects they belong to may be small. Hot: bench/loops held.
 */
export function newKeptBytes(length: number): Uint8Array {
  if (length > SMALL || ++taken % COUNTED === 0) return new Uint8Array(length)
  return new Uint8Array(new SharedArrayBuffer(length))
}

const SMALL = 16 * 1024
/** A prime: bytes are taken in patterns, one for an object and one for its event, and what counts should not be always the same of them. */
const COUNTED = 11
let taken = 0

/**
 * Copies `source` to `target`, from `at` on, where either may be kept bytes: `set` copies between memory of threads and other memory byte for byte,
 * Node's `fill` at once. That was a sixth of a long list. Hot: bench/apiserver.
 */
export function copyBytes(source: Uint8Array, target: Uint8Array, at: number): void {
  // For little, the call out of V8 costs more than it saves.
  if (source.length < LITTLE) target.set(source, at)
  else fill.call(target as Buffer, source, at, at + source.length)
}

const LITTLE = 512
const fill = Buffer.prototype.fill
