import type { Pod } from '#kinds/core/v1/pod.ts'
import { namespaceOf } from './pod-names.ts'

/** What goes into a pod's resolv.conf. */
export interface DnsConfig {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** The cluster's DNS, and the node's own. */
export interface DnsFacts {
  readonly clusterDNS: readonly string[]
  readonly clusterDomain: string
  readonly node: DnsConfig
}

const SERVERS_LIMIT = 3
const SEARCHES_LIMIT = 32

/** The pod's resolver, by its dnsPolicy and dnsConfig. */
export function dnsOf(pod: Pod, facts: DnsFacts): DnsConfig {
  const base = baseOf(pod, facts)
  const extra = pod.spec.dnsConfig
  if (!extra) return limited(base)
  const options = new Map<string, string>()
  for (const option of base.options) options.set(option.split(':')[0]!, option)
  for (const { name = '', value } of extra.options ?? []) options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return limited({
    servers: unique([...base.servers, ...(extra.nameservers ?? [])]),
    searches: unique([...base.searches, ...(extra.searches ?? [])]),
    options: [...options.values()],
  })
}

function baseOf(pod: Pod, { clusterDNS, clusterDomain, node }: DnsFacts): DnsConfig {
  const { dnsPolicy, hostNetwork } = pod.spec
  if (dnsPolicy === 'None') return { servers: [], searches: [], options: [] }
  const wantsCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork)
  if (!wantsCluster || clusterDNS.length === 0) return node
  const domain = clusterDomain.replace(/\.$/, '')
  const searches = domain === '' ? [] : [`${namespaceOf(pod)}.svc.${domain}`, `svc.${domain}`, domain]
  return { servers: clusterDNS, searches: unique([...searches, ...node.searches]), options: ['ndots:5'] }
}

function limited({ servers, searches, options }: DnsConfig): DnsConfig {
  return { servers: servers.slice(0, SERVERS_LIMIT), searches: searches.slice(0, SEARCHES_LIMIT), options }
}

const unique = (values: readonly string[]) => [...new Set(values)]

/** Reads a resolv.conf. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = []
  let searches: string[] = []
  let options: string[] = []
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0]) servers.push(rest[0])
    else if (word === 'search' || word === 'domain') searches = rest.map(search => (search === '.' ? search : search.replace(/\.$/, '')))
    else if (word === 'options') options = rest
  }
  return { servers, searches, options }
}
