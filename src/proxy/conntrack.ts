import type { Family } from './addresses.ts'
import type { Run } from './network.ts'
import type { PortRules } from './rules.ts'

/** How the rules of one Service port changed. */
export interface RulesChange {
  readonly before: PortRules | undefined
  readonly after: PortRules | undefined
}

/**
 * UDP has no connections that could break: the kernel keeps sending a client's packets where its first one went. So after a change the
 * flows are removed that go to a backend which is gone, or that passed by a Service which has one now.
 */
export async function forgetStaleFlows(changes: readonly RulesChange[], run: Run): Promise<number> {
  let forgotten = 0
  for (const family of ['ip', 'ip6'] as const) {
    const expected = expectationsOf(changes, family)
    if (expected.size === 0) continue
    const familyArgs = ['-f', family === 'ip' ? 'ipv4' : 'ipv6', '-p', 'udp']
    const listing = await run('conntrack', ['-L', ...familyArgs], { allowCodes: [1] })
    for (const flow of staleFlows(listing.stdout, expected)) {
      const which = ['--orig-dst', flow.to, '--orig-port-dst', flow.toPort, '--reply-src', flow.by, '--reply-port-src', flow.byPort]
      await run('conntrack', ['-D', ...familyArgs, ...which], { allowCodes: [1] })
      forgotten++
    }
  }
  return forgotten
}

/** The backends each frontend may have, by `address port` or ` port` for a node port. */
export type Expectations = ReadonlyMap<string, ReadonlySet<string>>

/** What is to be looked for after `changes`: empty when no flow can have become stale. */
export function expectationsOf(changes: readonly RulesChange[], family: Family): Expectations {
  const expected = new Map<string, Set<string>>()
  for (const { before, after } of changes) {
    const rules = after ?? before
    if (rules?.protocol !== 'udp' || rules.family !== family || !canLeaveStaleFlows(before, after)) continue
    for (const frontend of before ? frontendsOf(before) : []) if (!expected.has(frontend)) expected.set(frontend, new Set())
    for (const frontend of after ? frontendsOf(after) : []) {
      const backends = expected.get(frontend) ?? new Set()
      for (const backend of backendsOf(after!)) backends.add(backend)
      expected.set(frontend, backends)
    }
  }
  return expected
}

/** A group of flows with one original destination and one backend. */
export interface Flow {
  readonly to: string
  readonly toPort: string
  readonly by: string
  readonly byPort: string
}

/** The groups of flows in the output of `conntrack -L` that contradict `expected`. */
export function staleFlows(listing: string, expected: Expectations): Flow[] {
  const stale = new Map<string, Flow>()
  for (const line of listing.split('\n')) {
    const fields = [...line.matchAll(/\b(src|dst|sport|dport)=(\S+)/g)].map(match => match[2]!)
    const [, to, , toPort, by, , byPort] = fields
    if (to === undefined || toPort === undefined || by === undefined || byPort === undefined) continue
    const translated = to !== by || toPort !== byPort
    // A flow that no one translated counts only by its full address: any machine may have a port of that number.
    const backends = expected.get(`${to} ${toPort}`) ?? (translated ? expected.get(` ${toPort}`) : undefined)
    if (!backends || backends.has(`${by} ${byPort}`) || (!translated && backends.size === 0)) continue
    stale.set(`${to} ${toPort} ${by} ${byPort}`, { to, toPort, by, byPort })
  }
  return [...stale.values()]
}

function canLeaveStaleFlows(before: PortRules | undefined, after: PortRules | undefined): boolean {
  if (!before) return true
  const now = new Set(after ? backendsOf(after) : [])
  const then = backendsOf(before)
  if (then.some(backend => !now.has(backend)) || (then.length === 0 && now.size > 0)) return true
  const frontends = new Set(frontendsOf(before))
  const kept = after ? frontendsOf(after) : []
  return kept.length !== frontends.size || kept.some(frontend => !frontends.has(frontend))
}

function frontendsOf(rules: PortRules): string[] {
  const frontends = [...rules.clusterIPs, ...rules.externalIPs].map(address => `${address} ${rules.port}`)
  if (rules.nodePort > 0) frontends.push(` ${rules.nodePort}`)
  return frontends
}

const backendsOf = (rules: PortRules) => [
  ...new Set([...rules.cluster, ...rules.local].map(backend => `${backend.address} ${backend.port}`)),
]
