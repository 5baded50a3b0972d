import type { Logger } from '#base/log/logger.ts'
import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Runtime, RuntimeImage } from '../runtime/runtime.ts'
import { withDefaultTag } from './image-names.ts'

export interface ImageGarbageContext {
  readonly runtime: Runtime
  readonly log: Logger
  readonly pods: readonly Pod[]
  readonly diskBytes: number
  /** How much of the disk is in use, 0 to 1. */
  readonly usedShare: number
  /** Images that stay whatever happens: the pause image, images that no registry has. */
  readonly keep?: readonly string[]
  readonly highThresholdPercent?: number
  readonly lowThresholdPercent?: number
}

/** Removes images that nobody uses once the disk is fuller than the high threshold, biggest first, until it is below the low one. */
export async function collectImages(context: ImageGarbageContext): Promise<void> {
  const { runtime, log, usedShare, diskBytes, highThresholdPercent = 85, lowThresholdPercent = 80 } = context
  if (usedShare * 100 < highThresholdPercent) return
  let toFree = (usedShare - lowThresholdPercent / 100) * diskBytes
  const inUse = new Set([...(context.keep ?? []), ...context.pods.flatMap(imagesOf)])
  const isUsed = (image: RuntimeImage) => image.pinned || [image.id, ...image.repoTags, ...image.repoDigests].some(name => inUse.has(name))
  const unused = (await runtime.listImages()).filter(image => !isUsed(image)).sort((a, b) => b.sizeBytes - a.sizeBytes)
  for (const image of unused) {
    if (toFree <= 0) return
    log.info('removing an unused image to free disk space', { image: image.repoTags[0] ?? image.id, sizeBytes: image.sizeBytes })
    await runtime.removeImage(image.id)
    toFree -= image.sizeBytes
  }
}

/** The names a pod's images may be listed under. */
function imagesOf(pod: Pod): string[] {
  const names: string[] = []
  for (const { image } of allContainers(pod.spec)) {
    if (!image) continue
    names.push(image)
    try {
      names.push(withDefaultTag(image), `docker.io/${withDefaultTag(image)}`, `docker.io/library/${withDefaultTag(image)}`)
    } catch {
      // A name that cannot be read is no image on this node.
    }
  }
  for (const { imageID, image } of pod.status.containerStatuses ?? []) names.push(imageID, image)
  return names
}
