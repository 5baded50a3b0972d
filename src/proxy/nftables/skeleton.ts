import { type Family, familyOf } from '../addresses.ts'

/** What holds for the whole table, whatever Services there are. A change of it replaces the table. */
export interface TableFacts {
  readonly families: readonly Family[]
  readonly clusterCIDRs: readonly string[]
  readonly serviceCIDRs: readonly string[]
  /** The CIDRs on whose addresses node ports answer; undefined for every address of the machine. */
  readonly nodePortCIDRs?: readonly string[] | undefined
  /** Whether node ports answer on 127.0.0.0/8 too (the kernel must be told with `route_localnet`). */
  readonly loopbackNodePorts: boolean
  /** Hide the source of everything that goes through a cluster IP. */
  readonly masqueradeAll: boolean
  /** The bit of the packet mark that asks for masquerading. */
  readonly masqueradeBit: number
}

export const standardTableFacts: TableFacts = {
  families: ['ip', 'ip6'],
  clusterCIDRs: [],
  serviceCIDRs: [],
  loopbackNodePorts: true,
  masqueradeAll: false,
  masqueradeBit: 14,
}

/**
 * The sets, maps and hooks every Service hangs its rules into, as the body of one table.
 *
 * A packet meets them in this order: firewall (before translation), translation (`services`), the filters that refuse what no one serves
 * (after translation, so that whatever is left with a Service's address was not translated), masquerading.
 */
export function skeletonOf(family: Family, facts: TableFacts): string {
  const address = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr'
  const mark = `0x${(2 ** facts.masqueradeBit).toString(16).padStart(8, '0')}`
  const frontend = `${family} daddr . meta l4proto . th dport`
  const mine = (cidrs: readonly string[]) => cidrs.filter(cidr => familyOf(cidr) === family)
  const pods = mine(facts.clusterCIDRs)
  const services = mine(facts.serviceCIDRs)
  const nodePort = nodePortMatch(family, facts, mine)
  return `
set cluster-ips { type ${address}; }
set hairpin { type ${address} . ${address}; }
map service-ips { type ${address} . inet_proto . inet_service : verdict; }
map service-nodeports { type inet_proto . inet_service : verdict; }
map unserved-ips { type ${address} . inet_proto . inet_service : verdict; }
map unserved-nodeports { type inet_proto . inet_service : verdict; }
map firewall-ips { type ${address} . inet_proto . inet_service : verdict; }
chain mark-for-masquerade {
meta mark set meta mark or ${mark}
}
chain refuse {
reject
}
chain services {
${masqueradeToClusterIPs(family, facts, pods)}${frontend} vmap @service-ips
${nodePort && `${nodePort} meta l4proto . th dport vmap @service-nodeports\n`}}
chain unserved {
${frontend} vmap @unserved-ips
${nodePort && `${nodePort} meta l4proto . th dport vmap @unserved-nodeports\n`}}
chain unknown-service {
${family} daddr @cluster-ips goto refuse
${services.length > 0 ? `${family} daddr { ${services.join(', ')} } goto refuse\n` : ''}}
${family === 'ip' && facts.loopbackNodePorts ? LOOPBACK_GUARD : ''}chain firewall-prerouting {
type filter hook prerouting priority -110;
ct state new ${frontend} vmap @firewall-ips
}
chain firewall-output {
type filter hook output priority -110;
ct state new ${frontend} vmap @firewall-ips
}
chain nat-prerouting {
type nat hook prerouting priority -100;
jump services
}
chain nat-output {
type nat hook output priority -100;
jump services
}
chain filter-input {
type filter hook input priority -90;
ct state new jump unserved
}
chain filter-forward {
type filter hook forward priority -90;
ct state new jump unserved
ct state new jump unknown-service
}
chain filter-output {
type filter hook output priority -90;
ct state new jump unserved
ct state new jump unknown-service
}
chain nat-postrouting {
type nat hook postrouting priority 100;
${family} saddr . ${family} daddr @hairpin masquerade fully-random
meta mark & ${mark} == 0 return
meta mark set meta mark xor ${mark}
masquerade fully-random
}
`.trim()
}

/** With `route_localnet` the machine's loopback addresses become reachable from its links: this closes that door again. */
const LOOPBACK_GUARD = `chain loopback-guard {
type filter hook prerouting priority -300;
iifname != "lo" ip daddr 127.0.0.0/8 drop
}
`

/** Whoever is not a pod gets his answers only if the backend answers this node. */
function masqueradeToClusterIPs(family: Family, facts: TableFacts, pods: readonly string[]): string {
  if (facts.masqueradeAll) return `${family} daddr @cluster-ips jump mark-for-masquerade\n`
  if (pods.length === 0) return ''
  return `${family} daddr @cluster-ips ${family} saddr != { ${pods.join(', ')} } jump mark-for-masquerade\n`
}

function nodePortMatch(family: Family, facts: TableFacts, mine: (cidrs: readonly string[]) => string[]): string {
  if (facts.nodePortCIDRs) {
    const cidrs = mine(facts.nodePortCIDRs)
    return cidrs.length > 0 ? `fib daddr type local ${family} daddr { ${cidrs.join(', ')} }` : ''
  }
  if (family === 'ip6') return 'fib daddr type local ip6 daddr != ::1'
  return facts.loopbackNodePorts ? 'fib daddr type local' : 'fib daddr type local ip daddr != 127.0.0.0/8'
}
