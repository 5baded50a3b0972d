import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { workQueue } from '#client/queue/work-queue.ts'
import { FlowSchema, type FlowSchemaCondition } from '#kinds/flowcontrol/v1/flow-schema.ts'
import { PriorityLevelConfiguration } from '#kinds/flowcontrol/v1/priority-level-configuration.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'

export interface FlowSchemaStatusOptions {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Logger
}

/** As which manager upstream's servers own the condition. */
const MANAGER = 'api-priority-and-fairness-config-consumer-v1'

/** Says in the status of every flow schema whether the priority level that it names exists, now and after every change of either. */
export function keepFlowSchemaStatus({ client, informers, clock, log }: FlowSchemaStatusOptions): AsyncDisposable {
  const schemas = informers.of(FlowSchema)
  const levels = informers.of(PriorityLevelConfiguration)
  const queue = workQueue<string>({
    clock,
    failed: (name, error) => log.warn('the status of a flow schema could not be written', { name, error: String(error) }),
    async work(name, signal) {
      await levels.synced(signal)
      const schema = schemas.get('', name)
      if (!schema) return undefined
      const level = schema.spec.priorityLevelConfiguration.name
      const condition = danglingCondition(level, levels.get('', level) !== undefined, schema.status.conditions, clock.now())
      if (!condition) return undefined
      const body = { apiVersion: FlowSchema.apiVersion, kind: FlowSchema.kind, metadata: { name }, status: { conditions: [condition] } }
      try {
        await client.patch(
          FlowSchema,
          schema,
          { type: 'apply', body, force: true },
          { subresource: 'status', fieldManager: MANAGER, signal },
        )
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 404) throw error
      }
      return undefined
    },
  })
  const handlers = [
    schemas.onChange(schema => {
      if (schema?.metadata.name) queue.add(schema.metadata.name)
    }),
    levels.onChange((level, old) => {
      if (level && old) return
      const name = (level ?? old)?.metadata.name
      for (const { metadata, spec } of schemas.list()) if (spec.priorityLevelConfiguration.name === name) queue.add(metadata.name ?? '')
    }),
  ]
  return {
    async [Symbol.asyncDispose]() {
      for (const handler of handlers) handler[Symbol.dispose]()
      await queue[Symbol.asyncDispose]()
    },
  }
}

/** The condition to write; undefined where it stands already. */
export function danglingCondition(
  level: string,
  exists: boolean,
  conditions: readonly FlowSchemaCondition[] | undefined,
  now: number,
): FlowSchemaCondition | undefined {
  const before = conditions?.find(({ type }) => type === 'Dangling')
  const status = exists ? 'False' : 'True'
  const reason = exists ? 'Found' : 'NotFound'
  const relation = exists ? 'and it exists' : 'but there is no such object'
  const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${relation}`
  if (before?.status === status && before.reason === reason && before.message === message) return undefined
  const lastTransitionTime = before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : timeOf(now)
  return { type: 'Dangling', status, lastTransitionTime, reason, message }
}
