import type { AnyKind, Subresource } from '../kind/kind.ts'
import { customOperations } from './custom-operations.ts'

/** One operation of the API, before it is written down in either version of OpenAPI. */
export interface Operation {
  readonly path: string
  readonly method: string
  readonly id: string
  /** Upstream's word for what it does: `list`, `watchlist`, `deletecollection`, `connect` … */
  readonly action?: string
  readonly groupVersionKind?: { readonly group: string; readonly version: string; readonly kind: string }
  /** Names of the query parameters beside those of the path. */
  readonly parameters: readonly string[]
  /** The type in the body: its name, or 'Patch'. */
  readonly body?: string
  readonly isBodyRequired?: boolean
  readonly consumes: readonly string[]
  /** Media types of the answer; undefined: what its action says. */
  readonly produces?: readonly string[]
  /** Answers by status; undefined has no body. */
  readonly responses: Readonly<Record<string, string | undefined>>
  readonly tag: string
}

/** All operations of a kind, in the order of their paths. */
export function operationsOf(kind: AnyKind): readonly Operation[] {
  const names = namesOf(kind)
  const isNamespaced = kind.scope === 'Namespaced'
  const collection = isNamespaced ? `${names.root}/namespaces/{namespace}/${kind.plural}` : `${names.root}/${kind.plural}`
  const one = `${collection}/{name}`
  const operations = [
    ...collectionOperations(kind, names, collection),
    ...objectOperations(kind, names, one),
    ...kind.subresources.flatMap(subresource => subresourceOperations(kind, names, one, subresource)),
    ...(isNamespaced ? allNamespacesOperations(kind, names) : []),
    ...watchOperations(kind, names, isNamespaced),
  ]
  return kind.isCustom ? customOperations(operations) : operations
}

/** The operation that lists the resources of a group version, or the versions of a group. */
export function discoveryOperation(group: string, version: string | undefined): Operation {
  const root = group === '' ? '/api' : `/apis/${group}`
  const name = groupName(group)
  const id = version === undefined ? `get${name}APIGroup` : `get${name}${capital(version)}APIResources`
  return {
    path: version === undefined ? `${root}/` : `${root}/${version}/`,
    method: 'get',
    id,
    parameters: [],
    consumes: [...DISCOVERY],
    responses: { '200': version === undefined ? `${META}.APIGroup` : `${META}.APIResourceList`, '401': undefined },
    tag: version === undefined ? tagOf(group) : `${tagOf(group)}_${version}`,
  }
}

/** `apps` → `Apps`, `rbac.authorization.k8s.io` → `RbacAuthorization`, the core group → `Core`. */
export function groupName(group: string): string {
  if (group === '') return 'Core'
  return group
    .replace(/\.k8s\.io$/, '')
    .split(/[.-]/)
    .map(capital)
    .join('')
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const DISCOVERY = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const ANY = ['*/*']
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const LIST = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
  'watch',
]
const WRITE = ['dryRun', 'fieldManager', 'fieldValidation']
const DELETE = ['dryRun', 'gracePeriodSeconds', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents', 'propagationPolicy']
const DELETE_COLLECTION = [...DELETE, ...LIST.filter(name => name !== 'watch' && name !== 'allowWatchBookmarks')]

interface Names {
  readonly root: string
  /** `AppsV1`. */
  readonly version: string
  /** `NamespacedDeployment`, or `Node`. */
  readonly subject: string
  readonly type: string
  readonly tag: string
}

function namesOf(kind: AnyKind): Names {
  return {
    root: kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`,
    version: `${groupName(kind.group)}${capital(kind.version)}`,
    subject: kind.scope === 'Namespaced' ? `Namespaced${kind.kind}` : kind.kind,
    type: kind.schema.shape.name,
    tag: `${tagOf(kind.group)}_${kind.version}`,
  }
}

function collectionOperations(kind: AnyKind, names: Names, path: string): Operation[] {
  const { version, subject, type } = names
  const has = (verb: string) => (kind.verbs as readonly string[]).includes(verb)
  const isStored = has('get')
  return [
    has('list') ? operation(kind, names, path, 'get', `list${version}${subject}`, 'list', LIST, ok(`${type}List`)) : undefined,
    has('create')
      ? {
          ...operation(kind, names, path, 'post', `create${version}${subject}`, 'post', WRITE, created(type)),
          body: type,
          isBodyRequired: true,
        }
      : undefined,
    has('deletecollection')
      ? {
          ...operation(
            kind,
            names,
            path,
            'delete',
            `delete${version}Collection${subject}`,
            'deletecollection',
            DELETE_COLLECTION,
            ok(`${META}.Status`),
          ),
          body: `${META}.DeleteOptions`,
        }
      : undefined,
  ].filter(found => found !== undefined && (isStored || found.method === 'post')) as Operation[]
}

function objectOperations(kind: AnyKind, names: Names, path: string): Operation[] {
  const { version, subject, type } = names
  const has = (verb: string) => (kind.verbs as readonly string[]).includes(verb)
  const gone = kind.deleteReturnsObject ? type : `${META}.Status`
  return [
    has('get') ? operation(kind, names, path, 'get', `read${version}${subject}`, 'get', [], ok(type)) : undefined,
    has('update')
      ? {
          ...operation(kind, names, path, 'put', `replace${version}${subject}`, 'put', WRITE, updated(type)),
          body: type,
          isBodyRequired: true,
        }
      : undefined,
    has('delete')
      ? {
          ...operation(kind, names, path, 'delete', `delete${version}${subject}`, 'delete', DELETE, {
            '200': gone,
            '202': gone,
            '401': undefined,
          }),
          body: `${META}.DeleteOptions`,
        }
      : undefined,
    has('patch') ? patchOperation(kind, names, path, `patch${version}${subject}`, type) : undefined,
  ].filter(found => found !== undefined)
}

function patchOperation(kind: AnyKind, names: Names, path: string, id: string, type: string): Operation {
  const patch = operation(kind, names, path, 'patch', id, 'patch', [...WRITE, 'force'], updated(type))
  return { ...patch, body: `${META}.Patch`, isBodyRequired: true, consumes: PATCHES }
}

function subresourceOperations(kind: AnyKind, names: Names, one: string, subresource: Subresource): Operation[] {
  const path = `${one}/${subresource.name}`
  const { version, subject } = names
  const suffix = capital(subresource.name)
  const type = subresource.kind ? typeOfKind(subresource.kind) : names.type
  const of = subresource.kind ? { ...kind, ...subresource.kind } : kind
  const has = (verb: string) => (subresource.verbs as readonly string[]).includes(verb)
  if (subresource.name === 'proxy' || Object.hasOwn(CONNECT, subresource.name))
    return connectOperations(kind, names, path, suffix, subresource.name)
  const isText = subresource.name === 'log'
  return [
    has('get')
      ? operation(of, names, path, 'get', `read${version}${subject}${suffix}`, 'get', isText ? LOG : [], ok(isText ? 'string' : type))
      : undefined,
    has('update')
      ? {
          ...operation(of, names, path, 'put', `replace${version}${subject}${suffix}`, 'put', WRITE, updated(type)),
          body: type,
          isBodyRequired: true,
        }
      : undefined,
    has('create')
      ? {
          ...operation(of, names, path, 'post', `create${version}${subject}${suffix}`, 'post', WRITE, created(type)),
          body: type,
          isBodyRequired: true,
        }
      : undefined,
    has('patch') ? patchOperation(of, names, path, `patch${version}${subject}${suffix}`, type) : undefined,
  ].filter(found => found !== undefined)
}

const LOG = [
  'container',
  'follow',
  'insecureSkipTLSVerifyBackend',
  'limitBytes',
  'previous',
  'sinceSeconds',
  'stream',
  'tailLines',
  'timestamps',
]
const CONNECT: Readonly<Record<string, readonly string[]>> = {
  attach: ['container', 'stderr', 'stdin', 'stdout', 'tty'],
  exec: ['command', 'container', 'stderr', 'stdin', 'stdout', 'tty'],
  portforward: ['ports'],
}

/** Streams are opened by GET or POST; a proxy takes every method, with and without a path behind it. */
function connectOperations(kind: AnyKind, names: Names, path: string, suffix: string, name: string): Operation[] {
  const isProxy = name === 'proxy'
  const methods = isProxy ? ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] : ['get', 'post']
  const connect = (at: string, method: string, ending: string) =>
    operation(
      kind,
      names,
      at,
      method,
      `connect${names.version}${capital(method)}${names.subject}${suffix}${ending}`,
      'connect',
      isProxy ? ['path'] : (CONNECT[name] ?? []),
      ok('string'),
    )
  return [
    ...methods.map(method => connect(path, method, '')),
    ...(isProxy ? methods.map(method => ({ ...connect(`${path}/{path}`, method, 'WithPath'), parameters: ['path'] })) : []),
  ]
}

function allNamespacesOperations(kind: AnyKind, names: Names): Operation[] {
  if (!kind.verbs.includes('list')) return []
  const path = `${names.root}/${kind.plural}`
  return [operation(kind, names, path, 'get', `list${names.version}${kind.kind}ForAllNamespaces`, 'list', LIST, ok(`${names.type}List`))]
}

/** The paths below `/watch`, which the parameter `watch` has replaced. */
function watchOperations(kind: AnyKind, names: Names, isNamespaced: boolean): Operation[] {
  if (!kind.verbs.includes('watch')) return []
  const { root, version, subject } = names
  const scope = isNamespaced ? 'namespaces/{namespace}/' : ''
  const event = ok(`${META}.WatchEvent`)
  const watch = (path: string, id: string, action: string) => operation(kind, names, path, 'get', id, action, LIST, event)
  return [
    watch(`${root}/watch/${scope}${kind.plural}`, `watch${version}${subject}List`, 'watchlist'),
    watch(`${root}/watch/${scope}${kind.plural}/{name}`, `watch${version}${subject}`, 'watch'),
    ...(isNamespaced ? [watch(`${root}/watch/${kind.plural}`, `watch${version}${kind.kind}ListForAllNamespaces`, 'watchlist')] : []),
  ]
}

function operation(
  kind: { readonly group: string; readonly version: string; readonly kind: string },
  { tag }: Names,
  path: string,
  method: string,
  id: string,
  action: string,
  parameters: readonly string[],
  responses: Operation['responses'],
): Operation {
  const groupVersionKind = { group: kind.group, version: kind.version, kind: kind.kind }
  return { path, method, id, action, groupVersionKind, parameters, consumes: ANY, responses, tag }
}

const ok = (type: string): Operation['responses'] => ({ '200': type, '401': undefined })
const updated = (type: string): Operation['responses'] => ({ '200': type, '201': type, '401': undefined })
const created = (type: string): Operation['responses'] => ({ '200': type, '201': type, '202': type, '401': undefined })

/** The name of a subresource's own type: `Scale` of autoscaling/v1 is `io.k8s.api.autoscaling.v1.Scale`. */
function typeOfKind({ group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string }): string {
  return `io.k8s.api.${group === '' ? 'core' : group.replace(/\.k8s\.io$/, '').split('.')[0]}.${version}.${kind}`
}

function tagOf(group: string): string {
  const name = groupName(group)
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
