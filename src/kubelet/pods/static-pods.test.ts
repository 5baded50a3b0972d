import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { isMirror, isStatic } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { readPod } from './read-pod.ts'
import { followManifests, isMirrorOf, mirrorOf } from './static-pods.ts'

let directory: string
let clock: VirtualClock
let seen: (readonly Pod[])[]
let warnings: unknown[]
let following: Disposable

const manifest = (name: string, image = 'x:1') =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n  - name: a\n    image: ${image}\n`
const write = (file: string, text: string) => writeFileSync(join(directory, file), text)

const follow = async () => {
  const log = { ...silentLogger, warn: (_message: string, fields?: object) => void warnings.push(fields) }
  following = await followManifests({ directory, nodeName: 'N1', clock, log, read: readPod, onChange: pods => void seen.push(pods) })
}
/** The next poll; reading a directory takes real time. */
const poll = async (changes: number) => {
  await clock.advance(20_000)
  while (seen.length < changes) await new Promise(resolve => setImmediate(resolve))
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-manifests-'))
  clock = virtualClock()
  seen = []
  warnings = []
})
afterEach(() => {
  following[Symbol.dispose]()
  expect(clock.pending()).toBe(0)
  rmSync(directory, { recursive: true })
})

describe('the manifest directory', () => {
  it('gives pods that are named after the node, with defaults', async () => {
    write('a.yaml', manifest('web'))
    write('.hidden.yaml', 'nonsense')
    write('notes.txt', 'nonsense')
    await follow()
    const [pod] = seen[0]!
    expect(seen[0]).toHaveLength(1)
    expect(pod!.metadata).toMatchObject({ name: 'web-n1', namespace: 'default', uid: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(pod!.spec).toMatchObject({ nodeName: 'N1', restartPolicy: 'Always', terminationGracePeriodSeconds: 30 })
    expect(isStatic(pod!)).toBe(true)
  })

  it('makes another pod of a changed manifest, and ends one whose file is gone', async () => {
    write('a.yaml', manifest('web'))
    await follow()
    write('a.yaml', manifest('web', 'x:2'))
    await poll(2)
    expect(seen[1]![0]!.spec.containers[0]!.image).toBe('x:2')
    expect(seen[1]![0]!.metadata.uid).not.toBe(seen[0]![0]!.metadata.uid)
    rmSync(join(directory, 'a.yaml'))
    await poll(3)
    expect(seen[2]).toEqual([])
  })

  it('leaves a pod as it was while its file cannot be read, and says why', async () => {
    write('a.yaml', manifest('web'))
    await follow()
    write('a.yaml', 'kind: Service\napiVersion: v1\n')
    write('b.yaml', manifest('other'))
    await poll(2)
    expect(seen[1]!.map(({ metadata }) => metadata.name)).toEqual(['web-n1', 'other-n1'])
    expect(warnings).toEqual([{ path: join(directory, 'a.yaml'), error: 'a manifest must be a Pod of v1, not Service of v1' }])
  })

  it('has a mirror for each pod that is known by the manifest it came from', async () => {
    write('a.yaml', manifest('web'))
    await follow()
    const [pod] = seen[0]!
    const mirror = mirrorOf(pod!, 'node-uid') as unknown as Pod
    expect(isMirror(mirror)).toBe(true)
    expect(isMirrorOf(mirror, pod!)).toBe(true)
    expect(mirror.metadata.uid).toBeUndefined()
    expect(mirror.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', uid: 'node-uid', controller: true })
    write('a.yaml', manifest('web', 'x:2'))
    await poll(2)
    expect(isMirrorOf(mirror, seen[1]![0]!)).toBe(false)
  })
})
