import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Verb } from './verb.ts'

/** The version of Kubernetes whose behaviour is served. */
export const KUBERNETES_VERSION = 'v1.36.3'

export const versionVerb: Verb = context =>
  new Command('version').description('Print the versions of t8s, of the Kubernetes it serves, and of Node.js.').action(() => {
    const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    context.stdout.write(`t8s ${own.version}\nKubernetes ${KUBERNETES_VERSION}\nNode.js ${process.version}\n`)
  })
