import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'

/** One entry of an image's layer. Owner is root, time is the epoch: the same files always give the same image. */
export interface ImageFile {
  /** Without a leading slash. */
  readonly path: string
  readonly mode: number
  /** Bytes, or the file of this machine that has them. Absent for directories and links. */
  readonly content?: Uint8Array | { readonly file: string }
  /** Target of a hard link within the layer. */
  readonly hardLink?: string
  /** Target of a symbolic link. */
  readonly symbolicLink?: string
}

export interface ImageDescription {
  /** Full reference: `typernetes.local/pause:1`. */
  readonly reference: string
  /** Each inner list is one layer. */
  readonly layers: readonly (readonly ImageFile[])[]
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
  readonly workingDirectory?: string
  readonly user?: string
}

export interface BuiltImage {
  readonly reference: string
  readonly file: string
  /** What CRI calls the image's id. */
  readonly configDigest: string
  readonly manifestDigest: string
}

/** Writes an image as an OCI layout in a tar, which `ctr images import`, skopeo and the like read. Layers stay uncompressed: they do not travel. */
export async function buildImage(image: ImageDescription, file: string): Promise<BuiltImage> {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.new`
  const layers: Blob[] = []
  try {
    for (const [index, files] of image.layers.entries()) layers.push(await writeLayer(files, `${temporary}.layer${index}`))
    const config = jsonBlob(imageConfig(image, layers))
    const manifest = jsonBlob({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map(layer => descriptor('application/vnd.oci.image.layer.v1.tar', layer)),
    })
    const index = {
      schemaVersion: 2,
      manifests: [
        {
          ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
          annotations: {
            'io.containerd.image.name': image.reference,
            'org.opencontainers.image.ref.name': image.reference.split(':').at(-1),
          },
        },
      ],
    }
    await writeArchive(temporary, [config, manifest, ...layers], index)
    renameSync(temporary, file)
    return { reference: image.reference, file, configDigest: config.digest, manifestDigest: manifest.digest }
  } finally {
    for (const layer of layers) if (layer.file) rmSync(layer.file, { force: true })
    rmSync(temporary, { force: true })
  }
}

interface Blob {
  readonly digest: string
  readonly size: number
  readonly bytes?: Buffer
  readonly file?: string
}

function imageConfig(image: ImageDescription, layers: readonly Blob[]): object {
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Env: image.environment ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(image.entrypoint && { Entrypoint: image.entrypoint }),
      ...(image.command && { Cmd: image.command }),
      ...(image.workingDirectory && { WorkingDir: image.workingDirectory }),
      ...(image.user && { User: image.user }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.digest) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 't8s image build' })),
  }
}

async function writeLayer(files: readonly ImageFile[], path: string): Promise<Blob> {
  const tar = pack()
  const hash = createHash('sha256')
  const written = pipeline(tar, hashing(hash), createWriteStream(path))
  const fill = async () => {
    for (const entry of withParents(files)) await addEntry(tar, entry)
    tar.finalize()
  }
  await Promise.all([written, fill()])
  return { digest: `sha256:${hash.digest('hex')}`, size: statSync(path).size, file: path }
}

/** Files with the directories above them that nobody named, parents before children. */
function withParents(files: readonly ImageFile[]): ImageFile[] {
  const named = new Set(files.map(file => file.path.replace(/\/$/, '')))
  const parents = new Set<string>()
  for (const file of files) {
    for (let parent = dirname(file.path); parent !== '.' && parent !== '/'; parent = dirname(parent))
      if (!named.has(parent)) parents.add(parent)
  }
  return [...[...parents].sort().map(path => ({ path, mode: 0o755 })), ...files]
}

function addEntry(tar: Pack, file: ImageFile): Promise<void> {
  const header = { name: file.path, mode: file.mode, mtime: new Date(0), uid: 0, gid: 0 }
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    if (file.hardLink !== undefined) tar.entry({ ...header, type: 'link', linkname: file.hardLink }, done)
    else if (file.symbolicLink !== undefined) tar.entry({ ...header, type: 'symlink', linkname: file.symbolicLink }, done)
    else if (file.content === undefined) tar.entry({ ...header, name: `${file.path.replace(/\/$/, '')}/`, type: 'directory' }, done)
    else tar.entry(header, Buffer.from('file' in file.content ? readFileSync(file.content.file) : file.content), done)
  })
}

async function writeArchive(path: string, blobs: readonly Blob[], index: object): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, createWriteStream(path))
  const add = (name: string, blob: Blob) =>
    new Promise<void>((resolve, reject) => {
      const entry = tar.entry({ name, mode: 0o644, mtime: new Date(0), size: blob.size }, error => (error ? reject(error) : resolve()))
      if (blob.file) createReadStream(blob.file).on('error', reject).pipe(entry)
      else entry.end(blob.bytes)
    })
  const fill = async () => {
    await add('oci-layout', jsonBlob({ imageLayoutVersion: '1.0.0' }))
    await add('index.json', jsonBlob(index))
    for (const blob of uniqueByDigest(blobs)) await add(`blobs/sha256/${blob.digest.slice(7)}`, blob)
    tar.finalize()
  }
  await Promise.all([written, fill()])
}

function uniqueByDigest(blobs: readonly Blob[]): Blob[] {
  return [...new Map(blobs.map(blob => [blob.digest, blob])).values()]
}

function jsonBlob(value: object): Blob {
  const bytes = Buffer.from(JSON.stringify(value))
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: bytes.length, bytes }
}

function descriptor(mediaType: string, blob: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: blob.digest, size: blob.size }
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
}
