import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterLayout } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'

const LOOPBACK = /^(?:localhost|127\.0\.0\.1):(\d{1,5})$/
/** Where people run a registry on their machine. */
const USUAL_PORTS: readonly number[] = [5000]

/**
 * Tells every node how to reach a registry: one that is not where its name says or speaks plain HTTP (`url`), or one on the machine's own
 * loopback address, which is another than a node's. The first kind holds from the next pull on, the second once `ensureNetwork` has run.
 */
export function addRegistry(layout: ClusterLayout, host: string, url?: string): void {
  if (!/^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(host)) {
    throw new SetupError(`"${host}" is not the host of a registry`, 'name it as in image names: registry.example.com or localhost:5000')
  }
  if (url === undefined) writeLoopback(layout, host)
  else writeHost(layout, host, url)
}

/** Ports of the machine's loopback address at which nodes, too, find registries at their own loopback address. */
export function loopbackPorts(layout: ClusterLayout): readonly number[] {
  const file = loopbackFile(layout)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : USUAL_PORTS
}

function writeLoopback(layout: ClusterLayout, host: string): void {
  const port = Number(LOOPBACK.exec(host)?.[1])
  if (!port) throw new SetupError(`Where the registry ${host} is was not said`, 'say it with --url http://…')
  const ports = new Set([...loopbackPorts(layout), port])
  mkdirSync(layout.registriesDir, { recursive: true })
  writeFileSync(loopbackFile(layout), JSON.stringify([...ports].sort((left, right) => left - right)))
}

function loopbackFile(layout: ClusterLayout): string {
  return join(layout.registriesDir, 'loopback-ports.json')
}

function writeHost(layout: ClusterLayout, host: string, url: string): void {
  if (!/^https?:\/\/[^\s"]+$/.test(url)) throw new SetupError(`"${url}" is not where a registry can be`, 'say it as http://… or https://…')
  const directory = join(layout.registriesDir, host)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'hosts.toml'), `server = "${url}"\n\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`)
}
