import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '#base/process/run.ts'

/** Debian's kubectl 1.20, which speaks SPDY alone; unpacked, not installed. */
export async function debianKubectl(): Promise<string> {
  const directory = join(tmpdir(), 't8s-debian-kubectl')
  const program = join(directory, 'usr/bin/kubectl')
  if (existsSync(program)) return program
  mkdirSync(directory, { recursive: true })
  await run('sh', ['-c', `cd ${directory} && apt-get download kubernetes-client && dpkg -x kubernetes-client_*.deb .`], {
    timeoutMs: 60_000,
  })
  return program
}
