import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { cluster, node, pod } from '../scheduler.fixture.ts'

const restarting = {
  containers: [
    {
      name: 'c',
      image: 'i',
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } }],
    },
  ],
}
const declaring = (...declaredFeatures: string[]) => node('n1', { status: { declaredFeatures } })

describe('features that a pod needs of its node', () => {
  it.each([
    ['to restart all containers', restarting, 'RestartAllContainersOnContainerExits'],
    ['user namespaces on the network of the host', { hostNetwork: true, hostUsers: false }, 'UserNamespacesHostNetworkSupport'],
  ])('such as %s, have to be declared', async (_what, spec, feature) => {
    await using one = await cluster([declaring('Other')], [pod('p', spec), pod('plain')])
    expect([one.nodeOf('p'), one.nodeOf('plain')]).toEqual([undefined, 'n1'])
    expect(one.events.join()).toContain(`1 node declared features check failed - unsatisfied requirements: ${feature}.`)
    one.store(Node, declaring('Other', feature), 'MODIFIED')
    await one.clock.advance(0)
    expect(one.nodeOf('p')).toBe('n1')
  })
})
