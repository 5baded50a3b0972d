import type { UserInfo } from '#client/direct/api-handler.ts'

/** What a user wants to do. */
export type Attributes = ResourceAttributes | NonResourceAttributes

export interface ResourceAttributes {
  readonly user: UserInfo
  /** get, list, watch, create, update, patch, delete, deletecollection; also impersonate, bind, escalate, approve, sign, use. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  /** '' for cluster-wide resources and for all namespaces. */
  readonly namespace: string
  /** '' for collections. */
  readonly name: string
  /** Selectors of a list, watch or deletecollection, as text. */
  readonly fieldSelector?: string
  readonly labelSelector?: string
}

export interface NonResourceAttributes {
  readonly user: UserInfo
  readonly verb: string
  readonly path: string
}

/** `no opinion` passes on to the next authorizer; when all pass, the request is forbidden. */
export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'no opinion'
  readonly reason: string
}

/** Decides from what is in memory: a decision costs microseconds and never waits, except where a webhook has to be asked. */
export interface Authorizer {
  readonly name: string
  authorize(attributes: Attributes): Decision | Promise<Decision>
  /** The rules of `user` in `namespace`, for `kubectl auth can-i --list`; undefined if this authorizer cannot tell. */
  rulesFor?(user: UserInfo, namespace: string): ResolvedRules | undefined
}

/** What a user may do in a namespace. */
export interface ResolvedRules {
  readonly resourceRules: readonly {
    readonly verbs: readonly string[]
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly resourceNames: readonly string[]
  }[]
  readonly nonResourceRules: readonly { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] }[]
  /** Rules may be missing: something could not be evaluated. */
  readonly incomplete: boolean
  /** Why. */
  readonly problem?: string | undefined
}
