import { describe, expect, it } from 'vitest'
import { controllers, isEnabled } from './controllers.ts'

describe('the list of controllers', () => {
  it('has the names that other programs ask for', () => {
    const names = controllers.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const asked =
      'namespace-controller serviceaccount-controller serviceaccount-token-controller root-ca-certificate-publisher-controller garbage-collector-controller ' +
      'resourcequota-controller clusterrole-aggregation-controller certificatesigningrequest-signing-controller certificatesigningrequest-approving-controller ' +
      'persistentvolumeclaim-protection-controller persistentvolume-protection-controller volumeattributesclass-protection-controller validatingadmissionpolicy-status-controller'
    expect(names).toEqual(expect.arrayContaining(asked.split(' ')))
  })

  it('is chosen from as --controllers says', () => {
    expect(isEnabled('job-controller', ['*'])).toBe(true)
    expect(isEnabled('job-controller', ['*', '-job-controller'])).toBe(false)
    expect(isEnabled('job-controller', ['namespace-controller'])).toBe(false)
    expect(isEnabled('token-cleaner-controller', ['*'])).toBe(false)
    expect(isEnabled('token-cleaner-controller', ['*', 'token-cleaner-controller'])).toBe(true)
  })
})
