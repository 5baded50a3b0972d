import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { defineController, status } from './runtime/define-controller.ts'
import { expressionWarnings } from './validatingadmissionpolicy-status.plan.ts'

/** Notes on every ValidatingAdmissionPolicy which of its expressions do not fit the kinds that it is about, and which generation was checked. */
export const validatingAdmissionPolicyStatusController = defineController({
  name: 'validatingadmissionpolicy-status-controller',
  reconciles: ValidatingAdmissionPolicy,
  writes: [status(ValidatingAdmissionPolicy)],
  async reconcile(policy, { updateStatus }) {
    const { generation } = policy.metadata
    if ((policy.status.observedGeneration ?? 0) >= (generation ?? 0)) return
    const warnings = expressionWarnings(policy, builtInKinds)
    const typeChecking = warnings.length > 0 ? { expressionWarnings: warnings } : {}
    await updateStatus(ValidatingAdmissionPolicy, policy, { ...policy.status, observedGeneration: generation, typeChecking })
  },
})
