import type { Random } from '#base/random/random.ts'
import type { Service } from '#kinds/core/v1/service.ts'

/** Ports of the nodes on which Services are reached: who has which, by port and protocol. */
export interface NodePorts {
  readonly first: number
  readonly last: number
  isInRange(port: number): boolean
  isFree(port: number, protocol: string): boolean
  /** A free port for all of `protocols`; undefined if there is none. It stays taken until `release`, or until the Service that has it is seen. */
  take(protocols: readonly string[]): number | undefined
  hold(port: number, protocol: string): void
  release(port: number, protocol: string): void
}

/** `services` are those that are stored. `range` is `first-last` (`--service-node-port-range`). */
export function nodePorts(range: string, services: () => readonly Service[], random: Random): NodePorts {
  const [first, last] = parseRange(range)
  const held = new Map<string, number>()
  const stored = () => new Set(services().flatMap(portsOf))
  const key = (port: number, protocol: string) => `${port}/${protocol}`
  const hold = (port: number, protocol: string) => held.set(key(port, protocol), (held.get(key(port, protocol)) ?? 0) + 1)
  return {
    first,
    last,
    isInRange: port => port >= first && port <= last,
    isFree: (port, protocol) => !held.has(key(port, protocol)) && !stored().has(key(port, protocol)),
    take(protocols) {
      const taken = stored()
      const count = last - first + 1
      const start = random.below(count)
      for (let step = 0; step < count; step++) {
        const port = first + ((start + step) % count)
        if (protocols.some(protocol => held.has(key(port, protocol)) || taken.has(key(port, protocol)))) continue
        for (const protocol of protocols) hold(port, protocol)
        return port
      }
      return undefined
    },
    hold,
    release(port, protocol) {
      const count = (held.get(key(port, protocol)) ?? 0) - 1
      if (count > 0) held.set(key(port, protocol), count)
      else held.delete(key(port, protocol))
    },
  }
}

/** Whether a Service has a port of the nodes. */
export function hasNodePort(service: Service, port: number, protocol: string): boolean {
  return portsOf(service).includes(`${port}/${protocol}`)
}

/** A health check is answered over TCP on every address of the node. */
function portsOf({ spec }: Service): string[] {
  const ports = (spec.ports ?? []).flatMap(({ nodePort, protocol }) => (nodePort ? [`${nodePort}/${protocol}`] : []))
  return spec.healthCheckNodePort ? [...ports, `${spec.healthCheckNodePort}/TCP`] : ports
}

function parseRange(text: string): [number, number] {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (!match || first < 1 || last > 65_535 || first > last) throw new Error(`${text} is no range of ports: write it as 30000-32767`)
  return [first, last]
}
