import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { workQueue } from '#client/queue/work-queue.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { isAlreadyExists } from '#machinery/status/status-error.ts'
import { builtInPriority, CUSTOM_PRIORITY, type Priority } from '../discovery/priorities.ts'
import { isAvailable, LOCAL, withAvailability } from './conditions.ts'

export interface LocalApiServicesOptions {
  /** Acts as the server itself. */
  readonly client: Client
  readonly informers: Informers
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly log: Logger
}

/** Says who keeps an APIService: `onstart` those of built-in groups, `true` those of custom resources. Without it people do. */
const LABEL = 'kube-aggregator.kubernetes.io/automanaged'

interface Wanted extends Priority {
  readonly name: string
  readonly groupName: string
  readonly versionName: string
  readonly label: 'onstart' | 'true'
}

/** Registers what this server serves itself. */
export interface LocalApiServices extends AsyncDisposable {
  /** Resolves once every version that is served now is registered. */
  registered(): Promise<void>
}

/**
 * Keeps an APIService for each version that this server serves: those of built-in groups are brought back to what they should be once, at
 * the start; those of custom resources come and go with their definitions. Who takes the label off an object has it for himself.
 */
export function keepLocalApiServices({ client, informers, kinds, clock, log }: LocalApiServicesOptions): LocalApiServices {
  const services = informers.of(APIService)
  let isStarted = false
  const queue = workQueue<'all'>({
    clock,
    async work() {
      await services.synced()
      const wanted = wantedOf(kinds)
      await Promise.all(wanted.map(one => keep(client, services.get('', one.name), one, isStarted)))
      const names = new Set(wanted.map(({ name }) => name))
      const left = services.list().filter(({ metadata }) => metadata.labels?.[LABEL] === 'true' && !names.has(metadata.name ?? ''))
      await Promise.all(left.map(service => client.delete(APIService, service, { preconditions: { uid: service.metadata.uid } })))
      await Promise.all(services.list().map(service => noteAvailable(client, service, clock)))
      isStarted = true
      return undefined
    },
    failed: (_, error) => log.verbose('APIServices could not be registered yet', { error: String(error) }),
  })
  const following = [kinds.onChange(() => queue.add('all')), services.onChange(now => isUnnoted(now) && queue.add('all'))]
  queue.add('all')
  return {
    registered: () => queue.idle(),
    async [Symbol.asyncDispose]() {
      for (const one of following) one[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

function wantedOf(kinds: KindRegistry): Wanted[] {
  const versions = new Map<string, Wanted>()
  for (const { group, version, verbs, isCustom } of kinds.all()) {
    const name = `${version}.${group}`
    if (verbs.length === 0 || group === APIService.group || versions.has(name)) continue
    const builtIn = builtInPriority(group, version)
    // Groups of our own, and such as others may install a server for, are nobody's to register.
    if (!builtIn && !isCustom) continue
    const of = { name, groupName: group, versionName: version, ...(builtIn ?? CUSTOM_PRIORITY) }
    versions.set(name, { ...of, label: builtIn ? 'onstart' : 'true' })
  }
  return [...versions.values()]
}

/** Whatever is deleted may have to come back; what this server serves is available as long as it runs. */
function isUnnoted(service: APIService | undefined): boolean {
  return service === undefined || (!service.spec.service && !isAvailable(service))
}

async function noteAvailable(client: Client, service: APIService, clock: Clock): Promise<void> {
  const next = service.spec.service ? undefined : withAvailability(service, LOCAL, clock.now())
  if (next) await client.updateStatus(APIService, next)
}

async function keep(client: Client, present: APIService | undefined, wanted: Wanted, isStarted: boolean): Promise<void> {
  if (isStarted && wanted.label === 'onstart') return
  const { name, groupName, versionName, group: groupPriorityMinimum, version: versionPriority, label } = wanted
  const spec = { ...(groupName ? { group: groupName } : {}), version: versionName, groupPriorityMinimum, versionPriority }
  try {
    if (!present) {
      await client.create(APIService, { metadata: { name, labels: { [LABEL]: label } }, spec })
      return
    }
    const { [LABEL]: presentLabel } = present.metadata.labels ?? {}
    if (presentLabel === undefined || (presentLabel === label && equal(present.spec, spec))) return
    const next = draft(present)
    next.metadata.labels = { ...next.metadata.labels, [LABEL]: label }
    await client.update(APIService, { ...next, spec })
  } catch (error) {
    // Another server may have been faster.
    if (!isAlreadyExists(error)) throw error
  }
}
