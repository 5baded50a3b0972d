import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '#base/log/logger.ts'
import type { Cgroups } from '../resources/cgroups.ts'
import { PODS_GROUP, QOS_GROUPS } from '../resources/pod-cgroup.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'

export interface OrphanContext {
  readonly runtime: Runtime
  readonly volumes: PodVolumes
  readonly cgroups: Cgroups
  readonly logsDirectory: string
  readonly log: Logger
}

const GRACE_SECONDS = 30

/** Ends and removes whatever the node still has of pods that nobody wants any more: the kubelet was not there when they were deleted. */
export async function removeOrphans(context: OrphanContext, isWanted: (podUid: string) => boolean): Promise<void> {
  const { runtime, volumes, cgroups, log } = context
  const orphans = (await runtime.listSandboxes()).filter(({ metadata }) => !isWanted(metadata.uid))
  await Promise.all(
    orphans.map(async ({ id, metadata }) => {
      log.info('removing a pod that is no longer wanted', { pod: `${metadata.namespace}/${metadata.name}`, uid: metadata.uid })
      const containers = (await runtime.listContainers(metadata.uid)).filter(({ sandboxId }) => sandboxId === id)
      await Promise.all(
        containers.filter(({ state }) => state === 'running').map(container => runtime.stopContainer(container.id, GRACE_SECONDS)),
      )
      await runtime.stopSandbox(id)
      await runtime.removeSandbox(id)
      await rm(join(context.logsDirectory, `${metadata.namespace}_${metadata.name}_${metadata.uid}`), { recursive: true, force: true })
    }),
  )
  for (const uid of await volumes.pods()) if (!isWanted(uid)) await volumes.tearDown(uid)
  for (const parent of [PODS_GROUP, ...QOS_GROUPS.map(qos => `${PODS_GROUP}/${qos}`)]) {
    for (const name of await cgroups.children(parent)) {
      if (!name.startsWith('pod') || isWanted(name.slice(3))) continue
      await cgroups
        .remove(`${parent}/${name}`)
        .catch(error => log.verbose('a control group could not be removed', { group: name, error: error.message }))
    }
  }
}
