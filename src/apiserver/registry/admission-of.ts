import type { DeleteOptions, WriteOptions } from '#client/client.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
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
export function admissionOf(
  { kind, subresource, namespace, name, caller, dryRun }: Asked,
  { operation, object, old, options = {} }: Operation,
): AdmissionRequest {
  const isNamespace = kind.kind === 'Namespace' && kind.group === ''
  return {
    operation,
    kind,
    subresource,
    get namespace() {
      return isNamespace ? this.name : namespace
    },
    get name() {
      return name || object?.metadata?.name || ''
    },
    object,
    old,
    user: caller.user,
    dryRun,
    get options() {
      const kind = OPTIONS[operation]
      return kind === undefined ? undefined : optionsObject(kind, options, dryRun)
    },
    warn: text => caller.warn?.(text),
    annotate: (key, value) => caller.annotate?.(key, value),
    reinvocation: new Reinvocation(),
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
