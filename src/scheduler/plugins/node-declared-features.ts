import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'

const NAME = 'NodeDeclaredFeatures'

/** What of a pod a kubelet has to know how to do (KEP-5328): features by the names under which nodes declare them. */
const FEATURES: readonly { readonly name: string; isNeededBy(pod: Pod): boolean }[] = [
  {
    name: 'RestartAllContainersOnContainerExits',
    isNeededBy: ({ spec }) =>
      [...spec.containers, ...(spec.initContainers ?? [])].some(container =>
        container.restartPolicyRules?.some(rule => rule.action === 'RestartAllContainers'),
      ),
  },
  {
    name: 'UserNamespacesHostNetworkSupport',
    isNeededBy: ({ spec }) => spec.hostNetwork === true && spec.hostUsers === false,
  },
]

/** Keeps pods off nodes whose kubelets do not declare what the pods need of them. */
export function nodeDeclaredFeatures(): SchedulerPlugin {
  return {
    name: NAME,
    wakesOn: ['node added', 'node features changed'],
    sign: ({ pod }) => featuresOf(pod),
    preFilter({ pod, state }) {
      const needed = featuresOf(pod)
      if (needed.length === 0) return { skip: true }
      state.set(NAME, needed)
      return undefined
    },
    filter({ state }, { node }) {
      const declared = node!.status.declaredFeatures ?? []
      const missing = (state.get(NAME) as readonly string[]).filter(feature => !declared.includes(feature))
      return missing.length > 0 ? refusalFor(missing.join(', ')) : undefined
    },
  }
}

function featuresOf(pod: Pod): string[] {
  const needed: string[] = []
  for (const { name, isNeededBy } of FEATURES) if (isNeededBy(pod)) needed.push(name)
  return needed
}

/** One refusal for each set of features, kept. */
const refusals = new Map<string, Refusal>()

function refusalFor(missing: string): Refusal {
  let refusal = refusals.get(missing)
  if (!refusal) {
    const reasons = [`node declared features check failed - unsatisfied requirements: ${missing}`]
    refusal = { plugin: NAME, code: 'unresolvable', reasons }
    refusals.set(missing, refusal)
  }
  return refusal
}
