import type { Informers } from '#client/informers/informer.ts'
import { MutatingWebhookConfiguration } from '#kinds/admissionregistration/v1/mutating-webhook-configuration.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { applyJsonPatch, type Operation } from '#machinery/patch/json-patch.ts'
import { internalError } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isAdmissionConfiguration } from '../match-resources.ts'
import { type Asking, askWebhook, CallFailure } from './ask-webhook.ts'
import { type Hook, hooksOf } from './hooks.ts'
import { matchedWebhook } from './matched-webhook.ts'
import type { Verdict } from './review.ts'
import type { Reviewed } from './reviewed.ts'

/** What the plugin remembers between its two rounds. */
interface Memory {
  /** As it was after the last webhook. */
  output: ApiObject | undefined
  /** Those that want to see what others changed after them. */
  readonly asked: Set<string>
  readonly toAskAgain: Set<string>
}

const NAME = 'MutatingAdmissionWebhook'

/**
 * Lets the webhooks of MutatingWebhookConfigurations change what is written, one after the other. Those that want it
 * (`reinvocationPolicy: IfNeeded`) are asked once more if others changed the object after them.
 */
export function mutatingAdmissionWebhook(
  asking: Asking,
  informers: () => Informers,
  kinds: () => KindRegistry,
  authorizer: Authorizer,
): AdmissionPlugin {
  const hooks = hooksOf(MutatingWebhookConfiguration, informers)
  return {
    name: NAME,
    admit(request) {
      const all = hooks()
      if (all.length === 0 || isAdmissionConfiguration(request)) return
      return admitAll(asking, all, request, { kinds: kinds(), informers: informers(), authorizer })
    },
  }
}

async function admitAll(
  asking: Asking,
  hooks: readonly Hook[],
  request: AdmissionRequest,
  facts: { readonly kinds: KindRegistry; readonly informers: Informers; readonly authorizer: Authorizer },
): Promise<void> {
  const { reinvocation } = request
  const round = reinvocation?.round ?? 0
  const memory = (reinvocation?.memory.get(NAME) as Memory | undefined) ?? { output: undefined, asked: new Set(), toAskAgain: new Set() }
  reinvocation?.memory.set(NAME, memory)
  if (round === 1 && !equal(memory.output, request.object)) askAgain(memory)
  for (const [index, hook] of hooks.entries()) {
    const matched = await matchedWebhook(asking, { type: 'admit', hook, request }, facts)
    if (!matched || (round === 1 && !memory.toAskAgain.has(hook.id))) continue
    const { shown } = matched
    const annotator = annotatorOf(request, hook, `round_${round}_index_${index}`)
    const question = { type: 'admit', hook, request, ...matched } as const
    const changed = await askWebhook(asking, question, verdict => applied(hook, verdict, shown, annotator))
    annotator.mutated(changed ?? false)
    if (changed === undefined) annotator.failedOpen()
    if (changed) {
      askAgain(memory)
      reinvocation?.want()
    }
    if (hook.webhook.reinvocationPolicy === 'IfNeeded') memory.asked.add(hook.id)
  }
  memory.output = request.object && draft(request.object)
}

/** All that were asked up to now are asked again. */
function askAgain({ asked, toAskAgain }: Memory): void {
  for (const id of asked) toAskAgain.add(id)
  asked.clear()
}

/** Changes the object as the webhook says, and tells whether it says anything else now. */
async function applied(
  { webhook: { name } }: Hook,
  { patch, patchType }: Verdict,
  shown: Reviewed,
  annotator: Annotator,
): Promise<boolean> {
  if (patch === '') return false
  const operations = decoded(patch, name)
  if (operations.length === 0) return false
  if (!shown.object) {
    throw internalError(
      new Error(`admission webhook ${quote(name)} attempted to modify the object, which is not supported for this operation`),
    )
  }
  if (patchType !== 'JSONPatch') throw new CallFailure(name, `unsupported patch type ${quote(patchType)}`)
  let changed: boolean
  try {
    changed = await shown.replace(applyJsonPatch(shown.object as unknown as JsonObject, operations, doesNotApply))
  } catch (error) {
    throw internalError(error)
  }
  annotator.patched(operations)
  return changed
}

/** Which step of a patch cannot be taken, in the words of upstream's library. */
function doesNotApply({ op, path = '' }: Operation): Error {
  if (op === 'test') return new Error(`testing value ${path} failed: test failed`)
  return new Error(`${op} operation does not apply: doc is missing path: ${quote(path)}: missing value`)
}

function decoded(patch: string, name: string): readonly unknown[] {
  try {
    const operations = parseJson(Uint8Array.from(atob(patch), char => char.charCodeAt(0)))
    if (!Array.isArray(operations)) throw new Error('it is no list of operations')
    return operations
  } catch (error) {
    throw new CallFailure(name, `received undecodable patch in webhook response: ${(error as Error).message}`, error)
  }
}

type Annotator = ReturnType<typeof annotatorOf>

/** Notes in the audit log what a webhook did. */
function annotatorOf(request: AdmissionRequest, { configuration, webhook: { name } }: Hook, place: string) {
  const note = (prefix: string, value: string) => request.annotate?.(`${prefix}${place}`, value)
  return {
    mutated: (mutated: boolean) => note('mutation.webhook.admission.k8s.io/', JSON.stringify({ configuration, webhook: name, mutated })),
    patched: (patch: readonly unknown[]) => {
      note('patch.webhook.admission.k8s.io/', JSON.stringify({ configuration, webhook: name, patch, patchType: 'JSONPatch' }))
    },
    failedOpen: () => note('failed-open.mutation.webhook.admission.k8s.io/', name),
  }
}
