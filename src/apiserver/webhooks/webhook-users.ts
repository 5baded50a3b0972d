import type { HttpsTrust } from './https-client.ts'

/** How the server proves itself to a webhook. */
export interface WebhookUser {
  /** The `authorization` header; undefined: there is none. */
  authorization?(): string | undefined | Promise<string | undefined>
  /** Read anew for each call, as it may be renewed. */
  certificate?(): Pick<HttpsTrust, 'certificate' | 'privateKey'>
}

/** Who the server is to which webhook: users by the host and port of webhooks, as a kubeconfig names them. */
export interface WebhookUsers {
  readonly users: ReadonlyMap<string, WebhookUser>
  /** Who it is to all others. */
  readonly fallback: WebhookUser | undefined
}

/**
 * The user for a webhook at `host:port`, where a Service is `name.namespace.svc`: one of that very name, else one of `*.` and the end of it, the
 * longest first. The port of HTTPS may be left out. Else `*`, or whom the kubeconfig's current context names.
 */
export function webhookUserFor({ users, fallback }: WebhookUsers, target: string): WebhookUser | undefined {
  const targets = target.endsWith(HTTPS_PORT) ? [target, target.slice(0, -HTTPS_PORT.length)] : [target]
  for (const name of targets.flatMap(namesFor)) {
    const user = users.get(name)
    if (user) return user
  }
  return users.get('*') ?? fallback
}

const HTTPS_PORT = ':443'

function namesFor(target: string): string[] {
  const labels = target.split('.')
  return [target, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)]
}
