import { hmacSha256 } from '#base/pki/digest.ts'
import { BOOTSTRAP_TOKEN_TYPE, type BootstrapToken, bootstrapTokenOf } from '#kinds/core/v1/bootstrap-token.facts.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' }
const PREFIX = 'jws-kubeconfig-'

/** Signs the public ConfigMap `cluster-info` with every bootstrap token, so that a machine that has one can tell the true cluster. */
export const bootstrapSignerController = defineController({
  name: 'bootstrap-signer-controller',
  reconciles: ConfigMap,
  watches: [
    mapped(Secret, ({ type, metadata }) =>
      type === BOOTSTRAP_TOKEN_TYPE && metadata.namespace === 'kube-system' ? [`${CLUSTER_INFO.namespace}/${CLUSTER_INFO.name}`] : [],
    ),
  ],
  writes: [whole(ConfigMap)],
  async reconcile(info, { client, list, now, again }) {
    const { namespace, name } = info.metadata
    const content = info.data?.['kubeconfig']
    if (namespace !== CLUSTER_INFO.namespace || name !== CLUSTER_INFO.name || content === undefined) return
    const tokens = list(Secret, { namespace: 'kube-system' }).flatMap(secret => bootstrapTokenOf(secret) ?? [])
    for (const { expiresMs } of tokens) if (expiresMs !== undefined && expiresMs > now) again(expiresMs - now)
    const data = { ...withoutSignatures(info.data ?? {}), ...signaturesOf(content, tokens, now) }
    if (isSame(data, info.data ?? {})) return
    await client.update(ConfigMap, { ...info, data })
  },
})

/** A detached signature (RFC 7515, appendix F) by each token that may sign, under upstream's keys. */
export function signaturesOf(content: string, tokens: readonly BootstrapToken[], now: number): Record<string, string> {
  const signed = tokens.filter(({ usages, expiresMs }) => usages.includes('signing') && (expiresMs === undefined || expiresMs > now))
  return Object.fromEntries(
    signed.map(({ id, secret }) => {
      const header = base64url(JSON.stringify({ alg: 'HS256', kid: id }))
      return [PREFIX + id, `${header}..${hmacSha256(`${id}.${secret}`, `${header}.${base64url(content)}`)}`]
    }),
  )
}

function withoutSignatures(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith(PREFIX)))
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key])
}

function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
