import { check, type Scope } from './checker.ts'
import type { FunctionDeclaration, Library } from './declarations.ts'
import { type EstimateModel, estimateCost, STANDARD_ESTIMATES } from './estimate.ts'
import { BudgetExceeded, EvaluationError } from './evaluation-error.ts'
import { type Evaluate, Frame } from './frame.ts'
import { STANDARD_LIBRARY } from './library/standard.ts'
import type { Macro } from './macro.ts'
import { macroKey, parse } from './parser.ts'
import { plan } from './plan.ts'
import type { CelProgram, Compilation } from './program.ts'
import { type CostModel, STANDARD_COST_MODEL } from './runtime-cost.ts'
import { showIssues } from './source.ts'
import { type CelType, isDyn, nameOfType, sameType, typeOf } from './types.ts'
import { type Validator, validateLiterals } from './validators.ts'
import { CelTypeValue, type CelValue } from './values.ts'

/** What an environment gains by {@link Environment.extend}. */
export interface Extension {
  readonly libraries?: readonly Library[]
  /** Variables and their types. */
  readonly variables?: Readonly<Record<string, CelType>>
  /** Object types that expressions may construct by name; the types of variables need not be repeated. */
  readonly types?: readonly CelType[]
  /** Further types by name, where there are too many to list. */
  readonly namedTypes?: (name: string) => CelType | undefined
  /** Names that stand for a value. */
  readonly constants?: Readonly<Record<string, { readonly type: CelType; readonly value: CelValue }>>
  /** The namespace in which names are looked up first. */
  readonly container?: string
  /** Whether a list or map literal may mix types; Kubernetes does not allow it. */
  readonly mixedLiterals?: boolean
  /** Whether fields may be named in backquotes; Kubernetes does not allow it. */
  readonly quotedNames?: boolean
  /** Leaves types to the values, as in an expression that is only parsed. */
  readonly dynamic?: boolean
  /** What calls cost, where libraries have costs of their own. */
  readonly costs?: CostModel & EstimateModel
  /** Checks of literals that are made while compiling. */
  readonly validators?: readonly Validator[]
}

export interface CompileOptions {
  /** The types one of which the expression must have, exactly: a dynamic expression is no `bool`. With `ANY` among them, whatever it has. */
  readonly expects?: readonly CelType[]
}

interface Parts {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>
  readonly macros: ReadonlyMap<string, Macro>
  readonly variables: ReadonlyMap<string, CelType>
  readonly constants: ReadonlyMap<string, { readonly type: CelType; readonly value: CelValue }>
  readonly namedTypes: ((name: string) => CelType | undefined) | undefined
  readonly container: string
  readonly mixedLiterals: boolean
  readonly quotedNames: boolean
  readonly dynamic: boolean
  readonly costs: CostModel & EstimateModel
  readonly validators: readonly Validator[]
}

/** Functions, types and variables that expressions may use. Immutable: to extend it makes another one. */
export class Environment {
  /** CEL's standard library and macros. */
  static readonly standard: Environment = new Environment({
    functions: new Map(),
    macros: new Map(),
    variables: new Map(),
    constants: new Map(),
    namedTypes: undefined,
    container: '',
    mixedLiterals: false,
    quotedNames: false,
    dynamic: false,
    costs: { ...STANDARD_COST_MODEL, ...STANDARD_ESTIMATES },
    validators: [],
  }).extend({ libraries: [STANDARD_LIBRARY] })

  readonly #parts: Parts

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  extend(extension: Extension): Environment {
    const { libraries = [], variables = {}, types = [], constants = {}, validators = [] } = extension
    const before = this.#parts
    const functions = new Map(before.functions)
    for (const declared of libraries.flatMap(library => library.functions ?? [])) {
      const known = functions.get(declared.name)
      const overloads = known?.overloads.filter(overload => !declared.overloads.some(added => added.id === overload.id)) ?? []
      functions.set(declared.name, { name: declared.name, overloads: [...overloads, ...declared.overloads] })
    }
    const macros = new Map(before.macros)
    for (const macro of libraries.flatMap(library => library.macros ?? []))
      macros.set(macroKey(macro.name, macro.arity, macro.isMember), macro)
    const named = [...libraries.flatMap(library => library.types ?? []), ...types]
    return new Environment({
      functions,
      macros,
      variables: new Map([...before.variables, ...Object.entries(variables)]),
      constants: new Map([
        ...before.constants,
        ...named.map(type => [type.name, { type: typeOf(type), value: new CelTypeValue(type.name) }] as const),
        ...Object.entries(constants),
      ]),
      namedTypes: extension.namedTypes ?? before.namedTypes,
      container: extension.container ?? before.container,
      mixedLiterals: extension.mixedLiterals ?? before.mixedLiterals,
      quotedNames: extension.quotedNames ?? before.quotedNames,
      dynamic: extension.dynamic ?? before.dynamic,
      costs: extension.costs ?? before.costs,
      validators: [...before.validators, ...validators],
    })
  }

  /** Parses, checks and compiles. Never throws on what a user wrote: that comes back as `issues`. */
  compile(source: string, options: CompileOptions = {}): Compilation {
    const { functions, macros, variables, constants, namedTypes, container, mixedLiterals, quotedNames, dynamic, costs, validators } =
      this.#parts
    const parsed = parse(source, macros, { quotedNames })
    if ('issues' in parsed) return { issues: showIssues(source, parsed.issues) }
    const scope: Scope = {
      container,
      mixedLiterals,
      dynamic,
      variable: name => variables.get(name),
      constant: name => constants.get(name) ?? typeConstant(namedTypes?.(name)),
      function: name => functions.get(name),
    }
    const result = check(parsed.ast, scope)
    if ('issues' in result) return { issues: showIssues(source, result.issues) }
    const { checked } = result
    const invalid = validateLiterals(checked, validators)
    if (invalid.length > 0) return { issues: showIssues(source, invalid) }
    const type = checked.types.get(checked.expression.id)!
    const { expects } = options
    if (expects !== undefined && !expects.some(expected => isDyn(expected) || sameType(expected, type))) {
      return { issues: `must evaluate to ${namesOf(expects)} but got ${nameOfType(type)}`, mismatch: type }
    }
    const used = new Set<string>()
    for (const reference of checked.references.values())
      if (reference.kind === 'variable' && variables.has(reference.name)) used.add(reference.name)
    return { program: programOf(plan(checked, costs)), type, cost: estimateCost(checked, costs, variables), variables: used }
  }
}

function typeConstant(type: CelType | undefined): { readonly type: CelType; readonly value: CelValue } | undefined {
  return type && { type: typeOf(type), value: new CelTypeValue(type.name) }
}

function namesOf(types: readonly CelType[]): string {
  const names = types.map(nameOfType)
  return names.length === 1 ? names[0]! : `one of [${names.join(' ')}]`
}

function programOf(evaluate: Evaluate): CelProgram {
  return {
    evaluate(bindings, budget = Number.POSITIVE_INFINITY) {
      const frame = new Frame(bindings, budget)
      try {
        return { value: evaluate(frame), cost: frame.cost }
      } catch (error) {
        if (error instanceof EvaluationError) return { error: error.message, cost: frame.cost, overBudget: false }
        // A text that no string can hold, or values nested beyond the stack: the expression's doing, not ours.
        if (error instanceof RangeError) return { error: `value too large: ${error.message}`, cost: frame.cost, overBudget: false }
        if (error instanceof BudgetExceeded) return { error: error.message, cost: frame.cost, overBudget: true }
        throw error
      }
    },
  }
}
