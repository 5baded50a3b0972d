import { ProtobufReader } from '#machinery/codec/protobuf/reader.ts'
import { BYTES, ProtobufWriter } from '#machinery/codec/protobuf/writer.ts'

/** What is stored of a value under a key management service (upstream's protobuf message EncryptedObject, KMS v2). */
export interface EncryptedObject {
  readonly encryptedData: Uint8Array
  /** Of the service's own key. */
  readonly keyId: string
  /** The seed (or key) that the data is encrypted with, encrypted by the service. */
  readonly encryptedSource: Uint8Array
  /** What the service wants to have back. */
  readonly annotations: ReadonlyMap<string, Uint8Array>
  readonly sourceType: SourceType
}

/** Whether the source is the key itself, or a seed from which every value's own key is derived. */
export const AES_GCM_KEY = 0
export const SEED = 1
export type SourceType = typeof AES_GCM_KEY | typeof SEED

const VARINT = 0
const KEY_ID_BYTES = 1024
const SOURCE_BYTES = 1024
const ANNOTATIONS_BYTES = 32 * 1024

export function encodeEncryptedObject({ encryptedData, keyId, encryptedSource, annotations, sourceType }: EncryptedObject): Uint8Array {
  const writer = new ProtobufWriter(encryptedData.length + encryptedSource.length + 256)
  writer.tag(1, BYTES)
  writer.lengthAnd(encryptedData)
  writer.tag(2, BYTES)
  writer.string(keyId)
  writer.tag(3, BYTES)
  writer.lengthAnd(encryptedSource)
  for (const [name, value] of annotations) {
    writer.tag(4, BYTES)
    writer.nested(() => {
      writer.tag(1, BYTES)
      writer.string(name)
      writer.tag(2, BYTES)
      writer.lengthAnd(value)
    })
  }
  if (sourceType !== AES_GCM_KEY) {
    writer.tag(5, VARINT)
    writer.uint32(sourceType)
  }
  return writer.bytes().slice()
}

/** Throws if the bytes are no such message, or one that no service made. */
export function decodeEncryptedObject(bytes: Uint8Array): EncryptedObject {
  const annotations = new Map<string, Uint8Array>()
  let encryptedData: Uint8Array = new Uint8Array()
  let encryptedSource: Uint8Array = new Uint8Array()
  let keyId = ''
  let sourceType = AES_GCM_KEY as number
  const reader = new ProtobufReader(bytes)
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | BYTES)) encryptedData = reader.bytes()
    else if (tag === ((2 << 3) | BYTES)) keyId = reader.string()
    else if (tag === ((3 << 3) | BYTES)) encryptedSource = reader.bytes()
    else if (tag === ((4 << 3) | BYTES)) readAnnotation(reader.nested(), annotations)
    else if (tag === ((5 << 3) | VARINT)) sourceType = reader.uint32()
    else reader.skip(tag & 7)
  }
  if (sourceType !== AES_GCM_KEY && sourceType !== SEED) throw new Error(`unknown encryptedDEKSourceType: ${sourceType}`)
  if (encryptedData.length === 0) throw new Error('encrypted data is empty')
  checkSource({ keyId, encryptedSource, annotations })
  return { encryptedData, keyId, encryptedSource, annotations, sourceType }
}

/** Throws if what a service answered is more, or less, than may be stored. */
export function checkSource({
  keyId,
  encryptedSource,
  annotations,
}: Pick<EncryptedObject, 'keyId' | 'encryptedSource' | 'annotations'>): void {
  if (encryptedSource.length === 0) throw new Error('failed to validate encrypted DEK source: encrypted DEK source is empty')
  if (encryptedSource.length > SOURCE_BYTES)
    throw new Error(
      `failed to validate encrypted DEK source: encrypted DEK source is ${encryptedSource.length} bytes, which exceeds the max size of ${SOURCE_BYTES}`,
    )
  if (keyId === '') throw new Error('failed to validate key id: keyID is empty')
  if (Buffer.byteLength(keyId) > KEY_ID_BYTES)
    throw new Error(`failed to validate key id: keyID is ${Buffer.byteLength(keyId)} bytes, which exceeds the max size of ${KEY_ID_BYTES}`)
  let size = 0
  for (const [name, value] of annotations) {
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/.test(name))
      throw new Error(
        `failed to validate annotations: ${JSON.stringify(name)} should be a domain with at least two segments separated by dots`,
      )
    size += Buffer.byteLength(name) + value.length
  }
  if (size > ANNOTATIONS_BYTES)
    throw new Error(
      `failed to validate annotations: total size of annotations is ${size}, which exceeds the max size of ${ANNOTATIONS_BYTES}`,
    )
}

function readAnnotation(reader: ProtobufReader, into: Map<string, Uint8Array>): void {
  let name = ''
  let value: Uint8Array = new Uint8Array()
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | BYTES)) name = reader.string()
    else if (tag === ((2 << 3) | BYTES)) value = reader.bytes()
    else reader.skip(tag & 7)
  }
  into.set(name, value)
}
