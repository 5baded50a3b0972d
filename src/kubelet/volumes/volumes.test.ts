import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configMapVolume } from './config-map-volume.ts'
import { downwardApiVolume } from './downward-api-volume.ts'
import { emptyDir } from './empty-dir.ts'
import { hostPath } from './host-path.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import { resolveSubPath } from './pod-volumes.ts'
import { projectedVolume } from './projected-volume.ts'
import { secretVolume } from './secret-volume.ts'
import { type VolumeBench, volumePluginSuite } from './volume-plugin.suite.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)
const filesOf = (directory: string) =>
  readdirSync(directory)
    .filter(name => !name.startsWith('..'))
    .sort()

volumePluginSuite(
  emptyDir,
  () => ({ emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }),
  () => {},
  bench => {
    it('are writable by all, and in memory if asked for', async () => {
      const { path, readOnly } = await bench().setUp()
      expect([modeOf(path), readOnly]).toEqual(['777', false])
      expect(bench().mounts).toEqual(['tmpfs /volume 1048576'])
    })
  },
)

let hostPathType = ''
volumePluginSuite(
  hostPath,
  bench => ({ hostPath: { path: join(bench.directory, 'x'), type: hostPathType } }),
  bench => {
    hostPathType = ''
    mkdirSync(bench.directory, { recursive: true })
  },
  bench => {
    it.each([
      ['Directory', 'is not a directory'],
      ['File', 'is not a file'],
      ['Socket', 'is not a socket file'],
    ])('of type %s must be there', async (type, words) => {
      hostPathType = type
      await expect(bench().setUp()).rejects.toThrow(`hostPath type check failed: ${join(bench().directory, 'x')} ${words}`)
    })

    it('are made where the type says so', async () => {
      hostPathType = 'DirectoryOrCreate'
      expect(statSync((await bench().setUp()).path).isDirectory()).toBe(true)
      hostPathType = 'FileOrCreate'
      await expect(bench().setUp()).rejects.toThrow('is not a file')
    })
  },
)

const withKeys = (bench: VolumeBench) => void bench.data.set('c', { a: '1', b: '2' })

volumePluginSuite(
  configMapVolume,
  () => ({ configMap: { name: 'c' } }),
  withKeys,
  bench => {
    it('show each key as a file through one link', async () => {
      const { path } = await bench().setUp()
      expect(filesOf(path)).toEqual(['a', 'b'])
      expect(readFileSync(join(path, 'a'), 'utf8')).toBe('1')
      expect(readlinkSync(join(path, 'a'))).toBe('..data/a')
      expect(modeOf(join(path, 'a'))).toBe('644')
    })

    it('change all at once, and not at all when nothing changed', async () => {
      const { path } = await bench().setUp()
      const first = readlinkSync(join(path, '..data'))
      bench().now += 60_000
      await bench().setUp()
      expect(readlinkSync(join(path, '..data'))).toBe(first)
      bench().data.set('c', { b: '3' })
      await bench().setUp()
      expect(readlinkSync(join(path, '..data'))).not.toBe(first)
      expect(filesOf(path)).toEqual(['b'])
      expect(readFileSync(join(path, 'b'), 'utf8')).toBe('3')
      expect(existsSync(join(path, first))).toBe(false)
    })

    it('say what is missing', async () => {
      bench().data.clear()
      await expect(bench().setUp()).rejects.toThrow('configmap "c" not found')
    })
  },
)

describe('items', () => {
  volumePluginSuite(
    secretVolume,
    () => ({ secret: { secretName: 'c', items: [{ key: 'a', path: 'deep/er', mode: 0o400 }], optional: false } }),
    withKeys,
    bench => {
      it('name the file and its mode; nothing touches a disk', async () => {
        const { path } = await bench().setUp()
        expect(filesOf(path)).toEqual(['deep'])
        expect(readFileSync(join(path, 'deep/er'), 'utf8')).toBe('1')
        expect(modeOf(join(path, 'deep/er'))).toBe('400')
        expect(bench().mounts).toEqual(['tmpfs /volume'])
      })

      it('must be there', async () => {
        bench().data.set('c', {})
        await expect(bench().setUp()).rejects.toThrow('references non-existent config key: a')
      })
    },
  )
})

volumePluginSuite(
  downwardApiVolume,
  () => ({ downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }),
  () => {},
  bench => {
    it('tell the pod of itself', async () => {
      const { path } = await bench().setUp()
      expect(readFileSync(join(path, 'labels'), 'utf8')).toBe('app="x"')
    })
  },
)

volumePluginSuite(
  projectedVolume,
  () => ({
    projected: {
      sources: [
        { serviceAccountToken: { path: 'token' } },
        { configMap: { name: 'c', items: [{ key: 'a', path: 'ca.crt' }] } },
        { secret: { name: 'none', optional: true } },
      ],
    },
  }),
  withKeys,
  bench => {
    it("join their sources, and are due again when four fifths of the token's life are over", async () => {
      const { path, refreshAtMs } = await bench().setUp()
      expect(filesOf(path)).toEqual(['ca.crt', 'token'])
      expect(readFileSync(join(path, 'token'), 'utf8')).toBe('token-1')
      expect(refreshAtMs).toBe(bench().now + 0.8 * 3_600_000)
    })
  },
)

volumePluginSuite(
  persistentVolumeClaim,
  () => ({ persistentVolumeClaim: { claimName: 'data', readOnly: true } }),
  bench => {
    bench.data.set('data', { volume: 'pv1' })
    bench.data.set('pv1', { claim: 'data', path: '/tmp' })
  },
  bench => {
    it('are the path of the volume they are bound to', async () => {
      expect(await bench().setUp()).toEqual({ path: '/tmp', readOnly: true })
      bench().data.set('pv1', { claim: 'data', path: '/no/such', local: 'yes' })
      await expect(bench().setUp()).rejects.toThrow('path "/no/such" does not exist')
    })

    it('wait until they are bound, and to nobody else', async () => {
      bench().data.set('data', { volume: 'pv1', phase: 'Pending' })
      await expect(bench().setUp()).rejects.toThrow('PersistentVolumeClaim "data" is not bound')
      bench().data.set('data', { volume: 'pv1' })
      bench().data.set('pv1', { claim: 'other', path: '/tmp' })
      await expect(bench().setUp()).rejects.toThrow('PersistentVolume "pv1" is bound to another claim than default/data')
    })
  },
)

describe('a subPath', () => {
  const inFolder = async (work: (volume: string) => Promise<void>) => {
    const volume = mkdtempSync(join(tmpdir(), 't8s-subpath-'))
    await work(volume).finally(() => rmSync(volume, { recursive: true }))
  }

  it('is made where it is missing', () =>
    inFolder(async volume => {
      const path = await resolveSubPath(volume, 'a/b', true)
      expect(lstatSync(path).isDirectory()).toBe(true)
    }))

  it('may be a file', () =>
    inFolder(async volume => {
      writeFileSync(join(volume, 'f'), '')
      expect(await resolveSubPath(volume, 'f', false)).toBe(join(volume, 'f'))
    }))

  it('cannot lead out of the volume, neither by dots nor by links', () =>
    inFolder(async volume => {
      symlinkSync('/etc', join(volume, 'link'))
      await expect(resolveSubPath(volume, '../x', true)).rejects.toThrow("may not contain '..'")
      await expect(resolveSubPath(volume, 'link/passwd', true)).rejects.toThrow('leads out of the volume')
    }))
})
