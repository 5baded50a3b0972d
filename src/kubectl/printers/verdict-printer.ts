import type { SchedulingReviewStatus } from '#kinds/typernetes/v1/scheduling-review.ts'
import { linesOf } from './columns.ts'

/** What the scheduler found out of a pod, for people. `wouldBe`: it is about something supposed. */
export function printVerdict(pod: string, status: SchedulingReviewStatus, wouldBe: boolean): string {
  const { node, message, nodes, refusals = [], scores = [], schedulerName, time } = status
  const verb = wouldBe ? 'would go' : 'went'
  const head = node ? `${pod} ${verb} to ${node}` : `${pod} ${wouldBe ? 'would go' : 'goes'} nowhere: ${message ?? 'no node will do'}`
  const facts = [`${schedulerName ?? 'the scheduler'}${time ? `, ${time.slice(0, 19)}Z` : ''}`]
  if (nodes) facts.push(`${nodes.seen} of ${nodes.all} nodes looked at, ${nodes.feasible} would do`)
  const parts = [head, `(${facts.join('; ')})`]
  if (refusals.length > 0) {
    const rows = refusals.map(({ count, plugin, reasons = [], nodes: names = [] }) => [
      count === 0 ? 'all' : String(count),
      plugin,
      reasons.join('; '),
      named(names, count),
    ])
    parts.push('', ...linesOf([['NODES', 'REFUSED BY', 'WHY', 'WHICH'], ...rows]))
  }
  if (scores.length > 0) {
    const plugins = [...new Set(scores.flatMap(score => Object.keys(score.plugins ?? {})))].filter(plugin =>
      scores.some(score => score.plugins?.[plugin]),
    )
    const rows = scores.map(({ node: name, total, plugins: given = {} }) => [
      name,
      rounded(total),
      ...plugins.map(plugin => rounded(given[plugin] ?? 0)),
    ])
    parts.push('', ...linesOf([['NODE', 'SCORE', ...plugins], ...rows]))
  }
  return `${parts.join('\n')}\n`
}

const NAMES = 3

function named(names: readonly string[], count: number): string {
  const more = count - Math.min(names.length, NAMES)
  return `${names.slice(0, NAMES).join(', ')}${more > 0 && names.length > 0 ? ` and ${more} more` : ''}`
}

function rounded(score: number): string {
  return String(Math.round(score * 100) / 100)
}
