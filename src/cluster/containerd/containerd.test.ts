import { describe, expect, it } from 'vitest'
import { allocate } from '../layout/allocation.ts'
import { layoutOf } from '../layout/layout.ts'
import { cniConfig, containerdConfig, type RuntimeTraits } from './config.ts'
import { mountsBelow } from './mounts.ts'

const layout = layoutOf(allocate({ name: 'dev' }, undefined, { networks: [], blocks: [], ids: [], apiPorts: [] }), '/data')
const node = layout.nodes[0]!
const traits: RuntimeTraits = { mayLowerOomScore: true, appArmor: true, snapshotter: 'overlayfs', cniPlugins: '/usr/lib/cni' }

describe('containerdConfig', () => {
  it('gives every node a root, a state, a socket and runc states of its own', () => {
    const config = containerdConfig(layout, node, traits)
    for (const path of [
      '/data/nodes/node-1/containerd',
      '/run/typernetes/dev/1/containerd',
      '/run/typernetes/dev/1/containerd.sock',
      '/run/typernetes/dev/1/runc',
    ]) {
      expect(config).toContain(`"${path}"`)
    }
    expect(config).toContain('stream_server_address = "172.30.0.1"')
  })

  it('asks for no lower oom_score_adj where root may not give it', () => {
    expect(containerdConfig(layout, node, traits)).toContain('restrict_oom_score_adj = false')
    expect(containerdConfig(layout, node, { ...traits, mayLowerOomScore: false })).toContain('restrict_oom_score_adj = true')
  })
})

describe('cniConfig', () => {
  it("hands out addresses of the node's pod CIDR, without NAT", () => {
    const [bridge] = JSON.parse(cniConfig(layout, node)).plugins
    expect(bridge).toMatchObject({ ipMasq: false, ipam: { ranges: [[{ subnet: '10.244.1.0/24' }]] } })
  })
})

describe('mountsBelow', () => {
  it('lists the innermost first, and no directory that only begins the same', () => {
    const mountinfo = ['/data/a', '/data/a/b', '/data/ab', '/data/a/with\\040space']
      .map(point => `1 2 3:4 / ${point} rw - tmpfs tmpfs rw`)
      .join('\n')
    expect(mountsBelow('/data/a', mountinfo)).toEqual(['/data/a/with space', '/data/a/b', '/data/a'])
  })
})
