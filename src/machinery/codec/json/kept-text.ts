/**
 * The texts of values that JavaScript would write otherwise than they were sent (`0.10`, `1e400`). A text belongs to the very object: a copy, or
 * what a change made of it, has none and is written by its values.
 */
const texts = new WeakMap<object, string>()

/** Keeps `text` as the JSON of `value`, which is nobody else's yet and stays as it is from now on. */
export function keepText(value: object, text: string): void {
  if (Object.hasOwn(value, 'toJSON')) return // a key of the user's, whose place is taken
  texts.set(value, text)
  // Invisible to whoever goes through the keys. `JSON.stringify` calls it, takes the value as it is, and so the encoder learns of the text.
  Object.defineProperty(value, 'toJSON', { value: noticed })
}

/** The JSON that is kept for `value`, if any. */
export function keptText(value: object): string | undefined {
  return texts.get(value)
}

/** `JSON.stringify(value)`; undefined where a text was kept for something in it, which only a longer way can write. */
export function stringifyPlain(value: unknown): string | undefined {
  wasMet = false
  const text = JSON.stringify(value) ?? 'null'
  return wasMet ? undefined : text
}

let wasMet = false

function noticed(this: object): object {
  wasMet = true
  return this
}
