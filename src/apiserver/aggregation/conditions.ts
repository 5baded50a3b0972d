import type { APIService, APIServiceCondition } from '#kinds/apiregistration/v1/api-service.ts'
import { equal } from '#machinery/kind/draft.ts'
import { timestamp } from '../registry/core.ts'

/** Whether an APIService can be used, and why. */
export interface Availability {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export const LOCAL: Availability = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
export const PASSED: Availability = { status: 'True', reason: 'Passed', message: 'all checks passed' }

export function isAvailable({ status }: APIService): boolean {
  return availabilityOf(status.conditions)?.status === 'True'
}

/** The object with its availability noted; undefined if it says so already. The time changes with the status alone. */
export function withAvailability(service: APIService, availability: Availability, now: number): APIService | undefined {
  const { conditions = [] } = service.status
  const before = availabilityOf(conditions)
  const { status, reason, message } = availability
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp(now)
  const condition: APIServiceCondition = { type: 'Available', status, lastTransitionTime, reason, message }
  if (before && equal(before, condition)) return undefined
  const others = conditions.filter(({ type }) => type !== 'Available')
  return { ...service, status: { ...service.status, conditions: [...others, condition] } }
}

function availabilityOf(conditions: readonly APIServiceCondition[] | undefined): APIServiceCondition | undefined {
  return conditions?.find(({ type }) => type === 'Available')
}
