import { describe, expect, it } from 'vitest'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { AnySchema, Shape } from '#machinery/schema/schema.ts'
import { Gates } from './gates.ts'

function written(kind: AnyKind, object: object, asked: Record<string, boolean> = {}, old?: object): unknown {
  const changed = structuredClone(object) as Mutable<ApiObject>
  new Gates(asked).dropFields(kind, changed, old as ApiObject | undefined)
  return changed
}
const podOf = (container: object, spec: object = {}) => ({ spec: { ...spec, containers: [{ name: 'a' }, { name: 'b', ...container }] } })
const stopping = podOf({ lifecycle: { stopSignal: 'SIGUSR1', preStop: { sleep: { seconds: 1 } } } })

describe('fields behind a feature gate', () => {
  it('are taken out while it is off, and kept while it is on', () => {
    expect(written(Pod, stopping)).toEqual(podOf({ lifecycle: { preStop: { sleep: { seconds: 1 } } } }))
    expect(written(Pod, stopping, { ContainerStopSignals: true })).toEqual(stopping)
    expect(written(Pod, stopping, { AllAlpha: true })).toEqual(stopping)
    const named = podOf({}, { hostnameOverride: 'x' })
    expect(written(Pod, named)).toEqual(named)
    expect(written(Pod, named, { HostnameOverride: false })).toEqual(podOf({}))
  })

  it('stay in objects that have had them before', () => {
    expect(written(Pod, stopping, {}, stopping)).toEqual(stopping)
    expect(written(Pod, stopping, {}, podOf({}))).not.toEqual(stopping)
  })

  it('are those of templates too', () => {
    const set = (rollingUpdate: object, spec: object) => ({ spec: { updateStrategy: { rollingUpdate }, template: podOf({}, spec) } })
    expect(written(StatefulSet, set({ maxUnavailable: 2, partition: 0 }, { schedulingGroup: { podGroupName: 'g' } }))).toEqual(
      set({ partition: 0 }, {}),
    )
  })

  it('may be values of a map, and take more with them', () => {
    const slice = (capacity: object) => ({ spec: { devices: [{ name: 'd', capacity: { memory: capacity } }] } })
    const policy = { value: '1', requestPolicy: { default: '1' } }
    expect(written(ResourceSlice, slice(policy), { DRAConsumableCapacity: false })).toEqual(slice({ value: '1' }))
    const claim = (dataSourceRef?: object) => ({ spec: { ...(dataSourceRef ? { dataSourceRef } : {}) } })
    expect(written(PersistentVolumeClaim, claim({ name: 'n', namespace: 'other' }))).toEqual(claim())
    expect(written(PersistentVolumeClaim, claim({ name: 'n' }))).toEqual(claim({ name: 'n' }))
  })

  it('are fields of their kind', () => {
    const wrong = [...builtInKinds, ...optionalKinds].flatMap(kind =>
      (kind.hooks.gatedFields ?? []).flatMap(({ path, drops = path }) =>
        [path, drops].filter(text => !isFieldOf(kind.schema, text)).map(text => `${kind.kind} has no ${text}`),
      ),
    )
    expect(wrong).toEqual([])
  })
})

function isFieldOf(schema: AnySchema, path: string): boolean {
  let here: AnySchema | undefined = schema
  for (const step of path.split('.')) {
    const [, name, each] = /^(.+?)(\[\]|\{\})?$/.exec(step)!
    const shape: Shape | undefined = here?.shape
    here = shape?.type === 'message' ? shape.fields[name!]?.schema : undefined
    const inner: Shape | undefined = here?.shape
    if (each === '[]') here = inner?.type === 'list' ? inner.of : undefined
    if (each === '{}') here = inner?.type === 'map' ? inner.of : undefined
  }
  return here !== undefined
}
