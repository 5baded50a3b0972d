import type { Clock } from '#base/time/clock.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { genericFailure } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { type Status, StatusError } from '#machinery/status/status-error.ts'
import type { HttpsAnswer, HttpsClient, HttpsRequest, HttpsTrust } from './https-client.ts'
import type { ServiceResolver } from './service-resolver.ts'

/** Where a webhook is: the `clientConfig` of a webhook configuration, or of a custom resource definition's conversion. */
export interface WebhookAddress {
  readonly url?: string | undefined
  readonly service?:
    | { readonly namespace: string; readonly name: string; readonly path?: string | undefined; readonly port?: number | undefined }
    | undefined
  /** PEM certificates in base64, as objects carry bytes; absent: the authorities that Node knows. */
  readonly caBundle?: string | undefined
}

export interface WebhookCallOptions {
  /** The webhook is told, in whole seconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** How long an answer may be; default: 8 MiB. */
  readonly limitBytes?: number
  /** Headers of a webhook that wants to know who calls. */
  readonly headers?: Readonly<Record<string, string>>
  /** In the place of `caBundle`. */
  readonly trust?: HttpsTrust
  /** How the server proves itself, whomever it believes. */
  readonly credential?: Pick<HttpsTrust, 'certificate' | 'privateKey'> | undefined
  /** Whom the certificate must name, if not the host. */
  readonly serverName?: string | undefined
  /** Default: yes. Token and access reviews are not told. */
  readonly tellsTimeout?: boolean
}

/** Sends reviews to webhooks. */
export interface WebhookClient extends Disposable {
  /**
   * POSTs `review` as JSON and resolves to the parsed answer. Rejects with a StatusError if the webhook answered with a failure, with an
   * Error in the words of Go's client (`Post "https://…": dial tcp …`) if there is no answer that can be read.
   */
  post(address: WebhookAddress, review: object, options: WebhookCallOptions): Promise<unknown>
}

/** A client whose connections are kept for the next call; what it needs of the network is loaded with the first. */
export function webhookClient({ resolver, clock }: { readonly resolver: ServiceResolver; readonly clock: Clock }): WebhookClient {
  let loading: Promise<HttpsClient> | undefined
  let isEnded = false
  const https = () => {
    loading ??= import('./https-client.ts').then(({ httpsClient }) => httpsClient(clock))
    return loading
  }
  return {
    async post(address, review, options) {
      if (isEnded) throw new Error('the server is going down')
      const target = targetOf(address, options)
      const body = new TextEncoder().encode(encodeJson(review))
      let answer: HttpsAnswer
      try {
        const client = await https()
        answer = await client.call({ ...requestOf(target, resolver), ...tlsOf(address, options), ...settingsOf(options), body })
      } catch (error) {
        throw new Error(`Post ${quote(target.url)}: ${(error as Error).message}`, { cause: error })
      }
      return contentOf(answer)
    },
    [Symbol.dispose]() {
      isEnded = true
      void loading?.then(client => client[Symbol.dispose]())
    },
  }
}

interface Target {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly path: string
  readonly service: WebhookAddress['service']
}

function targetOf({ url, service }: WebhookAddress, { timeoutMs, tellsTimeout = true }: WebhookCallOptions): Target {
  const query = tellsTimeout ? `?timeout=${Math.ceil(timeoutMs / 1000)}s` : ''
  if (service) {
    const { namespace, name, path = '/', port = 443 } = service
    const host = `${name}.${namespace}.svc`
    const full = `${path.startsWith('/') ? path : `/${path}`}${query}`
    return { url: `https://${host}:${port}${full}`, host, port, path: full, service }
  }
  if (!url) throw new Error('webhook configuration must have either service or URL')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'https:') throw new Error(`webhook URL ${quote(url)} does not begin with https://`)
  const path = `${parsed.pathname}${query}`
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return { url: `https://${parsed.host}${path}`, host, port: Number(parsed.port || 443), path, service: undefined }
}

/** The name stays the Service's, for its certificate; the connection goes to who is behind it. */
function requestOf({ host, port, path, service }: Target, resolver: ServiceResolver): Omit<HttpsRequest, 'timeoutMs'> {
  if (!service) return { method: 'POST', host, port, path, serverName: host }
  const place = resolver.resolve(service.namespace, service.name, port)
  return { method: 'POST', host: place.host, port: place.port, path, serverName: host, authority: `${host}:${port}` }
}

function tlsOf({ caBundle }: WebhookAddress, { trust, credential }: WebhookCallOptions): { readonly tls?: HttpsTrust } {
  const believed = trust ?? (caBundle ? { ca: textOfBundle(caBundle) } : undefined)
  return believed || credential ? { tls: { ...believed, ...credential } } : {}
}

/** `host:port` of a webhook, as kubeconfigs name its user. */
export function hostPortOf({ url, service }: WebhookAddress): string {
  if (service) return `${service.name}.${service.namespace}.svc:${service.port ?? 443}`
  const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
  return parsed ? `${parsed.hostname}:${parsed.port || 443}` : ''
}

function settingsOf({
  timeoutMs,
  signal,
  limitBytes,
  headers,
  serverName,
}: WebhookCallOptions): Pick<HttpsRequest, 'timeoutMs' | 'headers'> {
  return {
    timeoutMs,
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'kube-apiserver-admission', ...headers },
    ...(serverName ? { serverName } : {}),
    ...(signal ? { signal } : {}),
    ...(limitBytes ? { limitBytes } : {}),
  }
}

/** PEM text out of the base64 that objects carry. */
export function textOfBundle(caBundle: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(caBundle), char => char.charCodeAt(0)))
}

/** Whatever type the answer says it has, it is read as JSON: upstream does, since many webhooks do not say. */
function contentOf({ status, contentType, retryAfter, body }: HttpsAnswer): unknown {
  const isGood = status >= 200 && status <= 206
  if (isGood) return parseJson(body)
  const told = statusIn(body)
  if (told) throw StatusError.from({ code: status, ...told })
  const text = contentType.startsWith('text/') ? new TextDecoder().decode(body.subarray(0, ERROR_BYTES)).trim() : 'unknown'
  const retryAfterSeconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0
  throw genericFailure({ code: status, verb: 'POST', serverMessage: text, retryAfterSeconds, isUnexpected: true })
}

const ERROR_BYTES = 2048

function statusIn(body: Uint8Array): Status | undefined {
  try {
    const value = parseJson(body) as Partial<Status> | null
    return value?.kind === 'Status' && value.apiVersion === 'v1' ? (value as Status) : undefined
  } catch {
    return undefined
  }
}
