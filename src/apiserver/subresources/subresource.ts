import type { Caller, RequestTarget } from '#client/direct/api-handler.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { Core } from '../registry/core.ts'

/** A request to a subresource that is more than a part of the object. */
export interface SubresourceCall {
  readonly caller: Caller
  readonly target: RequestTarget
  /** The parsed body of a create, update or patch. */
  readonly body: unknown
  /** The parameters of the query. */
  readonly options: Readonly<Record<string, string>>
  readonly dryRun: boolean
  readonly fieldManager: string
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  readonly patch?: 'json' | 'merge' | 'strategic' | 'apply'
  readonly force?: boolean
}

/** What a subresource answers: an object of some kind, and the code if it is not the usual. */
export interface SubresourceAnswer {
  readonly object: object
  readonly code?: number
}

/** How one subresource behaves; a verb that is left out is not supported (405). */
export interface SubresourceHandler {
  /** Group and resource it belongs to; a `*` as resource is for every kind that declares it. */
  readonly group: string
  readonly resource: string
  readonly name: string
  get?(core: Core, call: SubresourceCall): Promise<SubresourceAnswer> | SubresourceAnswer
  create?(core: Core, call: SubresourceCall): Promise<SubresourceAnswer> | SubresourceAnswer
  update?(core: Core, call: SubresourceCall): Promise<SubresourceAnswer> | SubresourceAnswer
  patch?(core: Core, call: SubresourceCall): Promise<SubresourceAnswer> | SubresourceAnswer
}

/** Subresources by resource and name. */
export class Subresources {
  readonly #byName = new Map<string, SubresourceHandler>()

  constructor(handlers: readonly SubresourceHandler[]) {
    for (const handler of handlers) this.#byName.set(`${handler.group}/${handler.resource}/${handler.name}`, handler)
  }

  find(group: string, resource: string, name: string): SubresourceHandler | undefined {
    return this.#byName.get(`${group}/${resource}/${name}`) ?? this.#byName.get(`*/*/${name}`)
  }
}

export type { ApiObject }
