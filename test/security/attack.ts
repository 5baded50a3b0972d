import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type ApiServerProcess, startApiServerProcess } from '../support/api-server-process.ts'
import { type Breakage, brokenBuild } from './broken-build.ts'

/** Something that must not work. */
export interface Attack {
  /** What the attacker tries, as the end of "an attacker …". */
  readonly does: string
  /** The guard that is in the way. Without it the attack has to succeed: otherwise it would prove nothing. */
  readonly without: readonly Breakage[]
  readonly flags?: readonly string[]
  /** Tries it. True: it worked. */
  attempt(server: ApiServerProcess): Promise<boolean>
}

/** Who may come: the administrator, who prepares the ground, and others who may next to nothing. */
const tokens = {
  admin: ['admin', 'system:masters'],
  mallory: ['mallory', 'developers'],
  'node-1': ['system:node:node-1', 'system:nodes'],
  'node-2': ['system:node:node-2', 'system:nodes'],
}

/** Tries an attack on the server as it is, and on one without the guard. */
export function attack({ does, without, flags = [], attempt }: Attack): void {
  describe(`an attacker ${does}`, () => {
    let build: string | undefined
    afterAll(() => build && rmSync(dirname(build), { recursive: true, force: true }))

    it('without success', async () => {
      await using server = await startApiServerProcess({ tokens, flags })
      expect(await attempt(server)).toBe(false)
    }, 90_000)

    it('with success, where the guard is taken out', async () => {
      build = await brokenBuild(without)
      await using server = await startApiServerProcess({ tokens, flags, build })
      expect(await attempt(server)).toBe(true)
    }, 90_000)
  })
}
