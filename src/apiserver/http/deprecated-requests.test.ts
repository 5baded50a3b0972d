import { expect, it } from 'vitest'
import { builtInKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { deprecatedRequests } from './deprecated-requests.ts'
import { RequestStats } from './request-stats.ts'

it('metrics tell which deprecated APIs were asked for, each once', () => {
  const stats = new RequestStats()
  const ask = (group: string, version: string, resource: string, verb = 'GET') =>
    stats.add({ verb, group, version, resource, subresource: '', scope: 'cluster' }, 200, 0)
  const series = deprecatedRequests(() => stats.asked, kindRegistry([...builtInKinds, ...optionalKinds]))
  const told = () =>
    series
      .text()
      .split('\n')
      .filter(line => line.startsWith('apiserver_'))
      .sort()
  ask('', 'v1', 'pods')
  ask('nobody.example', 'v1', 'things')
  expect(told()).toEqual([])
  ask('', 'v1', 'endpoints')
  ask('storage.k8s.io', 'v1beta1', 'volumeattributesclasses')
  ask('storage.k8s.io', 'v1beta1', 'volumeattributesclasses', 'LIST')
  const of = (labels: string) => `apiserver_requested_deprecated_apis{${labels}} 1`
  expect(told()).toEqual([
    of('group="",version="v1",resource="endpoints",subresource="",removed_release=""'),
    of('group="storage.k8s.io",version="v1beta1",resource="volumeattributesclasses",subresource="",removed_release="1.37"'),
  ])
})
