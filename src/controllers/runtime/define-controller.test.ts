import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { defineController } from './define-controller.ts'
import { testCluster } from './test-cluster.ts'
import { consulted } from './watches.ts'

const meta = (name: string) => ({ name, namespace: 'default' })

describe('a controller', () => {
  it('is called only for objects that concern it, or did before they changed', async () => {
    const called: string[] = []
    const controller = defineController({
      name: 'marked-controller',
      reconciles: ConfigMap,
      concerns: ({ data }) => data?.['marked'] === 'yes',
      async reconcile({ metadata, data }) {
        called.push(`${metadata.name} ${data?.['marked']}`)
      },
      async gone({ name }) {
        called.push(`${name} gone`)
      },
    })
    await using cluster = testCluster([controller])
    const mark = (name: string, marked: string) => cluster.api.put(ConfigMap, { metadata: meta(name), data: { marked } })
    mark('a', 'yes')
    mark('b', 'no')
    await cluster.settle()
    expect(called.splice(0)).toEqual(['a yes'])
    cluster.api.change(ConfigMap, 'a', object => {
      object.data = { marked: 'no' }
    })
    await cluster.settle()
    expect(called.splice(0)).toEqual(['a no'])
    cluster.api.remove(ConfigMap, 'b')
    mark('c', 'yes')
    await cluster.settle()
    cluster.api.remove(ConfigMap, 'c')
    await cluster.settle()
    expect(called).toEqual(['c yes', 'c gone'])
  })

  it('is not called for changes of what it only looks at', async () => {
    const seen: number[] = []
    const controller = defineController({
      name: 'looking-controller',
      reconciles: ConfigMap,
      watches: [consulted(Secret)],
      async reconcile(_, { list }) {
        seen.push(list(Secret).length)
      },
    })
    await using cluster = testCluster([controller])
    cluster.api.put(ConfigMap, { metadata: meta('a') })
    await cluster.settle()
    cluster.api.put(Secret, { metadata: meta('s') })
    await cluster.settle()
    expect(seen).toEqual([0])
    cluster.api.change(ConfigMap, 'a', object => {
      object.data = { v: '1' }
    })
    await cluster.settle()
    expect(seen).toEqual([0, 1])
  })
})
