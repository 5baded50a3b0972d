import { internTexts } from '#base/collections/interned.ts'
import { shared, sharedWithText } from '#machinery/apply/fields-v1.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'

/**
 * Reads the JSON of a stored object. All objects whose `fieldsV1` say the same share one value.
 *
 * Hot: bench/apiserver — a server that starts reads everything it has. The fields that its owners set are a third of a pod and more, and most
 * pods of a cluster have them in common: they are cut out of the text and parsed once. What {@link parseJson} makes sure of in every request
 * is left to it where there is something to make sure of: numbers that JSON.parse would round, and halves of characters.
 */
export function parseStored(json: Uint8Array): ApiObject {
  const text = utf8.decode(json)
  const cuts = cutsOf(text)
  let rest = ''
  let from = 0
  for (const [index, { start, end }] of cuts.entries()) {
    rest += text.slice(from, start) + index
    from = end
  }
  rest += text.slice(from)
  const object = DELICATE.test(rest) ? undefined : tryParse<ApiObject>(rest)
  if (!object) return sharingFields(parseJson(text) as ApiObject)
  internTexts(object)
  return putBack(object, cuts) ? object : sharingFields(parseJson(text) as ApiObject)
}

/** `object`, new and nobody else's, after its `fieldsV1` were replaced by those that other objects have as well. */
export function sharingFields(object: ApiObject): ApiObject {
  for (const entry of managedFieldsOf(object)) {
    if (typeof entry.fieldsV1 === 'object') (entry as Mutable<typeof entry>).fieldsV1 = shared(entry.fieldsV1)
  }
  return object
}

/** A set of fields, where it stood. */
interface Cut {
  readonly start: number
  readonly end: number
  readonly fields: Readonly<Record<string, unknown>>
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
/** Cannot stand within a string, whose quotes are escaped. */
const FIELDS = '"fieldsV1"'
const DELICATE = /[:[,]\s*-?(?:\d{16}|\d+(?:\.\d+)?[eE])|\\u[dD][89a-fA-F]/
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

function cutsOf(text: string): Cut[] {
  const cuts: Cut[] = []
  for (let at = text.indexOf(FIELDS); at >= 0; at = text.indexOf(FIELDS, cuts.at(-1)!.end)) {
    const start = at + FIELDS.length + 1
    // Something else of that name could be taken for what was cut out.
    if (!text.startsWith(':{', start - 1)) return []
    const known = recent.find(each => text.startsWith(each.text, start))
    const cut = known ? { start, end: start + known.text.length, fields: known.fields } : newCut(text, start)
    // What is no JSON is not for here.
    if (!cut) return []
    cuts.push(cut)
  }
  return cuts
}

/** The sets that came last: one that begins with all of such a text is that set, since no object's text is the beginning of another's. */
const recent: { readonly text: string; readonly fields: Cut['fields'] }[] = []
const RECENT = 8

function newCut(text: string, start: number): Cut | undefined {
  const end = endOfObject(text, start)
  const slice = text.slice(start, end)
  const parsed = end < 0 || DELICATE.test(slice) ? undefined : tryParse<Cut['fields']>(slice)
  if (!parsed) return undefined
  const known = sharedWithText(parsed)
  // A slice would keep the whole text in memory.
  if (known.text === slice) recent.unshift(known)
  if (recent.length > RECENT) recent.pop()
  return { start, end, fields: known.fields }
}

/** Index behind the object that begins at `start`, or -1. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === OPEN_BRACE) depth++
    else if (code === CLOSE_BRACE && --depth === 0) return at + 1
    else if (code === QUOTE) while (++at < text.length && text.charCodeAt(at) !== QUOTE) if (text.charCodeAt(at) === BACKSLASH) at++
  }
  return -1
}

function tryParse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}

/** Answers whether what was cut out were the owners' fields and nothing else. */
function putBack(object: ApiObject, cuts: readonly Cut[]): boolean {
  let count = 0
  for (const entry of managedFieldsOf(object)) {
    const index: unknown = entry.fieldsV1
    if (typeof index !== 'number') continue
    const cut = cuts[index]
    if (!cut) return false
    ;(entry as Mutable<typeof entry>).fieldsV1 = cut.fields
    count++
  }
  return count === cuts.length
}

/** Whatever somebody has stored under that name, it can be walked. */
function managedFieldsOf(object: ApiObject): NonNullable<ApiObject['metadata']['managedFields']> {
  const entries = object?.metadata?.managedFields
  return Array.isArray(entries) ? entries : []
}
