import { describe, expect, it } from 'vitest'
import { errorsOf, stored, updateErrorsOf } from '../../stored.fixture.ts'
import { Deployment } from './deployment.ts'

const spec = {
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
}
const deploymentOf = (more: object) =>
  stored(Deployment, { metadata: { name: 'd', namespace: 'ns' }, spec: { ...spec, ...more } as object as Deployment['spec'] })

describe('a deployment', () => {
  it.each<[string, object, string[]]>([
    ['is fine with a selector and a template', {}, []],
    ['does not run backwards', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'selects its own pods',
      { selector: { matchLabels: { a: 'c' } } },
      ['spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`'],
    ],
    [
      'makes progress when rolling',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'has pods that always restart',
      { template: { ...spec.template, spec: { ...spec.template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
  ])('%s', (_, more, errors) => {
    expect(errorsOf(Deployment, deploymentOf(more))).toEqual(errors)
  })

  it('keeps its selector', () => {
    const next = deploymentOf({ selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } })
    expect(updateErrorsOf(Deployment, next, deploymentOf({}))).toEqual([
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Exists"}]}: field is immutable',
    ])
  })
})
