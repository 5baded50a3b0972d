import type { Informers } from '#client/informers/informer.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'

/** A policy with the bindings that put it to use. */
export interface BoundPolicy<P, B> {
  readonly policy: P
  readonly bindings: readonly B[]
}

/** All policies that some binding puts to use, by name, and their bindings by name. Worked out when either changed. */
export function boundPolicies<P extends ApiObject, B extends ApiObject & { readonly spec: { readonly policyName?: string | undefined } }>(
  policyKind: AnyKind,
  bindingKind: AnyKind,
  informers: () => Informers,
): () => readonly BoundPolicy<P, B>[] {
  let known: readonly BoundPolicy<P, B>[] | undefined
  let isFollowing = false
  return () => {
    const policies = informers().of(policyKind)
    const bindings = informers().of(bindingKind)
    if (!isFollowing) {
      isFollowing = true
      const forget = () => {
        known = undefined
      }
      policies.onChange(forget)
      bindings.onChange(forget)
    }
    known ??= bound(policies.list() as unknown as readonly P[], bindings.list() as unknown as readonly B[])
    return known
  }
}

function bound<P extends ApiObject, B extends ApiObject & { readonly spec: { readonly policyName?: string | undefined } }>(
  policies: readonly P[],
  bindings: readonly B[],
): readonly BoundPolicy<P, B>[] {
  const byName = <T extends ApiObject>(objects: readonly T[]) => [...objects].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const ordered = byName(bindings)
  return byName(policies).flatMap(policy => {
    const own = ordered.filter(binding => binding.spec.policyName === nameOf(policy))
    return own.length === 0 ? [] : [{ policy, bindings: own }]
  })
}

export function nameOf({ metadata }: ApiObject): string {
  return metadata.name ?? ''
}
