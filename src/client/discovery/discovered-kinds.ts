import type { Logger } from '#base/log/logger.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { type AnyKind, defineKind, type Verb } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Informers } from '../informers/informer.ts'

export interface DiscoveryOptions {
  /** Any GET of the server, as text. */
  readonly raw: (path: string) => Promise<string>
  readonly informers: Informers
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly log: Logger
}

/** How long changes of what is served are gathered, and how often it is looked up even without one. */
const GATHER_MS = 1_000
const PERIOD_MS = 30_000

/**
 * Adds the kinds that a server serves and this program does not know to `kinds`, and takes them away when they are gone. Of such kinds only
 * the metadata is read: enough to delete them and to know who owns them. Resolves after the first look; disposing the result ends it.
 */
export async function followDiscovery(options: DiscoveryOptions): Promise<AsyncDisposable> {
  const { informers, clock, log } = options
  const added = new Map<string, AnyKind>()
  let timer: Timer | undefined
  let looking: Promise<void> = Promise.resolve()
  let ended = false
  const look = () => {
    looking = refresh(options, added)
      .catch(error => log.warn('what the API server serves could not be looked up', { error }))
      .then(() => schedule(PERIOD_MS))
    return looking
  }
  const schedule = (delayMs: number) => {
    timer?.cancel()
    if (!ended) timer = clock.after(delayMs, () => void look())
  }
  await look()
  const subscription = informers.of(CustomResourceDefinition).onChange(() => schedule(GATHER_MS))
  return {
    async [Symbol.asyncDispose]() {
      ended = true
      subscription[Symbol.dispose]()
      timer?.cancel()
      await looking
    },
  }
}

interface ApiGroup {
  readonly name: string
  readonly preferredVersion?: { readonly version: string }
}

interface ApiResource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

async function refresh({ raw, kinds, log }: DiscoveryOptions, added: Map<string, AnyKind>): Promise<void> {
  const { groups = [] } = parseJson(await raw('/apis')) as { groups?: readonly ApiGroup[] }
  const builtIn = new Set([...kinds.all()].filter(kind => ![...added.values()].includes(kind)).map(({ group }) => group))
  const served = new Map<string, AnyKind>()
  for (const { name, preferredVersion } of groups) {
    if (builtIn.has(name) || !preferredVersion) continue
    try {
      const { resources = [] } = parseJson(await raw(`/apis/${name}/${preferredVersion.version}`)) as { resources?: readonly ApiResource[] }
      for (const resource of resources) {
        if (resource.name.includes('/')) continue
        const id = JSON.stringify([name, preferredVersion.version, resource])
        served.set(id, added.get(id) ?? metadataKind(name, preferredVersion.version, resource))
      }
    } catch (error) {
      // A group whose server is away still has its objects: what was known of it stays.
      log.verbose('a group could not be looked up', { group: name, error })
      for (const [id, kind] of added) if (kind.group === name) served.set(id, kind)
    }
  }
  for (const [id, kind] of added) {
    if (served.has(id)) continue
    added.delete(id)
    kinds.remove(kind)
  }
  for (const [id, kind] of served) {
    if (added.has(id)) continue
    added.set(id, kind)
    kinds.add(kind)
  }
}

function metadataKind(group: string, version: string, { name, kind, namespaced, verbs }: ApiResource): AnyKind {
  return defineKind({
    group,
    version,
    kind,
    plural: name,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    openapi: `${group}.${version}`,
    verbs: verbs as readonly Verb[],
  })
}
