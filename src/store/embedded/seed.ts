import { inOrderOfChange, type Snapshot } from '../snapshot/snapshot.ts'
import { type Change, emptyState, type State, withChange } from './state.ts'

/** A snapshot as changes that lead to it, with their revisions. Each lease lives `leaseSeconds` anew. */
export function seedOf(
  snapshot: Snapshot,
  leaseSeconds: number,
): { state: State; changes: readonly Change[]; leases: ReadonlyMap<number, number> } {
  const changes: Change[] = []
  const leases = new Map<number, number>()
  let state = emptyState
  let sub = 0
  for (const kv of inOrderOfChange(snapshot)) {
    sub = kv.modRevision === changes.at(-1)?.version.modRevision ? sub + 1 : 0
    const change: Change = { type: 'put', version: { ...kv, sub }, previous: undefined }
    if (kv.lease !== 0) leases.set(kv.lease, leaseSeconds)
    state = withChange(state, change)
    changes.push(change)
  }
  for (const [id, ttlSeconds] of leases) state = { ...state, leases: state.leases.set(String(id), ttlSeconds) }
  return { state: { ...state, revision: snapshot.revision }, changes, leases }
}
