import type { Compare, KeyRange, KeyValue, Operation, OperationResult, RangeOptions, RangeResult } from '../store.ts'
import type { EtcdKeyValue, EtcdOperationResult, EtcdRange } from './etcd-messages.ts'

/** A range as etcd has it. */
export function rangeOf({ key, end }: KeyRange): { key: Buffer; rangeEnd?: Buffer } {
  return end === undefined ? { key: Buffer.from(key) } : { key: Buffer.from(key), rangeEnd: Buffer.from(end) }
}

/** A read as etcd has it. */
export function rangeRequest(options: RangeOptions): object {
  const { revision = 0, limit = 0, keysOnly = false, countOnly = false } = options
  return { ...rangeOf(options), revision, limit, keysOnly, countOnly }
}

/** What a read answered, in a transaction of `revision` or alone. */
export function rangeResult({ header, kvs, count, more }: EtcdRange, revision: number = header!.revision): RangeResult {
  return { kvs: kvs.map(keyValue), count, more, revision }
}

/** A key as the store has it. */
export function keyValue({ key, value, createRevision, modRevision, version, lease }: EtcdKeyValue): KeyValue {
  return { key: key.toString(), value, createRevision, modRevision, version, lease }
}

/** A comparison as etcd has it. */
export function compareRequest(compare: Compare): object {
  const key = Buffer.from(compare.key)
  if ('modRevision' in compare) return { key, result: 'EQUAL', target: 'MOD', modRevision: compare.modRevision }
  if ('exists' in compare) return { key, result: compare.exists ? 'NOT_EQUAL' : 'EQUAL', target: 'VERSION', version: 0 }
  return { key, result: 'EQUAL', target: 'LEASE', lease: compare.lease }
}

/** A step of a transaction as etcd has it. */
export function operationRequest(operation: Operation): object {
  if (operation.type === 'range') return { requestRange: rangeRequest(operation) }
  if (operation.type === 'delete') return { requestDeleteRange: { ...rangeOf(operation), prevKv: operation.prevKv ?? false } }
  const { key, value, lease = 0, prevKv = false } = operation
  return { requestPut: { key: Buffer.from(key), value, lease, prevKv } }
}

/** What a step answered. */
export function operationResult(operation: Operation, result: EtcdOperationResult, revision: number): OperationResult {
  const { responseRange, responsePut, responseDeleteRange } = result
  if (responseRange) return { type: 'range', ...rangeResult(responseRange, revision) }
  if (responsePut) return responsePut.prevKv ? { type: 'put', prevKv: keyValue(responsePut.prevKv) } : { type: 'put' }
  const { deleted, prevKvs } = responseDeleteRange!
  const wanted = operation.type === 'delete' && operation.prevKv
  return wanted ? { type: 'delete', deleted, prevKvs: prevKvs.map(keyValue) } : { type: 'delete', deleted }
}
