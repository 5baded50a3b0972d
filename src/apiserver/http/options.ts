import type { DeleteOptions, ListOptions, PatchOptions, WatchOptions, WriteOptions } from '#client/client.ts'
import { DeleteOptions as DeleteOptionsSchema } from '#kinds/meta/v1/delete-options.ts'
import { validateFieldManager } from '#machinery/meta/validate-object-meta.ts'
import { DecodeError, decode } from '#machinery/schema/decode.ts'
import { badRequest, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'

/** The parameters of a request. */
export type Query = URLSearchParams

const NO_PARAMETERS = new URLSearchParams()

export function queryOf(text: string): Query {
  return text === '' ? NO_PARAMETERS : new URLSearchParams(text)
}

/** Everything that a list or watch may ask. */
export interface ReadOptions extends ListOptions, Omit<WatchOptions, 'resourceVersion'> {
  readonly watch: boolean
  readonly timeoutSeconds: number | undefined
}

export function readOptionsOf(query: Query): ReadOptions {
  const sendInitialEvents = flagOf(query, 'sendInitialEvents')
  const resourceVersionMatch = query.get('resourceVersionMatch') ?? ''
  const resourceVersion = query.get('resourceVersion') ?? ''
  const options = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    resourceVersion,
    resourceVersionMatch,
    limit: integerOf(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
    watch: flagOf(query, 'watch') ?? false,
    allowBookmarks: flagOf(query, 'allowWatchBookmarks') ?? false,
    ...(sendInitialEvents === undefined ? {} : { sendInitialEvents }),
  }
  checkReadOptions(options, sendInitialEvents)
  return options as ReadOptions
}

function checkReadOptions(
  options: { watch: boolean; resourceVersion: string; resourceVersionMatch: string; continue: string; limit: number },
  sendInitialEvents: boolean | undefined,
): void {
  const errors = new FieldErrors()
  const { watch, resourceVersion, resourceVersionMatch: match } = options
  if (watch) {
    if (match === '' && sendInitialEvents !== undefined) {
      errors.at('resourceVersionMatch').forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
    }
    if (match !== '') {
      const at = errors.at('resourceVersionMatch')
      if (sendInitialEvents === undefined) at.forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
      if (match !== 'NotOlderThan') at.notSupported(match, ['NotOlderThan'])
      if (options.continue !== '') at.forbidden('resourceVersionMatch is forbidden when continue is provided')
    }
  } else {
    if (match !== '') {
      const at = errors.at('resourceVersionMatch')
      if (resourceVersion === '') at.forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided')
      if (options.continue !== '') at.forbidden('resourceVersionMatch is forbidden when continue is provided')
      if (match !== 'Exact' && match !== 'NotOlderThan') at.notSupported(match, ['Exact', 'NotOlderThan', ''])
      if (match === 'Exact' && resourceVersion === '0') at.forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    }
    if (sendInitialEvents !== undefined) errors.at('sendInitialEvents').forbidden('sendInitialEvents is forbidden for list')
  }
  if (!errors.isEmpty) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors.all)
}

/** The options of a create, update or patch. */
export function writeOptionsOf(query: Query, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions', isApply = false): WriteOptions {
  if (query.size === 0 && !isApply) return {}
  const errors = new FieldErrors()
  const fieldManager = query.get('fieldManager') ?? ''
  const fieldValidation = query.get('fieldValidation') ?? ''
  if (isApply && fieldManager === '') errors.at('fieldManager').required('is required for apply patch')
  if (kind === 'PatchOptions' && !isApply && query.has('force')) errors.at('force').forbidden('may not be specified for non-apply patch')
  validateFieldManager(fieldManager, errors.at('fieldManager'))
  const dryRun = dryRunOf(query.getAll('dryRun'), errors)
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.at('fieldValidation').notSupported(fieldValidation, ['', 'Ignore', 'Strict', 'Warn'])
  }
  if (!errors.isEmpty) throw invalid({ group: 'meta.k8s.io', kind }, '', errors.all)
  return {
    ...(dryRun ? { dryRun } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation: fieldValidation as 'Strict' } : {}),
  }
}

export function patchOptionsOf(query: Query, isApply: boolean): PatchOptions & { readonly force: boolean } {
  return { ...writeOptionsOf(query, 'PatchOptions', isApply), force: flagOf(query, 'force') ?? false }
}

/** The options of a delete: from its body if there is one, else from the query. */
export function deleteOptionsOf(query: Query, body: unknown): DeleteOptions {
  return body === undefined ? deleteOptionsOfQuery(query) : deleteOptionsOfBody(body)
}

interface RawDeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly orphanDependents?: boolean
  readonly propagationPolicy?: string
  readonly dryRun?: readonly string[]
}

function deleteOptionsOfBody(body: unknown): DeleteOptions {
  try {
    return checkedDeleteOptions(decode(DeleteOptionsSchema, body, { defaults: false, unknown: [] }) as RawDeleteOptions)
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message, error)
    throw error
  }
}

function deleteOptionsOfQuery(query: Query): DeleteOptions {
  if (query.size === 0) return {}
  const gracePeriodSeconds = integerOf(query, 'gracePeriodSeconds')
  const orphanDependents = flagOf(query, 'orphanDependents')
  const propagationPolicy = query.get('propagationPolicy')
  return checkedDeleteOptions({
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    dryRun: query.getAll('dryRun'),
  })
}

function checkedDeleteOptions(raw: RawDeleteOptions): DeleteOptions {
  const errors = new FieldErrors()
  const { gracePeriodSeconds, preconditions, orphanDependents, propagationPolicy, dryRun: modes = [] } = raw
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.at('propagationPolicy').invalid(propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set')
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    errors.at('propagationPolicy').notSupported(propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil'])
  }
  const dryRun = dryRunOf(modes, errors)
  if (!errors.isEmpty) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors.all)
  const policy = propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(policy ? { propagationPolicy: policy as 'Orphan' } : {}),
    ...(preconditions ? { preconditions } : {}),
    ...(dryRun ? { dryRun } : {}),
  }
}

const POLICIES = ['Foreground', 'Background', 'Orphan']
const FIELD_VALIDATIONS = ['', 'Ignore', 'Warn', 'Strict']

function dryRunOf(modes: readonly string[], errors: FieldErrors): boolean {
  for (const mode of modes) {
    if (mode !== 'All') {
      errors.at('dryRun').notSupported(modes, ['All'])
      break
    }
  }
  return modes.includes('All')
}

/** Go's reading of a query parameter: anything but `false` and `0` is true. */
export function flagOf(query: Query, name: string): boolean | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  return text !== 'false' && text !== '0'
}

export function integerOf(query: Query, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`)
  return Number(text)
}
