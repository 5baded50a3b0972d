import type { DeleteOptions, WriteOptions } from '#client/client.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { type AdmissionRequest, Reinvocation } from '../admission/admission.ts'
import type { WriteRequest } from './write-request.ts'

type Asked = Pick<WriteRequest, 'kind' | 'subresource' | 'namespace' | 'name' | 'caller' | 'dryRun'>

/** What is done to which object. */
export interface Operation {
  readonly operation: AdmissionRequest['operation']
  readonly object: Mutable<ApiObject> | undefined
  readonly old?: ApiObject | undefined
  /** As the client gave them. */
  readonly options?: WriteOptions | DeleteOptions | undefined
}

/** A write as admission sees it. The name of an object that is created may come late. */
export function admissionOf(asked: Asked, operation: Operation): AdmissionRequest {
  return new AdmittedWrite(asked, operation)
}

/** Hot: bench/loops — there is one for each write, alive until that is on the disk: an object with getters and functions of its own is large. */
class AdmittedWrite implements AdmissionRequest {
  readonly operation: AdmissionRequest['operation']
  readonly kind: AnyKind
  readonly subresource: string
  readonly object: Mutable<ApiObject> | undefined
  readonly old: ApiObject | undefined
  readonly dryRun: boolean
  readonly reinvocation = new Reinvocation()
  readonly #asked: Asked
  readonly #options: WriteOptions | DeleteOptions

  constructor(asked: Asked, { operation, object, old, options = {} }: Operation) {
    this.operation = operation
    this.kind = asked.kind
    this.subresource = asked.subresource
    this.object = object
    this.old = old
    this.dryRun = asked.dryRun
    this.#asked = asked
    this.#options = options
  }

  get namespace(): string {
    const isNamespace = this.kind.kind === 'Namespace' && this.kind.group === ''
    return isNamespace ? this.name : this.#asked.namespace
  }

  get name(): string {
    return this.#asked.name || this.object?.metadata?.name || ''
  }

  get user(): UserInfo {
    return this.#asked.caller.user
  }

  get options(): object | undefined {
    const kind = OPTIONS[this.operation]
    return kind === undefined ? undefined : optionsObject(kind, this.#options, this.dryRun)
  }

  warn(text: string): void {
    this.#asked.caller.warn?.(text)
  }

  annotate(key: string, value: string): void {
    this.#asked.caller.annotate?.(key, value)
  }
}

const OPTIONS: Readonly<Record<string, string>> = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }

/** Options as the object that they are in Go, and in a review. */
function optionsObject(kind: string, options: WriteOptions | DeleteOptions, dryRun: boolean): object {
  const { fieldManager, fieldValidation, gracePeriodSeconds, preconditions, propagationPolicy } = options as WriteOptions & DeleteOptions
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(preconditions ? { preconditions } : {}),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  }
}
