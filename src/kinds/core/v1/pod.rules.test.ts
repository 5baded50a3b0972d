import { describe, expect, it } from 'vitest'
import { errorsOf, stored, updateErrorsOf } from '../../stored.fixture.ts'
import { Pod } from './pod.ts'

const c = { name: 'c', image: 'i' }
const podOf = (spec: object, metadata: object = {}) =>
  stored(Pod, { metadata: { name: 'p', namespace: 'ns', ...metadata }, spec: { containers: [c], ...spec } as object as Pod['spec'] })

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

describe('a pod', () => {
  it.each<[string, object, string[]]>([
    ['is fine with one container', {}, []],
    ['needs containers', { containers: [] }, ['spec.containers: Required value']],
    ['needs names', { containers: [{ image: 'i' }] }, ['spec.containers[0].name: Required value']],
    ['needs images', { containers: [{ name: 'c' }] }, ['spec.containers[0].image: Required value']],
    ['has containers of different names', { containers: [c, c] }, ['spec.containers[1].name: Duplicate value: "c"']],
    ['has names that are labels', { containers: [{ ...c, name: 'C' }] }, [`spec.containers[0].name: Invalid value: "C": ${LABEL}`]],
    [
      'restarts in a known way',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'mounts volumes that it has',
      { containers: [{ ...c, volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      'asks for no more than its limits',
      { containers: [{ ...c, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] },
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'listens on ports that there are',
      { containers: [{ ...c, ports: [{ containerPort: 70000 }] }] },
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'has volumes with one source',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(errorsOf(Pod, podOf(spec))).toEqual(errors)
  })

  it('keeps its spec, but for images and tolerations', () => {
    const old = podOf({})
    expect(updateErrorsOf(Pod, podOf({ containers: [{ ...c, image: 'j' }] }), old)).toEqual([])
    expect(updateErrorsOf(Pod, podOf({ nodeName: 'n' }), old)[0]).toMatch(/^spec: Forbidden: pod updates may not change fields other than/)
  })
})
