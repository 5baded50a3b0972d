import { FEATURE_GATES, gateProblem } from '#machinery/feature-gates/feature-gates.ts'
import { type Flag, FlagValueError, switches } from './flag.ts'

/**
 * `--feature-gates`: upstream's names and no others, `kube:` before them or not. Only gates that are `applied` are turned on or off by it; asking
 * for that of others is warned of.
 */
export function featureGates(applied: (gate: string) => boolean = () => false): Flag<Readonly<Record<string, boolean>>> {
  const words = switches('Features to turn on or off, as Name=true|false.')
  return {
    ...words,
    type: 'colonSeparatedMultimapStringString',
    unapplied: 'other features here are on or off as in upstream by default',
    agreesWith: value => Object.entries(value).every(([name, isOn]) => applied(name) || FEATURE_GATES.get(name)?.isOn === isOn),
    read(text, before) {
      const read = Object.entries(words.read(text, undefined)).map(([name, isOn]) => [name.replace(/^kube:/, ''), isOn] as const)
      for (const [name, isOn] of read) {
        const problem = gateProblem(name, isOn)
        if (problem) throw new FlagValueError(problem)
      }
      return { ...before, ...Object.fromEntries(read) }
    },
  }
}
