import { beforeEach, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import type { AdmissionRequest } from './admission.ts'
import { type ImagePolicyConfiguration, imagePolicyWebhook } from './image-policy-webhook.ts'

let clock: VirtualClock
let asked: JsonObject[]
let status: object | Error
let annotations: Record<string, string>
beforeEach(() => {
  clock = virtualClock(0)
  asked = []
  status = { allowed: true }
  annotations = {}
})

function plugin(more: Partial<ImagePolicyConfiguration['imagePolicy']> = {}) {
  const ask = async (review: object) => {
    asked.push(review as JsonObject)
    if (status instanceof Error) throw status
    return { status } as unknown as JsonObject
  }
  return imagePolicyWebhook({ ask, clock, config: { imagePolicy: { kubeConfigFile: '/k', ...more } } })
}

const pod = (more: object = {}) =>
  ({
    operation: 'CREATE',
    kind: Pod,
    subresource: '',
    namespace: 'shop',
    name: 'x',
    object: {
      metadata: { name: 'x', annotations: { 'a.image-policy.k8s.io/ticket': '1', other: '2' } },
      spec: { containers: [{ image: 'a' }], initContainers: [{ image: 'b' }], ephemeralContainers: [{ image: 'c' }] },
    },
    annotate: (key: string, value: string) => void Object.assign(annotations, { [key]: value }),
    ...more,
  }) as unknown as AdmissionRequest

it('asks about the images of a pod, with the annotations that are meant for it', async () => {
  await plugin().validate!(pod())
  const spec = { containers: [{ image: 'a' }, { image: 'b' }], annotations: { 'a.image-policy.k8s.io/ticket': '1' }, namespace: 'shop' }
  expect(asked).toMatchObject([{ apiVersion: 'imagepolicy.k8s.io/v1alpha1', kind: 'ImageReview', spec }])
})

it('asks about ephemeral containers alone where they are set, and not about other subresources', async () => {
  await plugin().validate!(pod({ operation: 'UPDATE', subresource: 'ephemeralcontainers' }))
  await plugin().validate!(pod({ operation: 'UPDATE', subresource: 'status' }))
  expect(asked).toMatchObject([{ spec: { containers: [{ image: 'c' }] } }])
})

it('refuses what the webhook refuses, and tells why', async () => {
  status = { allowed: false, reason: 'not signed', auditAnnotations: { why: 'unsigned' } }
  await expect(plugin().validate!(pod())).rejects.toThrow(
    'pods "x" is forbidden: image policy webhook backend denied one or more images: not signed',
  )
  expect(annotations).toEqual({ 'imagepolicywebhook.image-policy.k8s.io/why': 'unsigned' })
  status = {}
  await expect(plugin().validate!(pod())).rejects.toThrow('pods "x" is forbidden: one or more images rejected by webhook backend')
})

it('remembers a yes and a no for as long as it was told', async () => {
  const { validate } = plugin({ allowTTL: 60, denyTTL: -1 })
  await validate!(pod())
  await validate!(pod())
  expect(asked).toHaveLength(1)
  await clock.advance(60_000)
  status = { allowed: false }
  await expect(validate!(pod())).rejects.toThrow('rejected')
  await expect(validate!(pod())).rejects.toThrow('rejected')
  expect(asked).toHaveLength(3)
})

it('refuses while the webhook cannot be asked, unless it is told to let pods pass, which it notes', async () => {
  status = new Error('Post "https://images": EOF')
  await expect(plugin().validate!(pod())).rejects.toThrow('pods "x" is forbidden: Post "https://images": EOF')
  const request = pod()
  await plugin({ defaultAllow: true }).validate!(request)
  expect(request.object!.metadata.annotations).toMatchObject({ other: '2', 'alpha.image-policy.k8s.io/failed-open': 'true' })
  expect(annotations).toEqual({ 'imagepolicywebhook.image-policy.k8s.io/failed-open': 'true' })
})
