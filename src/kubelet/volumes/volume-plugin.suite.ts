import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Volume } from '#kinds/core/v1/volume.ts'
import type { PodReferences } from '../pods/environment.ts'
import { pod } from '../pods/pod-samples.ts'
import type { MountedVolume, Mounter, VolumePlugin, VolumeRequest } from './volume-plugin.ts'

/** A request as plugins get it, with what a test put into the API. */
export interface VolumeBench {
  readonly directory: string
  readonly data: Map<string, Record<string, string>>
  readonly mounts: string[]
  now: number
  tokens: number
  setUp(): Promise<MountedVolume>
}

/** What every volume plugin does alike; `more` adds what only this one does. */
export function volumePluginSuite(
  plugin: VolumePlugin,
  volume: (bench: VolumeBench) => object,
  prepare: (bench: VolumeBench) => void,
  more: (bench: () => VolumeBench) => void,
): void {
  describe(`${plugin.name} volumes`, () => {
    let bench: VolumeBench
    let folder: string

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 't8s-volume-'))
      bench = benchIn(folder, plugin, volume)
      prepare(bench)
    })
    afterEach(() => rmSync(folder, { recursive: true, force: true }))

    it('support their own source alone', () => {
      expect(plugin.supports({ name: 'v', ...volume(bench) } as Volume)).toBe(true)
      expect(plugin.supports({ name: 'v', nfs: { server: 's', path: '/' } } as Volume)).toBe(false)
    })

    it('find their own work when set up again', async () => {
      const first = await bench.setUp()
      expect((await bench.setUp()).path).toBe(first.path)
    })

    more(() => bench)
  })
}

function benchIn(folder: string, plugin: VolumePlugin, volume: (bench: VolumeBench) => object): VolumeBench {
  const mounts: string[] = []
  const mounter: Mounter = {
    tmpfs: async (directory, { sizeBytes }) => void mounts.push(`tmpfs ${directory.slice(folder.length)} ${sizeBytes ?? ''}`.trim()),
    mountsUnder: async () => [],
    unmount: async () => {},
  }
  const bench: VolumeBench = {
    directory: join(folder, 'volume'),
    data: new Map(),
    mounts,
    now: Date.UTC(2026, 0, 1),
    tokens: 0,
    setUp() {
      const spec = { volumes: [{ name: 'v', ...volume(bench) }] }
      const of = pod(['a'], spec, { labels: { app: 'x' } })
      const request: VolumeRequest = {
        pod: of,
        volume: of.spec.volumes![0]!,
        directory: bench.directory,
        references: referencesTo(bench),
        tokens: { request: async () => ({ token: `token-${++bench.tokens}`, expiresAtMs: bench.now + 3_600_000 }) },
        running: { podIPs: [], nodeIPs: [], allocatable: {} },
        mounter,
        now: bench.now,
      }
      return plugin.setUp(request)
    },
  }
  return bench
}

function referencesTo(bench: VolumeBench): PodReferences {
  const find = async (name: string) => {
    const data = bench.data.get(name)
    if (!data) throw Object.assign(new Error('not found'), { code: 404 })
    return { apiVersion: 'v1', metadata: {}, data }
  }
  return {
    configMap: async (_, name) => ({ kind: 'ConfigMap', ...(await find(name)) }),
    secret: async (_, name) => {
      const found = await find(name)
      const data = Object.fromEntries(Object.entries(found.data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
      return { kind: 'Secret', type: 'Opaque', ...found, data }
    },
    claim: async (_, name) => {
      const { metadata, data } = await find(name)
      const status = { phase: data['phase'] ?? 'Bound' }
      return { kind: 'PersistentVolumeClaim', metadata: { ...metadata, uid: name }, spec: { volumeName: data['volume'] }, status } as never
    },
    persistentVolume: async name => {
      const { data } = await find(name)
      const path = { path: data['path'], type: '' }
      return {
        metadata: { name },
        spec: { claimRef: { uid: data['claim'] }, ...(data['local'] ? { local: path } : { hostPath: path }) },
      } as never
    },
    services: () => [],
  }
}
