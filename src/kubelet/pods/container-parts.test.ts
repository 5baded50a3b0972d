import { describe, expect, it } from 'vitest'
import type { RuntimeImage } from '../runtime/runtime.ts'
import { refusalOf } from './admission.ts'
import { containerConfigOf, resourcesOf } from './container-config.ts'
import { dnsOf, parseResolvConf } from './dns.ts'
import { environmentOf, type PodReferences } from './environment.ts'
import { expand } from './expansion.ts'
import { hostsFile } from './hosts-file.ts'
import { pod } from './pod-samples.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { hostnameOf, sandboxConfigOf } from './sandbox-config.ts'
import { containerSecurity } from './security-context.ts'
import { statusPatch } from './status-writer.ts'

const missing = async () => {
  throw Object.assign(new Error('gone'), { code: 404 })
}
const none: PodReferences = { configMap: missing, secret: missing, claim: missing, persistentVolume: missing, services: () => [] }
const running = { podIPs: ['10.1.0.5'], nodeIPs: ['172.30.0.1'], allocatable: { cpu: '4', memory: '8Gi' } }

describe('expansion', () => {
  it.each([
    ['$(A)/$(B)', '1/$(B)'],
    ['$$(A)', '$(A)'],
    ['$A $(A', '$A $(A'],
  ])('turns %s into %s', (text, expected) => {
    expect(expand(text, name => (name === 'A' ? '1' : undefined))).toBe(expected)
  })
})

describe('the environment', () => {
  const environment = async (container: object, references = none) => {
    const of = pod([{ name: 'a', ...container }], {}, { labels: { app: 'x' } })
    return Object.fromEntries(await environmentOf(of, of.spec.containers[0]!, references, running))
  }

  it('lets a variable use those before it', async () => {
    expect(
      await environment({
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)2' },
        ],
      }),
    ).toEqual({ A: '1', B: '12' })
  })

  it('tells a pod of itself', async () => {
    const from = (fieldPath: string) => ({ name: fieldPath, valueFrom: { fieldRef: { fieldPath } } })
    const env = ['metadata.name', 'metadata.uid', "metadata.labels['app']", 'spec.nodeName', 'status.podIP', 'status.hostIP'].map(from)
    expect(Object.values(await environment({ env }))).toEqual(['web', 'u1', 'x', 'n1', '10.1.0.5', '172.30.0.1'])
  })

  it("tells resources in units of the divisor, and the node's where there is no limit", async () => {
    const of = (resource: string, divisor: string) => ({
      name: `${resource}/${divisor}`,
      valueFrom: { resourceFieldRef: { resource, divisor } },
    })
    const env = [of('limits.cpu', '1m'), of('limits.cpu', '1'), of('requests.memory', '1Mi'), of('limits.memory', '1Gi')]
    expect(Object.values(await environment({ env, resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } } }))).toEqual([
      '1500',
      '2',
      '64',
      '8',
    ])
  })

  it('says which object or key is missing, unless it is optional', async () => {
    const key = (optional: boolean) => ({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional } } }] })
    await expect(environment(key(false))).rejects.toThrow('secret "s" not found')
    expect(await environment(key(true))).toEqual({})
    const configMap = async () => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: {} })
    await expect(
      environment({ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] }, { ...none, configMap }),
    ).rejects.toThrow("couldn't find key k in ConfigMap default/c")
  })
})

describe('DNS', () => {
  const facts = {
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    node: parseResolvConf('nameserver 9.9.9.9\nsearch lan.\noptions rotate'),
  }

  it("goes to the cluster first, with the namespace's names", () => {
    expect(dnsOf(pod(['a']), facts)).toEqual({
      servers: ['10.96.0.10'],
      searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan'],
      options: ['ndots:5'],
    })
  })

  it("is the node's for Default and in the node's network", () => {
    const node = { servers: ['9.9.9.9'], searches: ['lan'], options: ['rotate'] }
    expect(dnsOf(pod(['a'], { dnsPolicy: 'Default' }), facts)).toEqual(node)
    expect(dnsOf(pod(['a'], { hostNetwork: true }), facts)).toEqual(node)
  })

  it('takes what dnsConfig adds', () => {
    const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['x'], options: [{ name: 'ndots', value: '2' }] }
    expect(dnsOf(pod(['a'], { dnsPolicy: 'None', dnsConfig }), facts)).toEqual({
      servers: ['1.1.1.1'],
      searches: ['x'],
      options: ['ndots:2'],
    })
  })
})

describe('the hosts file', () => {
  it('names the pod and its aliases', () => {
    const text = hostsFile(['10.1.0.5'], 'web', 'web.sub.default.svc.cluster.local', [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }])
    expect(text).toMatch(/^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/)
    expect(text).toContain('\n10.1.0.5\tweb.sub.default.svc.cluster.local\tweb\n')
    expect(text).toContain('\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n')
  })
})

describe('security', () => {
  const image: RuntimeImage = { id: 'i', repoTags: [], repoDigests: [], sizeBytes: 1, username: '', pinned: false }
  const security = (spec: object, container: object, of = image) => {
    const made = pod([{ name: 'a', ...container }], spec)
    return containerSecurity(made, made.spec.containers[0]!, of, '/seccomp')
  }

  it('is as the node says where nobody names a seccomp profile', () => {
    const plain = pod([{ name: 'a' }])
    const [container] = plain.spec.containers
    const profile = (isDefault: boolean) =>
      containerSecurity(plain, container!, image, '/seccomp', undefined, isDefault).seccomp?.profileType
    expect([profile(false), profile(true)]).toEqual(['Unconfined', 'RuntimeDefault'])
  })

  it("takes the container's word over the pod's over the image's", () => {
    const outer = { securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4] } }
    expect(security(outer, { securityContext: { runAsUser: 9 } })).toMatchObject({
      runAsUser: { value: 9 },
      runAsGroup: { value: 2 },
      supplementalGroups: [4, 3],
    })
    expect(security({}, {}, { ...image, uid: 1000 }).runAsUser).toEqual({ value: 1000 })
  })

  it('refuses root where it must not be', () => {
    const nonRoot = { securityContext: { runAsNonRoot: true } }
    expect(() => security(nonRoot, {})).toThrow(
      'container has runAsNonRoot and image will run as root (pod: "web_default(u1)", container: a)',
    )
    expect(() => security(nonRoot, {}, { ...image, username: 'bob' })).toThrow('non-numeric user (bob)')
    expect(security(nonRoot, {}, { ...image, uid: 5 }).runAsUser).toEqual({ value: 5 })
  })

  it('masks paths and confines, but not the privileged', () => {
    expect(security({}, { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'p.json' } } })).toMatchObject({
      maskedPaths: expect.arrayContaining(['/proc/kcore']),
      seccomp: { profileType: 'Localhost', localhostRef: '/seccomp/p.json' },
    })
    const privileged = security({}, { securityContext: { privileged: true } })
    expect(privileged.maskedPaths).toBeUndefined()
    expect(privileged.seccomp).toEqual({ profileType: 'Unconfined' })
  })
})

describe('the container', () => {
  it("has its command expanded and its limits in the kernel's units", () => {
    const of = pod([{ name: 'a', command: ['run', '$(A)'], resources: { limits: { cpu: '500m', memory: '64Mi' } } }])
    const image: RuntimeImage = { id: 'sha256:1', repoTags: [], repoDigests: [], sizeBytes: 1, username: '', pinned: false }
    const facts = {
      attempt: 2,
      image,
      environment: new Map([['A', 'x']]),
      mounts: [],
      devices: [],
      seccompDirectory: '/s',
      nodeMemoryBytes: 1e9,
    }
    const config = containerConfigOf(of, of.spec.containers[0]!, facts)
    expect(config).toMatchObject({
      metadata: { name: 'a', attempt: 2 },
      command: ['run', 'x'],
      logPath: 'a/2.log',
      image: { image: 'sha256:1' },
    })
    expect(config.linux.resources).toMatchObject({ cpuQuota: 50_000, cpuPeriod: 100_000, cpuShares: 512, memoryLimitInBytes: 67_108_864 })
  })

  it('is killed the sooner for memory the less it asked for', () => {
    const score = (resources: object) => {
      const of = pod([{ name: 'a', resources }])
      return resourcesOf(of, of.spec.containers[0]!, 1000 * 1024 * 1024).oomScoreAdj
    }
    expect(score({})).toBe(1000)
    expect(score({ requests: { memory: '500Mi' } })).toBe(500)
    expect(score({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } })).toBe(-997)
  })
})

describe('the sandbox', () => {
  const facts = {
    nodeName: 'n1',
    dns: { servers: [], searches: [], options: [] },
    clusterDomain: 'cluster.local',
    logDirectory: '/l',
    cgroupParent: '/c',
    seccompDirectory: '/s',
    runtimeHandler: '',
  }

  it('maps host ports and shares what the pod shares', () => {
    const of = pod([{ name: 'a', ports: [{ containerPort: 80, hostPort: 8080 }] }], { hostPID: true })
    const config = sandboxConfigOf(of, 0, facts)
    expect(config.portMappings).toEqual([{ protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' }])
    expect(config.linux.securityContext.namespaceOptions).toEqual({ network: 'POD', pid: 'NODE', ipc: 'POD' })
  })

  it('has the name that the pod gives itself', () => {
    expect(hostnameOf(pod(['a']), 'n1', 'c').hostname).toBe('web')
    expect(hostnameOf(pod(['a'], { hostname: 'h', subdomain: 's' }), 'n1', 'c.l')).toEqual({ hostname: 'h', fqdn: 'h.s.default.svc.c.l' })
    expect(hostnameOf(pod(['a'], { hostNetwork: true }), 'n1', 'c').hostname).toBe('n1')
  })
})

describe('the backoff', () => {
  it('doubles from 10 s to 5 min, and is forgotten after 10 min of running', () => {
    const backoff = new RestartBackoff()
    expect(backoff.delayOf('a', 0)).toBe(0)
    const delays: number[] = []
    for (let now = 0; delays.length < 7; now += 1000) {
      backoff.started('a', now, now)
      delays.push(backoff.delayOf('a', now) / 1000)
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300])
    expect(backoff.delayOf('a', 6000 + 600_001)).toBe(0)
  })
})

describe('admission', () => {
  const node = (allocatable: object, labels = {}) =>
    ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels }, spec: {}, status: { allocatable } }) as never
  const asking = (cpu: string) => pod([{ name: 'a', resources: { requests: { cpu } } }])

  it('refuses what does not fit beside the others, in numbers', () => {
    expect(refusalOf(asking('2'), node({ cpu: '3', pods: '10' }), [asking('1500m')])).toEqual({
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 1500, capacity: 3000",
    })
    expect(refusalOf(asking('1'), node({ cpu: '3', pods: '10' }), [asking('1500m')])).toBeUndefined()
    expect(refusalOf(asking('1'), node({ cpu: '3', pods: '1' }), [asking('1m')])?.reason).toBe('OutOfpods')
  })

  it('refuses a pod for other nodes', () => {
    expect(refusalOf(pod(['a'], { nodeSelector: { disk: 'ssd' } }), node({ pods: '10' }), [])?.reason).toBe('NodeAffinity')
    expect(refusalOf(pod(['a'], { nodeSelector: { disk: 'ssd' } }), node({ pods: '10' }, { disk: 'ssd' }), [])).toBeUndefined()
  })
})

describe('a status patch', () => {
  it('holds what changed, takes back what is over and replaces addresses', () => {
    expect(
      statusPatch(
        { phase: 'Running', podIP: '1', podIPs: [{ ip: '1' }], reason: 'x', hostIP: 'h' },
        { phase: 'Running', podIP: '2', podIPs: [{ ip: '2' }] },
      ),
    ).toEqual({
      podIP: '2',
      podIPs: [{ $patch: 'replace' }, { ip: '2' }],
      reason: null,
    })
  })
})
