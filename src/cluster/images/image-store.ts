import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeHost } from '../layout/layout.ts'
import type { MachineFacts } from '../machine/facts.ts'
import { type BuiltImage, buildImage, type ImageDescription } from './archive.ts'
import { busyboxImage, fileStamp, nodeImage, pauseImage } from './builtin.ts'

/** The images every cluster has, made on the spot: pause and a small Unix, and Node.js if asked for. Built once, kept as archives. */
export async function builtinImages(
  layout: Pick<NodeHost, 'imagesDir'>,
  facts: Pick<MachineFacts, 'programs' | 'architecture'>,
  more: { node?: boolean } = {},
): Promise<BuiltImage[]> {
  const busybox = facts.programs.get('busybox') ?? '/bin/busybox'
  const images = [
    keep(layout, 'pause', '1', () => pauseImage(facts.architecture, busybox)),
    keep(layout, 'busybox', fileStamp(busybox), () => busyboxImage(busybox)),
  ]
  if (more.node) images.push(keep(layout, 'node', `${fileStamp(process.execPath)} ${fileStamp(busybox)}`, () => nodeImage(busybox)))
  return Promise.all(images)
}

/** Archives that the user brought: kept, so that nodes which come later get them, too. */
export function keptArchives(layout: Pick<NodeHost, 'imagesDir'>): string[] {
  const directory = join(layout.imagesDir, 'loaded')
  return existsSync(directory)
    ? readdirSync(directory)
        .filter(name => name.endsWith('.tar'))
        .sort()
        .map(name => join(directory, name))
    : []
}

/** Keeps a copy of an archive the user loads. */
export function keepArchive(layout: Pick<NodeHost, 'imagesDir'>, file: string): string {
  const directory = join(layout.imagesDir, 'loaded')
  mkdirSync(directory, { recursive: true })
  const kept = join(directory, `${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 16)}.tar`)
  if (existsSync(kept)) return kept
  copyFileSync(file, `${kept}.new`)
  renameSync(`${kept}.new`, kept)
  return kept
}

/** Builds an image unless its archive is there and was made of the same things (`stamp`). */
async function keep(
  layout: Pick<NodeHost, 'imagesDir'>,
  name: string,
  stamp: string,
  describe: () => Promise<ImageDescription>,
): Promise<BuiltImage> {
  const file = join(layout.imagesDir, `${name}.tar`)
  const note = join(layout.imagesDir, `${name}.json`)
  if (existsSync(note) && existsSync(file)) {
    const known = JSON.parse(readFileSync(note, 'utf8')) as { stamp: string; image: BuiltImage }
    if (known.stamp === stamp) return { ...known.image, file }
  }
  const image = await buildImage(await describe(), file)
  writeFileSync(note, JSON.stringify({ stamp, image }))
  return image
}
