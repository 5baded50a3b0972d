import type { Pod } from '#kinds/core/v1/pod.ts'
import { invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { flagOf, integerOf } from '../http/options.ts'
import { type ConnectSubresource, read } from './connect.ts'
import { containerOf, kubeletPath } from './pod-container.ts'

/** `pods/log`: what a container has written. The log of a pod that is on no node is empty. */
export const podLog: ConnectSubresource = {
  group: '',
  resource: 'pods',
  name: 'log',
  manner: 'log',
  async locate(core, { namespace, name, query }) {
    const forwarded = logQuery(name, query)
    const pod = await read<Pod>(core, 'Pod', namespace, name)
    const container = containerOf(pod, query.get('container') ?? '')
    if (!pod.spec.nodeName) return undefined
    return { to: 'kubelet', node: pod.spec.nodeName, path: kubeletPath('containerLogs', namespace, name, container), query: forwarded }
  },
}

const FLAGS = ['follow', 'previous', 'timestamps'] as const
const STREAMS = ['All', 'Stderr', 'Stdout']

/** What the kubelet is asked, checked. */
function logQuery(pod: string, query: URLSearchParams): URLSearchParams {
  const numbers = {
    sinceSeconds: integerOf(query, 'sinceSeconds'),
    tailLines: integerOf(query, 'tailLines'),
    limitBytes: integerOf(query, 'limitBytes'),
  }
  const sinceTime = query.get('sinceTime') ?? ''
  const stream = query.get('stream') ?? ''
  const errors = new FieldErrors()
  const { tailLines, limitBytes, sinceSeconds } = numbers
  if (tailLines !== undefined && tailLines < 0) errors.at('tailLines').invalid(tailLines, 'must be greater than or equal to 0')
  if (limitBytes !== undefined && limitBytes < 1) errors.at('limitBytes').invalid(limitBytes, 'must be greater than 0')
  if (sinceSeconds !== undefined && sinceTime !== '') {
    errors.at('').forbidden('at most one of `sinceTime` or `sinceSeconds` may be specified')
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) errors.at('sinceSeconds').invalid(sinceSeconds, 'must be greater than 0')
  if (stream !== '' && !STREAMS.includes(stream)) errors.at('stream').notSupported(stream, STREAMS)
  if (stream !== '' && stream !== 'All' && tailLines !== undefined) {
    errors.at('').forbidden('`tailLines` and specific `stream` are mutually exclusive for now')
  }
  if (!errors.isEmpty) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors.all)
  const forwarded = new URLSearchParams()
  for (const flag of FLAGS) if (flagOf(query, flag)) forwarded.set(flag, 'true')
  for (const [name, value] of Object.entries(numbers)) if (value !== undefined) forwarded.set(name, String(value))
  if (sinceTime !== '') forwarded.set('sinceTime', sinceTime)
  if (stream !== '') forwarded.set('stream', stream)
  return forwarded
}
