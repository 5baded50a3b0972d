import { readFileSync } from 'node:fs'
import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'

/** Mount points at or below a directory, the innermost and latest first: the order in which they can be unmounted. */
export function mountsBelow(directory: string, mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const points = mountinfo.split('\n').flatMap(line => line.split(' ')[4] ?? [])
  return points
    .map(decodePath)
    .filter(point => point === directory || point.startsWith(`${directory}/`))
    .reverse()
}

/** Makes a directory a mount point of its own whose later mounts spread to and from containers. */
export async function ensureSharedMount(directory: string, signal?: AbortSignal): Promise<void> {
  if (mountsBelow(directory).includes(directory)) return
  await run('mount', ['--bind', directory, directory], { signal })
  await run('mount', ['--make-rshared', directory], { signal })
}

/** Unmounts everything at and below a directory; what is busy is detached, so that it goes when its last user does. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const point of mountsBelow(directory)) {
    try {
      await run('umount', [point])
    } catch (error) {
      if (error instanceof ProcessError && (error.says('not mounted') || error.says('no mount point'))) continue
      await run('umount', ['--lazy', point])
    }
  }
}

/** The kernel writes spaces and the like as three octal digits. */
function decodePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
