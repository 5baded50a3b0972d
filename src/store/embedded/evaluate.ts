import {
  type Compare,
  type DeleteOperation,
  type KeyRange,
  type KeyValue,
  OPEN_END,
  type Operation,
  type OperationResult,
  type PutOperation,
  type RangeOptions,
  type RangeResult,
  type Txn,
  type TxnResult,
} from '../store.ts'
import { CorruptError, FutureRevisionError, InvalidRequestError, LeaseNotFoundError } from '../store-errors.ts'
import { type Change, keysOfLease, type State, type Version, withChange } from './state.ts'

/** How the values and the past of a state are read. */
export interface Reader {
  /** With its value. Throws CorruptError. */
  toKeyValue(version: Version): KeyValue
  /** Throws CompactedError. */
  stateAt(revision: number): State
}

/** What a transaction leads to. */
export interface Outcome {
  readonly state: State
  readonly changes: readonly Change[]
  readonly result: TxnResult
}

/** Longest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1978
/** Longest value. */
export const MAX_VALUE_BYTES = 16 * 2 ** 20

/** Decides a transaction on `head`; nothing happens yet. Throws what {@link Txn} is refused with. */
export function evaluate(head: State, txn: Txn, reader: Reader): Outcome {
  checkTxn(txn)
  const succeeded = !txn.compare || txn.compare.every(compare => holds(head, compare))
  const operations = succeeded ? txn.success : (txn.failure ?? [])
  const results: OperationResult[] = []
  const changes: Change[] = []
  let state = head
  for (const operation of operations) {
    if (operation.type === 'put') {
      const change = put(state, operation, head.revision + 1, changes.length)
      state = withChange(state, change)
      changes.push(change)
      results.push(operation.prevKv && change.previous ? { type: 'put', prevKv: reader.toKeyValue(change.previous) } : { type: 'put' })
    } else if (operation.type === 'delete') {
      const deletes = deletesOf(versionsIn(state, operation), head.revision + 1, changes.length)
      for (const change of deletes) state = withChange(state, change)
      changes.push(...deletes)
      results.push(deleteResult(operation, deletes, reader))
    } else {
      results.push({ type: 'range', ...readRange(state, operation, reader) })
    }
  }
  const result: TxnResult = { succeeded, revision: state.revision, results: results.map(each => atRevision(each, state.revision)) }
  // Kept for minutes: a list that has grown has room for sixteen more.
  return { state, changes: changes.slice(), result }
}

/** Decides the end of a lease: its keys go in one revision. */
export function evaluateRevoke(head: State, lease: number): { state: State; changes: readonly Change[] } {
  if (!head.leases.has(String(lease))) throw new LeaseNotFoundError(lease)
  const versions = keysOfLease(head, lease).map(key => head.keys.get(key)!)
  const changes = deletesOf(versions, head.revision + 1, 0)
  const state = changes.reduce(withChange, head)
  return { state: { ...state, leases: state.leases.delete(String(lease)) }, changes }
}

/** Reads a range of `state`, or of the state at `options.revision`. */
export function readRange(state: State, options: RangeOptions, reader: Reader): RangeResult {
  checkRange(options)
  const { revision, limit, keysOnly, countOnly, withoutCorrupt } = options
  if (revision && revision > state.revision) throw new FutureRevisionError(revision, state.revision)
  const { keys } = revision && revision !== state.revision ? reader.stateAt(revision) : state
  const corruptKeys: string[] = []
  const kvs: KeyValue[] = []
  const add = (version: Version) => {
    if (keysOnly) return kvs.push(withoutValue(version))
    try {
      return kvs.push(reader.toKeyValue(version))
    } catch (error) {
      if (!withoutCorrupt || !(error instanceof CorruptError)) throw error
      return corruptKeys.push(version.key)
    }
  }
  let count: number
  let taken = 0
  if (options.end === undefined) {
    const version = keys.get(options.key)
    count = version ? 1 : 0
    if (version && !countOnly) taken = add(version)
  } else {
    const [from, end] = boundsOf(options)
    count = keys.count(from, end)
    const wanted = countOnly ? 0 : limit ? Math.min(limit, count) : count
    const take = (version: Version) => {
      add(version)
      return ++taken < wanted
    }
    if (wanted > 0) keys.visit(take, from, end)
  }
  const result: RangeResult = { kvs, count, more: !countOnly && count > taken, revision: state.revision }
  return corruptKeys.length > 0 ? { ...result, corruptKeys } : result
}

/** True if `key` is in `range`. */
export function inRange(range: KeyRange, key: string): boolean {
  if (range.end === undefined) return key === range.key
  return (range.key === OPEN_END || key >= range.key) && (range.end === OPEN_END || key < range.end)
}

/** Throws InvalidRequestError if a transaction makes no sense, whatever the state. */
export function checkTxn(txn: Txn): void {
  checkOperations(txn.success)
  if (txn.failure) checkOperations(txn.failure)
}

/** Throws InvalidRequestError if `range` is none. */
export function checkRange(range: KeyRange): void {
  checkKey(range.key)
  if (range.end !== undefined) checkKey(range.end)
}

const SURROGATE = /[\ud800-\udfff]/
const NO_BYTES = new Uint8Array(0)

function checkKey(key: string): void {
  if (key === '') throw new InvalidRequestError('a key must not be empty')
  if (SURROGATE.test(key)) throw new InvalidRequestError(`the key ${JSON.stringify(key)} has a character beyond U+FFFF`)
  if (key.length * 3 > MAX_KEY_BYTES && utf8Length(key) > MAX_KEY_BYTES) {
    throw new InvalidRequestError(`the key ${JSON.stringify(`${key.slice(0, 60)}…`)} is longer than ${MAX_KEY_BYTES} bytes`)
  }
}

function utf8Length(key: string): number {
  let length = 0
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index)
    length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3
  }
  return length
}

function checkOperations(operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (operation.type !== 'put') checkRange(operation)
    else {
      checkKey(operation.key)
      if (operation.value.length > MAX_VALUE_BYTES) {
        throw new InvalidRequestError(`the value of ${operation.key} is longer than ${MAX_VALUE_BYTES} bytes`)
      }
    }
  }
  if (operations.length < 2) return
  const put = new Set<string>()
  for (const operation of operations) {
    if (operation.type !== 'put') continue
    const twice = put.has(operation.key) || operations.some(other => other.type === 'delete' && inRange(other, operation.key))
    if (twice) throw new InvalidRequestError(`the transaction changes the key ${operation.key} twice`)
    put.add(operation.key)
  }
}

function holds(state: State, compare: Compare): boolean {
  const version = state.keys.get(compare.key)
  if ('modRevision' in compare) return (version?.modRevision ?? 0) === compare.modRevision
  if ('exists' in compare) return (version !== undefined) === compare.exists
  return (version?.lease ?? 0) === compare.lease
}

function put(state: State, { key, value, lease = 0 }: PutOperation, revision: number, sub: number): Change {
  if (lease !== 0 && !state.leases.has(String(lease))) throw new LeaseNotFoundError(lease)
  const previous = state.keys.get(key)
  const createRevision = previous?.createRevision ?? revision
  const version: Version = { key, createRevision, modRevision: revision, sub, version: (previous?.version ?? 0) + 1, lease, value }
  return { type: 'put', version, previous }
}

function versionsIn(state: State, range: KeyRange): Version[] {
  if (range.end !== undefined) return state.keys.values(...boundsOf(range))
  const version = state.keys.get(range.key)
  return version ? [version] : []
}

function deletesOf(versions: readonly Version[], revision: number, firstSub: number): Change[] {
  return versions.map((previous, index) => ({
    type: 'delete',
    version: { key: previous.key, createRevision: 0, modRevision: revision, sub: firstSub + index, version: 0, lease: 0, value: NO_BYTES },
    previous,
  }))
}

function deleteResult({ prevKv }: DeleteOperation, deletes: readonly Change[], reader: Reader): OperationResult {
  if (!prevKv) return { type: 'delete', deleted: deletes.length }
  return { type: 'delete', deleted: deletes.length, prevKvs: deletes.map(change => reader.toKeyValue(change.previous!)) }
}

function atRevision(result: OperationResult, revision: number): OperationResult {
  return result.type === 'range' && result.revision !== revision ? { ...result, revision } : result
}

function boundsOf({ key, end }: KeyRange): [from: string, end: string | undefined] {
  return [key === OPEN_END ? '' : key, end === OPEN_END ? undefined : end]
}

function withoutValue(version: Version): KeyValue {
  const { key, createRevision, modRevision, version: number, lease } = version
  return { key, value: NO_BYTES, createRevision, modRevision, version: number, lease }
}
