import { RecentMap } from '#base/collections/recent-map.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { boolean, int64, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { AskReview } from '../webhooks/review-webhook.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const ImagePolicy = message('io.k8s.imagepolicy.ImagePolicyWebhookConfiguration', {
  kubeConfigFile: required(1, string, 'Where the webhook is.'),
  allowTTL: omitempty(2, int64, 'Seconds for which a yes counts; -1: it does not; default: 300.'),
  denyTTL: omitempty(3, int64, 'Seconds for which a no counts; -1: it does not; default: 30.'),
  retryBackoff: omitempty(4, int64, 'Milliseconds until the webhook is asked again; default: 500.'),
  defaultAllow: omitempty(5, boolean, 'Whether pods may be while the webhook cannot be asked.'),
})

/** Who decides about images (imagepolicy.admission.k8s.io/v1alpha1, `ImagePolicyWebhookConfiguration`). */
export const ImagePolicyConfiguration = message('io.k8s.imagepolicy.AdmissionConfig', {
  imagePolicy: required(1, ImagePolicy, 'Whom to ask.'),
})
export interface ImagePolicyConfiguration extends StoredOf<typeof ImagePolicyConfiguration> {}

/** The ranges of durations, each with its unit and default, all in ms. */
const DURATIONS = {
  retryBackoff: { unit: 1, min: 0, max: 300_000, usual: 500, range: 'between 1ns and 5m0s' },
  allowTTL: { unit: 1000, min: 1000, max: 1_800_000, usual: 300_000, range: 'between 1s and 30m0s' },
  denyTTL: { unit: 1000, min: 1000, max: 1_800_000, usual: 30_000, range: 'between 1s and 30m0s' },
} as const

/** Reports durations out of their ranges. */
export function validateImagePolicy({ imagePolicy }: ImagePolicyConfiguration, errors: FieldErrors): void {
  const at = errors.at('imagePolicy')
  if (imagePolicy.kubeConfigFile === '') at.at('kubeConfigFile').required('name a kubeconfig that says where the webhook is')
  for (const [name, { unit, min, max, range }] of Object.entries(DURATIONS)) {
    const value = imagePolicy[name as keyof typeof DURATIONS] ?? 0
    const isInRange = value * unit > min && value * unit <= max
    if (value !== 0 && value !== -1 && !isInRange) at.at(name).invalid(value, `valid value is ${range}`)
  }
}

/** A duration of a configuration in ms: 0 where it is turned off by -1. */
export function imagePolicyMs({ imagePolicy }: ImagePolicyConfiguration, name: keyof typeof DURATIONS): number {
  const value = imagePolicy[name] ?? 0
  if (value === -1) return 0
  return value === 0 ? DURATIONS[name].usual : value * DURATIONS[name].unit
}

export interface ImagePolicyOptions {
  readonly ask: AskReview
  readonly clock: Clock
  readonly config: ImagePolicyConfiguration
}

interface Answer {
  readonly allowed: boolean
  readonly reason: string
  readonly auditAnnotations: Readonly<Record<string, string>>
}

/** So many answers are remembered. */
const REMEMBERED = 1024
const AUDIT = 'imagepolicywebhook.image-policy.k8s.io'
const FAILED_OPEN = 'alpha.image-policy.k8s.io/failed-open'

/** Lets a webhook decide by an ImageReview (imagepolicy.k8s.io/v1alpha1) which images pods may use. */
export function imagePolicyWebhook({ ask, clock, config }: ImagePolicyOptions): AdmissionPlugin {
  const remembered = new RecentMap<string, { readonly answer: Answer; readonly until: number }>(REMEMBERED)
  const answerTo = async (spec: object): Promise<Answer> => {
    const key = JSON.stringify(spec)
    const known = remembered.get(key)
    if (known && clock.monotonic() < known.until) return known.answer
    const answer = answerIn(await ask({ kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', metadata: {}, spec, status: {} }))
    const keptMs = imagePolicyMs(config, answer.allowed ? 'allowTTL' : 'denyTTL')
    if (keptMs > 0) remembered.set(key, { answer, until: clock.monotonic() + keptMs })
    return answer
  }
  return {
    name: 'ImagePolicyWebhook',
    async validate(request) {
      const images = imagesOf(request)
      if (!images) return
      const pod = request.object!
      const refuse = (why: string) => forbidden({ group: '', resource: 'pods' }, pod.metadata.name ?? '', why)
      let answer: Answer
      try {
        answer = await answerTo({
          containers: images.map(image => ({ image })),
          ...askingAnnotations(pod),
          namespace: request.namespace,
        })
      } catch (error) {
        if (!config.imagePolicy.defaultAllow) throw refuse((error as Error).message)
        request.annotate?.(`${AUDIT}/failed-open`, 'true')
        const metadata = pod.metadata as Mutable<ApiObject['metadata']>
        metadata.annotations = { ...metadata.annotations, [FAILED_OPEN]: 'true' }
        return
      }
      for (const [key, value] of Object.entries(answer.auditAnnotations)) request.annotate?.(`${AUDIT}/${key}`, value)
      if (answer.allowed) return
      if (answer.reason !== '') throw refuse(`image policy webhook backend denied one or more images: ${answer.reason}`)
      throw refuse('one or more images rejected by webhook backend')
    },
  }
}

/** The images to ask about; undefined if the request is not about any. */
function imagesOf({ operation, kind, subresource, object }: AdmissionRequest): string[] | undefined {
  if (kind.kind !== 'Pod' || kind.group !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined
  const { containers, initContainers = [], ephemeralContainers = [] } = (object as unknown as Pod).spec ?? {}
  if (subresource === '') return [...containers, ...initContainers].map(({ image = '' }) => image)
  return subresource === 'ephemeralcontainers' ? ephemeralContainers.map(({ image = '' }) => image) : undefined
}

/** Annotations by which a pod may ask the webhook for something. */
function askingAnnotations({ metadata }: ApiObject): { readonly annotations?: Record<string, string> } {
  const told = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.includes('.image-policy.k8s.io/'))
  return told.length > 0 ? { annotations: Object.fromEntries(told) } : {}
}

function answerIn({ status }: JsonObject): Answer {
  const { allowed, reason = '', auditAnnotations } = (status ?? {}) as Partial<Answer>
  return { allowed: allowed === true, reason: String(reason), auditAnnotations: auditAnnotations ?? {} }
}
