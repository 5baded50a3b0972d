import { isJsonObject } from './json-object.ts'
import { noMergeKey } from './strategic-directives.ts'

/**
 * The order of a merged list: elements that the patch names come in the patch's order, the others stay in the order they had, and where
 * both know two elements the original order decides which comes first.
 */
export function inOrder(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  original: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const inPatch = placesOf(patchOrder, mergeKey)
  const inOriginal = placesOf(original, mergeKey)
  const patched = merged.filter(item => inPatch.has(idOf(item, mergeKey)))
  const others = merged.filter(item => !inPatch.has(idOf(item, mergeKey)))
  return interleaved(sorted(others, inOriginal, mergeKey), sorted(patched, inPatch, mergeKey), inOriginal, mergeKey)
}

type Places = ReadonlyMap<unknown, number>

/** Where each element stands, the first time. */
function placesOf(list: readonly unknown[], mergeKey: string): Places {
  const places = new Map<unknown, number>()
  list.forEach((item, index) => {
    const id = idOf(item, mergeKey)
    if (!places.has(id)) places.set(id, index)
  })
  return places
}

function idOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === '' || !isJsonObject(item)) return item
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
  return item[mergeKey]
}

/** Hot: bench/loops — the conditions of a status are in order already, and to find that out is a look at each. */
function sorted(list: readonly unknown[], places: Places, mergeKey: string): readonly unknown[] {
  const place = (item: unknown) => places.get(idOf(item, mergeKey)) ?? Number.MAX_SAFE_INTEGER
  let last = 0
  for (const item of list) {
    const next = place(item)
    if (next < last) return [...list].sort((left, right) => place(left) - place(right))
    last = next
  }
  return list
}

function interleaved(left: readonly unknown[], right: readonly unknown[], original: Places, mergeKey: string): unknown[] {
  const all: unknown[] = []
  let l = 0
  let r = 0
  while (l < left.length && r < right.length) {
    const leftPlace = original.get(idOf(left[l], mergeKey))
    const rightPlace = original.get(idOf(right[r], mergeKey))
    const isLeftFirst = leftPlace !== undefined && rightPlace !== undefined && leftPlace < rightPlace
    all.push(isLeftFirst ? left[l++] : right[r++])
  }
  return [...all, ...left.slice(l), ...right.slice(r)]
}
