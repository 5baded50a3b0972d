/**
 * Replaces every object and list within `value` that says the same as what stands in its place in `like` by the latter, so that the memory
 * holds it once. Answers whether all of `value` says the same as `like`: same names in the same order, same values. Both must be JSON that
 * nobody changes any more.
 *
 * Hot: bench/loops held — versions of an object differ in little, and so do objects that were made from one template: of the 140 objects,
 * lists and maps of properties that a pod was in memory, most are its neighbour's. What is alive is what a full collection has to go through.
 */
export function shareParts(value: object, like: object): boolean {
  return share(value as Fields, like as Fields, 0)
}

type Fields = Record<string, unknown>

/** Nesting beyond this is left as it is: it is the client's choice. */
const DEEPEST = 24
/** Names of the objects that are being looked at, one behind the other. */
const names: string[] = []
let top = 0

function share(value: Fields, like: Fields, depth: number): boolean {
  if (depth > DEEPEST) return false
  if (Array.isArray(value) || Array.isArray(like)) {
    return Array.isArray(value) && Array.isArray(like) && shareItems(value, like, depth)
  }
  const base = top
  for (const name in like) names[top++] = name
  const end = top
  let at = base
  let isSame = true
  for (const name in value) {
    const isInPlace = at < end && names[at] === name
    at++
    if (!isInPlace) isSame = false
    if (!isInPlace && !Object.hasOwn(like, name)) continue
    const mine = value[name]
    const other = like[name]
    if (mine === other) continue
    if (!isObject(mine) || !isObject(other)) isSame = false
    else if (share(mine, other, depth + 1)) put(value, name, other)
    else isSame = false
  }
  top = base
  return isSame && at === end
}

function shareItems(value: unknown[], like: readonly unknown[], depth: number): boolean {
  const length = Math.min(value.length, like.length)
  let isSame = value.length === like.length
  for (let index = 0; index < length; index++) {
    const mine = value[index]
    const other = like[index]
    if (mine === other) continue
    if (!isObject(mine) || !isObject(other)) isSame = false
    else if (!share(mine, other, depth + 1)) isSame = false
    else if (!Object.isFrozen(value)) value[index] = other
  }
  return isSame
}

function put(value: Fields, name: string, other: Fields): void {
  // Assigned to, `__proto__` would be the prototype.
  if (name !== '__proto__' && !Object.isFrozen(value)) value[name] = other
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
