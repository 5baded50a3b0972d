/** GETs by h2load (Debian: `nghttp2-client`): it takes in a list in a fraction of the time that a client in JavaScript needs. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As windows of Go's client: 4 MiB a stream, 1 GiB a connection. */
const WINDOWS = ['-w', '22', '-W', '30']

export const hasH2load = spawnSync('h2load', ['--version']).status === 0

/** Gets `url` `count` times over so many connections, one after the other on each; answers how long each took, in milliseconds. */
export async function h2load(
  url: string,
  count: number,
  connections: number,
  headers: Readonly<Record<string, string>>,
): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'h2load-'))
  const log = join(directory, 'log')
  const said = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const sized = ['-n', String(count), '-c', String(connections), '-m', '1', ...WINDOWS]
  try {
    const child = spawn('h2load', [...sized, ...said, `--log-file=${log}`, url], { stdio: 'ignore' })
    const code = await new Promise(resolve => child.on('close', resolve))
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const answers = lines.map(line => line.split('\t').map(Number) as [startUs: number, status: number, tookUs: number])
    const failed = answers.filter(([, status]) => status !== 200).length + count - answers.length
    if (code !== 0 || failed > 0) throw new Error(`h2load of ${url}: ${failed} of ${count} requests failed (it ended with ${String(code)})`)
    return answers.map(([, , tookUs]) => tookUs / 1000)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
