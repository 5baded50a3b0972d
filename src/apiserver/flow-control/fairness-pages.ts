import { headOf, type Labels, type Series, sampleText } from '#base/metrics/series.ts'
import type { DocumentRoute } from '../http/path-route.ts'
import type { PriorityAndFairness } from './priority-and-fairness.ts'
import type { PriorityLevel } from './priority-level.ts'

type Sample = readonly [labels: Labels, value: number]

/** Upstream's metrics of flow control, with what they are taken from. */
const METRICS: readonly {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  samples(level: PriorityLevel): Iterable<Sample>
}[] = [
  {
    name: 'apiserver_flowcontrol_nominal_limit_seats',
    type: 'gauge',
    help: 'Seats of a priority level by its shares.',
    samples: ({ bounds }) => [[{}, bounds.nominal]],
  },
  {
    name: 'apiserver_flowcontrol_current_limit_seats',
    type: 'gauge',
    help: 'Seats of a priority level with what it has lent and borrowed.',
    samples: ({ queues }) => [[{}, queues.limit]],
  },
  {
    name: 'apiserver_flowcontrol_current_executing_requests',
    type: 'gauge',
    help: 'Requests under way.',
    samples: ({ queues, counts }) => [[{}, queues.executing + counts.exempt]],
  },
  {
    name: 'apiserver_flowcontrol_current_executing_seats',
    type: 'gauge',
    help: 'Seats in use.',
    samples: ({ queues }) => [[{}, queues.seatsInUse]],
  },
  {
    name: 'apiserver_flowcontrol_current_inqueue_requests',
    type: 'gauge',
    help: 'Requests that wait for a seat.',
    samples: ({ queues }) => [[{}, queues.waiting]],
  },
  {
    name: 'apiserver_flowcontrol_dispatched_requests_total',
    type: 'counter',
    help: 'Requests that were let in.',
    samples: ({ counts }) => [[{}, counts.dispatched]],
  },
  {
    name: 'apiserver_flowcontrol_rejected_requests_total',
    type: 'counter',
    help: 'Requests that were turned away, by reason.',
    samples: ({ counts }) => [...counts.rejected].map(([reason, count]) => [{ reason }, count] as const),
  },
]

/** The state of flow control, made when somebody asks. */
export function fairnessMetrics(fairness: PriorityAndFairness): Series {
  return {
    text() {
      const levels = [...fairness.levels()]
      return METRICS.map(({ name, type, help, samples }) => {
        const lines = levels.flatMap(level =>
          [...samples(level)].map(([labels, value]) => `${sampleText(name, { priority_level: level.name, ...labels }, value)}\n`),
        )
        return `${headOf(name, help, type)}${lines.join('')}`
      }).join('')
    },
  }
}

/** `/debug/api_priority_and_fairness/…`: tables with upstream's columns, for people. */
export function fairnessPages(fairness: PriorityAndFairness): DocumentRoute {
  const pages: Readonly<Record<string, (fairness: PriorityAndFairness) => string>> = {
    '/debug/api_priority_and_fairness/dump_priority_levels': dumpPriorityLevels,
    '/debug/api_priority_and_fairness/dump_queues': dumpQueues,
  }
  return {
    serve(context, path) {
      const page = Object.hasOwn(pages, path) ? pages[path] : undefined
      if (page) context.sendText(200, page(fairness))
      return page !== undefined
    },
  }
}

function dumpPriorityLevels(fairness: PriorityAndFairness): string {
  const rows = [...fairness.levels()].map(({ name, queues, counts, bounds }) => [
    name,
    queues.waiting,
    queues.executing + counts.exempt,
    counts.dispatched,
    [...counts.rejected.values()].reduce((sum, count) => sum + count, 0),
    counts.rejected.get('time-out') ?? 0,
    counts.rejected.get('cancelled') ?? 0,
    bounds.nominal,
    queues.limit,
  ])
  return table(
    [
      'PriorityLevelName',
      'WaitingRequests',
      'ExecutingRequests',
      'DispatchedRequests',
      'RejectedRequests',
      'TimedoutRequests',
      'CancelledRequests',
      'NominalSeats',
      'CurrentSeats',
    ],
    rows,
  )
}

function dumpQueues(fairness: PriorityAndFairness): string {
  const rows = [...fairness.levels()].flatMap(({ name, queues }) =>
    [...queues.describe()].map(({ index, waiting, seatsInUse, virtualStart }) => [
      name,
      index,
      waiting,
      seatsInUse,
      virtualStart.toFixed(4),
    ]),
  )
  return table(['PriorityLevelName', 'Index', 'PendingRequests', 'SeatsInUse', 'NextDispatchR'], rows)
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[head, ...rows].map(row => row.join(', ')).join('\n')}\n`
}
