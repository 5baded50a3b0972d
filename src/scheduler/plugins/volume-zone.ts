import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { VolumeView } from '../volumes/volume-view.ts'

const NAME = 'VolumeZone'
const CONFLICT: Refusal = { plugin: NAME, code: 'unresolvable', reasons: ['node(s) had no available volume zone'] }

/** Labels by which volumes and nodes say where they are; the older names mean the same. */
const LABELS: Readonly<Record<string, string>> = {
  'topology.kubernetes.io/zone': 'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
}

interface Place {
  readonly key: string
  readonly values: ReadonlySet<string>
}

/** Keeps a pod to the zones and regions that the labels of its bound volumes name. */
export function volumeZone(volumes: VolumeView): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: ['node added', 'node labels changed', 'volumes changed'],
    preFilter({ info, state }) {
      const places = info.claims.flatMap(({ namespace, name }): Place[] => {
        const volume = volumes.volume(volumes.claim(namespace, name)?.spec.volumeName ?? '')
        return Object.entries(volume?.metadata.labels ?? {}).flatMap(([key, value]) =>
          key in LABELS ? [{ key, values: new Set(value.split('__')) }] : [],
        )
      })
      if (places.length === 0) return { skip: true }
      state.set(NAME, places)
      return undefined
    },
    filter({ state }, { labels }) {
      // A cluster whose nodes say nothing of zones has none.
      if (!Object.keys(LABELS).some(key => labels[key] !== undefined)) return undefined
      for (const { key, values } of state.get(NAME) as readonly Place[]) {
        const value = labels[key] ?? labels[LABELS[key]!]
        if (value === undefined || !values.has(value)) return CONFLICT
      }
      return undefined
    },
  }
}
