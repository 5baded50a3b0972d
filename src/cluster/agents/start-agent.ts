import type { Logger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import { followKubernetesServers } from '#client/balancer/kubernetes-servers.ts'
import { ServerList } from '#client/balancer/server-list.ts'
import { readServersFile, writeServersFile } from '#client/balancer/servers-file.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { healthOnNodePorts } from '#proxy/health.ts'
import { startProxy } from '#proxy/proxy.ts'
import { keepRenewed } from '../certificates/keep-renewed.ts'
import { startNodeKubelet } from '../components/kubelets.ts'
import { nodesReady } from '../components/readiness.ts'
import type { Progress } from '../progress/progress.ts'
import type { AgentCertificates } from './agent-certificates.ts'
import type { AgentLayout } from './agent-record.ts'
import { connectPods } from './pod-network.ts'
import { renewAgentCertificates } from './renew-agent-certificates.ts'

export interface AgentOptions {
  readonly layout: AgentLayout
  readonly certificates: AgentCertificates
  readonly clock: Clock
  readonly log: Logger
  readonly progress: Progress
}

/** The kubelet and the proxy of this machine, in this process. */
export interface Agent {
  /** Lets go of everything; containers and rules stay, for the next start. */
  stop(): Promise<void>
}

const KUBELET_PORT = 10_250
const PAUSE_MS = 500

/** Starts kubelet, proxy and pod network of a machine whose containerd runs, and returns once its node is ready. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { layout, certificates, clock, log, progress } = options
  const random = systemRandom()
  const ending: (() => unknown)[] = []
  const stop = async () => {
    for (const end of ending.splice(0).reverse()) await end()
  }
  const servers = new ServerList({ seeds: [layout.server], clock, random, log })
  servers.set(readServersFile(layout.serversFile))
  let newest = certificates
  const clientOf = (user: 'kubelet' | 'proxy') => {
    const tls = () => ({ ca: newest.authority, certificate: newest[user].certificate, key: newest[user].privateKey })
    const client = httpClient({ server: layout.server, servers, clock, tls, userAgent: `${user}/typernetes` })
    ending.push(() => client[Symbol.dispose]())
    return client
  }
  try {
    const [asNode, asProxy] = [clientOf('kubelet'), clientOf('proxy')]
    await progress.step('find the servers', note => untilReachable(asProxy, clock, note))
    const informers = newInformers({ client: asProxy, clock, log })
    ending.push(() => informers[Symbol.asyncDispose]())
    const following = followKubernetesServers(informers.of(EndpointSlice), known => {
      servers.set(known)
      writeServersFile(layout.serversFile, known)
      log.info('the servers of the cluster are known', { servers: known })
    })
    ending.push(() => following[Symbol.dispose]())
    const pods = await connectPods(layout, informers.of(Node), clock, log)
    ending.push(() => pods.stop())
    await progress.step('serve Services', async () => {
      const proxy = startProxy({
        table: 'kube-proxy',
        nodeName: layout.nodeName,
        network: [],
        facts: {
          clusterCIDRs: [layout.cluster.podCidr],
          serviceCIDRs: [layout.cluster.serviceCidr],
          families: ['ip'],
          loopbackNodePorts: true,
        },
        services: informers.of(Service),
        endpointSlices: informers.of(EndpointSlice),
        nodes: informers.of(Node),
        openHealth: healthOnNodePorts(),
        run,
        clock,
        log,
      })
      ending.push(() => proxy.stop())
      await proxy.ready()
    })
    await progress.step('start the kubelet', async note => {
      const kubelet = await startNodeKubelet({
        node: layout.node,
        client: asNode,
        serving: certificates.serving,
        clientCA: certificates.authority,
        address: '0.0.0.0',
        port: KUBELET_PORT,
        clusterDNS: layout.cluster.dnsAddress,
        providerID: `t8s://${layout.id}/${layout.nodeName}`,
        clock,
        random,
        log,
      })
      ending.push(() => kubelet.stop())
      await kubelet.ready
      await nodesReady(informers, [layout.nodeName], clock)
      note('Ready')
      const renewal = keepRenewed({
        clock,
        log,
        present: certificates,
        read: () => renewAgentCertificates(layout, newest, clock),
        use(renewed) {
          newest = renewed
          kubelet.useServing(newest.serving)
          for (const client of [asNode, asProxy]) client.reconnect()
        },
        authorities: { ca: certificates.authority },
      })
      ending.push(() => renewal[Symbol.dispose]())
    })
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A machine may start before the servers do. */
async function untilReachable(client: HttpClient, clock: Clock, note: (text: string) => void): Promise<void> {
  for (;;) {
    try {
      await client.raw('/readyz')
      return
    } catch (error) {
      note((error as Error).message)
      await sleep(clock, PAUSE_MS)
    }
  }
}
