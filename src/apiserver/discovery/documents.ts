import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Aggregation, RemoteVersion } from '../aggregation/aggregation.ts'
import { localPriority, type Priority } from './priorities.ts'

type Remotes = Pick<Aggregation, 'remotes' | 'onChange'>

/** A short name of a group, version and kind that clients compare: the first eight bytes of a SHA-256 in base64. */
export type StorageHash = (groupVersionKind: string) => string

/** Kinds that upstream still stores in an older version than it serves first: clients see that in the hash. */
const STORED_AS: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': 'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': 'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding',
}

/** One version of a group with its kinds. */
interface ServedVersion {
  readonly version: string
  readonly groupVersion: string
  readonly priority: Priority
  readonly kinds: readonly AnyKind[]
  /** Set if another server serves it. */
  readonly remote?: RemoteVersion
}

/** A group with its versions, the preferred one first. */
export interface ServedGroup {
  readonly name: string
  readonly versions: readonly ServedVersion[]
}

/** The discovery documents of what a registry serves, made when they are asked for and again when kinds change. */
export class DiscoveryDocuments {
  readonly #kinds: KindRegistry
  readonly #hash: StorageHash
  readonly #aggregation: Remotes | undefined
  #groups: readonly ServedGroup[] | undefined

  constructor(kinds: KindRegistry, hash: StorageHash, aggregation?: Remotes) {
    this.#kinds = kinds
    this.#hash = hash
    this.#aggregation = aggregation
    const forget = () => {
      this.#groups = undefined
    }
    kinds.onChange(forget)
    aggregation?.onChange(forget)
  }

  /** Every group but the core one, in order. */
  get groups(): readonly ServedGroup[] {
    return this.#all().filter(({ name }) => name !== '')
  }

  group(name: string): ServedGroup | undefined {
    return this.#all().find(group => group.name === name)
  }

  /** `/apis`. */
  groupList(): object {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: this.groups.map(groupEntry) }
  }

  /** `/apis/<group>`. */
  groupDocument(name: string): object | undefined {
    const group = this.group(name)
    return group && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) }
  }

  /** `/api/v1` and `/apis/<group>/<version>`. */
  resourceList(group: string, version: string): object | undefined {
    const served = this.group(group)?.versions.find(one => one.version === version)
    if (!served) return undefined
    const resources = served.kinds.flatMap(kind => this.#resourcesOf(kind)).sort((a, b) => (a.name < b.name ? -1 : 1))
    return {
      kind: 'APIResourceList',
      ...(group === '' ? {} : { apiVersion: 'v1' }),
      groupVersion: served.groupVersion,
      resources,
    }
  }

  /** `/apis` (or `/api` for the core group) with everything in one document. */
  aggregated(isCore: boolean): object {
    const groups = this.#all().filter(({ name }) => (name === '') === isCore)
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      metadata: {},
      items: groups.map(group => this.#discoveryOf(group)),
    }
  }

  #discoveryOf({ name, versions }: ServedGroup): object {
    const isCustom = versions.some(({ kinds }) => kinds.some(kind => kind.isCustom))
    return {
      metadata: { ...(name === '' ? {} : { name }), ...(isCustom ? {} : { creationTimestamp: null }) },
      versions: versions.map(({ version, kinds, remote }) => ({
        version,
        ...(remote
          ? remoteDiscovery(remote)
          : { resources: [...kinds].sort((a, b) => (a.plural < b.plural ? -1 : 1)).map(discoveryOfKind) }),
        freshness: !remote || remote.isCurrent ? 'Current' : 'Stale',
      })),
    }
  }

  #resourcesOf(kind: AnyKind): { readonly name: string }[] {
    const isNamespaced = kind.scope === 'Namespaced'
    const own = {
      name: kind.plural,
      singularName: kind.singular,
      namespaced: isNamespaced,
      kind: kind.kind,
      verbs: verbsOf(kind),
      ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
      ...(kind.categories.length ? { categories: kind.categories } : {}),
      ...(kind.verbs.includes('get') && kind.kind !== 'ComponentStatus' ? { storageVersionHash: this.#hash(storedName(kind)) } : {}),
    }
    const parts = kind.subresources.map(({ name, verbs, kind: other }) => ({
      name: `${kind.plural}/${name}`,
      singularName: '',
      namespaced: isNamespaced,
      ...(other && !isSameGroup(other, kind) ? { group: other.group, version: other.version } : {}),
      kind: other?.kind ?? kind.kind,
      verbs: [...verbs].sort(),
    }))
    return [own, ...parts]
  }

  #all(): readonly ServedGroup[] {
    this.#groups ??= groupsOf(this.#kinds, this.#aggregation?.remotes() ?? [])
    return this.#groups
  }
}

function groupsOf(kinds: KindRegistry, remotes: Iterable<RemoteVersion>): readonly ServedGroup[] {
  const versions = new Map<string, ServedVersion & { readonly group: string }>()
  for (const remote of remotes) {
    const { group = '', version = '', groupPriorityMinimum, versionPriority } = remote.service.spec
    const priority = { group: groupPriorityMinimum, version: versionPriority }
    versions.set(`${version}.${group}`, { group, version, groupVersion: groupVersionOf(group, version), priority, kinds: [], remote })
  }
  for (const kind of kinds.all()) {
    const { group, version, verbs } = kind
    if (verbs.length === 0) continue
    const key = `${version}.${group}`
    const known = versions.get(key)
    if (known?.remote) continue
    if (known) (known.kinds as AnyKind[]).push(kind)
    else
      versions.set(key, {
        group,
        version,
        groupVersion: groupVersionOf(group, version),
        priority: localPriority(group, version),
        kinds: [kind],
      })
  }
  const byGroup = new Map<string, ServedVersion[]>()
  for (const { group, ...version } of versions.values()) byGroup.set(group, [...(byGroup.get(group) ?? []), version])
  const rank = ({ versions: all }: ServedGroup) => Math.max(...all.map(({ priority }) => priority.group))
  return [...byGroup]
    .map(([name, all]) => ({
      name,
      versions: all.sort((a, b) => b.priority.version - a.priority.version || compareVersions(b.version, a.version)),
    }))
    .sort((a, b) => (rank(a) === rank(b) ? (a.name < b.name ? -1 : 1) : rank(b) - rank(a)))
}

function groupVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`
}

/** What another server says of itself; nothing until it could be asked. */
function remoteDiscovery({ resources }: RemoteVersion): object {
  return resources ? { resources } : {}
}

function groupEntry({ name, versions }: ServedGroup): object {
  const entries = versions.map(({ groupVersion, version }) => ({ groupVersion, version }))
  return { name, versions: entries, preferredVersion: entries[0] }
}

function discoveryOfKind(kind: AnyKind): object {
  const scope = kind.scope === 'Namespaced' ? 'Namespaced' : 'Cluster'
  const subresources = [...kind.subresources]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, verbs, kind: other }) => ({
      subresource: name,
      responseKind: kind.isCustom ? kindOf(other ?? kind) : { ...groupOf(other, kind), kind: other?.kind ?? kind.kind },
      verbs: [...verbs].sort(),
    }))
  return {
    resource: kind.plural,
    responseKind: kind.isCustom ? kindOf(kind) : { group: '', version: '', kind: kind.kind },
    scope,
    singularResource: kind.singular,
    verbs: verbsOf(kind),
    ...(kind.shortNames.length ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length ? { categories: kind.categories } : {}),
    ...(subresources.length ? { subresources } : {}),
  }
}

/** Upstream lists the verbs of custom resources in an order of its own. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

function verbsOf(kind: AnyKind): readonly string[] {
  return kind.isCustom ? CUSTOM_VERBS : [...kind.verbs].sort()
}

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

function kindOf({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind }
}

/** Group and version of a subresource's kind where they are not the resource's own. */
function groupOf(other: GroupVersionKind | undefined, kind: AnyKind): { readonly group: string; readonly version: string } {
  return other && !isSameGroup(other, kind) ? { group: other.group, version: other.version } : { group: '', version: '' }
}

function isSameGroup(other: { readonly group: string; readonly version: string }, kind: AnyKind): boolean {
  return other.group === kind.group && other.version === kind.version
}

function storedName(kind: AnyKind): string {
  const { group, version, kind: name } = kind.view?.of ?? kind
  const own = `${group}/${version}/${name}`
  return STORED_AS[own] ?? own
}

/** Kubernetes' order of versions: stable before beta before alpha, then by number. */
export function compareVersions(a: string, b: string): number {
  const left = partsOf(a)
  const right = partsOf(b)
  if (!left || !right) return left ? 1 : right ? -1 : a < b ? 1 : a > b ? -1 : 0
  for (let index = 0; index < 3; index++) if (left[index] !== right[index]) return left[index]! - right[index]!
  return 0
}

function partsOf(version: string): readonly number[] | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version)
  if (!match) return undefined
  const stage = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2
  return [stage, Number(match[1]), Number(match[3] ?? 0)]
}
