import type { Client } from '#client/client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { equal } from '#machinery/kind/draft.ts'
import { ensureAll } from './ensure.ts'

/** How this server knows its clients: what aggregated servers need to know the same ones, and to believe this server. PEM. */
export interface ExtensionAuthentication {
  readonly clientCa?: string | undefined
  readonly requestHeader?:
    | {
        readonly clientCa: string
        readonly allowedNames: readonly string[]
        readonly usernameHeaders: readonly string[]
        readonly uidHeaders: readonly string[]
        readonly groupHeaders: readonly string[]
        readonly extraHeaderPrefixes: readonly string[]
      }
    | undefined
}

const NAME = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }

/** Tells aggregated servers, by a ConfigMap that they may read, how to find out who sends a request. */
export async function ensureExtensionAuthentication(client: Client, { clientCa, requestHeader }: ExtensionAuthentication): Promise<void> {
  const data: Record<string, string> = {
    ...(clientCa ? { 'client-ca-file': clientCa } : {}),
    ...(requestHeader
      ? {
          'requestheader-allowed-names': JSON.stringify(requestHeader.allowedNames),
          'requestheader-client-ca-file': requestHeader.clientCa,
          'requestheader-extra-headers-prefix': JSON.stringify(requestHeader.extraHeaderPrefixes),
          'requestheader-group-headers': JSON.stringify(requestHeader.groupHeaders),
          'requestheader-uid-headers': JSON.stringify(requestHeader.uidHeaders),
          'requestheader-username-headers': JSON.stringify(requestHeader.usernameHeaders),
        }
      : {}),
  }
  if (Object.keys(data).length === 0) return
  await ensureAll(client, ConfigMap, [{ metadata: NAME, data }], present => {
    const config = present as ConfigMap
    return equal(config.data, data) ? undefined : { ...config, data }
  })
}
