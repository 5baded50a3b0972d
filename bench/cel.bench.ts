// Expressions of CEL: compiling them, evaluating them, and what a validating policy with three of them costs a request.

import { type AdmissionRequest, Reinvocation } from '#apiserver/admission/admission.ts'
import { AccessAnswers } from '#apiserver/admission/policies/access-answers.ts'
import { admissionBindings } from '#apiserver/admission/policies/admission-bindings.ts'
import { compiledValidatingPolicy, evaluatePolicy } from '#apiserver/admission/policies/compiled-validating-policy.ts'
import { reviewed } from '#apiserver/admission/webhooks/reviewed.ts'
import { alwaysAllow } from '#apiserver/authorization/always.ts'
import { jsonValue } from '#base/languages/cel/json-values.ts'
import type { Bindings } from '#base/languages/cel/program.ts'
import type { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PolicyCompiler } from '#machinery/cel/policy-compiler.ts'

const ROUNDS = 7
const ITERATIONS = 5_000

const EXPRESSIONS = [
  "object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))",
  "has(object.metadata.labels) && 'team' in object.metadata.labels && object.metadata.labels.team.matches('^[a-z]+$')",
  "request.operation == 'CREATE' || object.spec.containers.size() == oldObject.spec.containers.size()",
]

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', labels: { team: 'shop', app: 'web' } },
  spec: {
    containers: ['web', 'proxy', 'logs'].map(name => ({
      name,
      image: `registry.example.com/${name}:1.0`,
      resources: { limits: { cpu: '100m', memory: '64Mi' } },
    })),
  },
}

const user = { name: 'ann', groups: ['devs', 'system:authenticated'] }
const request = {
  operation: 'CREATE',
  kind: Pod,
  subresource: '',
  namespace: 'default',
  name: 'web',
  object: pod,
  old: undefined,
  user,
  dryRun: false,
  warn() {},
  reinvocation: new Reinvocation(),
} as unknown as AdmissionRequest
const policy = {
  metadata: { name: 'p' },
  spec: { failurePolicy: 'Fail', validations: EXPRESSIONS.map(expression => ({ expression })) },
} as unknown as ValidatingAdmissionPolicy

const results: Record<string, string> = {}
const object = jsonValue(pod)
const bindings: Bindings = { object, oldObject: null }

measure('compile an expression, environment at hand', () => {
  new PolicyCompiler(false).compile(EXPRESSIONS[1]!, undefined)
})
const [all, , last] = EXPRESSIONS.map(expression => {
  const compiled = new PolicyCompiler(false).compile(expression, undefined)
  if (compiled.issues !== undefined) throw new Error(compiled.issues)
  return compiled.program
})
measure('all containers’ images have a prefix', () => {
  if (all!.evaluate(bindings).value !== true) throw new Error('it does not hold')
})
const shown = await reviewed(request, Pod)
measure('a policy with three expressions, for one request', () => {
  const matched = { request, kind: Pod, shown }
  const variables = { ...admissionBindings(matched, undefined, new AccessAnswers(alwaysAllow, user)), params: null }
  if (evaluatePolicy(compiledValidatingPolicy(policy), variables).refusals.length > 0) throw new Error('it refuses')
})
const numbers = new PolicyCompiler(false).compile(
  '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(n, n * n).filter(n, n % 2 == 0).size() == 5',
  undefined,
)
if (numbers.issues !== undefined || last === undefined) throw new Error('it does not compile')
measure('a map and a filter over ten numbers', () => {
  if (numbers.program.evaluate({}).value !== true) throw new Error('it does not hold')
})
console.table(results)

/** Microseconds of CPU per run: the median of a few rounds, after one to warm up. */
function measure(what: string, run: () => void): void {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < ITERATIONS; i++) run()
    const { user: inUser, system } = process.cpuUsage(start)
    if (round > 0) rounds.push((inUser + system) / ITERATIONS)
  }
  rounds.sort((a, b) => a - b)
  results[what] = `${rounds[Math.floor(rounds.length / 2)]!.toFixed(1)} µs`
}
