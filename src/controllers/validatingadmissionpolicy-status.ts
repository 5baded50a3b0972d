import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { defineController, status } from './runtime/define-controller.ts'

/** Notes on every ValidatingAdmissionPolicy which generation of it was checked. */
export const validatingAdmissionPolicyStatusController = defineController({
  name: 'validatingadmissionpolicy-status-controller',
  reconciles: ValidatingAdmissionPolicy,
  writes: [status(ValidatingAdmissionPolicy)],
  async reconcile(policy, { updateStatus, parameters }) {
    const { generation } = policy.metadata
    if ((policy.status.observedGeneration ?? 0) >= (generation ?? 0)) return
    const expressionWarnings = parameters.checkPolicyTypes?.(policy) ?? []
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {}
    await updateStatus(ValidatingAdmissionPolicy, policy, { ...policy.status, observedGeneration: generation, typeChecking })
  },
})
