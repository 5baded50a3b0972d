/* Whether what clients of a store were told can be true: etcd's guarantees for operations on keys and for watches. */

/** What a client asks. Values are unique, so that each can be told from all others. `expected`: only if the key's modRevision is this (0: absent). */
export type Call =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly expected?: number }
  | { readonly type: 'delete'; readonly key: string }

/** What it is told. `revision` is the store's at that moment, or of the change. */
export interface Answer {
  readonly revision: number
  /** Of a put: whether the comparison held. Of a delete: whether there was something. */
  readonly succeeded?: boolean
  /** Of a get. */
  readonly kv?: { readonly value: string; readonly modRevision: number }
}

/** A call from when it was sent to when its answer came. Without an answer it may have happened at any time since, or not at all. */
export interface Operation {
  readonly client: number
  readonly call: Call
  readonly startMs: number
  readonly endMs: number
  readonly answer?: Answer
}

/** A change as a watch told it; `value` undefined is a delete. */
export interface Change {
  readonly key: string
  readonly value?: string
  readonly revision: number
}

/** What one watch was told, in order. */
export type Told =
  | { readonly type: 'events'; readonly changes: readonly Change[] }
  | { readonly type: 'progress'; readonly revision: number }

export interface WatchHistory {
  /** The first revision that was asked for. */
  readonly from: number
  readonly told: readonly Told[]
}

export interface History {
  readonly operations: readonly Operation[]
  /** All changes since the first revision, as read when everything was over. */
  readonly changes: readonly Change[]
  readonly watches: readonly WatchHistory[]
}

/** What is wrong with a history, one sentence each; none if it can be true. */
export function checkHistory({ operations, changes, watches }: History): string[] {
  return [
    ...checkAcknowledged(operations, changes),
    ...checkRealTime(operations),
    ...checkKeys(operations, changes),
    ...watches.flatMap((watch, number) => checkWatch(watch, changes).map(wrong => `watch ${number}: ${wrong}`)),
  ]
}

/** Every acknowledged change is there, at its revision; every change was asked for by somebody, once. */
function checkAcknowledged(operations: readonly Operation[], changes: readonly Change[]): string[] {
  const wrong: string[] = []
  const at = new Map(changes.map(change => [change.revision, change]))
  const asked = new Set(operations.flatMap(({ call }) => (call.type === 'put' ? [call.value] : [])))
  for (const { call, answer } of operations) {
    if (!answer || call.type === 'get' || answer.succeeded === false) continue
    const change = at.get(answer.revision)
    const value = call.type === 'put' ? call.value : undefined
    if (!change || change.key !== call.key || change.value !== value)
      wrong.push(`the ${call.type} of ${call.key} that was acknowledged with revision ${answer.revision} is not there`)
  }
  const seen = new Set<string>()
  for (const { key, value, revision } of changes) {
    if (value === undefined) continue
    if (!asked.has(value)) wrong.push(`nobody put what ${key} became at revision ${revision}`)
    if (seen.has(value)) wrong.push(`a put of ${key} happened twice, the second time at revision ${revision}`)
    seen.add(value)
  }
  return wrong
}

/** An operation that began after another one had ended is not told of an older revision. */
function checkRealTime(operations: readonly Operation[]): string[] {
  const answered = operations.filter(operation => operation.answer)
  const byEnd = [...answered].sort((a, b) => a.endMs - b.endMs)
  const byStart = [...answered].sort((a, b) => a.startMs - b.startMs)
  const wrong: string[] = []
  let ended = 0
  let newest = 0
  for (const { call, answer, startMs } of byStart) {
    for (; ended < byEnd.length && byEnd[ended]!.endMs < startMs; ended++) newest = Math.max(newest, byEnd[ended]!.answer!.revision)
    const { revision } = answer!
    const isChange = call.type !== 'get' && answer!.succeeded !== false
    if (revision < newest || (isChange && revision === newest))
      wrong.push(`a ${call.type} of ${call.key} was answered with revision ${revision} after revision ${newest} had been told`)
  }
  return wrong
}

/** The operations on each key are linearizable (Wing and Gong's search, with Lowe's memory of what was tried). */
function checkKeys(operations: readonly Operation[], changes: readonly Change[]): string[] {
  const happened = new Map(changes.flatMap(({ value, revision }) => (value === undefined ? [] : [[value, revision] as const])))
  const byKey = new Map<string, Operation[]>()
  for (const operation of operations) {
    const { call } = operation
    // What was not answered, and is nowhere to be seen, has not happened.
    if (!operation.answer && (call.type === 'get' || (call.type === 'put' && !happened.has(call.value)))) continue
    byKey.set(call.key, [...(byKey.get(call.key) ?? []), operation])
  }
  return [...byKey].flatMap(([key, own]) =>
    isLinearizable(own, happened) ? [] : `the operations on ${key} have no order in which all answers are right`,
  )
}

/** A key as it is: '' stands for absent. `floor`: the newest revision that somebody was told of. */
interface KeyState {
  readonly value: string
  readonly modRevision: number
  readonly floor: number
}

function isLinearizable(operations: readonly Operation[], happened: ReadonlyMap<string, number>): boolean {
  const all = [...operations].sort((a, b) => a.startMs - b.startMs)
  const ends = all.map(({ answer, endMs }) => (answer ? endMs : Number.POSITIVE_INFINITY))
  const tried = new Set<string>()
  // Each step has taken some operations; those not answered need never be taken.
  const search = (taken: readonly boolean[], left: number, state: KeyState): boolean => {
    if (left === 0) return true
    const id = `${taken.map(Number).join('')} ${state.value} ${state.modRevision} ${state.floor}`
    if (tried.has(id)) return false
    tried.add(id)
    let firstEnd = Number.POSITIVE_INFINITY
    for (const [index, isTaken] of taken.entries()) if (!isTaken) firstEnd = Math.min(firstEnd, ends[index]!)
    for (const [index, operation] of all.entries()) {
      if (taken[index]) continue
      if (operation.startMs > firstEnd) break
      const next = step(state, operation, happened)
      if (!next) continue
      const after = taken.slice()
      after[index] = true
      if (search(after, left - (operation.answer ? 1 : 0), next)) return true
    }
    return false
  }
  const answered = all.filter(({ answer }) => answer).length
  return search(new Array<boolean>(all.length).fill(false), answered, { value: '', modRevision: 0, floor: 0 })
}

/** The key after an operation; undefined if its answer would have been another. */
function step(state: KeyState, { call, answer }: Operation, happened: ReadonlyMap<string, number>): KeyState | undefined {
  const { value, modRevision, floor } = state
  if (answer && answer.revision < floor) return undefined
  if (call.type === 'get') {
    const { kv, revision } = answer!
    return (kv?.value ?? '') === value && (kv?.modRevision ?? 0) === modRevision ? { ...state, floor: revision } : undefined
  }
  if (call.type === 'delete') {
    if (!answer) return { value: '', modRevision: 0, floor }
    if (answer.succeeded !== (value !== '')) return undefined
    if (!answer.succeeded) return { ...state, floor: answer.revision }
    return answer.revision > floor ? { value: '', modRevision: 0, floor: answer.revision } : undefined
  }
  const holds = call.expected === undefined || call.expected === modRevision
  if (answer && (answer.succeeded ?? true) !== holds) return undefined
  if (!holds) return answer ? { ...state, floor: answer.revision } : undefined
  const revision = answer?.revision ?? happened.get(call.value)!
  return revision > floor ? { value: call.value, modRevision: revision, floor: revision } : undefined
}

/** Every later change once, in order, whole revisions, none missing, and progress only when everything up to it was told. */
function checkWatch({ from, told }: WatchHistory, changes: readonly Change[]): string[] {
  const wrong: string[] = []
  const events = told.flatMap(each => (each.type === 'events' ? each.changes : []))
  const last = told.reduce(
    (newest, each) => Math.max(newest, each.type === 'progress' ? each.revision : (each.changes.at(-1)?.revision ?? 0)),
    0,
  )
  const due = changes.filter(({ revision }) => revision >= from && revision <= last)
  for (let index = 0; index < Math.max(events.length, due.length); index++) {
    const [was, is] = [events[index], due[index]]
    if (was && is && was.key === is.key && was.value === is.value && was.revision === is.revision) continue
    wrong.push(`event ${index} is ${JSON.stringify(was)} where ${JSON.stringify(is)} is due`)
    break
  }
  let newest = 0
  for (const each of told) {
    if (each.type === 'progress') {
      newest = Math.max(newest, each.revision)
      continue
    }
    const first = each.changes[0]!.revision
    if (first <= newest) wrong.push(`revision ${first} was told of after everything up to ${newest} had been`)
    newest = Math.max(newest, each.changes.at(-1)!.revision)
  }
  return wrong
}
