import { expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionRequest } from './admission.ts'
import { alwaysPullImages, denyServiceExternalIPs, extendedResourceToleration, limitPodHardAntiAffinityTopology } from './by-flag.ts'
import { defaultAdmission } from './plugins.ts'

function write(kind: AnyKind, object: object, old?: object): AdmissionRequest {
  const read = (value: object) => decodeObject(kind, { metadata: { name: 'x' }, ...value }) as Mutable<ApiObject>
  return {
    operation: old ? 'UPDATE' : 'CREATE',
    kind,
    subresource: '',
    namespace: 'default',
    name: 'x',
    object: read(object),
    old: old && read(old),
    user: { name: 'alice', groups: [] },
    dryRun: false,
    warn: () => undefined,
  }
}
const container = { name: 'c', image: 'i:1' }

it('has images pulled always', () => {
  const request = write(Pod, { spec: { containers: [container] } })
  void alwaysPullImages.admit!(request)
  expect((request.object as unknown as Pod).spec.containers[0]!.imagePullPolicy).toBe('Always')
})

it('lets pods onto nodes that are kept for what they ask for', () => {
  const request = write(Pod, { spec: { containers: [{ ...container, resources: { limits: { 'example.com/gpu': '1' } } }] } })
  void extendedResourceToleration.admit!(request)
  void extendedResourceToleration.admit!(request)
  expect((request.object as unknown as Pod).spec.tolerations).toEqual([{ key: 'example.com/gpu', operator: 'Exists' }])
})

it('refuses pods that keep others out of a zone', () => {
  const keepingOut = (topologyKey: string) => {
    const podAntiAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] }
    return write(Pod, { spec: { containers: [container], affinity: { podAntiAffinity } } })
  }
  void limitPodHardAntiAffinityTopology.validate!(keepingOut('kubernetes.io/hostname'))
  expect(() => limitPodHardAntiAffinityTopology.validate!(keepingOut('zone'))).toThrow('only key kubernetes.io/hostname is allowed')
})

it('refuses external addresses that a service did not have', () => {
  const service = (...externalIPs: string[]) => ({ spec: { ports: [{ port: 80 }], externalIPs } })
  void denyServiceExternalIPs.validate!(write(Service, service('192.0.2.1'), service('192.0.2.1')))
  expect(() => denyServiceExternalIPs.validate!(write(Service, service('192.0.2.1')))).toThrow(
    'services "x" is forbidden: Use of external IPs is denied by admission control.',
  )
})

it('runs plugins as flags say, and what keeps roles from growing always', () => {
  const context = {} as Parameters<typeof defaultAdmission>[0]
  const names = (enabled: string[], disabled: string[]) => defaultAdmission(context, { enabled, disabled }).map(({ name }) => name)
  expect(names([], [])).not.toContain('AlwaysPullImages')
  expect(names(['AlwaysPullImages', 'NodeRestriction'], ['LimitRanger', 'RoleEscalation'])).toEqual(
    expect.arrayContaining(['AlwaysPullImages', 'NodeRestriction', 'RoleEscalation']),
  )
  expect(names([], ['LimitRanger'])).not.toContain('LimitRanger')
})
