import type { UserInfo } from '#client/direct/api-handler.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'

/** A write on its way to the store, as admission plugins see it. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** The kind that was asked for; of a subresource with a kind of its own, the kind of the object it belongs to. */
  readonly kind: AnyKind
  /** '' for the object itself. */
  readonly subresource: string
  readonly namespace: string
  /** '' while a name is still to be generated. */
  readonly name: string
  /** What is to be stored, or the body of the subresource; undefined for DELETE. Only `admit` may change it. */
  readonly object: Mutable<ApiObject> | undefined
  /** What is stored; undefined for CREATE and CONNECT. */
  readonly old: ApiObject | undefined
  readonly user: UserInfo
  readonly dryRun: boolean
  /** Texts of `Warning` headers. */
  warn(text: string): void
}

/** One rule on writes. Throws a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string
  /** Changes what is to be stored. */
  admit?(request: AdmissionRequest): void | Promise<void>
  /** Looks at what will be stored, after all changes and after validation. */
  validate?(request: AdmissionRequest): void | Promise<void>
}

/** The plugins in their order. */
export class AdmissionChain {
  readonly #admitting: readonly AdmissionPlugin[]
  readonly #validating: readonly AdmissionPlugin[]

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#admitting = plugins.filter(plugin => plugin.admit)
    this.#validating = plugins.filter(plugin => plugin.validate)
  }

  async admit(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#admitting) {
      const pending = plugin.admit!(request)
      if (pending) await pending
    }
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#validating) {
      const pending = plugin.validate!(request)
      if (pending) await pending
    }
  }
}
