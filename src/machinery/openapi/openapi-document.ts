import type { AnyKind } from '../kind/kind.ts'
import { ListMeta } from '../kind/object-meta.ts'
import { groupVersionOf } from '../meta/object-meta.ts'
import { embedded, list, type MessageShape, message, omitempty, required, type Schema, shapeOf, string } from '../schema/schema.ts'
import { OPTIONS_VERSIONS } from './custom-operations.ts'
import { APIGroup, APIGroupList, APIResourceList, APIVersions, DocumentedListMeta, VersionInfo } from './discovery-types.ts'
import { discoveryOperation, type Operation, operationsOf } from './operations.ts'
import { PARAMETERS, type Parameter } from './parameters.ts'
import { type Dialect, type Document, reference, referencesOf, specialDocument, typeDocument } from './type-document.ts'

/** What the documents are made of. */
export interface OpenApiSource {
  /** Every kind that is served. */
  readonly kinds: readonly AnyKind[]
  /** Types that are no resources: `Status`, `DeleteOptions`, `WatchEvent`, `Scale`, `Eviction` … */
  readonly types: readonly Schema<unknown>[]
  /** The version of the server as the documents show it: `1.36`. */
  readonly version: string
}

/** The paths of the documents of version 3: `api/v1`, `apis/apps`, `apis/apps/v1`, `version` … */
export function openApiV3Paths({ kinds }: OpenApiSource): readonly string[] {
  const groups = new Set(kinds.filter(({ group, isCustom }) => group !== '' && !isCustom).map(({ group }) => group))
  const versions = new Set(kinds.map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)))
  return [...FIXED.keys(), ...[...groups].map(group => `apis/${group}`), ...versions].sort()
}

/** The document of version 3 at `path`, or undefined where there is none. */
export function openApiV3Document(source: OpenApiSource, path: string): Document | undefined {
  const operations = operationsAt(source, path)
  if (!operations) return undefined
  const [root = '', second = '', third] = path.split('/')
  const owner = root === 'api' ? { group: '', version: second } : { group: second, version: third ?? '' }
  const types = typesOf(source, operations)
  return {
    openapi: '3.0.0',
    info: isCustomGroup(source, owner.group) ? CUSTOM_INFO : { title: 'Kubernetes', version: source.version },
    paths: pathsOf(operations, 'v3'),
    components: {
      schemas: documentsOf(types, 'v3', source, owner),
      securitySchemes: { BearerToken: { type: 'apiKey', description: 'Bearer Token authentication', name: 'authorization', in: 'header' } },
    },
  }
}

/** The one document of version 2. */
export function openApiV2Document(source: OpenApiSource): Document {
  const operations = openApiV3Paths(source).flatMap(path => operationsAt(source, path) ?? [])
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: source.version },
    paths: pathsOf(operations, 'v2'),
    definitions: documentsOf(typesOf(source, operations), 'v2', source, undefined),
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' },
    },
    security: [{ BearerToken: [] }],
  }
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
/** Upstream makes the documents of custom resources by other means than its own. */
const CUSTOM_INFO = { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' }

function isCustomGroup({ kinds }: OpenApiSource, group: string): boolean {
  return group !== '' && kinds.some(kind => kind.group === group && kind.isCustom)
}

const DISCOVERY_TYPES = [APIGroup, APIGroupList, APIResourceList, APIVersions, VersionInfo]

/** Documents that are there whatever is served. */
const FIXED: ReadonlyMap<string, Operation> = new Map(
  [
    ['api', '/api/', 'getCoreAPIVersions', `${META}.APIVersions`, 'core'],
    ['apis', '/apis/', 'getAPIVersions', `${META}.APIGroupList`, 'apis'],
    ['version', '/version/', 'getCodeVersion', 'io.k8s.apimachinery.pkg.version.Info', 'version'],
    ['openid/v1/jwks', '/openid/v1/jwks/', 'getServiceAccountIssuerOpenIDKeyset', 'string', 'openid'],
    [
      '.well-known/openid-configuration',
      '/.well-known/openid-configuration/',
      'getServiceAccountIssuerOpenIDConfiguration',
      'string',
      'WellKnown',
    ],
  ].map(([document, path, id, type, tag]): [string, Operation] => [
    document!,
    { path: path!, method: 'get', id: id!, parameters: [], consumes: [], responses: { '200': type, '401': undefined }, tag: tag! },
  ]),
)

function operationsAt({ kinds }: OpenApiSource, path: string): readonly Operation[] | undefined {
  const fixed = FIXED.get(path)
  if (fixed) return [fixed]
  const [root, second, third] = path.split('/')
  const [group, version] = root === 'api' ? ['', second] : [second ?? '', third]
  const served = kinds.filter(kind => kind.group === group && (version === undefined || kind.version === version))
  if (served.length === 0) return undefined
  if (served.every(({ isCustom }) => isCustom)) return version === undefined ? undefined : served.flatMap(operationsOf)
  if (version === undefined) return [discoveryOperation(group, undefined)]
  return [discoveryOperation(group, version), ...served.flatMap(operationsOf)]
}

/** The messages that operations speak of, with everything these refer to; and the special types among them. */
function typesOf(source: OpenApiSource, operations: readonly Operation[]): ReadonlyMap<string, MessageShape | undefined> {
  const known = knownTypes(source)
  const found = new Map<string, MessageShape | undefined>()
  const add = (name: string | undefined) => {
    if (name === undefined || name === 'string' || found.has(name)) return
    const shape = known.get(name)
    found.set(name, shape)
    if (!shape) return
    const { messages, special } = referencesOf(shape)
    for (const inner of messages) known.set(inner.name, inner.name === DocumentedListMeta.shape.name ? DocumentedListMeta.shape : inner)
    for (const inner of [...messages.map(one => one.name), ...special]) add(inner)
  }
  for (const { body, responses } of operations) {
    add(body)
    for (const type of Object.values(responses)) add(type)
  }
  return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)))
}

const lists = new WeakMap<AnyKind, MessageShape>()

function knownTypes({ kinds, types }: OpenApiSource): Map<string, MessageShape> {
  const known = new Map<string, MessageShape>()
  for (const schema of [...types, ...DISCOVERY_TYPES]) {
    const shape = shapeOf(schema)
    if (shape.type === 'message') known.set(shape.name, shape)
  }
  for (const kind of kinds) {
    const listShape = listShapeOf(kind)
    known.set(kind.schema.shape.name, kind.schema.shape)
    known.set(listShape.name, listShape)
  }
  return known
}

/** Operations name it so; what a definition calls the list shows in its kind. */
function listNameOf(kind: AnyKind): string {
  return `${kind.schema.shape.name}List`
}

/** The type of a list of a kind's objects. */
function listShapeOf(kind: AnyKind): MessageShape {
  let shape = lists.get(kind)
  if (!shape) {
    const fields = {
      apiVersion: omitempty(undefined, string),
      items: required(2, list(kind.schema)),
      kind: omitempty(undefined, string),
      metadata: kind.isCustom ? omitempty(1, ListMeta) : embedded(1, ListMeta),
    }
    shape = message(listNameOf(kind), fields, { documentation: `A list of ${kind.kind} objects.` }).shape
    lists.set(kind, shape)
  }
  return shape
}

function documentsOf(
  types: ReadonlyMap<string, MessageShape | undefined>,
  dialect: Dialect,
  source: OpenApiSource,
  owner: { readonly group: string; readonly version: string } | undefined,
): Document {
  const kinds = kindsByType(source)
  const documents: Record<string, unknown> = {}
  for (const [name, shape] of types) {
    documents[name] = shape
      ? typeDocument(shape, dialect, kinds.get(name) ?? metaKinds(name, source, owner))
      : (specialDocument(name, dialect) ?? { type: 'object' })
  }
  return documents
}

function kindsByType({ kinds }: OpenApiSource): ReadonlyMap<string, readonly Document[]> {
  const byType = new Map<string, readonly Document[]>()
  for (const kind of kinds) {
    const { group, version } = kind
    byType.set(kind.schema.shape.name, [{ group, kind: kind.kind, version }])
    byType.set(listShapeOf(kind).name, [{ group, kind: kind.listKind, version }])
  }
  return byType
}

const CORE_META: ReadonlySet<string> = new Set([
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'Status',
  'DeleteOptions',
  'WatchEvent',
])

/** Types of meta/v1 that are objects: of the core group, and options and events of every group that they are used in. */
function metaKinds(
  name: string,
  { kinds, types }: OpenApiSource,
  owner: { readonly group: string; readonly version: string } | undefined,
): readonly Document[] {
  const kind = name.slice(name.lastIndexOf('.') + 1)
  if (!name.startsWith(`${META}.`) || !CORE_META.has(kind)) return types.length > 0 ? subresourceKind(name) : []
  const core = { group: '', kind, version: 'v1' }
  if (kind !== 'DeleteOptions' && kind !== 'WatchEvent') return [core]
  if (owner && kind === 'DeleteOptions' && isCustomGroup({ kinds, types, version: '' }, owner.group)) return OPTIONS_VERSIONS.map(optionsOf)
  if (owner) return owner.group === '' ? [core] : [core, { group: owner.group, kind, version: owner.version }]
  const versions = new Set(kinds.map(({ group, version }) => `${group}/${version}`).filter(text => !text.startsWith('/')))
  return [core, ...[...versions].sort().map(text => ({ group: text.split('/')[0]!, kind, version: text.split('/')[1]! }))]
}

function optionsOf(apiVersion: string): Document {
  const { group, version } = groupVersionOf(apiVersion)
  return { group, kind: 'DeleteOptions', version }
}

/** The kinds that only go in and out of subresources. */
function subresourceKind(name: string): readonly Document[] {
  const known = SUBRESOURCE_KINDS[name]
  return known ? [known] : []
}

const SUBRESOURCE_KINDS: Readonly<Record<string, Document>> = {
  'io.k8s.api.autoscaling.v1.Scale': { group: 'autoscaling', kind: 'Scale', version: 'v1' },
  'io.k8s.api.policy.v1.Eviction': { group: 'policy', kind: 'Eviction', version: 'v1' },
  'io.k8s.api.authentication.v1.TokenRequest': { group: 'authentication.k8s.io', kind: 'TokenRequest', version: 'v1' },
}

/** Operations by path and method; parameters that all operations of a path have stand beside them. */
function pathsOf(operations: readonly Operation[], dialect: Dialect): Document {
  const byPath = new Map<string, Operation[]>()
  for (const operation of operations) byPath.set(operation.path, [...(byPath.get(operation.path) ?? []), operation])
  const paths: Record<string, unknown> = {}
  for (const [path, members] of [...byPath].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const isDiscovery = members.every(({ action }) => action === undefined)
    const all = members.map(({ parameters }) => new Set([...parameters, ...(isDiscovery ? [] : ['pretty'])]))
    const shared = [...(all[0] ?? [])].filter(name => all.every(set => set.has(name)))
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1]!)
    const query = shared.filter(name => !inPath.includes(name)).sort()
    paths[path] = {
      ...Object.fromEntries(members.map(member => [member.method, operationDocument(member, new Set(shared), dialect)])),
      ...(inPath.length + query.length > 0
        ? {
            parameters: [
              ...inPath.map(name => parameterDocument(name, 'path', dialect)),
              ...query.map(name => parameterDocument(name, 'query', dialect)),
            ],
          }
        : {}),
    }
  }
  return paths
}

function operationDocument(operation: Operation, shared: ReadonlySet<string>, dialect: Dialect): Document {
  const { id, action, body, isBodyRequired, groupVersionKind, consumes, tag } = operation
  const own = operation.parameters.filter(name => !shared.has(name)).sort()
  const parameters = own.map(name => parameterDocument(name, 'query', dialect))
  const types = producesOf(operation)
  const content = (mediaTypes: readonly string[], type: string) =>
    Object.fromEntries(mediaTypes.map(mediaType => [mediaType, { schema: schemaOf(type, 'v3') }]))
  const responses = Object.entries(operation.responses).map(([status, type]) => {
    const description = DESCRIPTIONS[status] ?? 'OK'
    if (type === undefined) return [status, { description }]
    return [status, dialect === 'v2' ? { description, schema: schemaOf(type, 'v2') } : { description, content: content(types, type) }]
  })
  const request =
    body === undefined
      ? {}
      : dialect === 'v3'
        ? { requestBody: { content: content(consumes, body), ...(isBodyRequired ? { required: true } : {}) } }
        : {}
  const bodyParameter =
    body !== undefined && dialect === 'v2'
      ? [{ name: 'body', in: 'body', ...(isBodyRequired ? { required: true } : {}), schema: schemaOf(body, 'v2') }]
      : []
  return {
    ...(dialect === 'v2' ? { consumes, produces: types, schemes: ['https'] } : {}),
    tags: [tag],
    operationId: id,
    ...(parameters.length + bodyParameter.length > 0 ? { parameters: [...bodyParameter, ...parameters] } : {}),
    ...request,
    responses: Object.fromEntries(responses),
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(groupVersionKind ? { 'x-kubernetes-group-version-kind': groupVersionKind } : {}),
  }
}

const DESCRIPTIONS: Readonly<Record<string, string>> = { '200': 'OK', '201': 'Created', '202': 'Accepted', '401': 'Unauthorized' }
const OBJECT_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const STREAM_TYPES = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

function producesOf({ action, responses, tag, produces }: Operation): readonly string[] {
  if (produces) return produces
  if (action === 'connect') return ['*/*']
  if (responses['200'] === 'string') return tag === 'openid' || tag === 'WellKnown' ? ['application/json'] : ['text/plain', ...OBJECT_TYPES]
  return action === 'list' || action === 'watch' || action === 'watchlist' ? [...OBJECT_TYPES, ...STREAM_TYPES] : OBJECT_TYPES
}

function schemaOf(type: string, dialect: Dialect): Document {
  return type === 'string' ? { type: 'string' } : { $ref: reference(type, dialect) }
}

function parameterDocument(name: string, place: 'path' | 'query', dialect: Dialect): Document {
  const { type, description }: Parameter = PARAMETERS[name] ?? { type: 'string', description: '' }
  const schema = { type, uniqueItems: true }
  const head = { name, in: place, description, ...(place === 'path' ? { required: true } : {}) }
  return dialect === 'v2' ? { ...head, ...schema } : { ...head, schema }
}
