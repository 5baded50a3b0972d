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
  // A fresh machine has no list of packages yet.
  const download = '(apt-get download kubernetes-client || (apt-get update && apt-get download kubernetes-client))'
  await run('sh', ['-c', `cd ${directory} && ${download} && dpkg -x kubernetes-client_*.deb .`], { timeoutMs: 150_000 })
  return program
}
