import type { Library } from '../declarations.ts'
import { MacroError } from '../macro.ts'

/** `cel.bind(name, value, expression)`: a name for a value, computed once if it is used. */
export const BINDINGS_LIBRARY: Library = {
  macros: [
    {
      name: 'bind',
      arity: 3,
      isMember: true,
      expand(make, target, [variable, value, result]) {
        if (target?.kind !== 'ident' || target.name !== 'cel') return undefined
        if (variable?.kind !== 'ident') throw new MacroError('cel.bind() variable names must be simple identifiers', variable)
        return make.fold({
          range: make.list(),
          variable: '#unused',
          accumulator: variable.name,
          initial: value!,
          condition: make.literal(false),
          step: make.ident(variable.name),
          result: result!,
        })
      },
    },
  ],
}
