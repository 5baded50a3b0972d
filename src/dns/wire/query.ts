import { labelBytes } from './name.ts'

/** A query for one name (lower case, as it is written everywhere here), which asks for recursion. */
export function encodeQuery(id: number, name: string, type: number): Uint8Array {
  const labels = name === '' ? [] : name.split('.').map(labelBytes)
  const question = labels.flatMap(label => [label.length, ...label])
  return Uint8Array.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question, 0, type >> 8, type & 255, 0, 1])
}
