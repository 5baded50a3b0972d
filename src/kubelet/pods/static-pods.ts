import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CORE_SCHEMA, loadAll } from 'js-yaml'
import type { Logger } from '#base/log/logger.ts'
import { type Clock, every, type Timer } from '#base/time/clock.ts'
import { MIRROR_ANNOTATION } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'

/** Turns what a manifest says into a pod as it would be stored: decoded and with its defaults; throws what is wrong with it. */
export type PodReader = (manifest: unknown) => Pod

export interface StaticPodsOptions {
  readonly directory: string
  readonly nodeName: string
  readonly clock: Clock
  readonly log: Logger
  readonly read: PodReader
  /** Called with all static pods, at the start and whenever they have changed. */
  readonly onChange: (pods: readonly Pod[]) => void
}

const CHECK_MS = 20_000
/** Editors write in several steps. */
const SETTLE_MS = 100

const annotations = { hash: 'kubernetes.io/config.hash', source: 'kubernetes.io/config.source', seen: 'kubernetes.io/config.seen' } as const

/** Follows a directory of pod manifests. A file that cannot be read keeps the pod it had before. */
export async function followManifests(options: StaticPodsOptions): Promise<Disposable> {
  const known = new Map<string, { hash: string; pod: Pod }>()
  let timer: Timer | undefined
  let running = Promise.resolve()
  let ended = false
  const check = () => {
    running = running.then(async () => {
      if (!ended && (await readAll(options, known)) && !ended) options.onChange([...known.values()].map(({ pod }) => pod))
    })
    return running
  }
  const soon = () => {
    timer?.cancel()
    timer = options.clock.after(SETTLE_MS, () => void check())
  }
  await readAll(options, known)
  options.onChange([...known.values()].map(({ pod }) => pod))
  const watcher = startWatch(options.directory, soon)
  const polling = every(options.clock, CHECK_MS, check)
  return {
    [Symbol.dispose]() {
      ended = true
      timer?.cancel()
      watcher?.close()
      polling[Symbol.dispose]()
    },
  }
}

function startWatch(directory: string, onChange: () => void): { close(): void } | undefined {
  try {
    const watcher = watch(directory, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined // Polling finds changes too.
  }
}

/** Reads the directory; true if something is another than before. */
async function readAll(
  { directory, nodeName, clock, log, read }: StaticPodsOptions,
  known: Map<string, { hash: string; pod: Pod }>,
): Promise<boolean> {
  const names = await readdir(directory).catch(() => [] as string[])
  let changed = false
  const seen = new Set<string>()
  for (const name of names.sort()) {
    if (name.startsWith('.') || !/\.(ya?ml|json|manifest)$/.test(name)) continue
    const path = join(directory, name)
    seen.add(path)
    try {
      const text = await readFile(path, 'utf8')
      const hash = createHash('md5').update(path).update(nodeName).update(text).digest('hex')
      if (known.get(path)?.hash === hash) continue
      known.set(path, { hash, pod: staticPod(read(parse(text)), hash, nodeName, clock.now()) })
      changed = true
    } catch (error) {
      log.warn('a pod manifest cannot be used; it is left as it was', { path, error: (error as Error).message })
    }
  }
  for (const path of known.keys()) {
    if (seen.has(path)) continue
    known.delete(path)
    changed = true
  }
  return changed
}

function parse(text: string): unknown {
  const documents = loadAll(text, { schema: CORE_SCHEMA }).filter(document => document !== null && document !== undefined)
  if (documents.length !== 1) throw new Error(`the file holds ${documents.length} objects; a manifest is one Pod`)
  return documents[0]
}

/** The pod as the kubelet runs it: named after its node, its uid made from the manifest, so that a changed manifest is another pod. */
function staticPod(pod: Pod, hash: string, nodeName: string, now: number): Pod {
  const tolerations = [...(pod.spec.tolerations ?? []), { operator: 'Exists' as const, effect: 'NoExecute' as const }]
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name: `${pod.metadata.name}-${nodeName.toLowerCase()}`,
      namespace: pod.metadata.namespace || 'default',
      uid: pod.metadata.uid || hash,
      annotations: { ...pod.metadata.annotations, [annotations.hash]: hash, [annotations.source]: 'file', [annotations.seen]: timeOf(now) },
    },
    spec: { ...pod.spec, nodeName, tolerations },
    status: { phase: 'Pending' },
  }
}

/** The pod that stands in the API for a static one. */
export function mirrorOf(pod: Pod, nodeUid: string | undefined): Record<string, unknown> {
  const { uid: _, ...metadata } = pod.metadata
  const owner = { apiVersion: 'v1', kind: 'Node', name: pod.spec.nodeName, uid: nodeUid, controller: true }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [MIRROR_ANNOTATION]: hashOf(pod) },
      ...(nodeUid === undefined ? {} : { ownerReferences: [owner] }),
    },
    spec: pod.spec,
  }
}

/** Whether an API pod is the mirror of this very static pod and not of an earlier manifest. */
export function isMirrorOf(mirror: Pod, pod: Pod): boolean {
  return mirror.metadata.annotations?.[MIRROR_ANNOTATION] === hashOf(pod)
}

function hashOf(pod: Pod): string {
  return pod.metadata.annotations?.[annotations.hash] ?? ''
}
