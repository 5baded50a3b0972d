import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { VERSION } from '#apiserver/http/version.ts'
import type { Verb } from './verb.ts'

export const versionVerb: Verb = context =>
  new Command('version').description('Print the versions of t8s, of the Kubernetes it serves, and of Node.js.').action(() => {
    const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    context.stdout.write(`t8s ${own.version}\nKubernetes ${VERSION.gitVersion}\nNode.js ${process.version}\n`)
  })
