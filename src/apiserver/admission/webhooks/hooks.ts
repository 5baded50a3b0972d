import type { Informers } from '#client/informers/informer.ts'
import type { MutatingWebhook, MutatingWebhookConfiguration } from '#kinds/admissionregistration/v1/mutating-webhook-configuration.ts'
import type { ValidatingWebhook } from '#kinds/admissionregistration/v1/validating-webhook-configuration.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'

/** A webhook with the configuration it is from. */
export interface Hook {
  /** Of its own among all webhooks, also where a configuration names two alike. */
  readonly id: string
  readonly configuration: string
  readonly webhook: ValidatingWebhook & Partial<Pick<MutatingWebhook, 'reinvocationPolicy'>>
}

/** All webhooks of a kind of configuration in the order in which they are asked: by the configuration's name, then as they stand in it. */
export function hooksOf(kind: AnyKind, informers: () => Informers): () => readonly Hook[] {
  let known: readonly Hook[] | undefined
  let isFollowing = false
  return () => {
    const configurations = informers().of(kind)
    if (!isFollowing) {
      isFollowing = true
      configurations.onChange(() => {
        known = undefined
      })
    }
    known ??= ordered(configurations.list() as readonly MutatingWebhookConfiguration[])
    return known
  }
}

function ordered(configurations: readonly MutatingWebhookConfiguration[]): readonly Hook[] {
  const byName = [...configurations].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  return byName.flatMap(configuration => {
    const counts = new Map<string, number>()
    return (configuration.webhooks ?? []).map(webhook => {
      const count = counts.get(webhook.name) ?? 0
      counts.set(webhook.name, count + 1)
      return { id: `${nameOf(configuration)}/${webhook.name}/${count}`, configuration: nameOf(configuration), webhook }
    })
  })
}

function nameOf({ metadata }: MutatingWebhookConfiguration): string {
  return metadata.name ?? ''
}
