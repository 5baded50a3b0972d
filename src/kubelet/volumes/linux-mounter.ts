import { readFile } from 'node:fs/promises'
import { run } from '#base/process/run.ts'
import type { Mounter } from './volume-plugin.ts'

/** Mounts by the machine's own programs. */
export const linuxMounter: Mounter = {
  async tmpfs(directory, { sizeBytes, mode }) {
    if ((await mountPoints()).includes(directory)) return
    const options = [`mode=${mode}`, ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])]
    await run('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', directory])
  },
  async mountsUnder(path) {
    const points = (await mountPoints()).filter(point => point === path || point.startsWith(`${path}/`))
    return points.sort((a, b) => b.length - a.length)
  },
  async unmount(path) {
    await run('umount', [path])
  },
}

async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8')
  return text.split('\n').flatMap(line => {
    const point = line.split(' ')[4]
    return point === undefined ? [] : [point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))]
  })
}
