import type { ClusterLayout, NodeLayout } from '../layout/layout.ts'

/** What of a cluster's network exists. */
export interface SeenNetwork {
  /** Links of the machine's own network namespace. */
  readonly links: ReadonlySet<string>
  /** Network namespaces that are really mounted. */
  readonly netns: ReadonlySet<string>
}

/** Commands for `ip -batch`, in the order they must run. */
export interface NetworkPlan {
  /** Names of namespaces to make, before anything else. */
  readonly createNetns: readonly string[]
  /** Of nodes the cluster no longer has. */
  readonly removeNetns: readonly string[]
  /** Links to namespaces that are gone; the kernel may be removing them by itself. */
  readonly removeLinks: readonly string[]
  /** In the machine's own namespace: before the nodes' and after them. */
  readonly machine: readonly string[]
  readonly nodes: readonly { readonly netns: string; readonly commands: readonly string[] }[]
  readonly routes: readonly string[]
}

/** Every node is a network namespace whose eth0 is a port of the cluster's bridge; nodes and machine reach pods by routes, without NAT. */
export function planNetwork(layout: ClusterLayout, seen: SeenNetwork): NetworkPlan {
  const own = new Set(layout.nodes.map(node => node.netns))
  const isOurs = (name: string) => name.startsWith(`${layout.bridge}-`) && /^\d+$/.test(name.slice(layout.bridge.length + 1))
  const prefix = layout.nodeCidr.split('/')[1]
  // A namespace that is new needs a new link, even if one of that name hangs on the bridge still.
  const linked = (node: NodeLayout) => seen.netns.has(node.netns) && seen.links.has(node.link)
  return {
    createNetns: layout.nodes.filter(node => !seen.netns.has(node.netns)).map(node => node.netns),
    removeNetns: [...seen.netns].filter(name => isOurs(name) && !own.has(name)),
    removeLinks: [...seen.links].filter(link => isOurs(link) && !layout.nodes.some(node => node.link === link && linked(node))),
    machine: [
      ...(seen.links.has(layout.bridge) ? [] : [`link add name ${layout.bridge} address ${bridgeHardwareAddress(layout)} type bridge`]),
      `addr replace ${layout.hostAddress}/${prefix} dev ${layout.bridge}`,
      `link set ${layout.bridge} up`,
      ...layout.nodes.filter(node => !linked(node)).map(node => `link add ${node.link} type veth peer name eth0 netns ${node.netns}`),
      ...layout.nodes.map(node => `link set ${node.link} master ${layout.bridge} up`),
    ],
    nodes: layout.nodes.map(node => ({
      netns: node.netns,
      commands: [
        'link set lo up',
        `addr replace ${node.address}/${prefix} dev eth0`,
        'link set eth0 up',
        `route replace default via ${layout.hostAddress}`,
        ...layout.nodes.filter(other => other !== node).map(other => `route replace ${other.podCidr} via ${other.address}`),
      ],
    })),
    routes: [
      ...layout.nodes.map(node => `route replace ${node.podCidr} via ${node.address} dev ${layout.bridge}`),
      // What the machine sends to a Service the first node's proxy leads on; a proxy on the machine itself comes before the route.
      ...layout.nodes.slice(0, 1).map(node => `route replace ${layout.serviceCidr} via ${node.address} dev ${layout.bridge}`),
    ],
  }
}

/**
 * nftables of the machine's own namespace: traffic that leaves the cluster takes the machine's address, and nodes (not pods) reach the
 * registries that listen on the machine's loopback address at its address on the bridge.
 */
export function hostRules(layout: ClusterLayout, loopbackPorts: readonly number[]): string {
  const inside = `{ ${layout.nodeCidr}, ${layout.podCidr} }`
  const known = `{ ${layout.nodeCidr}, ${layout.podCidr}, ${layout.serviceCidr} }`
  const fromNodes = `iifname "${layout.bridge}" ip saddr ${layout.nodeCidr} ip daddr ${layout.hostAddress}`
  return [
    `table ip ${layout.hostTable}`,
    `delete table ip ${layout.hostTable}`,
    `table ip ${layout.hostTable} {`,
    '  chain prerouting {',
    '    type nat hook prerouting priority dstnat; policy accept;',
    ...(loopbackPorts.length > 0 ? [`    ${fromNodes} tcp dport { ${loopbackPorts.join(', ')} } dnat to 127.0.0.1`] : []),
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    `    ip saddr ${inside} ip daddr != ${known} oifname != "${layout.bridge}" masquerade`,
    '  }',
    '}',
    '',
  ].join('\n')
}

/** nftables of a node's namespace: its loopback address leads to the machine's, at the ports where registries are. */
export function nodeRules(layout: ClusterLayout, loopbackPorts: readonly number[]): string {
  const ports = `{ ${loopbackPorts.join(', ')} }`
  return [
    'table ip t8s',
    'delete table ip t8s',
    'table ip t8s {',
    '  chain output {',
    '    type nat hook output priority -100; policy accept;',
    `    ip daddr 127.0.0.1 tcp dport ${ports} dnat to ${layout.hostAddress}`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    '    ip saddr 127.0.0.1 oifname "eth0" masquerade',
    '  }',
    '}',
    '',
  ].join('\n')
}

/** A fixed one: else a bridge takes over its ports' addresses and changes its own whenever a node comes or goes. */
function bridgeHardwareAddress(layout: ClusterLayout): string {
  return `02:74:38:73:00:${layout.block.toString(16).padStart(2, '0')}`
}
