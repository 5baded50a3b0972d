import { badRequest, genericFailure, requestEntityTooLarge } from '../status/failures.ts'
import { isJsonObject, isSameJson, type JsonObject, jsonTypeOf, setAt } from './json-object.ts'

/** More operations than this are refused. */
export const MAX_OPERATIONS = 10_000
/** What all `copy` operations of a patch may add together, in characters of JSON. */
const MAX_COPIED = 3 * 1024 * 1024

/**
 * `document` changed by a JSON patch (RFC 6902), with the leniencies of the library that upstream uses: `replace` of a missing key adds it,
 * `test` for null passes on a missing key, the part of a path before its first slash is ignored, negative indices count from the end.
 * Nothing of the document is changed; what the patch does not touch is shared. Throws the failure that the client is to see; `failure` words
 * that of an operation that does not apply to what the document is by then.
 */
export function applyJsonPatch(
  document: JsonObject,
  patch: unknown,
  failure: (operation: Operation, document: unknown) => Error = unprocessable,
): JsonObject {
  const operations = operationsOf(patch)
  const run = new Run(document)
  for (const operation of operations) {
    if (!run.apply(operation)) throw failure(operation, run.root)
  }
  return run.root as JsonObject
}

/** One step of a patch. */
export interface Operation {
  readonly op?: string
  readonly path?: string
  readonly from?: string
  readonly value?: unknown
}

function unprocessable({ op }: Operation): Error {
  return genericFailure({ code: 422, serverMessage: `the ${op} operation does not apply` })
}

function operationsOf(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw badPatch(`json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type []handlers.jsonPatchOp`)
  if (patch.length > MAX_OPERATIONS) {
    throw requestEntityTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`)
  }
  return patch.map((operation: unknown) => {
    if (operation === null) return {}
    if (!isJsonObject(operation)) {
      throw badPatch(`json: cannot unmarshal ${jsonTypeOf(operation)} into Go value of type handlers.jsonPatchOp`)
    }
    for (const field of ['op', 'path', 'from']) {
      const value = Object.hasOwn(operation, field) ? operation[field] : undefined
      if (value !== undefined && value !== null && typeof value !== 'string') {
        throw badPatch(`json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field jsonPatchOp.${field} of type string`)
      }
    }
    return operation as Operation
  })
}

function badPatch(why: string) {
  return badRequest(`error decoding patch: ${why}`)
}

type Container = Record<string, unknown> | unknown[]

/** A patch at work. Containers are copied when they are first written to; `#own` are the copies, which may be written to again. */
class Run {
  root: unknown
  readonly #own = new Set<Container>()
  #copied = 0

  constructor(document: unknown) {
    this.root = document
  }

  /** Whether the operation could be carried out. */
  apply({ op, path, from, value }: Operation): boolean {
    if (typeof path !== 'string') return false
    switch (op) {
      case 'add':
        return this.#add(path, value ?? null)
      case 'remove':
        return this.#remove(path)
      case 'replace':
        return this.#replace(path, value ?? null)
      case 'test':
        return this.#test(path, value ?? null)
      case 'move':
        return typeof from === 'string' && this.#move(from, path)
      case 'copy':
        return typeof from === 'string' && this.#copy(from, path)
      default:
        return false
    }
  }

  #add(path: string, value: unknown): boolean {
    const place = this.#writable(path)
    if (!place) return false
    const [container, key] = place
    if (!Array.isArray(container)) {
      setAt(container, key, value)
      return true
    }
    const index = key === '-' ? container.length : indexOf(key, container.length + 1)
    if (index === undefined) return false
    container.splice(index, 0, value)
    return true
  }

  #remove(path: string): boolean {
    const place = this.#writable(path)
    if (!place) return false
    const [container, key] = place
    if (!Array.isArray(container)) return Object.hasOwn(container, key) && delete container[key]
    const index = indexOf(key, container.length)
    if (index === undefined) return false
    container.splice(index, 1)
    return true
  }

  #replace(path: string, value: unknown): boolean {
    if (path === '') {
      this.root = value
      return isJsonObject(value)
    }
    const place = this.#writable(path)
    if (!place) return false
    const [container, key] = place
    if (!Array.isArray(container)) {
      setAt(container, key, value)
      return true
    }
    const index = indexOf(key, container.length)
    if (index === undefined) return false
    container[index] = value
    return true
  }

  #test(path: string, expected: unknown): boolean {
    if (path === '') return isSameJson(this.root, expected)
    const found = this.#read(path)
    return found !== undefined && isSameJson(found.value ?? null, expected)
  }

  #move(from: string, path: string): boolean {
    const found = this.#read(from)
    return found !== undefined && this.#remove(from) && this.#add(path, found.value)
  }

  #copy(from: string, path: string): boolean {
    const found = this.#read(from)
    if (!found) return false
    const size = typeof found.value === 'object' ? JSON.stringify(found.value, bigintText).length : 16
    this.#copied += size
    return this.#copied <= MAX_COPIED && this.#add(path, cloned(found.value ?? null))
  }

  /** What stands at `path`: a value, or nothing in a container that could hold it; undefined where there is no such container. */
  #read(path: string): { value: unknown } | undefined {
    const keys = keysOf(path)
    const last = keys?.pop()
    if (!keys || last === undefined) return undefined
    let container: unknown = this.root
    for (const key of keys) {
      container = childOf(container, key)
      if (container === undefined) return undefined
    }
    if (isJsonObject(container)) return { value: Object.hasOwn(container, last) ? container[last] : undefined }
    if (!Array.isArray(container)) return undefined
    const index = indexOf(last, container.length)
    return index === undefined ? undefined : { value: container[index] }
  }

  /** The container that `path` ends in, ready to be written to, and the key in it. */
  #writable(path: string): [Container, string] | undefined {
    const keys = keysOf(path)
    const last = keys?.pop()
    if (!keys || last === undefined) return undefined
    if (typeof this.root !== 'object' || this.root === null) return undefined
    let container = this.#owned(this.root as Container)
    this.root = container
    for (const key of keys) {
      const child = childOf(container, key)
      if (typeof child !== 'object' || child === null) return undefined
      const own = this.#owned(child as Container)
      if (Array.isArray(container)) container[indexOf(key, container.length)!] = own
      else setAt(container, key, own)
      container = own
    }
    return [container, last]
  }

  #owned(container: Container): Container {
    if (this.#own.has(container)) return container
    const copy = Array.isArray(container) ? [...container] : { ...container }
    this.#own.add(copy)
    return copy
  }
}

/** The keys of a path; undefined for one without a slash, since it leads nowhere. */
function keysOf(path: string): string[] | undefined {
  const parts = path.split('/')
  if (parts.length < 2) return undefined
  return parts.slice(1).map(part => (part.includes('~') ? part.replaceAll('~1', '/').replaceAll('~0', '~') : part))
}

function childOf(container: unknown, key: string): unknown {
  if (isJsonObject(container)) return Object.hasOwn(container, key) ? container[key] : undefined
  if (!Array.isArray(container)) return undefined
  const index = indexOf(key, container.length)
  return index === undefined ? undefined : container[index]
}

/** An index into a list of `length` items; negative ones count from the end. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]{1,15}$/.test(key)) return undefined
  const index = Number(key)
  if (index >= length || index < -length) return undefined
  return index < 0 ? index + length : index
}

function cloned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(cloned)
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setAt(copy, key, cloned(item))
  return copy
}

function bigintText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
