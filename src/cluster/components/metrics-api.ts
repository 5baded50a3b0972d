import { request } from 'node:https'
import type { ApiServer } from '#apiserver/api-server.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { addressOfNode, kubeletPortOf } from '#apiserver/subresources/node-address.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { accountOf, accountToken } from '#controllers/service-accounts.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { resourceMetrics } from '#metrics/resource-metrics.ts'
import type { StatsSummary } from '#metrics/stats-summary.ts'
import { applyAddon } from './apply-addon.ts'

export interface MetricsApiOptions {
  readonly server: Pick<ApiServer, 'addComputed'>
  readonly informers: Informers
  /** Acts as the cluster's administrator. */
  readonly client: Client
  readonly kubelets: KubeletConnection
  readonly clock: Clock
  readonly log: Logger
}

/** A kubelet that takes longer says nothing. */
const KUBELET_TIMEOUT_MS = 5_000
/** More than the largest node has to say. */
const SUMMARY_LIMIT_BYTES = 64 << 20

/** Who may see what runs may see what it uses, as where upstream's metrics server is installed. */
const READER = {
  metadata: {
    name: 'system:aggregated-metrics-reader',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
      'rbac.authorization.k8s.io/aggregate-to-view': 'true',
    },
  },
  rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
}

/**
 * Where people look whether there are metrics. With the priorities of upstream's metrics server: who installs that, or another adapter,
 * names a Service in it, and that one answers from then on.
 */
const SERVICE = {
  metadata: { name: `${PodMetrics.version}.${PodMetrics.group}` },
  spec: { group: PodMetrics.group, version: PodMetrics.version, groupPriorityMinimum: 100, versionPriority: 100 },
}

/** Serves `metrics.k8s.io` from what kubelets count: `kubectl top` and autoscalers ask it. Nothing is read until somebody asks. */
export async function serveMetricsApi({ server, informers, client, kubelets, clock, log }: MetricsApiOptions): Promise<void> {
  const metrics = resourceMetrics({ informers, clock, log, readSummary: node => readSummary(node, kubelets) })
  server.addComputed(metrics.nodes)
  server.addComputed(metrics.pods)
  await applyAddon(client, ClusterRole, READER)
  await applyAddon(client, APIService, SERVICE)
}

/** How autoscalers read metrics that other servers serve: as their own account, over the server's port, which leads on to them. */
export function customMetrics(options: CustomMetricsOptions): Disposable & { readonly read: (path: string) => Promise<unknown> } {
  const { url, authority, client, clock } = options
  let http: HttpClient | undefined
  return {
    async read(path) {
      http ??= httpClient({
        server: url,
        clock,
        tls: { ca: authority },
        token: accountToken(client(), clock, accountOf('horizontal-pod-autoscaler-controller')),
        userAgent: 'kube-controller-manager/horizontal-pod-autoscaler',
      })
      return JSON.parse(await http.raw(path)) as unknown
    },
    [Symbol.dispose]() {
      http?.[Symbol.dispose]()
    },
  }
}

export interface CustomMetricsOptions {
  readonly url: string
  /** Signs the server. PEM. */
  readonly authority: string
  /** May ask for tokens of the autoscaler's account. */
  readonly client: () => Client
  readonly clock: Clock
}

/** What the kubelet of a node says of its pods' use of resources. */
async function readSummary(
  node: Node,
  { authority, certificate, privateKey, preferredAddressTypes }: KubeletConnection,
): Promise<StatsSummary> {
  const host = addressOfNode(node, preferredAddressTypes)
  if (host === '') throw new Error(`node ${node.metadata.name} has not said where its kubelet is`)
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({
      host,
      port: kubeletPortOf(node),
      path: '/stats/summary',
      agent: false,
      signal: AbortSignal.timeout(KUBELET_TIMEOUT_MS),
      rejectUnauthorized: authority !== undefined,
      ...(authority ? { ca: authority } : {}),
      ...(certificate && privateKey ? { cert: certificate, key: privateKey } : {}),
    })
    call.on('error', reject)
    call.on('response', response => {
      const parts: Buffer[] = []
      let size = 0
      response.on('error', reject)
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size > SUMMARY_LIMIT_BYTES) call.destroy(new Error('the kubelet says more than anyone would'))
        else parts.push(part)
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(parts).toString())
        else reject(new Error(`the kubelet of ${node.metadata.name} answers ${response.statusCode}`))
      })
    })
    call.end()
  })
  return JSON.parse(text) as StatsSummary
}
