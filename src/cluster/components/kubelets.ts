import type { Logger } from '#base/log/logger.ts'
import type { Credential } from '#base/pki/certificate-authority.ts'
import { run } from '#base/process/run.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { startKubelet } from '#kubelet/kubelet.ts'
import { openCgroups } from '#kubelet/resources/cgroup-fs.ts'
import { linuxMounter } from '#kubelet/volumes/linux-mounter.ts'
import type { ClusterCertificates } from '../certificates/cluster-certificates.ts'
import { PAUSE_IMAGE } from '../containerd/config.ts'
import { BUSYBOX_IMAGE, NODE_IMAGE } from '../images/builtin.ts'
import type { ClusterLayout, NodeLayout } from '../layout/layout.ts'
import { CLUSTER_DOMAIN } from './cluster-dns.ts'

export interface KubeletsOptions {
  readonly layout: ClusterLayout
  readonly certificates: ClusterCertificates
  /** A client that acts as the node of that name. */
  clientFor(node: string): Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** A node's kubelet, and how to end it. */
export interface NodeKubelet {
  readonly node: NodeLayout
  readonly ready: Promise<void>
  /** Has it prove itself to the API server by another certificate. */
  useServing(serving: Credential): void
  stop(): Promise<void>
}

/** All kubelets of a machine listen on one address: each has a port of its own, the first the usual one. */
const kubeletPort = (node: NodeLayout) => 10_249 + node.number

/** What tells the cluster's own nodes from others that joined it. */
const providerIdOf = (layout: ClusterLayout, node: string) => `t8s://${layout.id}/${node}`

/** Deletes the Node objects of nodes that the cluster no longer has, so that nothing is kept or scheduled there. */
export async function forgetDroppedNodes(client: Client, layout: ClusterLayout): Promise<void> {
  const present = new Set(layout.nodes.map(node => node.name))
  const { items } = await client.list(Node)
  const dropped = items.filter(
    ({ metadata, spec }) => spec.providerID?.startsWith(providerIdOf(layout, '')) && !present.has(metadata.name ?? ''),
  )
  await Promise.all(dropped.map(node => client.delete(Node, node)))
}

/** A kubelet for each node, in this process: containers belong to the nodes' containerd and run on when it ends. */
export function startKubelets(options: KubeletsOptions): Promise<NodeKubelet[]> {
  const { layout, certificates, clientFor, clock, random, log } = options
  return Promise.all(
    layout.nodes.map(async node => {
      const { serving } = await certificates.node(node.name, [node.address])
      const kubelet = await startNodeKubelet({
        node,
        client: clientFor(node.name),
        serving,
        clientCA: certificates.authority.certificate,
        address: layout.hostAddress,
        port: kubeletPort(node),
        clusterDNS: layout.dnsAddress,
        podCIDRs: [node.podCidr],
        providerID: providerIdOf(layout, node.name),
        clock,
        random,
        log,
      })
      return { ...kubelet, ready: kubelet.ready.then(() => forwardKubeletPort(layout, node)) }
    }),
  )
}

export interface NodeKubeletOptions {
  readonly node: NodeLayout
  /** Acts as the node. */
  readonly client: Client
  readonly serving: Credential
  /** Signs who may call the kubelet. */
  readonly clientCA: string
  readonly address: string
  readonly port: number
  /** ClusterIP of cluster DNS. */
  readonly clusterDNS: string
  /** Where they are fixed; absent: the cluster gives the node its own. */
  readonly podCIDRs?: readonly string[]
  readonly providerID?: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The kubelet of one node, with the node's containerd, cgroups and directories. */
export async function startNodeKubelet(options: NodeKubeletOptions): Promise<NodeKubelet> {
  const { node, client, serving, clientCA, address, port, clusterDNS, podCIDRs, providerID, clock, random, log } = options
  const { criRuntime } = await import('#kubelet/runtime/cri/cri-runtime.ts') // with gRPC, which simulated nodes do without
  const runtime = criRuntime({ address: `unix://${node.containerd.socket}`, clock, log })
  const kubelet = startKubelet({
    nodeName: node.name,
    client,
    runtime,
    clock,
    random,
    log,
    mounter: linuxMounter,
    cgroups: await openCgroups(node.cgroupRoot),
    rootDirectory: node.kubeletDir,
    logsDirectory: node.podLogsDir,
    nodeIPs: [node.address],
    ...(podCIDRs ? { podCIDRs } : {}),
    ...(providerID === undefined ? {} : { providerID }),
    clusterDNS: [clusterDNS],
    clusterDomain: CLUSTER_DOMAIN,
    staticPodPath: node.manifestsDir,
    images: { keep: [PAUSE_IMAGE, BUSYBOX_IMAGE, NODE_IMAGE] },
    server: { address, port, cert: serving.certificate, key: serving.privateKey, clientCA },
  })
  return {
    node,
    ready: kubelet.ready,
    useServing: ({ certificate, privateKey }) => kubelet.useCertificate(certificate, privateKey),
    async stop() {
      await kubelet.stop()
      runtime.close()
    },
  }
}

/**
 * The kubelet listens on the machine, outside of its node's network: in there its port is led to it, so that the node's own address answers,
 * as it does everywhere.
 */
async function forwardKubeletPort(layout: ClusterLayout, node: NodeLayout): Promise<void> {
  const port = kubeletPort(node)
  const led = `ip daddr ${node.address} tcp dport ${port} meta mark set meta mark or 0x8000 dnat to ${layout.hostAddress}:${port};`
  const rules = `
table ip t8s-kubelet
delete table ip t8s-kubelet
table ip t8s-kubelet {
  chain prerouting {
    type nat hook prerouting priority -101; policy accept;
    ${led}
  }
  chain output {
    type nat hook output priority -101; policy accept;
    ${led}
  }
  chain postrouting {
    type nat hook postrouting priority 99; policy accept;
    meta mark and 0x8000 != 0 masquerade;
  }
}
`
  await run('nsenter', [`--net=${node.netnsPath}`, 'nft', '-f', '-'], { input: rules })
}
