import { defineScalarTag, defineSequenceTag, FAILSAFE_SCHEMA, loadAll, mapTag, mergeTag, NOT_RESOLVED, YAMLException } from 'js-yaml'
import { plainValue } from './plain-scalar.ts'
import { repeatedKeys } from './repeated-keys.ts'

export interface ParsedYaml {
  readonly value: unknown
  /** What strict reading would refuse: one text that names all keys which stand twice, in upstream's words. Empty when there are none. */
  readonly duplicates: readonly string[]
}

/** The text is no YAML; the message begins with `yaml:` as upstream's does. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
}

/**
 * Reads YAML as the API server and kubectl do: YAML 1.1 words, the first document counts, keys become strings, merge keys (`<<`) are
 * followed. Aliases that would blow the document up are refused. Throws {@link YamlError}.
 */
export function parseYaml(source: string | Uint8Array): unknown {
  return readYaml(source).value
}

/** As {@link parseYaml}, and tells which key stands twice. */
export function readYaml(source: string | Uint8Array): ParsedYaml {
  const text = typeof source === 'string' ? source : utf8.decode(source)
  try {
    return { value: jsonable(documentsOf(text, false)[0], text), duplicates: [] }
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    if (error.reason !== 'duplicated mapping key') throw yamlError(error)
    const repeated = repeatedKeys(firstDocument(text), MAX_DEPTH)
    return { value: jsonable(tolerantly(text), text), duplicates: [`yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`] }
  }
}

/** All documents of a stream, for `kubectl apply -f`; empty ones are left out. */
export function parseYamlStream(text: string): unknown[] {
  try {
    return documentsOf(text, true)
      .map(document => jsonable(document, text))
      .filter(document => document !== null)
  } catch (error) {
    throw error instanceof YAMLException ? yamlError(error) : error
  }
}

const utf8 = new TextDecoder()
/** The library reads by recursion: deeper than this would not fit every stack. */
const MAX_DEPTH = 1_000

/** All scalars without quotes, read by Kubernetes' rules and not by those of the library. */
const plainTag = defineScalarTag<unknown>('tag:yaml.org,2002:null', {
  implicit: true,
  resolve: source => {
    const value = plainValue(source)
    return typeof value === 'string' ? NOT_RESOLVED : value
  },
  identify: () => false,
})
const explicit = (name: string, isFine: (value: unknown) => boolean) =>
  defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
    resolve: source => (isFine(plainValue(source)) ? plainValue(source) : NOT_RESOLVED),
    identify: () => false,
  })
const textTag = (name: string) =>
  defineScalarTag<string>(`tag:yaml.org,2002:${name}`, { resolve: source => source.replace(/\s/g, ''), identify: () => false })
const seqTag = defineSequenceTag<unknown[]>('tag:yaml.org,2002:seq', {
  create: () => [],
  addItem: (items, item) => {
    items.push(item)
  },
  identify: () => false,
})

const SCHEMA = FAILSAFE_SCHEMA.withTags(
  plainTag,
  explicit('bool', value => typeof value === 'boolean'),
  explicit('int', value => typeof value === 'bigint' || Number.isInteger(value)),
  explicit('float', value => typeof value === 'number'),
  textTag('binary'),
  defineScalarTag<string>('tag:yaml.org,2002:timestamp', { resolve: source => source, identify: () => false }),
  mergeTag,
  mapTag,
  seqTag,
  // A tag that nobody knows does not change the text it stands before.
  defineScalarTag<string>('!', { matchByTagPrefix: true, resolve: source => source, identify: () => false }),
)

function documentsOf(text: string, isStream: boolean): unknown[] {
  return loadAll(isStream ? text : firstDocument(text), { schema: SCHEMA, maxDepth: MAX_DEPTH, json: false })
}

function tolerantly(text: string): unknown {
  return loadAll(firstDocument(text), { schema: SCHEMA, maxDepth: MAX_DEPTH, json: true })[0]
}

/** What stands before the second `---`: a mistake in a later document does not matter. */
function firstDocument(text: string): string {
  const start = /^(?:[ \t]*(?:#.*|%.*)?\r?\n)*---(?=\s|$)/.exec(text)
  const from = start ? start[0].length : 0
  const next = /^(?:---|\.\.\.)(?=\s|$)/m
  const rest = text.slice(from)
  const end = next.exec(rest)
  return end ? text.slice(0, from + end.index) : text
}

/**
 * The document as JSON can hold it. Aliases share their object, so a few lines can stand for billions of nodes: whoever walks more nodes
 * than the text could spell is refused.
 */
function jsonable(document: unknown, text: string): unknown {
  const value = document === undefined ? null : document
  if (!text.includes('*')) return checked(value)
  let budget = 400_000 + text.length
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }]
  while (open.length > 0) {
    const { value: next, depth } = open.pop()!
    if (--budget < 0 || depth > MAX_DEPTH) throw new YamlError('yaml: document contains excessive aliasing')
    if (typeof next === 'object' && next !== null) for (const item of Object.values(next)) open.push({ value: item, depth: depth + 1 })
  }
  return checked(value)
}

/** Numbers that JSON has no words for are refused. */
function checked(value: unknown): unknown {
  const open: unknown[] = [value]
  const seen = new Set<unknown>()
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'number' && !Number.isFinite(next)) throw new YamlError(`json: unsupported value: ${floatText(next)}`)
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    for (const item of Object.values(next)) if (typeof item === 'object' || typeof item === 'number') open.push(item)
  }
  return value
}

function floatText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

function yamlError(error: YAMLException): YamlError {
  const line = error.mark?.line ?? 0
  const reason = GO_REASONS.find(([pattern]) => pattern.test(error.reason))?.[1] ?? error.reason
  return new YamlError(line > 0 ? `yaml: line ${line + 1}: ${reason}` : `yaml: ${reason}`, { cause: error })
}

/** The library's words and upstream's for the same mistake. */
const GO_REASONS: readonly (readonly [RegExp, string])[] = [
  [/bad indentation of a mapping entry|nested mappings are not allowed/, 'mapping values are not allowed in this context'],
  [/can not read a block mapping entry|a multiline key|implicit (?:block )?key/, "could not find expected ':'"],
  [/bad indentation of a sequence entry/, 'block sequence entries are not allowed in this context'],
  [/missed comma between flow collection entries/, "did not find expected ',' or ']'"],
  [/tab characters must not be used/, 'found character that cannot start any token'],
  [/unidentified alias/, 'unknown anchor referenced'],
  [/unknown escape sequence/, 'found unknown escape character'],
  [/non-printable characters/, 'control characters are not allowed'],
  [/unexpected end of the stream/, 'found unexpected end of stream'],
  [/end of the stream or a document separator is expected/, 'did not find expected <document start>'],
  [/nesting exceeded maxDepth/, 'exceeded max depth of 10000'],
]
