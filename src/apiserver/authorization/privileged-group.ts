import type { Authorizer } from './authorizer.ts'

/** Lets members of `group` do everything: upstream's `system:masters`, which no role can take away. */
export function privilegedGroup(group = 'system:masters'): Authorizer {
  return {
    name: 'privileged group',
    authorize: ({ user }) => (user.groups.includes(group) ? { verdict: 'allow', reason: '' } : { verdict: 'no opinion', reason: '' }),
    rulesFor: user =>
      user.groups.includes(group)
        ? {
            resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [] }],
            nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
            incomplete: false,
          }
        : undefined,
  }
}
