import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { run } from '#base/process/run.ts'
import { PAUSE_IMAGE } from '../containerd/config.ts'
import { SetupError } from '../setup-error.ts'
import type { ImageDescription, ImageFile } from './archive.ts'

/** A small Unix: shell, httpd, wget, nc, nslookup, ping. */
export const BUSYBOX_IMAGE = 'typernetes.local/busybox:1'
/** Node.js with the same small Unix beside it. */
export const NODE_IMAGE = 'typernetes.local/node:1'

/**
 * The container that holds a pod's namespaces. On x86-64 a static program of 288 bytes: it has the kernel reap its children (SIGCHLD
 * ignored), ends at SIGTERM and SIGINT, and otherwise sleeps in pause(2). Elsewhere busybox's shell does the same.
 */
export async function pauseImage(architecture: string, busybox: string): Promise<ImageDescription> {
  if (architecture === 'x64') {
    return {
      reference: PAUSE_IMAGE,
      layers: [[{ path: 'pause', mode: 0o755, content: Buffer.from(PAUSE_PROGRAM, 'base64') }]],
      entrypoint: ['/pause'],
    }
  }
  const script = 'trap "exit 0" TERM INT; while :; do sleep 86400 & wait $!; done'
  return { reference: PAUSE_IMAGE, layers: [await busyboxFiles(busybox)], entrypoint: ['/bin/sh', '-c', script] }
}

/** Made of this machine's own static busybox. */
export async function busyboxImage(busybox: string): Promise<ImageDescription> {
  return { reference: BUSYBOX_IMAGE, layers: [await busyboxFiles(busybox)], command: ['sh'] }
}

/** Made of the Node.js that runs this program and the libraries it is linked with. */
export async function nodeImage(busybox: string): Promise<ImageDescription> {
  return { reference: NODE_IMAGE, layers: [await busyboxFiles(busybox), await nodeFiles()], command: ['node'] }
}

/** The layers below a user's files: `scratch`, `busybox` or `node`. */
export async function baseLayers(base: string, busybox: string): Promise<ImageFile[][]> {
  if (base === 'scratch') return []
  if (base === 'busybox') return [await busyboxFiles(busybox)]
  if (base === 'node') return [await busyboxFiles(busybox), await nodeFiles()]
  throw new SetupError(`"${base}" is no base that images are built from`, 'use scratch, busybox or node')
}

/** A reference as the runtime looks it up: with a registry and a tag. `web` is `docker.io/library/web:latest`. */
export function fullReference(reference: string): string {
  const tagged = /:[^/]+$/.test(reference) ? reference : `${reference}:latest`
  const [first = '', ...rest] = tagged.split('/')
  if (rest.length === 0) return `docker.io/library/${tagged}`
  return /[.:]/.test(first) || first === 'localhost' ? tagged : `docker.io/${tagged}`
}

/** Changes whenever an image made of this file would: cheap, since the file is not read. */
export function fileStamp(path: string): string {
  const status = statSync(path)
  return `${path}:${status.size}:${status.mtimeMs}`
}

async function busyboxFiles(busybox: string): Promise<ImageFile[]> {
  if (!existsSync(busybox)) throw new SetupError(`There is no ${busybox} to make an image of`, 'install the package busybox-static')
  const { stdout } = await run(busybox, ['--list'])
  const applets = stdout.split('\n').filter(name => name !== '' && name !== 'busybox')
  const text = (content: string) => Buffer.from(content)
  return [
    { path: 'tmp', mode: 0o1777 },
    { path: 'bin/busybox', mode: 0o755, content: { file: busybox } },
    ...applets.map(name => ({ path: `bin/${name}`, mode: 0o755, hardLink: 'bin/busybox' })),
    { path: 'usr/bin/env', mode: 0o755, hardLink: 'bin/busybox' },
    { path: 'etc/passwd', mode: 0o644, content: text('root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n') },
    { path: 'etc/group', mode: 0o644, content: text('root:x:0:\nnogroup:x:65534:\n') },
    { path: 'root', mode: 0o700 },
  ]
}

async function nodeFiles(): Promise<ImageFile[]> {
  const { stdout } = await run('ldd', [process.execPath], { allowCodes: [1] })
  const libraries = [...stdout.matchAll(/(?:=>\s+)?(\/\S+)\s+\(0x/g)].map(match => match[1]!)
  const copy = (path: string, from: string): ImageFile => ({ path, mode: 0o755, content: { file: from } })
  return [
    copy('usr/bin/node', process.execPath),
    // The loader must be where the program names it; libraries where the loader looks.
    ...libraries.map(library => copy(basename(library).startsWith('ld-') ? library.slice(1) : `usr/lib/${basename(library)}`, library)),
  ]
}

const PAUSE_PROGRAM =
  'f0VMRgIBAQAAAAAAAAAAAAIAPgABAAAAeABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAAOAABAAAAAAAAAAEAAAAFAAAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAIAEAAAAA' +
  'AAAgAQAAAAAAAAAQAAAAAAAAuA0AAAC/EQAAAEiNNVcAAAAx0kG6CAAAAA8FuA0AAAC/DwAAAEiNNVwAAAAx0kG6CAAAAA8FuA0AAAC/AgAAAEiNNUEAAAAx0kG6CAAAAA8F' +
  'uCIAAAAPBev3Mf+45wAAAA8FkJCQkJABAAAAAAAAAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAANIAQAAAAAAAAAAABAAAAADSAEAAAAAAAAAAAAAAAAAA'
