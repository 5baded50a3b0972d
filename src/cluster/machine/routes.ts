import { existsSync, readFileSync } from 'node:fs'

/** Networks the machine has routes into but for links to leave out: what a new cluster must step around. Read from /proc, before `ip` is there. */
export function routedNetworks(exceptLinks: readonly string[], table = readTable()): string[] {
  const rows = table
    .split('\n')
    .slice(1)
    .map(line => line.split('\t'))
  return rows.flatMap(row => {
    const [link, destination, mask] = [row[0], row[1], row[7]]
    if (!link || !destination || !mask || exceptLinks.includes(link)) return []
    const prefix = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length
    return prefix === 0 ? [] : [`${dotted(destination)}/${prefix}`]
  })
}

/** The kernel prints an address as a number in the machine's byte order, which is little-endian wherever this runs. */
function dotted(hex: string): string {
  return (hex.match(/../g) ?? [])
    .reverse()
    .map(byte => Number.parseInt(byte, 16))
    .join('.')
}

function readTable(): string {
  return existsSync('/proc/net/route') ? readFileSync('/proc/net/route', 'utf8') : ''
}
