import { decodeProtobuf, encodeProtobuf, MAGIC, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import type { KeyValue } from '#store/store.ts'
import { ENCRYPTED, READ_AS_IDENTITY, startsWith, type ValueTransformer } from '../encryption/transformer.ts'
import { decodeObject } from '../registry/body.ts'
import { encodeStored } from './encode-stored.ts'
import { adopt, formerOf, type ReadForm, type StoredForm, storedAs, storedForm } from './stored-form.ts'
import { parseStored, sharingFields } from './stored-json.ts'

export interface StorageCodecOptions {
  readonly kinds: Pick<KindRegistry, 'byKind'>
  /** `--storage-media-type`: how objects of built-in kinds are written. Both are read. */
  readonly mediaType?: 'application/json' | 'application/vnd.kubernetes.protobuf'
  /** How values are encrypted, by group and resource; undefined: not at all. */
  readonly transformerOf?: (group: string, resource: string) => ValueTransformer | undefined
}

/** How objects become the values of the store and back: JSON or upstream's protobuf envelope, encrypted or not. */
export class StorageCodec {
  readonly #options: StorageCodecOptions
  /** Which provider and key wrote the value of an object; none where it is not encrypted. */
  readonly #writers = new WeakMap<object, string>()

  constructor(options: StorageCodecOptions) {
    this.#options = options
  }

  /**
   * The form of an object, whose resourceVersion has to be '', that is stored under `key`; `before` is what is stored there now. Throws if it
   * cannot be encrypted.
   */
  encode(kind: AnyKind, key: string, object: ApiObject, before?: ApiObject): StoredForm {
    const transformer = this.#transformerOf(kind)
    if (transformer?.writer) this.#writers.set(object, transformer.writer)
    if (this.#options.mediaType !== PROTOBUF || !hasNumbers(kind)) {
      const encoded = encodeStored(object, before && formerOf(before))
      return storedForm(object, encoded, transformer && (json => transformer.toStorage(key, json)))
    }
    const value = encodeProtobuf(kind.apiVersion, kind.kind, kind.schema, object as unknown as JsonObject)
    return storedAs(object, transformer ? transformer.toStorage(key, value) : value)
  }

  /** The object in a value of the store. Throws with the reason if it cannot be decrypted or decoded. */
  decode(kind: AnyKind, { key, value, modRevision }: KeyValue): ApiObject {
    let writer = ''
    const object = adopt(value, modRevision, stored => {
      const read = this.#decrypted(kind, key, stored)
      writer = read.writer
      return startsWith(read.value, MAGIC) ? this.#fromProtobuf(kind, read.value) : this.#fromJson(kind, read.value)
    })
    if (writer) this.#writers.set(object, writer)
    return object
  }

  /** Fetches what decoding these needs from a key management service; undefined if nothing is needed. */
  prepare(kind: AnyKind, { value }: KeyValue): Promise<void> | undefined {
    return this.#transformerOf(kind)?.prepare?.(value)
  }

  /** Whether the stored value of an object is to be written anew although nothing of it has changed: with another key, or encrypted at all. */
  isStale(kind: AnyKind, object: ApiObject): boolean {
    return (this.#transformerOf(kind)?.writer ?? '') !== (this.#writers.get(object) ?? '')
  }

  #transformerOf({ group, plural }: AnyKind): ValueTransformer | undefined {
    return this.#options.transformerOf?.(group, plural)
  }

  #decrypted(kind: AnyKind, key: string, stored: Uint8Array): { value: Uint8Array; writer: string } {
    const transformer = this.#transformerOf(kind)
    if (transformer) return transformer.fromStorage(key, stored)
    if (startsWith(stored, ENCRYPTED)) throw new Error(READ_AS_IDENTITY)
    return { value: stored, writer: '' }
  }

  /** What is without a slot was written by somebody else, perhaps in another version and without what has defaults. */
  #fromJson(kind: AnyKind, json: Uint8Array): ReadForm {
    const object = parseStored(json)
    const former = kind.hooks.formerVersions?.[object.apiVersion?.split('/').at(-1) ?? '']
    if (former) return { object: decodeObject(kind, former(object as unknown as Record<string, unknown>)), json: undefined }
    const isOurs = object.metadata.resourceVersion === '' || !hasNumbers(kind)
    return isOurs ? { object, json } : { object: this.#inStoredVersion(kind, object, this.#versionOf(kind, object)), json: undefined }
  }

  #fromProtobuf(kind: AnyKind, value: Uint8Array): ReadForm {
    const envelope = openEnvelope(value)
    const written = this.#versionOf(kind, envelope)
    return { object: this.#inStoredVersion(kind, decodeProtobuf(envelope, written.schema), written), json: undefined }
  }

  /** The version of `kind` that somebody has stored. */
  #versionOf(kind: AnyKind, { apiVersion, kind: name }: { readonly apiVersion?: string; readonly kind?: string }): AnyKind {
    if (!apiVersion || !name) return kind
    const slash = apiVersion.indexOf('/')
    const [group, version] = slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
    const written = this.#options.kinds.byKind(group, version, name)
    if (written && (written === kind || written.view?.of === kind)) return written
    throw new Error(`it is stored as ${apiVersion} ${name}, which cannot be read as ${kind.apiVersion} ${kind.kind}`)
  }

  #inStoredVersion(kind: AnyKind, value: unknown, written: AnyKind): ApiObject {
    const object = decodeObject(written, value)
    return sharingFields(written.view ? decodeObject(kind, written.view.up(object as unknown as Record<string, unknown>)) : object)
  }
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf'

/** Custom resources have no fields of their own here, and no numbers: as upstream, they are JSON. */
function hasNumbers(kind: AnyKind): boolean {
  return Object.keys(kind.schema.fields).length > 3
}
