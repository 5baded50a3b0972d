import { CounterSeries, HistogramSeries, type Series } from '#base/metrics/series.ts'

/** What went wrong when an expression was evaluated, as upstream's metrics name it. */
export type CheckError = 'no_error' | 'compile_error' | 'invalid_error' | 'out_of_budget'

/** One check of a ValidatingAdmissionPolicy that did not simply pass. */
export interface PolicyCheck {
  readonly policy: string
  readonly binding: string
  /** What came of it; `allow`: an error that the policy's failurePolicy passes over. */
  readonly action: 'allow' | 'deny' | 'audit' | 'warn'
  readonly error: CheckError
  readonly seconds: number
}

/** What is counted of ValidatingAdmissionPolicies, under upstream's names. */
export class PolicyMetrics implements Series {
  readonly #checks = new CounterSeries(
    'apiserver_validating_admission_policy_check_total',
    'Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.',
  )
  readonly #durations = new HistogramSeries(
    'apiserver_validating_admission_policy_check_duration_seconds',
    'Validation admission latency for individual validation expressions in seconds, labeled by policy and further including binding and enforcement action taken.',
    [0.0000005, 0.001, 0.01, 0.1, 1],
  )

  observe({ policy, binding, action, error, seconds }: PolicyCheck): void {
    const labels = { enforcement_action: action, error_type: error, policy, policy_binding: binding }
    this.#checks.add(labels)
    this.#durations.observe(labels, seconds)
  }

  text(): string {
    return this.#checks.text() + this.#durations.text()
  }
}
