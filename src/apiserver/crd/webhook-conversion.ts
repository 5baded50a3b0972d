import type { Random } from '#base/random/random.ts'
import type { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { ConversionPending } from '#machinery/kind/kind.ts'
import { isJsonObject, isSameJson, type JsonObject, valueAt } from '#machinery/patch/json-object.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { WebhookAddress, WebhookClient } from '../webhooks/webhook-client.ts'
import { type Conversion, type ConversionFactory, noConversion } from './conversion.ts'

/** How long a conversion may take. */
const TIMEOUT_MS = 30_000
/** How many objects that are in no cache have their conversion remembered: those of writes under way. */
const REMEMBERED = 100

export interface WebhookConversionOptions {
  readonly webhooks: Pick<WebhookClient, 'post'>
  readonly random: Random
}

/** Conversions as definitions ask for them: by their webhook, or none. */
export function conversions(options: WebhookConversionOptions): ConversionFactory {
  return definition => (definition.spec.conversion.strategy === 'Webhook' ? webhookConversion(definition, options) : noConversion)
}

/**
 * Asks the webhook of a definition. An object is asked about once: what came of it is kept as long as the object is, and for a while for
 * others that say the same, since a write is thought through again after each conversion. Failures are not kept.
 *
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
 */
export function webhookConversion(definition: CustomResourceDefinition, options: WebhookConversionOptions): Conversion {
  const kept = new WeakMap<object, Map<string, JsonObject>>()
  const texts = new Map<string, JsonObject>()
  const find = (object: object, apiVersion: string) => kept.get(object)?.get(apiVersion) ?? texts.get(textKey(object, apiVersion))
  const ask = async (objects: readonly JsonObject[], apiVersion: string) => {
    const converted = await review(objects, apiVersion, definition, options)
    objects.forEach((object, index) => {
      const byVersion = kept.get(object) ?? new Map<string, JsonObject>()
      kept.set(object, byVersion.set(apiVersion, converted[index]!))
    })
    return converted
  }
  const askOne = async (object: JsonObject, apiVersion: string) => {
    const [converted] = await ask([object], apiVersion)
    if (texts.size >= REMEMBERED) texts.delete(texts.keys().next().value!)
    texts.set(textKey(object, apiVersion), converted!)
  }
  const needs = (object: JsonObject, apiVersion: string) => object['apiVersion'] !== apiVersion && !isBare(object)
  return {
    convert(object, apiVersion) {
      if (!needs(object, apiVersion)) return noConversion.convert(object, apiVersion)
      const known = find(object, apiVersion)
      if (!known) throw new ConversionPending(askOne(object, apiVersion))
      return { ...known }
    },
    prepare(objects, apiVersion) {
      const missing = objects.filter(object => needs(object, apiVersion) && !kept.get(object)?.has(apiVersion))
      return missing.length > 0 ? ask(missing, apiVersion).then(() => undefined) : undefined
    },
  }
}

/** What has neither a name nor content, a bookmark, is nobody's to convert. */
function isBare(object: JsonObject): boolean {
  const metadata = valueAt(object, 'metadata')
  const name = isJsonObject(metadata) ? valueAt(metadata, 'name') : undefined
  return !name && Object.keys(object).every(field => field === 'apiVersion' || field === 'kind' || field === 'metadata')
}

function textKey(object: object, apiVersion: string): string {
  return `${apiVersion} ${JSON.stringify(object, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`
}

/** Has the webhook convert objects, and looks at what it made of them. Rejects with the failure that a client is told. */
async function review(
  objects: readonly JsonObject[],
  apiVersion: string,
  definition: CustomResourceDefinition,
  options: WebhookConversionOptions,
): Promise<JsonObject[]> {
  try {
    return await converted(objects, apiVersion, definition, options)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const subject = `${String(objects[0]?.['apiVersion'])}, Kind=${String(objects[0]?.['kind'])}`
    throw new StatusError({ code: 500, reason: '', message: `conversion webhook for ${subject} failed: ${why}`, cause: error })
  }
}

async function converted(
  objects: readonly JsonObject[],
  apiVersion: string,
  { spec }: CustomResourceDefinition,
  { webhooks, random }: WebhookConversionOptions,
): Promise<JsonObject[]> {
  const { clientConfig, conversionReviewVersions = [] } = spec.conversion.webhook ?? {}
  const version = conversionReviewVersions.find(one => one === 'v1' || one === 'v1beta1') ?? 'v1'
  const uid = random.uuid()
  const request = { uid, desiredAPIVersion: apiVersion, objects: objects.map(object => ({ ...object })) }
  const asked = { kind: 'ConversionReview', apiVersion: `apiextensions.k8s.io/${version}`, request }
  const answer = await webhooks.post((clientConfig ?? {}) as WebhookAddress, asked, { timeoutMs: TIMEOUT_MS })
  const response = responseOf(answer, asked.apiVersion, version === 'v1' ? uid : undefined)
  if (response.length !== objects.length) throw new Error(`webhook returned ${response.length} objects, expected ${objects.length}`)
  return objects.map((object, index) => checked(object, response[index], apiVersion, index))
}

function responseOf(answer: unknown, apiVersion: string, uid: string | undefined): readonly unknown[] {
  if (!isJsonObject(answer)) throw new Error('the answer is no object')
  const sent = { kind: valueAt(answer, 'kind'), apiVersion: valueAt(answer, 'apiVersion') }
  if (uid !== undefined && (sent.kind !== 'ConversionReview' || sent.apiVersion !== apiVersion)) {
    throw new Error(
      `expected webhook response of ${apiVersion}, Kind=ConversionReview, got ${String(sent.apiVersion)}, Kind=${String(sent.kind)}`,
    )
  }
  const response = valueAt(answer, 'response')
  if (!isJsonObject(response)) throw new Error('no response provided')
  if (uid !== undefined && response['uid'] !== uid) {
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
  }
  const result = isJsonObject(response['result']) ? response['result'] : {}
  if (result['status'] !== 'Success') {
    const message = typeof result['message'] === 'string' && result['message'] !== '' ? result['message'] : 'conversion request failed'
    throw new Error(message)
  }
  const converted = response['convertedObjects']
  return Array.isArray(converted) ? converted : []
}

/** What may not change is as it was: a webhook converts what an object says, not which one it is. Labels and annotations may change. */
function checked(object: JsonObject, converted: unknown, apiVersion: string, index: number): JsonObject {
  const invalid = (why: string) => new Error(`webhook returned invalid converted object at index ${index}: ${why}`)
  if (!isJsonObject(converted)) throw invalid('it is no object')
  if (converted['apiVersion'] !== apiVersion)
    throw invalid(`invalid groupVersion (expected ${apiVersion}, received ${String(converted['apiVersion'])})`)
  if (converted['kind'] !== object['kind'])
    throw invalid(`invalid kind (expected ${String(object['kind'])}, received ${String(converted['kind'])})`)
  const before = isJsonObject(object['metadata']) ? object['metadata'] : {}
  const after = converted['metadata']
  if (!isJsonObject(after)) throw invalid('missing metadata in converted object')
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if (!isSameJson(before[field] ?? '', after[field] ?? '')) {
      throw invalid(
        `must have the same ${field === 'uid' ? 'UID' : field}: ${String(before[field] ?? '')} != ${String(after[field] ?? '')}`,
      )
    }
  }
  const { labels: _, annotations: __, ...own } = before
  const texts = (field: 'labels' | 'annotations') => {
    const map = after[field]
    if (map === undefined || map === null) return {}
    if (!isJsonObject(map) || Object.values(map).some(text => typeof text !== 'string')) throw invalid(`invalid metadata.${field}`)
    return Object.keys(map).length > 0 ? { [field]: map } : {}
  }
  const metadata = { ...own, ...texts('labels'), ...texts('annotations') }
  const { kind: ___, apiVersion: ____, metadata: _____, ...rest } = converted
  return { kind: object['kind'], apiVersion, metadata, ...rest }
}
