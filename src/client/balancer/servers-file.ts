import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The servers that were known when the file was written; none if there is no file, or nothing that can be read. */
export function readServersFile(path: string): string[] {
  try {
    const servers: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(servers) ? servers.filter((server): server is string => typeof server === 'string') : []
  } catch {
    return []
  }
}

/** Keeps the servers for the next start, which then does not depend on the one server it once was told of. The file appears whole or not at all. */
export function writeServersFile(path: string, servers: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, `${JSON.stringify(servers)}\n`)
  renameSync(`${path}.new`, path)
}
