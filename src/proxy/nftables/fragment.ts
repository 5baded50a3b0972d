import type { Family } from '../addresses.ts'
import { familyOf, socketAddress } from '../addresses.ts'
import type { Backend } from '../endpoints.ts'
import type { PortRules, Target } from '../rules.ts'

/** One entry of a set or map of the table. */
export interface Element {
  readonly set: 'cluster-ips' | 'hairpin' | 'service-ips' | 'service-nodeports' | 'unserved-ips' | 'unserved-nodeports' | 'firewall-ips'
  readonly key: string
  /** The verdict, in a map; empty in a set. */
  readonly value: string
}

/** What one owner (a Service port) puts into the table of its family: its chains, its affinity sets, its entries in the shared maps. */
export interface Fragment {
  readonly family: Family
  /** Rules by chain name, one per line. */
  readonly chains: ReadonlyMap<string, string>
  /** The sets that remember clients; what they hold is never written by us. */
  readonly sets: readonly string[]
  readonly elements: readonly Element[]
}

/** Facts of the cluster that a Service's own rules depend on. */
export interface FragmentContext {
  /** Where pods live; their connections keep their source address. */
  readonly clusterCIDRs: readonly string[]
}

/** Writes the rules of one Service port as nftables knows them. */
export function fragmentOf(rules: PortRules, context: FragmentContext): Fragment {
  const chains = new Map<string, string>()
  const sets: string[] = []
  const elements: Element[] = []
  const add = (set: Element['set'], key: string, value = '') => elements.push({ set, key, value })

  const external = rules.externalIPs.length > 0 || rules.nodePort > 0
  const throughNode = external && (rules.external === 'local' || rules.external === 'drop')
  if (rules.cluster.length > 0 && (rules.internal === 'cluster' || external)) {
    chains.set(`service/${rules.name}`, balance(rules, rules.cluster))
  }
  if (rules.local.length > 0 && (rules.internal === 'local' || throughNode)) {
    chains.set(`local/${rules.name}`, balance(rules, rules.local))
  }
  if (external && rules.external !== 'reject') chains.set(`external/${rules.name}`, externalChain(rules, context))
  addEndpointChains(rules, chains, sets)

  for (const address of rules.clusterIPs) {
    add('cluster-ips', address)
    const key = `${address} . ${rules.protocol} . ${rules.port}`
    const chain = { cluster: 'service', local: 'local', reject: '', drop: '' }[rules.internal]
    if (chain) add('service-ips', key, `goto ${chain}/${rules.name}`)
    else add('unserved-ips', key, refusal(rules.internal))
  }
  for (const address of rules.externalIPs) {
    const key = `${address} . ${rules.protocol} . ${rules.port}`
    if (rules.external !== 'reject') add('service-ips', key, `goto external/${rules.name}`)
    if (rules.external === 'reject' || rules.external === 'drop') add('unserved-ips', key, refusal(rules.external))
  }
  if (rules.nodePort > 0) {
    const key = `${rules.protocol} . ${rules.nodePort}`
    if (rules.external !== 'reject') add('service-nodeports', key, `goto external/${rules.name}`)
    if (rules.external === 'reject' || rules.external === 'drop') add('unserved-nodeports', key, refusal(rules.external))
  }
  if (rules.guardedIPs.length > 0) {
    chains.set(`firewall/${rules.name}`, firewallChain(rules))
    for (const address of rules.guardedIPs) {
      add('firewall-ips', `${address} . ${rules.protocol} . ${rules.port}`, `goto firewall/${rules.name}`)
    }
  }
  for (const address of new Set([...rules.cluster, ...rules.local].filter(backend => backend.local).map(backend => backend.address))) {
    add('hairpin', `${address} . ${address}`)
  }
  return { family: rules.family, chains, sets, elements }
}

/** Sends a node port on to the address where the health check of a Service is answered. */
export function redirectFragment(name: string, nodePort: number, target: { readonly address: string; readonly port: number }): Fragment {
  const chain = `health/${name}`
  const rule = `jump mark-for-masquerade\nmeta l4proto tcp dnat to ${socketAddress(target.address, target.port)}`
  return {
    family: familyOf(target.address) ?? 'ip',
    chains: new Map([[chain, rule]]),
    sets: [],
    elements: [{ set: 'service-nodeports', key: `tcp . ${nodePort}`, value: `goto ${chain}` }],
  }
}

/** Traffic from outside: policy Cluster hides the source so that answers come back this way; policy Local keeps it. */
function externalChain(rules: PortRules, context: FragmentContext): string {
  if (rules.external === 'cluster') return `jump mark-for-masquerade\ngoto service/${rules.name}`
  const lines: string[] = []
  const pods = context.clusterCIDRs.filter(cidr => familyOf(cidr) === rules.family)
  // A pod or a process of this node that names the outer address means the Service, wherever its backends are.
  if (pods.length > 0) lines.push(`${rules.family} saddr { ${pods.join(', ')} } goto service/${rules.name}`)
  lines.push('fib saddr type local jump mark-for-masquerade', `fib saddr type local goto service/${rules.name}`)
  if (rules.local.length > 0) lines.push(`goto local/${rules.name}`)
  return lines.join('\n')
}

/** Only the source ranges, and the address itself where it lies on this node, may use the load balancer address. */
function firewallChain(rules: PortRules): string {
  const allowed = [...rules.sourceRanges, ...rules.guardedIPs]
  return [...new Set(allowed)]
    .map(range => `${rules.family} saddr ${range} return`)
    .concat('drop')
    .join('\n')
}

function balance(rules: PortRules, backends: readonly Backend[]): string {
  if (rules.affinitySeconds > 0) {
    const remembered = backends.map(
      backend => `${rules.family} saddr @${affinitySet(rules, backend)} goto ${endpointChain(rules, backend)}`,
    )
    const choices = backends.map((backend, index) => `${index} : goto ${endpointChain(rules, backend)}`)
    return [...remembered, `numgen random mod ${backends.length} vmap { ${choices.join(', ')} }`].join('\n')
  }
  const [only] = backends
  if (backends.length === 1 && only) return `meta l4proto ${rules.protocol} dnat to ${socketAddress(only.address, only.port)}`
  const choices = backends.map((backend, index) => `${index} : ${backend.address} . ${backend.port}`)
  return `meta l4proto ${rules.protocol} dnat ${rules.family} to numgen random mod ${backends.length} map { ${choices.join(', ')} }`
}

/** With affinity every backend has a chain of its own, which notes the client before it sends it on. */
function addEndpointChains(rules: PortRules, chains: Map<string, string>, sets: string[]): void {
  if (rules.affinitySeconds === 0) return
  const used = [...(chains.has(`service/${rules.name}`) ? rules.cluster : []), ...(chains.has(`local/${rules.name}`) ? rules.local : [])]
  for (const backend of used) {
    const chain = endpointChain(rules, backend)
    if (chains.has(chain)) continue
    const set = affinitySet(rules, backend)
    sets.push(set)
    chains.set(
      chain,
      `update @${set} { ${rules.family} saddr timeout ${rules.affinitySeconds}s }\n` +
        `meta l4proto ${rules.protocol} dnat to ${socketAddress(backend.address, backend.port)}`,
    )
  }
}

const endpointChain = (rules: PortRules, backend: Backend) => `endpoint/${backendName(rules, backend)}`
const affinitySet = (rules: PortRules, backend: Backend) => `clients/${backendName(rules, backend)}`

/** Colons are no part of an nftables name. */
function backendName(rules: PortRules, backend: Backend): string {
  return `${rules.name}/${backend.address.replaceAll(':', '.')}/${backend.port}`
}

const refusal = (target: Target) => (target === 'drop' ? 'drop' : 'goto refuse')
