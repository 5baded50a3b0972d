import { describe, expect, it } from 'vitest'
import { errorsOf, stored, updateErrorsOf } from '../../stored.fixture.ts'
import { Service } from './service.ts'

const serviceOf = (spec: object) =>
  stored(Service, { metadata: { name: 's', namespace: 'ns' }, spec: { ports: [{ port: 80 }], ...spec } as object as Service['spec'] })

describe('a service', () => {
  it.each<[string, object, string[]]>([
    ['is fine with one port', {}, []],
    ['needs ports', { ports: [] }, ['spec.ports: Required value']],
    ['needs none without an address', { ports: [], clusterIP: 'None', clusterIPs: ['None'] }, []],
    ['names its ports if there are several', { ports: [{ port: 80, name: 'a' }, { port: 81 }] }, ['spec.ports[1].name: Required value']],
    [
      'has ports that there are',
      { ports: [{ port: 0 }] },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    ],
    [
      'is of a known type',
      { type: 'Other' },
      ['spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(errorsOf(Service, serviceOf(spec))).toEqual(errors)
  })

  it('keeps its address', () => {
    const at = (clusterIP: string) => serviceOf({ clusterIP, clusterIPs: [clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    expect(updateErrorsOf(Service, at('10.0.0.2'), at('10.0.0.1'))).toContain(
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
    )
  })
})
