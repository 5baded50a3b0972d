import { createHash } from 'node:crypto'
import { SetupError } from '../setup-error.ts'
import { addressAt, type Network, networkText, overlaps, parseNetwork } from './ipv4.ts'

/**
 * What one cluster has of its machine: addresses, ports and names. Decided once, when the cluster is first brought up, and kept in its data
 * directory (`cluster.json`), so that several clusters live side by side and each comes back the same.
 */
export interface ClusterAllocation {
  readonly version: 1
  readonly name: string
  /** At most 7 characters, unique on the machine; in the names of links, network namespaces and cgroups. */
  readonly id: string
  /** Which of the machine's address blocks is this cluster's. */
  readonly block: number
  /** Where the API server listens, on loopback and on `hostAddress`. */
  readonly apiPort: number
  readonly bridge: string
  readonly nodeCidr: string
  /** The machine's own address on the bridge: the nodes' gateway, and where pods find the API server. */
  readonly hostAddress: string
  readonly podCidr: string
  readonly serviceCidr: string
  /** ClusterIP of cluster DNS. */
  readonly dnsAddress: string
  /** `first-last`, as `--service-node-port-range` takes it. Different for each cluster, since all meet on the machine's own addresses. */
  readonly nodePortRange: string
  readonly nodes: readonly NodeAllocation[]
  readonly simulatedNodes: number
  /** How long the store keeps what was; absent: as long as it does by itself. */
  readonly historyMs?: number
  /** Flags of kube-apiserver (`name=value`) that its API server takes. */
  readonly apiServerFlags?: readonly string[]
}

export interface NodeAllocation {
  /** 1, 2, 3 … */
  readonly number: number
  readonly name: string
  readonly address: string
  readonly podCidr: string
}

/** What the user asked for; what is absent stays as it is, or is chosen. */
export interface ClusterRequest {
  readonly name: string
  readonly nodes?: number | undefined
  readonly simulatedNodes?: number | undefined
  readonly apiPort?: number | undefined
  readonly historyMs?: number | undefined
  /** In the place of those it has; an empty list: none any more. */
  readonly apiServerFlags?: readonly string[] | undefined
}

/** What is already taken on the machine. */
export interface Occupied {
  /** Networks the machine has routes or addresses in, apart from this cluster's own. */
  readonly networks: readonly string[]
  readonly blocks: readonly number[]
  readonly ids: readonly string[]
  readonly apiPorts: readonly number[]
}

const BLOCKS = 32
const NODES_LIMIT = 250

/** Decides a cluster's allocation: kept from `existing` where there is one, so that a second `up` changes nothing. */
export function allocate(request: ClusterRequest, existing: ClusterAllocation | undefined, occupied: Occupied): ClusterAllocation {
  checkRequest(request)
  const simulatedNodes = request.simulatedNodes ?? existing?.simulatedNodes ?? 0
  const onlySimulated = request.simulatedNodes !== undefined && request.simulatedNodes > 0
  const count = request.nodes ?? existing?.nodes.length ?? (onlySimulated ? 0 : 1)
  const base = existing ?? newAllocation(request, occupied)
  return {
    ...base,
    ...(request.historyMs === undefined ? {} : { historyMs: request.historyMs }),
    ...(request.apiServerFlags === undefined ? {} : { apiServerFlags: request.apiServerFlags }),
    apiPort: request.apiPort ?? base.apiPort,
    simulatedNodes,
    nodes: Array.from({ length: count }, (_, index) => existing?.nodes[index] ?? nodeAllocation(base, index + 1)),
  }
}

function checkRequest(request: ClusterRequest): void {
  if (!/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(request.name)) {
    throw new SetupError(
      `"${request.name}" cannot be the name of a cluster`,
      'use at most 40 lower-case letters, digits and dashes, with a letter or digit at both ends',
    )
  }
  if ((request.nodes ?? 0) > NODES_LIMIT) {
    throw new SetupError(
      `${request.nodes} nodes do not fit on one machine's bridge`,
      `ask for at most ${NODES_LIMIT}, and for more with --simulated-nodes`,
    )
  }
}

function newAllocation(request: ClusterRequest, occupied: Occupied): ClusterAllocation {
  const id = shortId(request.name, occupied.ids)
  const { block, networks } = freeBlock(occupied)
  const [nodes, pods, services] = networks
  return {
    version: 1,
    name: request.name,
    id,
    block,
    apiPort: request.apiPort ?? freePort(6443, occupied.apiPorts),
    bridge: `t8s-${id}`,
    nodeCidr: networkText(nodes),
    hostAddress: addressAt(nodes, 254),
    podCidr: networkText(pods),
    serviceCidr: networkText(services),
    dnsAddress: addressAt(services, 10),
    nodePortRange: nodePortRange(block),
    nodes: [],
    simulatedNodes: 0,
  }
}

function nodeAllocation(cluster: ClusterAllocation, number: number): NodeAllocation {
  const pods = parseNetwork(cluster.podCidr)!
  return {
    number,
    name: `node-${number}`,
    address: addressAt(parseNetwork(cluster.nodeCidr)!, number),
    podCidr: networkText({ base: pods.base + number * 256, prefix: 24 }),
  }
}

/**
 * The name itself when it is short enough, else its beginning and a digest: a link's name has at most 15 characters, `t8s-<id>-<node>`.
 * Without dashes, so that nothing of one cluster is named like something of another's node.
 */
function shortId(name: string, taken: readonly string[]): string {
  const digest = createHash('sha256').update(name).digest('hex')
  const beginning = name.replaceAll('-', '').slice(0, 3)
  const candidates = [
    /^[a-z0-9]{1,7}$/.test(name) ? name : undefined,
    ...[0, 4, 8, 12].map(at => `${beginning}${digest.slice(at, at + 4)}`),
  ]
  return candidates.find(id => id !== undefined && !taken.includes(id)) ?? digest.slice(16, 23)
}

/** The networks of block n. Block 0 has the addresses people know from other clusters: pods in 10.244/16, Services in 10.96/16. */
function networksOf(block: number): [nodes: Network, pods: Network, services: Network] {
  const network = (text: string) => parseNetwork(text)!
  return [network(`172.30.${block}.0/24`), network(`10.${224 + ((block + 20) % BLOCKS)}.0.0/16`), network(`10.${96 + block}.0.0/16`)]
}

function freeBlock(occupied: Occupied): { block: number; networks: [Network, Network, Network] } {
  const taken = occupied.networks.map(parseNetwork).filter((network): network is Network => network !== undefined && network.prefix > 0)
  for (let block = 0; block < BLOCKS; block++) {
    if (occupied.blocks.includes(block)) continue
    const networks = networksOf(block)
    if (!networks.some(network => taken.some(other => overlaps(network, other)))) return { block, networks }
  }
  throw new SetupError(
    'No block of addresses is free for another cluster',
    'the networks 172.30.0.0/19, 10.96.0.0/11 and 10.224.0.0/11 are all in use here; end a cluster with "t8s down --purge" or remove routes into them',
  )
}

function nodePortRange(block: number): string {
  const first = block < 10 ? 30_000 - 3_000 * block : 30_000
  return `${first}-${first + 2_767}`
}

function freePort(first: number, taken: readonly number[]): number {
  let port = first
  while (taken.includes(port)) port++
  return port
}
