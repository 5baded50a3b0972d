import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'
import { withNodeCri } from '../containerd/node-cri.ts'
import type { NodeLayout } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'
import type { BuiltImage } from './archive.ts'

/** An image that came out of an archive. */
export interface LoadedImage {
  readonly reference: string
  readonly digest: string
}

/** Brings built images to a node, each only if the node does not have it as it is now; returns how many it brought. */
export function ensureImages(node: NodeLayout, images: readonly BuiltImage[], signal?: AbortSignal): Promise<number> {
  return withNodeCri(node, async runtime => {
    const present = await Promise.all(images.map(image => runtime.imageStatus(image.reference)))
    const missing = images.filter((image, index) => present[index]?.id !== image.configDigest)
    for (const image of missing) await loadArchive(node, image.file, signal)
    return missing.length
  })
}

/** Imports an OCI or docker archive into a node's containerd and returns the images it held. */
export async function loadArchive(node: NodeLayout, file: string, signal?: AbortSignal): Promise<LoadedImage[]> {
  const { stdout } = await ctr(node, ['images', 'import', file], signal).catch((error: unknown) => {
    if (
      error instanceof ProcessError &&
      /unrecognized image format|unexpected EOF|invalid tar header|not found/.test(error.failure.stderr)
    ) {
      throw new SetupError(
        `${file} is no image archive that containerd can read`,
        'make it with "docker save", "skopeo copy … oci-archive:", or "t8s image build"',
        { cause: error },
      )
    }
    throw error
  })
  const images = [...stdout.matchAll(/^unpacking (\S+) \((sha256:[0-9a-f]{64})\)/gm)].map(match => ({
    reference: match[1]!,
    digest: match[2]!,
  }))
  // An import leaves images without a digest reference, which pods' status and pulls by digest need.
  for (const image of images) {
    const name = image.reference.replace(/(?::[^/:@]+)?(?:@.*)?$/, '')
    await ctr(node, ['images', 'tag', '--force', image.reference, `${name}@${image.digest}`], signal)
  }
  return images
}

function ctr(node: NodeLayout, args: readonly string[], signal?: AbortSignal): Promise<{ stdout: string }> {
  return run('ctr', ['--address', node.containerd.socket, '--namespace', 'k8s.io', ...args], { signal, timeoutMs: 300_000 })
}
