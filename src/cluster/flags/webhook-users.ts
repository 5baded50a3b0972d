import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { WebhookUser, WebhookUsers } from '#apiserver/webhooks/webhook-users.ts'
import type { Clock } from '#base/time/clock.ts'
import { clientOptions } from '#client/kubeconfig/client-options.ts'
import { KubeconfigError, type KubeconfigUser, parseKubeconfig } from '#client/kubeconfig/kubeconfig.ts'
import { message, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ConfigFileError } from './config-file.ts'

/** What the webhook plugins are told (apiserver.config.k8s.io/v1). */
export const WebhookAdmissionConfiguration = message('io.k8s.apiserver.config.v1.WebhookAdmissionConfiguration', {
  kubeConfigFile: required(1, string, 'A kubeconfig whose users are named after webhooks.'),
})
export interface WebhookAdmissionConfiguration extends StoredOf<typeof WebhookAdmissionConfiguration> {}

/** Reads the users of a kubeconfig. Throws a ConfigFileError that begins with `place` if it cannot be used. */
export function webhookUsers(place: string, file: string, clock: Clock): WebhookUsers {
  try {
    const { users, contexts, currentContext } = parseKubeconfig(readFileSync(file, 'utf8'))
    const known = new Map([...users].map(([name, user]) => [name, webhookUser(user, dirname(resolve(file)), clock)]))
    return { users: known, fallback: known.get(contexts.get(currentContext)?.user ?? '') }
  } catch (error) {
    const isKnown = error instanceof KubeconfigError || (error as NodeJS.ErrnoException).code !== undefined
    if (!isKnown) throw error
    throw new ConfigFileError(`${place}: ${file} cannot be used: ${(error as Error).message}`)
  }
}

function webhookUser(user: KubeconfigUser, directory: string, clock: Clock): WebhookUser {
  if (user.as !== undefined) throw new KubeconfigError('webhooks are not asked in the name of others (users[].user.as)')
  const { token, tls } = clientOptions({ name: '', namespace: '', cluster: { server: '' }, user }, directory, clock)
  const { username, password = '' } = user
  return {
    async authorization() {
      const bearer = typeof token === 'function' ? await token() : token
      if (bearer) return `Bearer ${bearer}`
      return username ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` : undefined
    },
    certificate() {
      const { certificate, key } = typeof tls === 'function' ? tls() : (tls ?? {})
      return certificate && key ? { certificate, privateKey: key } : {}
    },
  }
}
