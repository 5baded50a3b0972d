import type { Expression } from './ast.ts'
import type { CelValue } from './values.ts'

/** A call that the parser replaces by another expression. */
export interface Macro {
  readonly name: string
  /** How many arguments it takes; undefined for any number. */
  readonly arity: number | undefined
  readonly isMember: boolean
  /** The expression that stands for the call; undefined leaves the call as it is. Throws {@link MacroError}. */
  expand(make: ExpressionMaker, target: Expression | undefined, args: readonly Expression[]): Expression | undefined
}

/** A macro was called with what it cannot take. */
export class MacroError extends Error {
  /** The argument at fault; undefined for the call. */
  readonly at: Expression | undefined
  constructor(message: string, at?: Expression) {
    super(message)
    this.at = at
  }
}

/** Makes nodes that stand where the macro was called. */
export interface ExpressionMaker {
  literal(value: CelValue): Expression
  ident(name: string): Expression
  select(operand: Expression, field: string, testOnly?: boolean): Expression
  call(name: string, ...args: Expression[]): Expression
  member(name: string, target: Expression, ...args: Expression[]): Expression
  list(...elements: Expression[]): Expression
  map(): Expression
  /** The same expression once more, for a macro that evaluates its target twice. */
  copy(expression: Expression): Expression
  fold(parts: {
    range: Expression
    variable: string
    variable2?: string
    accumulator?: string
    initial: Expression
    condition: Expression
    step: Expression
    result: Expression
  }): Expression
}

/** The variable in which macros gather their result. No expression can name it. */
export const ACCUMULATOR = '@result'

/** `has`, `all`, `exists`, `exists_one`, `map`, `filter`. */
export const STANDARD_MACROS: readonly Macro[] = [
  {
    name: 'has',
    arity: 1,
    isMember: false,
    expand(make, _, [argument]) {
      if (argument?.kind !== 'select' || argument.testOnly) throw new MacroError('invalid argument to has() macro', argument)
      return make.select(argument.operand, argument.field, true)
    },
  },
  quantifier('all', all),
  quantifier('exists', exists),
  quantifier('exists_one', existsOne),
  {
    name: 'map',
    arity: 2,
    isMember: true,
    expand: (make, target, [variable, transform]) => expandMap(make, target!, variable!, undefined, transform!),
  },
  {
    name: 'map',
    arity: 3,
    isMember: true,
    expand: (make, target, [variable, filter, transform]) => expandMap(make, target!, variable!, filter, transform!),
  },
  {
    name: 'filter',
    arity: 2,
    isMember: true,
    expand(make, target, [variable, predicate]) {
      const name = variableName(variable!)
      return make.fold({
        range: target!,
        variable: name,
        initial: make.list(),
        condition: make.literal(true),
        step: make.call(
          '_?_:_',
          predicate!,
          make.call('_+_', make.ident(ACCUMULATOR), make.list(make.ident(name))),
          make.ident(ACCUMULATOR),
        ),
        result: make.ident(ACCUMULATOR),
      })
    },
  },
]

/** What a quantifier counts, and how it ends. */
export interface Fold {
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

/** Whether a predicate holds of every element; the first of which it does not ends the search. */
export function all(make: ExpressionMaker, predicate: Expression): Fold {
  return {
    initial: make.literal(true),
    condition: make.call('@not_strictly_false', make.ident(ACCUMULATOR)),
    step: make.call('_&&_', make.ident(ACCUMULATOR), predicate),
    result: make.ident(ACCUMULATOR),
  }
}

/** Whether it holds of any; the first of which it does ends the search. */
export function exists(make: ExpressionMaker, predicate: Expression): Fold {
  return {
    initial: make.literal(false),
    condition: make.call('@not_strictly_false', make.call('!_', make.ident(ACCUMULATOR))),
    step: make.call('_||_', make.ident(ACCUMULATOR), predicate),
    result: make.ident(ACCUMULATOR),
  }
}

export function existsOne(make: ExpressionMaker, predicate: Expression): Fold {
  return {
    initial: make.literal(0n),
    condition: make.literal(true),
    step: make.call('_?_:_', predicate, make.call('_+_', make.ident(ACCUMULATOR), make.literal(1n)), make.ident(ACCUMULATOR)),
    result: make.call('_==_', make.ident(ACCUMULATOR), make.literal(1n)),
  }
}

/** The name of the variable that a macro binds. */
export function variableName(argument: Expression, otherwise = 'argument is not an identifier'): string {
  if (argument.kind !== 'ident') throw new MacroError(otherwise, argument)
  if (argument.name === ACCUMULATOR || argument.name === '__result__') {
    throw new MacroError('iteration variable overwrites accumulator variable', argument)
  }
  if (argument.name.includes('.')) throw new MacroError('argument must be a simple name', argument)
  return argument.name
}

function quantifier(name: string, fold: (make: ExpressionMaker, predicate: Expression) => Fold): Macro {
  return {
    name,
    arity: 2,
    isMember: true,
    expand: (make, target, [variable, predicate]) =>
      make.fold({ range: target!, variable: variableName(variable!, 'argument must be a simple name'), ...fold(make, predicate!) }),
  }
}

function expandMap(
  make: ExpressionMaker,
  target: Expression,
  variable: Expression,
  filter: Expression | undefined,
  transform: Expression,
): Expression {
  const name = variableName(variable)
  const appended = make.call('_+_', make.ident(ACCUMULATOR), make.list(transform))
  return make.fold({
    range: target,
    variable: name,
    initial: make.list(),
    condition: make.literal(true),
    step: filter === undefined ? appended : make.call('_?_:_', filter, appended, make.ident(ACCUMULATOR)),
    result: make.ident(ACCUMULATOR),
  })
}
