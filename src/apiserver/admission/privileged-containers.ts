import type { PodSpec } from '#kinds/core/v1/pod-spec.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { AdmissionPlugin } from './admission.ts'

interface WithPods {
  readonly spec?: PodSpec & {
    readonly template?: { readonly spec?: PodSpec }
    readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } }
  }
  readonly template?: { readonly spec?: PodSpec }
}

const GROUPS = new Set(['', 'apps', 'batch'])
const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const

/** Refuses privileged containers, in pods and in what makes pods: as upstream does without `--allow-privileged`. */
export const privilegedContainers: AdmissionPlugin = {
  name: 'PrivilegedContainers',
  validate({ kind, object, name, operation }) {
    if (!object || operation === 'CONNECT' || !GROUPS.has(kind.group)) return
    const [path, spec] = podSpecIn(kind.kind, object)
    if (!spec) return
    const errors = new FieldErrors()
    for (const list of LISTS) {
      for (const [index, { securityContext }] of (spec[list] ?? []).entries()) {
        if (!securityContext?.privileged) continue
        errors.at(`${path}.${list}[${index}].securityContext.privileged`).forbidden('disallowed by cluster policy')
      }
    }
    if (!errors.isEmpty) throw invalid(kind, name, errors.all)
  },
}

function podSpecIn(kind: string, object: ApiObject): [path: string, spec: PodSpec | undefined] {
  const { spec, template } = object as unknown as WithPods
  if (kind === 'Pod') return ['spec', spec]
  if (kind === 'PodTemplate') return ['template.spec', template?.spec]
  if (kind === 'CronJob') return ['spec.jobTemplate.spec.template.spec', spec?.jobTemplate?.spec?.template?.spec]
  return ['spec.template.spec', spec?.template?.spec]
}
