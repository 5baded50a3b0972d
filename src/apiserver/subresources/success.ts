import type { StatusDetails } from '#machinery/status/status-error.ts'

/** The Status that says that something was done. */
export function success(code?: number, details?: StatusDetails): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    ...(details ? { details } : {}),
    ...(code ? { code } : {}),
  }
}
