import { EVENT_ID, getScalarValue, parseEvents, YAMLException } from 'js-yaml'
import { parseYaml, YamlError } from '#machinery/codec/yaml/parse-yaml.ts'
import { DecodeError, decode } from '#machinery/schema/decode.ts'
import { type Shape, shapeOf } from '#machinery/schema/schema.ts'
import { bodyOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { nearest } from './nearest.ts'

/** A configuration file that cannot be used; the message begins with `file:line:column`. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError'
}

/** What a configuration file must be. */
export interface ConfigKind<T> {
  readonly apiVersion: string
  /** Older ones that say the same in the same words. */
  readonly olderVersions?: readonly string[]
  readonly kind: string
  /** Whether a file may leave both out. */
  readonly isOftenUnversioned?: boolean
  readonly schema: { readonly shape: Shape; readonly stored?: T }
}

/** Reads `text`, the contents of `file`, as a configuration of `kind`. Throws {@link ConfigFileError}. */
export function readConfig<T>(kind: ConfigKind<T>, file: string, text: string): T {
  return configIn(kind, parsed(text, file), path => placeOf(text, path, file))
}

/** Tells where the value at a path of a configuration stands: `file:line:column`. */
export type PlaceOf = (path: string) => string

function configIn<T>(kind: ConfigKind<T>, value: unknown, place: PlaceOf): T {
  const fail = (path: string, message: string): never => {
    throw new ConfigFileError(`${place(path)}: ${message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail('', `a ${kind.kind} was expected here`)
  const { apiVersion, kind: name, ...rest } = value as Record<string, unknown>
  const isUnversioned = kind.isOftenUnversioned && apiVersion === undefined && name === undefined
  if (!isUnversioned && name !== kind.kind) fail('kind', `kind must be ${kind.kind}`)
  if (!isUnversioned && apiVersion !== kind.apiVersion && !kind.olderVersions?.includes(String(apiVersion)))
    fail('apiVersion', `apiVersion must be ${kind.apiVersion}`)
  const unknown: string[] = []
  try {
    const config = decode(kind.schema, rest, { defaults: true, unknown })
    for (const path of unknown) {
      const field = path.split('.').at(-1)!
      const near = nearest(field, fieldsAround(kind.schema.shape, path))
      fail(path, `unknown field ${JSON.stringify(path)}${near === undefined ? '' : `; did you mean ${near}?`}`)
    }
    return config
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const [, what, path = '', type] = /cannot unmarshal (.+) into Go struct field [^. ]+\.(\S+) of type (.+)/.exec(error.message) ?? []
    return fail(path, what === undefined ? error.message : `${path} is a ${what}, and must be a ${type}`)
  }
}

/**
 * As {@link readConfig}, and has `validate` report what the fields' types cannot say. Throws {@link ConfigFileError}, a line for each wrong
 * field: `file:line:column: path: what is wrong`.
 */
export function readCheckedConfig<T>(
  kind: ConfigKind<T>,
  file: string,
  text: string,
  validate: (config: T, errors: FieldErrors) => void,
): T {
  return checkedConfigIn(kind, parsed(text, file), path => placeOf(text, path, file), validate)
}

/** As {@link readCheckedConfig}, of a configuration that stands within another file. */
export function checkedConfigIn<T>(
  kind: ConfigKind<T>,
  value: unknown,
  place: PlaceOf,
  validate: (config: T, errors: FieldErrors) => void,
): T {
  const config = configIn(kind, value, place)
  const errors = new FieldErrors()
  validate(config, errors)
  if (errors.isEmpty) return config
  throw new ConfigFileError(errors.all.map(error => `${place(error.field)}: ${error.field}: ${bodyOf(error)}`).join('\n'))
}

/** The value that the text of a file stands for. Throws {@link ConfigFileError}. */
export function parsed(text: string, file: string): unknown {
  try {
    return parseYaml(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const mark = error.cause instanceof YAMLException ? error.cause.mark : undefined
    const at = mark ? `${file}:${mark.line + 1}:${mark.column + 1}` : file
    throw new ConfigFileError(`${at}: ${error.message}`)
  }
}

/**
 * `file:line:column` of the value at `path` (`profiles[0].plugins`; without indices: the first such). Of an absent one: of what is around it.
 */
export function placeOf(text: string, path: string, file: string): string {
  const places = offsets(text)
  for (let at = path; at !== ''; at = at.replace(/(\.[^.[]*|\[\d+\]|^[^.[]*)$/, '')) {
    const offset = places.find(entry => entry.path === at || entry.path.replaceAll(/\[\d+\]/g, '') === at)?.offset
    if (offset === undefined) continue
    const before = text.slice(0, offset).split('\n')
    return `${file}:${before.length}:${before.at(-1)!.length + 1}`
  }
  return `${file}:1:1`
}

/** Where in the text each field begins: at its key, or at the item of a list. */
function offsets(text: string): { path: string; offset: number }[] {
  const found: { path: string; offset: number }[] = []
  const open: { path: string; key: { path: string; offset: number } | undefined; index: number; isMap: boolean }[] = []
  for (const event of parseEvents(text, {})) {
    if (event.type === EVENT_ID.DOCUMENT) {
      if (found.length > 0) break
      open.push({ path: '', key: undefined, index: -1, isMap: false })
      continue
    }
    if (event.type === EVENT_ID.POP) {
      open.pop()
      continue
    }
    const around = open.at(-1)!
    const start = event.type === EVENT_ID.SCALAR ? event.valueStart : event.type === EVENT_ID.ALIAS ? event.anchorStart : event.start
    if (around.isMap && !around.key) {
      const key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : ''
      around.key = { path: around.path === '' ? key : `${around.path}.${key}`, offset: start }
      continue
    }
    const path = around.key?.path ?? (around.index < 0 ? around.path : `${around.path}[${around.index++}]`)
    found.push({ path, offset: around.key?.offset ?? start })
    around.key = undefined
    if (event.type === EVENT_ID.MAPPING) open.push({ path, key: undefined, index: -1, isMap: true })
    if (event.type === EVENT_ID.SEQUENCE) open.push({ path, key: undefined, index: 0, isMap: false })
  }
  return found
}

/** The names of the fields beside the one at `path`. */
function fieldsAround(shape: Shape, path: string): string[] {
  let at: Shape | undefined = shape
  for (const name of path
    .replaceAll(/\[\d+\]/g, '')
    .split('.')
    .slice(0, -1)) {
    const field: Shape | undefined = at?.type === 'message' && at.fields[name] ? shapeOf(at.fields[name].schema) : undefined
    at = field?.type === 'list' ? shapeOf(field.of) : field
  }
  return at?.type === 'message' ? Object.keys(at.fields) : []
}
