import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container } from '#kinds/core/v1/container.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import type { ContainerConfig, Mount } from '../runtime/runtime.ts'
import { resolveSubPath } from '../volumes/pod-volumes.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { ContainerConfigError } from './environment.ts'
import { expand } from './expansion.ts'

/** Files that the kubelet itself gives every container. */
export interface ManagedFiles {
  /** The pod's /etc/hosts. */
  readonly hosts: string
  readonly terminationLog: string
}

const PROPAGATION = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
} as const

/** The mounts and devices of a container: its volumes, its hosts file and its termination log. */
export async function mountsOf(
  container: Container | EphemeralContainer,
  volumes: ReadonlyMap<string, MountedVolume>,
  environment: ReadonlyMap<string, string>,
  files: ManagedFiles,
): Promise<{ mounts: Mount[]; devices: NonNullable<ContainerConfig['devices']> }> {
  const mounts: Mount[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name)
    if (!volume) throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    const subPath = mount.subPathExpr ? expandAll(mount.subPathExpr, environment) : (mount.subPath ?? '')
    const hostPath = subPath === '' ? volume.path : await resolveSubPath(volume.path, subPath, !volume.readOnly).catch(asConfigError)
    const readonly = mount.readOnly || volume.readOnly
    const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`
    const propagation = PROPAGATION[(mount.mountPropagation ?? 'None') as keyof typeof PROPAGATION]
    mounts.push({
      containerPath,
      hostPath,
      ...(readonly ? { readonly } : {}),
      ...(propagation === 'PROPAGATION_PRIVATE' ? {} : { propagation }),
    })
  }
  const isCovered = (path: string) => mounts.some(({ containerPath }) => containerPath === path)
  if (!isCovered('/etc/hosts')) mounts.push({ containerPath: '/etc/hosts', hostPath: files.hosts })
  if (container.terminationMessagePath !== '' && !isCovered(container.terminationMessagePath)) {
    await makeTerminationLog(files.terminationLog)
    mounts.push({ containerPath: container.terminationMessagePath, hostPath: files.terminationLog })
  }
  const devices = (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name)
    if (!volume?.device) throw new ContainerConfigError(`cannot find block volume "${name}" to map into container "${container.name}"`)
    return { containerPath: devicePath, hostPath: volume.path, permissions: volume.readOnly ? 'r' : 'mrw' }
  })
  return { mounts, devices }
}

async function makeTerminationLog(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, '')
  await chmod(path, 0o666)
}

function expandAll(text: string, environment: ReadonlyMap<string, string>): string {
  return expand(text, name => {
    const value = environment.get(name)
    if (value === undefined) throw new ContainerConfigError(`cannot expand subPathExpr "${text}": missing value for "${name}"`)
    return value
  })
}

function asConfigError(error: Error): never {
  throw new ContainerConfigError(error.message)
}
