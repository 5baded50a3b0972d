/** A JSON object; keys that mean something to JavaScript are keys like any other, so it is only touched through these functions. */
export type JsonObject = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether it has no keys. */
export function isEmptyObject(object: JsonObject): boolean {
  for (const _ in object) return false
  return true
}

/** The own value of `key`, or undefined. */
export function valueAt(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Sets an own value, whatever the key is called. */
export function setAt(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

/** The name that Go gives to the JSON type of `value`. */
export function jsonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'number'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Whether two JSON values are the same, keys in any order. Without recursion, since the depth is the client's choice. */
export function isSameJson(left: unknown, right: unknown): boolean {
  // Hot: bench/loops — most that is compared is text.
  if (left === right) return true
  if (typeof left !== 'object' && typeof right !== 'object') return (left ?? null) === (right ?? null)
  const open: [unknown, unknown][] = [[left, right]]
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const [one, other] = pair
    if (one === other || (one ?? null) === (other ?? null)) continue
    if (Array.isArray(one)) {
      if (!Array.isArray(other) || one.length !== other.length) return false
      for (let index = 0; index < one.length; index++) open.push([one[index], other[index]])
    } else {
      if (!isJsonObject(one) || !isJsonObject(other)) return false
      const keys = Object.keys(one)
      if (keys.length !== Object.keys(other).length) return false
      for (const key of keys) {
        if (!Object.hasOwn(other, key)) return false
        open.push([one[key], other[key]])
      }
    }
  }
  return true
}
