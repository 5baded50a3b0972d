/** A KubeSchedulerConfiguration that cannot be used: where, and why. */
export class SchedulerConfigurationError extends Error {
  override readonly name = 'SchedulerConfigurationError'
  /** The field, such as `profiles[0].plugins.score`. */
  readonly path: string

  constructor(path: string, why: string) {
    super(`${path}: ${why}`)
    this.path = path
  }
}
