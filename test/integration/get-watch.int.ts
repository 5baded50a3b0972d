import { execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { draft } from '#machinery/kind/draft.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'

/* `t8s get --watch` of the built program. */

const launcher = join(import.meta.dirname, '../../bin/t8s')
const at = (name: string) => ({ namespace: 'default', name })
let server: LoneServer

beforeAll(async () => {
  server = await startLoneServer(new MemoryStore({ clock: realClock() }))
  await server.client().create(ConfigMap, { metadata: at('first'), data: { a: '1' } })
})
afterAll(async () => server[Symbol.asyncDispose]())

/** A running `t8s get`, and what it has printed; ages, which depend on when, as AGE. */
function get(...args: string[]) {
  const child = spawn(launcher, ['get', ...args, '--kubeconfig', server.kubeconfig], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  const ended = new Promise<number | null>(resolve => child.once('close', resolve))
  return {
    printed: () => text.replace(/ +\d+s$/gm, ' AGE').replace(/ +AGE$/gm, ' AGE'),
    async interrupt() {
      child.kill('SIGINT')
      return await ended
    },
  }
}

describe('get --watch', () => {
  const patience = { timeout: 30_000, interval: 20 }

  it('prints what is there and then what changes, in the columns of one table', async () => {
    const client = server.client()
    const watching = get('configmaps', '-w')
    await expect.poll(watching.printed, patience).toBe('NAME    DATA AGE\nfirst   1 AGE\n')
    const created = await client.create(ConfigMap, { metadata: at('s'), data: {} })
    await client.update(ConfigMap, { ...draft(created), data: { a: '1', b: '2' } })
    await client.delete(ConfigMap, at('s'))
    const lines = ['NAME    DATA AGE', 'first   1 AGE', 's       0 AGE', 's       2 AGE', 's       2 AGE', '']
    await expect.poll(watching.printed, patience).toBe(lines.join('\n'))
    expect(await watching.interrupt()).toBe(0)
  })

  it('prints objects whole, each a document of its own, and may say what has happened', async () => {
    const client = server.client()
    const [whole, events] = [get('cm/first', '-w', '-o', 'yaml'), get('cm', '-w', '-A', '--output-watch-events')]
    await expect.poll(whole.printed, patience).toMatch(/^apiVersion: v1\n(?!---)/)
    await expect.poll(events.printed, patience).toMatch(/^EVENT +NAMESPACE +NAME +DATA AGE\nADDED +default +first +1 AGE\n/)
    await client.update(ConfigMap, { ...draft(await client.get(ConfigMap, at('first'))), data: { b: '2' } })
    await expect.poll(whole.printed, patience).toMatch(/\n---\napiVersion: v1\n(data:\n {2}b: "2"\n)/)
    await expect.poll(events.printed, patience).toMatch(/\nMODIFIED +default +first +1 AGE\n$/)
    await Promise.all([whole.interrupt(), events.interrupt()])
  })

  it('shows only what changes from now on, if asked', async () => {
    const client = server.client()
    const watching = get('cm', 'first', '--watch-only', '--no-headers')
    let n = 0
    const changed = async () => {
      await client.update(ConfigMap, { ...draft(await client.get(ConfigMap, at('first'))), data: { n: String(n++), m: '' } })
      return watching.printed()
    }
    await expect.poll(changed, { ...patience, interval: 200 }).toMatch(/^(first +2 AGE\n)+$/)
    await watching.interrupt()
  })

  it('of what is not there, or makes no sense, is one sentence', async () => {
    const refused = async (...args: string[]) => {
      const outcome = promisify(execFile)(launcher, ['get', ...args, '--kubeconfig', server.kubeconfig], { timeout: 30_000 })
      return (await outcome.catch((error: { stderr: string }) => error)).stderr
    }
    expect(await refused('cm', 'none', '-w')).toContain('configmaps "none" not found')
    expect(await refused('cm,secrets', '-w')).toContain('more than 1 resource was found')
    expect(await refused('cm', '-w', '--at=-1m')).toContain('give one of them')
    expect(await refused('cm', '--output-watch-events')).toContain('can only be used with --watch or --watch-only')
  })
})
