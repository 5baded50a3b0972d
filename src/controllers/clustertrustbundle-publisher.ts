import { sha256Hex } from '#base/pki/digest.ts'
import { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { defineController, type Tools, whole } from './runtime/define-controller.ts'
import { consulted } from './runtime/watches.ts'

const SIGNER = 'kubernetes.io/kube-apiserver-serving'
const BY_SIGNER = 'bundleOfSigner'

/** Publishes the certificates by which pods know the API server as the one bundle of their signer. */
export const clusterTrustBundlePublisherController = defineController({
  name: 'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  featureGates: ['ClusterTrustBundle'],
  reconciles: ClusterTrustBundle,
  watches: [consulted(ClusterTrustBundle, { [BY_SIGNER]: ({ spec }) => [spec.signerName ?? ''] })],
  writes: [whole(ClusterTrustBundle)],
  concurrency: 1,
  triggers(due) {
    // There is something to do even where there is no bundle yet.
    due(`/${SIGNER}`)
    return { [Symbol.dispose]() {} }
  },
  async reconcile(bundle, tools) {
    if (bundle.spec.signerName === SIGNER) await publish(tools)
  },
  gone: (_, tools) => publish(tools),
})

/** What the bundle of a signer with these certificates is called: whoever has others publishes beside it. */
export function bundleName(signerName: string, trustBundle: string): string {
  return `${signerName.replaceAll('/', ':')}:${sha256Hex(trustBundle).slice(0, 24)}`
}

async function publish({ client, list, parameters: { rootCA: trustBundle } }: Tools): Promise<void> {
  if (!trustBundle) return
  const name = bundleName(SIGNER, trustBundle)
  const bundles = list(ClusterTrustBundle, { index: [BY_SIGNER, SIGNER] })
  const present = bundles.find(({ metadata }) => metadata.name === name)
  const spec = { signerName: SIGNER, trustBundle }
  if (!present) {
    await client.create(ClusterTrustBundle, { metadata: { name }, spec }).catch(error => {
      if (!isAlreadyExists(error)) throw error
    })
  } else if (present.spec.trustBundle !== trustBundle) await client.update(ClusterTrustBundle, { ...present, spec })
  for (const { metadata } of bundles) {
    if (metadata.name === name) continue
    await client.delete(ClusterTrustBundle, { name: metadata.name ?? '' }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
}
