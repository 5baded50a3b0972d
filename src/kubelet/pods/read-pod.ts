import { Pod } from '#kinds/core/v1/pod.ts'
import { decode } from '#machinery/schema/decode.ts'

/** A manifest as a pod with its defaults. */
export function readPod(manifest: unknown): Pod {
  const { apiVersion, kind } = (manifest ?? {}) as { apiVersion?: unknown; kind?: unknown }
  if (apiVersion !== 'v1' || kind !== 'Pod') throw new Error(`a manifest must be a Pod of v1, not ${String(kind)} of ${String(apiVersion)}`)
  const pod = decode(Pod.schema, manifest, { defaults: true, unknown: [] }) as unknown as Pod
  Pod.hooks.applyDefaults?.(pod as Parameters<NonNullable<typeof Pod.hooks.applyDefaults>>[0])
  return pod
}
