import { notAcceptable } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'

export type Encoding = 'json' | 'yaml' | 'protobuf'

/** In which form the client wants its answer. */
export interface Negotiated {
  readonly encoding: Encoding
  /** A `Table` or `PartialObjectMetadata(List)` in the place of the object. */
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** The version of the Table or metadata: `v1`, `v1beta1`. */
  readonly asVersion: string
  readonly isPretty: boolean
}

export const MEDIA_TYPES: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
}
const ENCODINGS: Readonly<Record<string, Encoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
}
const PLAIN_JSON: Negotiated = { encoding: 'json', as: '', asVersion: '', isPretty: false }

const ACCEPTED = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const STREAMED = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

const remembered = new Map<string, Negotiated>()
const REMEMBERED_LIMIT = 200

/** Reads an `Accept` header; `offers` are what can be had. Throws 406 where nothing fits. */
export function negotiate(accept: string | undefined, offers: { readonly protobuf: boolean; readonly transforms: boolean }): Negotiated {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return PLAIN_JSON
  const key = `${offers.protobuf}${offers.transforms}${accept}`
  const known = remembered.get(key)
  if (known) return known
  const negotiated = choose(accept, offers)
  if (remembered.size >= REMEMBERED_LIMIT) remembered.clear()
  remembered.set(key, negotiated)
  return negotiated
}

/** The 406 whose text lists what a route offers. */
export function noRepresentation(isCollection: boolean): StatusError {
  const offered = isCollection ? [...ACCEPTED, ...STREAMED] : ACCEPTED
  const message = `406: Not Acceptable\n\nAvailable representations: ${offered.join(', ')}`
  return new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} })
}

interface Clause {
  readonly type: string
  readonly quality: number
  readonly parameters: ReadonlyMap<string, string>
}

function choose(accept: string, offers: { readonly protobuf: boolean; readonly transforms: boolean }): Negotiated {
  const clauses = accept.split(',').map(clauseOf)
  clauses.sort((left, right) => right.quality - left.quality)
  for (const { type, parameters } of clauses) {
    const encoding = type === '*/*' ? 'json' : ENCODINGS[type]
    if (!encoding || (encoding === 'protobuf' && !offers.protobuf)) continue
    const as = parameters.get('as') ?? ''
    const version = parameters.get('v') ?? ''
    if (as !== '') {
      const isKnown = as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList'
      const isMeta = parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1')
      if (!isKnown || !isMeta || !offers.transforms || (as === 'Table' && encoding === 'protobuf')) continue
      return { encoding, as, asVersion: version, isPretty: parameters.get('pretty') === '1' }
    }
    return { encoding, as: '', asVersion: '', isPretty: parameters.get('pretty') === '1' }
  }
  throw notAcceptable(offers.protobuf ? ACCEPTED : ACCEPTED.slice(0, 2))
}

function clauseOf(text: string): Clause {
  const [type = '', ...rest] = text.split(';').map(part => part.trim())
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const equals = part.indexOf('=')
    if (equals > 0) parameters.set(part.slice(0, equals), part.slice(equals + 1))
  }
  const quality = Number(parameters.get('q') ?? 1)
  return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality }
}
