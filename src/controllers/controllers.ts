import { deploymentController } from './deployment.ts'
import { replicaSetController } from './replicaset.ts'
import type { Controller } from './runtime/controller.ts'

/** Every controller, in the order in which they start, under upstream's names. */
export const controllers: readonly Controller[] = [deploymentController, replicaSetController]

/** Those that run only when they are asked for by name: `*` does not mean them. */
export const disabledByDefault: ReadonlySet<string> = new Set([
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'selinux-warning-controller',
])

/** Whether `--controllers` asks for the controller: its name, or `*` and not its name with a `-` before it. */
export function isEnabled(name: string, enabled: readonly string[]): boolean {
  if (enabled.includes(name)) return true
  if (enabled.includes(`-${name}`)) return false
  return enabled.includes('*') && !disabledByDefault.has(name)
}
