import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Who listens on a TCP port. The program is unknown when it belongs to another user. */
export interface PortOwner {
  readonly port: number
  readonly program?: string
  readonly pid?: number
}

/** Finds out who listens on a TCP port of this machine, without binding it. */
export function portOwner(port: number): PortOwner | undefined {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table => listeningInodes(read(table), port))
  return inodes.length === 0 ? undefined : { port, ...processWithSocket(new Set(inodes)) }
}

/** Inodes of the sockets that listen on `port`, from the text of /proc/net/tcp or tcp6. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = table.split('\n').map(line => line.trim().split(/\s+/))
  return rows.filter(row => row[1]?.endsWith(suffix) && row[3] === '0A').map(row => row[9]!)
}

function processWithSocket(inodes: ReadonlySet<string>): { program?: string; pid?: number } {
  for (const entry of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${entry}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${entry}/fd/${descriptor}`))?.[1]
      if (inode && inodes.has(inode)) return { program: read(`/proc/${entry}/comm`).trim(), pid: Number(entry) }
    }
  }
  return {}
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
