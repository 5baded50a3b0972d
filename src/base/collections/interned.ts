/**
 * `text`, or another string that says the same: of texts that come again and again (image names, paths, defaults) few copies are held instead
 * of one in every object. What was seen last in a slot is remembered there, so this takes some nanoseconds and never grows. Very short
 * texts share memory already (V8 does it while it reads JSON), and long ones seldom come twice.
 *
 * Hot: bench/apiserver — the texts of a stored pod took 1.6 KB, most of which it had in common with others.
 */
export function interned(text: string): string {
  const { length } = text
  if (length < SHORTEST || length > LONGEST) return text
  const code =
    text.charCodeAt(0) + 31 * text.charCodeAt(length >> 1) + 197 * text.charCodeAt(length - 2) + 1021 * text.charCodeAt(length - 1)
  const slot = (code + 4099 * length) & (SLOTS - 1)
  const known = slots[slot]!
  if (known === text) return known
  slots[slot] = text
  return text
}

/** `value`, parsed JSON that nobody else has yet, with its texts {@link interned}. */
export function internTexts(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      if (typeof item === 'string') value[index] = interned(item)
      else internTexts(item, depth + 1)
    }
    return
  }
  const fields = value as Record<string, unknown>
  for (const name in fields) {
    const item = fields[name]
    if (typeof item === 'string') {
      // Assigned to, this name would be the prototype.
      if (item.length >= SHORTEST && item.length <= LONGEST && name !== '__proto__') fields[name] = interned(item)
    } else if (typeof item === 'object') internTexts(item, depth + 1)
  }
}

const SHORTEST = 11
const LONGEST = 128
/** Nesting beyond this is not walked: it is the client's choice. */
const DEEPEST = 24
const SLOTS = 8192
const slots: string[] = new Array<string>(SLOTS).fill('')
