import { isIP } from 'node:net'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import { type Exchange, headerOf } from '../http/exchange.ts'
import { type AuditEvent, type AuditedUser, microTime, type ObjectReference, type ResponseStatus } from './audit-event.ts'
import type { Stage } from './audit-policy.ts'
import type { AuditDecision } from './policy-evaluator.ts'

const USER_AGENT_LIMIT = 1024

export interface AuditRecordOptions {
  readonly decision: AuditDecision
  readonly auditId: string
  readonly exchange: Exchange
  /** Who asks for what; `user` undefined: it is not known who. */
  readonly attributes: Attributes
  readonly isKnown: boolean
  readonly receivedMs: number
  now(): number
  /** Takes an event; a promise is to be waited for before the request goes on. */
  emit(event: AuditEvent): Promise<void> | undefined
}

/** What is recorded of one request while it is handled. Level None makes none. */
export class AuditRecord {
  readonly #options: AuditRecordOptions
  readonly #annotations = new Map<string, string>()
  #impersonated: { readonly user: UserInfo; readonly constraint: string } | undefined
  #reference: ObjectReference | undefined
  #status: ResponseStatus | undefined
  #request: unknown
  #response: unknown
  #isOver = false

  constructor(options: AuditRecordOptions) {
    this.#options = options
    this.#reference = referenceOf(options.attributes)
  }

  /** Whether an answer may go on for long: its beginning is recorded too. */
  get isLong(): boolean {
    const { attributes } = this.#options
    return attributes.verb === 'watch' || ('subresource' in attributes && LONG.has(attributes.subresource))
  }

  /** Says more of the request: what admission or authorization made of it. What is said first counts. */
  annotate(key: string, value: string): void {
    if (!this.#annotations.has(key)) this.#annotations.set(key, value)
  }

  impersonates(user: UserInfo, constraint: string): void {
    this.#impersonated = { user, constraint }
  }

  /** The body of a write, as it was sent. */
  requested(body: unknown): void {
    const meta = (body as { metadata?: Record<string, unknown> } | null | undefined)?.metadata
    const text = (name: string) => (typeof meta?.[name] === 'string' && meta[name] !== '' ? { [name]: meta[name] } : {})
    const { name, namespace } = this.#reference ?? {}
    this.#reference = {
      ...this.#reference,
      ...(namespace ? {} : text('namespace')),
      ...(name ? {} : text('name')),
      ...text('uid'),
      ...text('resourceVersion'),
    }
    if (this.#has('Request')) this.#request = body
  }

  /** The patch of a PATCH, which is no object. */
  patched(patch: unknown): void {
    if (this.#has('Request')) this.#request = patch
  }

  /** What is answered: an object, a list, a table or a Status. */
  responded(object: object): void {
    const { kind, status, message, reason, details, code } = object as Record<string, unknown>
    if (kind === 'Status' && typeof code === 'number') {
      const told = { status, message, reason, details }
      const said = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined && value !== ''))
      this.#status = { metadata: {}, ...said, code }
    }
    if (this.#has('RequestResponse')) this.#response = object
  }

  /** The request is there, and nothing was done for it yet. Resolves when it may go on. */
  received(): Promise<void> | undefined {
    return this.#emit('RequestReceived', this.#options.receivedMs)
  }

  /** The answer begins. */
  started(code: number): void {
    this.#status = { metadata: {}, ...this.#status, code }
    if (this.isLong) void this.#emit('ResponseStarted')
  }

  /** It was not found out who asks: that is all there is to record. */
  refused(): void {
    this.#isOver = true
    void this.#emit('ResponseStarted')
  }

  /** The answer is over. */
  completed(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#status ??= { metadata: {}, status: 'Success', message: 'Connection closed early', code: 200 }
    void this.#emit('ResponseComplete')
  }

  /** Handling the request broke down. */
  panicked(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    const message = `APIServer panic'd: ${error instanceof Error ? error.message : String(error)}`
    this.#status = { metadata: {}, status: 'Failure', message, reason: 'InternalError', code: 500 }
    void this.#emit('Panic')
  }

  #has(level: 'Request' | 'RequestResponse'): boolean {
    const mine = this.#options.decision.level
    return mine === level || mine === 'RequestResponse'
  }

  #emit(stage: Stage, atMs = this.#options.now()): Promise<void> | undefined {
    const { decision, auditId, exchange, attributes, isKnown, receivedMs, emit } = this.#options
    if (decision.omitStages.has(stage)) return undefined
    const userAgent = headerOf(exchange, 'user-agent') ?? ''
    const shown = (body: unknown) => (decision.omitManagedFields ? withoutManagedFields(body) : body)
    const impersonated = this.#impersonated
    return emit({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: auditId,
      stage,
      requestURI: exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`,
      verb: attributes.verb,
      user: isKnown ? auditedUser(attributes.user) : {},
      ...(impersonated ? { impersonatedUser: auditedUser(impersonated.user) } : {}),
      ...(impersonated?.constraint ? { authenticationMetadata: { impersonationConstraint: impersonated.constraint } } : {}),
      sourceIPs: sourceAddresses(exchange),
      ...(userAgent === ''
        ? {}
        : { userAgent: userAgent.length > USER_AGENT_LIMIT ? `${userAgent.slice(0, USER_AGENT_LIMIT)}...TRUNCATED` : userAgent }),
      ...(this.#reference ? { objectRef: this.#reference } : {}),
      ...(this.#status ? { responseStatus: this.#status } : {}),
      ...(this.#request === undefined ? {} : { requestObject: shown(this.#request) }),
      ...(this.#response === undefined ? {} : { responseObject: shown(this.#response) }),
      requestReceivedTimestamp: microTime(receivedMs),
      stageTimestamp: microTime(atMs),
      ...(this.#annotations.size > 0 ? { annotations: Object.fromEntries(this.#annotations) } : {}),
    })
  }
}

const LONG: ReadonlySet<string> = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

function auditedUser({ name, uid, groups, extra }: UserInfo): AuditedUser {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
  }
}

function referenceOf(attributes: Attributes): ObjectReference | undefined {
  if (!('resource' in attributes)) return undefined
  const { resource, namespace, name, group, version, subresource } = attributes
  return {
    resource,
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === '' ? {} : { subresource }),
  }
}

/** Where a request comes from: what proxies on its way say, and the other end of the connection, which nobody can forge. */
function sourceAddresses({ headers, connection }: Exchange): string[] {
  const text = (name: string) => [headers[name] ?? []].flat().join(',')
  const found = text('x-forwarded-for')
    .split(',')
    .map(part => part.trim())
    .filter(isIP)
  const real = text('x-real-ip').trim()
  if (isIP(real) && !found.includes(real)) found.push(real)
  const remote = connection.remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
  if (remote !== '' && found.at(-1) !== remote) found.push(remote)
  return found
}

/** An object, the items of a list or the rows of a table without the book-keeping of who owns which field. */
function withoutManagedFields(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const { metadata, items, rows } = body as { metadata?: Record<string, unknown>; items?: unknown; rows?: unknown }
  const bare = (entry: unknown) => withoutManagedFields(entry)
  const inRow = (row: unknown) => ({ ...(row as object), object: bare((row as { object?: unknown }).object) })
  const { managedFields: _, ...rest } = metadata ?? {}
  return {
    ...body,
    ...(metadata ? { metadata: rest } : {}),
    ...(Array.isArray(items) ? { items: items.map(bare) } : {}),
    ...(Array.isArray(rows) ? { rows: rows.map(inRow) } : {}),
  }
}
