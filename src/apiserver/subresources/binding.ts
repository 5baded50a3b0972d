import { Binding } from '#kinds/core/v1/binding.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { ShallowDraft } from '#machinery/kind/draft.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { badRequest, conflict } from '#machinery/status/failures.ts'
import { textOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { objectFrom } from '../registry/body.ts'
import { type Core, timestamp } from '../registry/core.ts'
import { rewrite } from '../registry/rewrite.ts'
import { admitBody } from './admit-body.ts'
import type { SubresourceCall, SubresourceHandler } from './subresource.ts'
import { success } from './success.ts'

/** `pods/binding`: the scheduler says on which node a pod is to run. */
export const podBinding: SubresourceHandler = {
  group: '',
  resource: 'pods',
  name: 'binding',
  create: bind,
}

/** A POST to `bindings` itself: the old way to say the same. */
export const bindings: SubresourceHandler = { group: '', resource: 'bindings', name: '', create: bind }

/** Binds the pod that is called as the binding: also what a POST to `bindings` does. */
export async function bind(core: Core, call: SubresourceCall) {
  const { target, dryRun } = call
  const request = { ...call, kind: Binding, namespace: target.namespace, name: target.name, subresource: '' }
  const binding = objectFrom({ value: call.body }, request, core.kinds) as Binding
  const name = target.name || binding.metadata.name || ''
  if (target.name !== '' && binding.metadata.name !== target.name) throw badRequest('name in URL does not match name in Binding object')
  if (binding.metadata.namespace && binding.metadata.namespace !== target.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  const pods = core.kinds.byKind('', 'v1', 'Pod')!
  await admitBody(core, call, 'binding', binding, { kind: pods, name })
  checkTarget(binding)
  await rewrite(
    core,
    { kind: pods, namespace: target.namespace, name },
    object => assign(object as ShallowDraft<Pod>, binding, core.clock.now()),
    {
      dryRun,
    },
  )
  return { object: success(201), code: 201 }
}

function checkTarget({ target }: Binding): void {
  const errors = new FieldErrors()
  const at = errors.at('target')
  if (target.kind && target.kind !== 'Node') at.at('kind').notSupported(target.kind, ['Node', '<empty>'])
  if (!target.name) at.at('name').required()
  if (errors.isEmpty) return
  throw new StatusError({ code: 500, reason: '', message: errors.all.map(textOf).join(', ') })
}

function assign(pod: ShallowDraft<Pod>, { target, metadata }: Binding, now: number): void {
  const name = pod.metadata.name ?? ''
  const refuse = (why: string) => conflict({ group: '', resource: 'pods/binding' }, name, why)
  if (metadata.uid && metadata.uid !== pod.metadata.uid) {
    throw refuse(`Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${pod.metadata.uid}`)
  }
  if (pod.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${quote(pod.spec.nodeName)}`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  const wrong = nameIsDNSSubdomain(target.name ?? '', false)
  if (wrong.length > 0) throw badRequest(wrong.join(', '))
  pod.spec.nodeName = target.name!
  if (metadata.annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...metadata.annotations }
  if (metadata.labels) pod.metadata.labels = { ...pod.metadata.labels, ...metadata.labels }
  const others = (pod.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  const scheduled = { type: 'PodScheduled', status: 'True' as const, lastProbeTime: null, lastTransitionTime: timestamp(now) }
  pod.status.conditions = [...others, scheduled]
}
