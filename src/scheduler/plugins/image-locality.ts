import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { SchedulerPlugin } from '../framework/plugin.ts'
import type { NodeSet } from '../framework/scheduling-cycle.ts'
import { MAX_SCORE } from './normalize.ts'

const NAME = 'ImageLocality'
const MEBIBYTE = 1024 * 1024
/** Upstream's bounds: less is not worth it, more counts no further. */
const MIN_BYTES = 23 * MEBIBYTE
const MAX_BYTES_PER_CONTAINER = 1000 * MEBIBYTE

/** Prefers nodes that already have the pod's images. Images that few nodes have count less, so that those few do not heat up. */
export function imageLocality(): SchedulerPlugin {
  return {
    name: NAME,
    preScore({ pod, nodeSet, state }) {
      const images = imagesOf(pod)
      if (!images.some(image => nodeSet.nodesWithImage(image) > 0)) return false
      state.set(NAME, images)
      return true
    },
    score({ nodeSet, state }, node) {
      const images = state.get(NAME) as readonly string[]
      let bytes = 0
      for (const image of images) bytes += scaledBytes(image, node, nodeSet)
      const most = MAX_BYTES_PER_CONTAINER * images.length
      const bounded = Math.min(Math.max(bytes, MIN_BYTES), most)
      return Math.floor((MAX_SCORE * (bounded - MIN_BYTES)) / (most - MIN_BYTES))
    },
  }
}

function imagesOf(pod: Pod): string[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(container => withTag(container.image ?? ''))
}

/** A name without tag or digest means `latest`. */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}

function scaledBytes(image: string, node: NodeInfo, nodeSet: NodeSet): number {
  const bytes = node.imageBytes.get(image)
  return bytes === undefined ? 0 : Math.floor((bytes * nodeSet.nodesWithImage(image)) / nodeSet.nodes.length)
}
