import type { Environment } from '#base/languages/cel/environment.ts'
import type { Compilation } from '#base/languages/cel/program.ts'
import { BOOL, type CelType, DYN, NULL, objectType, STRING } from '#base/languages/cel/types.ts'
import { ADMISSION_REQUEST_TYPE, NAMESPACE_TYPE } from './admission-types.ts'
import { kubernetesEnvironment } from './kubernetes-environment.ts'
import { AUTHORIZER_TYPE, RESOURCE_CHECK } from './library/authorizer.ts'
import { JSON_PATCH_LIBRARY } from './library/json-patch.ts'
import { JSON_PATCHES_TYPE, mutationType, OBJECT_TYPE } from './mutation-types.ts'

/** Which variables an expression of admission has beside `object`, `oldObject`, `request` and `namespaceObject`. */
export interface PolicyVariables {
  /** `params`: the policy has a paramKind. */
  readonly params: boolean
  /** `authorizer` and `authorizer.requestResource`. */
  readonly authorizer: boolean
  /** Types that mutations construct. */
  readonly mutations?: boolean
}

/** Types in the place of `dyn`, where it is known which objects a policy sees. */
export interface KnownTypes {
  readonly object?: CelType | undefined
  readonly params?: CelType | undefined
}

/** What expressions of a policy must evaluate to. */
export const EXPECTED = {
  condition: [BOOL],
  message: [STRING],
  auditAnnotation: [STRING, NULL],
  applyConfiguration: [OBJECT_TYPE],
  jsonPatch: [JSON_PATCHES_TYPE],
} as const

/** Compiles the expressions of one admission policy or webhook, in their order: those after a variable may use it. */
export class PolicyCompiler {
  readonly #hasParams: boolean
  readonly #known: KnownTypes
  /** The policy's own variables, by name. */
  readonly #variables = new Map<string, CelType>()
  readonly #environments = new Map<string, Environment>()

  constructor(hasParams: boolean, known: KnownTypes = {}) {
    this.#hasParams = hasParams
    this.#known = known
  }

  /** Compiles an expression and makes it known as `variables.name`; what does not compile is dynamic for those after it. */
  addVariable(name: string, expression: string): Compilation {
    const compiled = this.compile(expression, undefined)
    this.#variables.set(name, compiled.issues === undefined ? compiled.type : DYN)
    this.#environments.clear()
    return compiled
  }

  /** `expects` undefined takes whatever type comes. */
  compile(
    expression: string,
    expects: readonly CelType[] | undefined,
    { authorizer = true, mutations = false }: Partial<Omit<PolicyVariables, 'params'>> = {},
  ): Compilation {
    const environment = this.#environmentOf({ params: this.#hasParams, authorizer, mutations })
    return environment.compile(expression, expects === undefined ? {} : { expects })
  }

  #environmentOf(wanted: PolicyVariables): Environment {
    const key = JSON.stringify(wanted)
    const made = this.#environments.get(key) ?? this.#extended(wanted)
    this.#environments.set(key, made)
    return made
  }

  #extended(wanted: PolicyVariables): Environment {
    const { object, params } = this.#known
    const base = admissionEnvironment(wanted)
    const own: Record<string, CelType> = {}
    if (object !== undefined) own['object'] = own['oldObject'] = object
    if (params !== undefined && wanted.params) own['params'] = params
    own['variables'] = objectType('kubernetes.variables', Object.fromEntries(this.#variables))
    return base.extend({ variables: own })
  }
}

const environments = new Map<string, Environment>()

/** There are eight of them. */
function admissionEnvironment({ params, authorizer, mutations = false }: PolicyVariables): Environment {
  const key = `${params}/${authorizer}/${mutations}`
  const made =
    environments.get(key) ??
    kubernetesEnvironment().extend({
      variables: {
        object: DYN,
        oldObject: DYN,
        request: ADMISSION_REQUEST_TYPE,
        namespaceObject: NAMESPACE_TYPE,
        ...(params ? { params: DYN } : {}),
        ...(authorizer ? { authorizer: AUTHORIZER_TYPE, 'authorizer.requestResource': RESOURCE_CHECK } : {}),
      },
      ...(mutations ? { libraries: [JSON_PATCH_LIBRARY], namedTypes: mutationType } : {}),
    })
  environments.set(key, made)
  return made
}

/** What is wrong with an expression, as upstream says it about a field; undefined if nothing is. */
export function compilationError(compiled: Compilation): string | undefined {
  if (compiled.issues === undefined) return undefined
  return compiled.mismatch === undefined ? `compilation failed: ${compiled.issues}` : compiled.issues
}
