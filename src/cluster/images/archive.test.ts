import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { afterAll, describe, expect, it } from 'vitest'
import { buildImage } from './archive.ts'
import { fullReference, pauseImage } from './builtin.ts'
import { filesOfFolder } from './folder.ts'

const folder = mkdtempSync(join(tmpdir(), 't8s-images-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function entriesOf(tar: Buffer): Promise<Map<string, { type: string; mode: number; content: Buffer }>> {
  const found = new Map<string, { type: string; mode: number; content: Buffer }>()
  const reader = extract()
  reader.end(tar)
  for await (const entry of reader) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    found.set(entry.header.name, { type: entry.header.type ?? 'file', mode: entry.header.mode ?? 0, content: Buffer.concat(chunks) })
  }
  return found
}

describe('buildImage', () => {
  it('writes an OCI layout whose every descriptor names a blob that is there', async () => {
    const built = await buildImage(await pauseImage('x64', ''), join(folder, 'pause.tar'))
    const archive = await entriesOf(readFileSync(built.file))
    const blob = (digest: string) => archive.get(`blobs/sha256/${digest.slice(7)}`)!.content
    const index = JSON.parse(archive.get('index.json')!.content.toString())
    expect(index.manifests[0]).toMatchObject({
      digest: built.manifestDigest,
      annotations: { 'io.containerd.image.name': 'typernetes.local/pause:1' },
    })
    const manifest = JSON.parse(blob(built.manifestDigest).toString())
    expect(manifest.config.digest).toBe(built.configDigest)
    expect(JSON.parse(blob(built.configDigest).toString()).config.Entrypoint).toEqual(['/pause'])
    const layer = await entriesOf(blob(manifest.layers[0].digest))
    expect(layer.get('pause')).toMatchObject({ mode: 0o755 })
    expect(layer.get('pause')!.content.subarray(1, 4).toString()).toBe('ELF')
  })

  it('gives the same bytes for the same files', async () => {
    const first = await buildImage(await pauseImage('x64', ''), join(folder, 'first.tar'))
    const second = await buildImage(await pauseImage('x64', ''), join(folder, 'second.tar'))
    expect(readFileSync(first.file).equals(readFileSync(second.file))).toBe(true)
  })

  it('takes a folder with its modes and links, and makes the directories above', async () => {
    const site = join(folder, 'site')
    mkdirSync(join(site, 'sub'), { recursive: true })
    writeFileSync(join(site, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('run.sh', join(site, 'sub/link'))
    const image = { reference: 'example.com/site:1', layers: [filesOfFolder(site, '/srv/www')] }
    const built = await buildImage(image, join(folder, 'site.tar'))
    const archive = await entriesOf(readFileSync(built.file))
    const manifest = JSON.parse(archive.get(`blobs/sha256/${built.manifestDigest.slice(7)}`)!.content.toString())
    const layer = await entriesOf(archive.get(`blobs/sha256/${manifest.layers[0].digest.slice(7)}`)!.content)
    expect([...layer].map(([name, entry]) => `${name} ${entry.type}`)).toEqual([
      'srv/ directory',
      'srv/www/ directory',
      'srv/www/run.sh file',
      'srv/www/sub/ directory',
      'srv/www/sub/link symlink',
    ])
    expect(layer.get('srv/www/run.sh')!.mode & 0o777).toBe(0o755)
  })
})

describe('fullReference', () => {
  it.each([
    ['web', 'docker.io/library/web:latest'],
    ['web:2', 'docker.io/library/web:2'],
    ['me/web', 'docker.io/me/web:latest'],
    ['localhost:5000/web', 'localhost:5000/web:latest'],
    ['example.com/a/b:1', 'example.com/a/b:1'],
  ])('%s is %s', (short, full) => expect(fullReference(short)).toBe(full))
})
