import type { Registry } from 'prom-client'
import { Audit, type AuditMode } from '#apiserver/audit/audit.ts'
import { AuditPolicy, validateAuditPolicy } from '#apiserver/audit/audit-policy.ts'
import type { AuditSink } from '#apiserver/audit/audit-sink.ts'
import { batchingSink } from '#apiserver/audit/batching-sink.ts'
import { type LineFile, logSink } from '#apiserver/audit/log-sink.ts'
import { truncatingSink } from '#apiserver/audit/truncating-sink.ts'
import { type Post, webhookSink } from '#apiserver/audit/webhook-sink.ts'
import { httpsClient } from '#apiserver/webhooks/https-client.ts'
import type { Logger } from '#base/log/logger.ts'
import { RotatingFile } from '#base/log/rotating-file.ts'
import type { Clock } from '#base/time/clock.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { SetupError } from '../setup-error.ts'
import { readCheckedConfig } from './config-file.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile } from './named-file.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

interface Parts {
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
}

const MEGABYTE = 1024 * 1024
const DAY_MS = 86_400_000
const WEBHOOK_TIMEOUT_MS = 30_000

/**
 * The audit that the flags `--audit-…` ask for; undefined if they ask for none. Rejects with a ConfigFileError for a policy that cannot be
 * used, with a SetupError for a file that cannot be read or written.
 */
export async function auditOf(flags: Flags, parts: Parts): Promise<Audit | undefined> {
  const policyFile = flags['audit-policy-file']
  const text = namedFile('--audit-policy-file', policyFile)
  const sinks = [...(await logOf(flags, parts)), ...webhookOf(flags, parts)]
  if (text === undefined) {
    if (sinks.length > 0) parts.log.warn('no audit events are recorded: there is no --audit-policy-file')
    return undefined
  }
  const kind = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', schema: AuditPolicy }
  const policy = readCheckedConfig<AuditPolicy>(kind, policyFile, text, validateAuditPolicy)
  if (sinks.length === 0) {
    parts.log.warn('no audit events are recorded: there is neither --audit-log-path nor --audit-webhook-config-file')
    return undefined
  }
  return new Audit({ policy, sinks, ...parts })
}

type Sinks = { readonly sink: AuditSink; readonly mode: AuditMode }[]

async function logOf(flags: Flags, { clock }: Parts): Promise<Sinks> {
  const path = flags['audit-log-path']
  if (path === '') return []
  const rotation = {
    maxBytes: (flags['audit-log-maxsize'] || 100) * MEGABYTE,
    maxBackups: flags['audit-log-maxbackup'],
    maxAgeMs: flags['audit-log-maxage'] * DAY_MS,
    compresses: flags['audit-log-compress'],
  }
  const file = path === '-' ? STDOUT : await openLog(path, () => RotatingFile.open(path, rotation, clock))
  const sink = logSink(file, flags['audit-log-format'] as 'json' | 'legacy')
  const limits = { maxEventBytes: flags['audit-log-truncate-max-event-size'], maxBatchBytes: flags['audit-log-truncate-max-batch-size'] }
  return [{ sink: flags['audit-log-truncate-enabled'] ? truncatingSink(sink, limits) : sink, mode: flags['audit-log-mode'] as AuditMode }]
}

const STDOUT: LineFile = {
  append: text => new Promise((resolve, reject) => process.stdout.write(text, error => (error ? reject(error) : resolve()))),
  close: async () => undefined,
}

async function openLog(path: string, open: () => Promise<LineFile>): Promise<LineFile> {
  try {
    return await open()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new SetupError(`--audit-log-path: ${path} cannot be written (${code})`, 'check that its folder is there and may be written to')
  }
}

function webhookOf(flags: Flags, { clock, log, registry: _ }: Parts): Sinks {
  const file = flags['audit-webhook-config-file']
  if (file === '') return []
  const sending = webhookSink({ post: postTo(file, clock), initialBackoffMs: flags['audit-webhook-initial-backoff'], clock, log })
  const limits = {
    maxEventBytes: flags['audit-webhook-truncate-max-event-size'],
    maxBatchBytes: flags['audit-webhook-truncate-max-batch-size'],
  }
  const sink = flags['audit-webhook-truncate-enabled'] ? truncatingSink(sending, limits) : sending
  const mode = flags['audit-webhook-mode'] as AuditMode
  if (mode !== 'batch') return [{ sink, mode }]
  const throttle = { qps: flags['audit-webhook-batch-throttle-qps'], burst: flags['audit-webhook-batch-throttle-burst'] }
  const batching = {
    bufferSize: flags['audit-webhook-batch-buffer-size'],
    maxBatchSize: flags['audit-webhook-batch-max-size'],
    maxWaitMs: flags['audit-webhook-batch-max-wait'],
    throttle: flags['audit-webhook-batch-throttle-enable'] && throttle.qps > 0 ? throttle : undefined,
  }
  const lost = (count: number, error: unknown) =>
    log.error('audit events were lost', { sink: 'webhook', count, error: (error as Error).message })
  return [{ sink: batchingSink(sink, batching, clock, lost), mode }]
}

/** POSTs to the server of a kubeconfig, as its user. Certificates are read anew for each call, so that they may be renewed. */
function postTo(file: string, clock: Clock): Post {
  const { server, tls, token } = clientOptionsFromFile(file, clock)
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:') {
    throw new SetupError(
      `--audit-webhook-config-file: ${file} names the server ${JSON.stringify(server)}`,
      'give it an address with https://',
    )
  }
  const client = httpsClient(clock)
  return async (body, signal) => {
    const { ca, certificate, key, serverName, insecureSkipVerify } = (typeof tls === 'function' ? tls() : tls) ?? {}
    const bearer = typeof token === 'function' ? await token() : token
    return client.call({
      method: 'POST',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || 443),
      ...(serverName ? { serverName } : {}),
      path: `${url.pathname}${url.search}`,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'kube-apiserver-audit',
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      },
      body,
      tls: {
        ...(ca ? { ca } : {}),
        ...(certificate && key ? { certificate, privateKey: key } : {}),
        ...(insecureSkipVerify ? { insecure: true } : {}),
      },
      timeoutMs: WEBHOOK_TIMEOUT_MS,
      signal,
    })
  }
}
