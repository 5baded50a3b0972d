import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Clock } from '#base/time/clock.ts'
import type { HttpClientOptions } from '../http/http-client.ts'
import { tokenFile } from '../http/token-file.ts'
import { KubeconfigError, otherServersOf, parseKubeconfig, type ResolvedContext, resolveContext } from './kubeconfig.ts'

/** What a kubeconfig says of how a cluster is reached. */
export interface KubeconfigClientOptions extends HttpClientOptions {
  /** Servers of the same cluster beside `server`, `https://host:port` each. */
  readonly otherServers: readonly string[]
}

/** How to reach the cluster that a kubeconfig file names, as whom. Relative paths in it are relative to the file. */
export function clientOptionsFromFile(path: string, clock: Clock, context?: string): KubeconfigClientOptions {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new KubeconfigError(`the kubeconfig ${path} cannot be read: check the path and its permissions`, { cause: error })
  }
  const config = parseKubeconfig(text)
  return clientOptions(resolveContext(config, context || config.currentContext), dirname(resolve(path)), clock)
}

/** The same for a context that was read already. Certificate files are read again with each new connection. */
export function clientOptions({ cluster, user }: ResolvedContext, directory: string, clock: Clock): KubeconfigClientOptions {
  if (user.exec) throw new KubeconfigError('credential plugins (users[].user.exec) are not run here: use a certificate or a token')
  const pem = (data: string | undefined, file: string | undefined) => {
    if (data) return Buffer.from(data, 'base64').toString()
    return file ? readFileSync(resolve(directory, file), 'utf8') : undefined
  }
  const { as, asGroups, asUid } = user
  return {
    server: cluster.server.replace(/\/+$/, ''),
    otherServers: otherServersOf(cluster),
    clock,
    tls: () => ({
      ca: pem(cluster.certificateAuthorityData, cluster.certificateAuthority),
      certificate: pem(user.clientCertificateData, user.clientCertificate),
      key: pem(user.clientKeyData, user.clientKey),
      serverName: cluster.tlsServerName,
      insecureSkipVerify: cluster.insecureSkipTlsVerify,
    }),
    ...(user.tokenFile ? { token: tokenFile(resolve(directory, user.tokenFile), clock) } : user.token ? { token: user.token } : {}),
    ...(as ? { impersonate: { user: as, ...(asGroups ? { groups: asGroups } : {}), ...(asUid ? { uid: asUid } : {}) } } : {}),
  }
}
