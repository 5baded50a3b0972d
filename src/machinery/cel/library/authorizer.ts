import { declareFunction, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, type CelType, objectType, STRING } from '#base/languages/cel/types.ts'
import { CelObject, type CelValue } from '#base/languages/cel/values.ts'
import { nameIsDNSLabel, nameIsDNSSubdomain } from '../../meta/names.ts'

const named = (name: string): CelType => objectType(`kubernetes.authorization.${name}`, {})

/** The type of the variable `authorizer`. */
export const AUTHORIZER_TYPE = named('Authorizer')
const PATH_CHECK = named('PathCheck')
const GROUP_CHECK = named('GroupCheck')
/** The type of `authorizer.requestResource`. */
export const RESOURCE_CHECK = named('ResourceCheck')
const DECISION = named('Decision')

/** What an expression asks: whether someone may do something. */
export type AccessQuestion =
  | { readonly path: string; readonly verb: string; readonly serviceAccount: ServiceAccountName | undefined }
  | (ResourceQuestion & { readonly verb: string; readonly serviceAccount: ServiceAccountName | undefined })

export interface ResourceQuestion {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly fieldSelector: string
  readonly labelSelector: string
}

/** Instead of the user of the request. */
export interface ServiceAccountName {
  readonly namespace: string
  readonly name: string
}

export interface AccessAnswer {
  readonly allowed: boolean
  readonly reason: string
  readonly error?: string
}

/** Answers at once. Who has to wait for an answer throws, waits and evaluates again: see admission/cel. */
export type AnswerAccess = (question: AccessQuestion) => AccessAnswer

/** A value that only functions look into. */
class Receiver<T> extends CelObject {
  readonly type: CelType
  readonly held: T
  constructor(type: CelType, held: T) {
    super()
    this.type = type
    this.held = held
  }
  get(): CelValue | undefined {
    return undefined
  }
  has(): boolean | undefined {
    return undefined
  }
  equals(other: CelObject): boolean {
    return this === other
  }
}

interface Asker {
  readonly answer: AnswerAccess
  readonly serviceAccount: ServiceAccountName | undefined
}
type ResourceCheck = Receiver<Asker & ResourceQuestion>

/** The value of `authorizer`. */
export function authorizerValue(answer: AnswerAccess): CelObject {
  return new Receiver<Asker>(AUTHORIZER_TYPE, { answer, serviceAccount: undefined })
}

/** The value of `authorizer.requestResource`: a check of the request's own resource. */
export function resourceCheckValue(answer: AnswerAccess, resource: Partial<ResourceQuestion>): CelObject {
  return new Receiver<Asker & ResourceQuestion>(RESOURCE_CHECK, { ...NO_RESOURCE, ...resource, answer, serviceAccount: undefined })
}

const NO_RESOURCE: ResourceQuestion = {
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  fieldSelector: '',
  labelSelector: '',
}

const refined = (name: string, id: string, field: keyof ResourceQuestion) =>
  declareFunction(
    name,
    memberOverload(
      id,
      [RESOURCE_CHECK, STRING],
      RESOURCE_CHECK,
      (check: ResourceCheck, value: string) => new Receiver(RESOURCE_CHECK, { ...check.held, [field]: value }),
    ),
  )

/** `authorizer.group('').resource('pods').check('delete').allowed()` and its like. */
export const AUTHORIZER_LIBRARY: Library = {
  types: [AUTHORIZER_TYPE, PATH_CHECK, GROUP_CHECK, RESOURCE_CHECK, DECISION],
  functions: [
    declareFunction(
      'path',
      memberOverload('authorizer_path', [AUTHORIZER_TYPE, STRING], PATH_CHECK, ({ held }: Receiver<Asker>, path: string) => {
        if (path.trim() === '') throw new EvaluationError('path must not be empty')
        return new Receiver(PATH_CHECK, { ...held, path })
      }),
    ),
    declareFunction(
      'group',
      memberOverload(
        'authorizer_group',
        [AUTHORIZER_TYPE, STRING],
        GROUP_CHECK,
        ({ held }: Receiver<Asker>, group: string) => new Receiver(GROUP_CHECK, { ...held, group }),
      ),
    ),
    declareFunction(
      'serviceAccount',
      memberOverload(
        'authorizer_serviceaccount',
        [AUTHORIZER_TYPE, STRING, STRING],
        AUTHORIZER_TYPE,
        ({ held }: Receiver<Asker>, namespace: string, name: string) => {
          if (nameIsDNSSubdomain(name, false).length > 0) throw new EvaluationError('Invalid service account name')
          if (nameIsDNSLabel(namespace, false).length > 0) throw new EvaluationError('Invalid service account namespace')
          return new Receiver<Asker>(AUTHORIZER_TYPE, { ...held, serviceAccount: { namespace, name } })
        },
      ),
    ),
    declareFunction(
      'resource',
      memberOverload(
        'groupcheck_resource',
        [GROUP_CHECK, STRING],
        RESOURCE_CHECK,
        ({ held }: Receiver<Asker & { group: string }>, resource: string) => {
          if (resource.trim() === '') throw new EvaluationError('resource must not be empty')
          return new Receiver<Asker & ResourceQuestion>(RESOURCE_CHECK, { ...NO_RESOURCE, ...held, resource })
        },
      ),
    ),
    refined('subresource', 'resourcecheck_subresource', 'subresource'),
    refined('namespace', 'resourcecheck_namespace', 'namespace'),
    refined('name', 'resourcecheck_name', 'name'),
    refined('fieldSelector', 'authorizer_fieldselector', 'fieldSelector'),
    refined('labelSelector', 'authorizer_labelselector', 'labelSelector'),
    declareFunction(
      'check',
      memberOverload(
        'pathcheck_check',
        [PATH_CHECK, STRING],
        DECISION,
        ({ held: { answer, ...question } }: Receiver<Asker & { path: string }>, verb: string) => {
          return new Receiver(DECISION, answer({ ...question, verb }))
        },
      ),
      memberOverload(
        'resourcecheck_check',
        [RESOURCE_CHECK, STRING],
        DECISION,
        ({ held: { answer, ...question } }: ResourceCheck, verb: string) => {
          return new Receiver(DECISION, answer({ ...question, verb }))
        },
      ),
    ),
    declareFunction(
      'allowed',
      memberOverload('decision_allowed', [DECISION], BOOL, ({ held }: Receiver<AccessAnswer>) => held.allowed),
    ),
    declareFunction(
      'reason',
      memberOverload('decision_reason', [DECISION], STRING, ({ held }: Receiver<AccessAnswer>) => held.reason),
    ),
    declareFunction(
      'errored',
      memberOverload('decision_errored', [DECISION], BOOL, ({ held }: Receiver<AccessAnswer>) => held.error !== undefined),
    ),
    declareFunction(
      'error',
      memberOverload('decision_error', [DECISION], STRING, ({ held }: Receiver<AccessAnswer>) => held.error ?? ''),
    ),
  ],
}
