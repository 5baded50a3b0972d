import type { UserInfo } from '#client/direct/api-handler.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { managedFieldsKeeper } from './managed-fields.ts'

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
  /** `CreateOptions`, `UpdateOptions` or `DeleteOptions` as the client gave them; undefined for CONNECT. */
  readonly options?: object | undefined
  /** Texts of `Warning` headers. */
  warn(text: string): void
  /** Has something noted in the audit log. */
  annotate?(key: string, value: string): void
  /** How plugins whose changes others should see have them look again. */
  readonly reinvocation?: Reinvocation
}

/** Who changes an object after others have looked at it has them look again, once. */
export class Reinvocation {
  #round = 0
  #isWanted = false
  #memory: Map<string, unknown> | undefined

  /** What plugins remember of the first round, by their names. */
  get memory(): Map<string, unknown> {
    this.#memory ??= new Map()
    return this.#memory
  }

  /** 0, or 1 where plugins are asked again. */
  get round(): 0 | 1 {
    return this.#round as 0 | 1
  }

  get isWanted(): boolean {
    return this.#isWanted
  }

  /** The object was changed. */
  want(): void {
    this.#isWanted = true
  }

  begin(): void {
    this.#round = 1
  }
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
    const keepManagedFields = managedFieldsKeeper(request)
    await this.#admitOnce(request)
    const { reinvocation } = request
    if (reinvocation?.isWanted) {
      reinvocation.begin()
      await this.#admitOnce(request)
    }
    keepManagedFields()
  }

  async #admitOnce(request: AdmissionRequest): Promise<void> {
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
