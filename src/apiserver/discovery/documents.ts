import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'

/** A short name of a group, version and kind that clients compare: the first eight bytes of a SHA-256 in base64. */
export type StorageHash = (groupVersionKind: string) => string

/** The groups in the order in which upstream prefers them; others follow by name. */
const GROUP_ORDER = [
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
]

/** Kinds that upstream still stores in an older version than it serves first: clients see that in the hash. */
const STORED_AS: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': 'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': 'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding',
}

/** One version of a group with its kinds. */
interface ServedVersion {
  readonly version: string
  readonly groupVersion: string
  readonly kinds: readonly AnyKind[]
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
  #groups: readonly ServedGroup[] | undefined

  constructor(kinds: KindRegistry, hash: StorageHash) {
    this.#kinds = kinds
    this.#hash = hash
    kinds.onChange(() => {
      this.#groups = undefined
    })
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
    return {
      metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
      versions: versions.map(({ version, kinds }) => ({
        version,
        resources: [...kinds].sort((a, b) => (a.plural < b.plural ? -1 : 1)).map(discoveryOfKind),
        freshness: 'Current',
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
    this.#groups ??= groupsOf(this.#kinds)
    return this.#groups
  }
}

function groupsOf(kinds: KindRegistry): readonly ServedGroup[] {
  const byGroup = new Map<string, Map<string, AnyKind[]>>()
  for (const kind of kinds.all()) {
    if (kind.verbs.length === 0) continue
    const versions = byGroup.get(kind.group) ?? new Map<string, AnyKind[]>()
    byGroup.set(kind.group, versions)
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind])
  }
  const groups = [...byGroup].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .map(([version, served]) => ({ version, groupVersion: name === '' ? version : `${name}/${version}`, kinds: served }))
      .sort((a, b) => compareVersions(b.version, a.version)),
  }))
  return groups.sort((a, b) => rankOf(a.name) - rankOf(b.name) || (a.name < b.name ? -1 : 1))
}

function rankOf(group: string): number {
  const rank = GROUP_ORDER.indexOf(group)
  return rank < 0 ? GROUP_ORDER.length : rank
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
