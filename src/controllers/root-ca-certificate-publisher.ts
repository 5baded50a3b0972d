import { exponentialBounds } from '#base/metrics/labelled-series.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { hasCause, isAlreadyExists, StatusError } from '#machinery/status/status-error.ts'
import { counter, histogram } from './runtime/controller-metrics.ts'
import { defineController, type Tools, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.'

const HELP = 'Number of namespace syncs happened in root ca cert publisher.'
const syncs = counter('root_ca_cert_publisher_sync_total', HELP, ['code'])
const syncTimes = histogram('root_ca_cert_publisher_sync_duration_seconds', HELP, ['code'], exponentialBounds(0.001, 2, 15))

/** Puts the certificates by which pods know the API server into every namespace. */
export const rootCACertificatePublisherController = defineController({
  name: 'root-ca-certificate-publisher-controller',
  reconciles: Namespace,
  watches: [mapped(ConfigMap, ({ metadata }) => (metadata.name === NAME ? [`/${metadata.namespace}`] : []))],
  writes: [whole(ConfigMap)],
  async reconcile(namespace, tools) {
    const since = tools.clock.monotonic()
    let code = '200'
    try {
      await publish(namespace, tools)
    } catch (error) {
      code = String(error instanceof StatusError ? error.code : 500)
      throw error
    } finally {
      tools.metrics.count(syncs, [code])
      tools.metrics.observe(syncTimes, [code], (tools.clock.monotonic() - since) / 1000)
    }
  },
})

async function publish({ metadata, status }: Namespace, { client, get, parameters }: Tools): Promise<void> {
  const { name: namespace = '', deletionTimestamp } = metadata
  if (parameters.rootCA === undefined || deletionTimestamp || status.phase === 'Terminating') return
  const present = get(ConfigMap, namespace, NAME)
  const data = { 'ca.crt': parameters.rootCA }
  const annotations = { ...present?.metadata.annotations, 'kubernetes.io/description': DESCRIPTION }
  const isRight = present?.data?.['ca.crt'] === parameters.rootCA && Object.keys(present.data).length === 1
  if (isRight && present.metadata.annotations?.['kubernetes.io/description'] === DESCRIPTION) return
  if (present) {
    await client.update(ConfigMap, { ...present, metadata: { ...present.metadata, annotations }, data, binaryData: undefined })
    return
  }
  try {
    await client.create(ConfigMap, { metadata: { name: NAME, namespace, annotations }, data })
  } catch (error) {
    if (!isAlreadyExists(error) && !hasCause(error, 'NamespaceTerminating')) throw error
  }
}
