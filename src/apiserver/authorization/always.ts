import type { Authorizer } from './authorizer.ts'

/** `--authorization-mode=AlwaysAllow`. */
export const alwaysAllow: Authorizer = { name: 'AlwaysAllow', authorize: () => ({ verdict: 'allow', reason: '' }) }

/** `--authorization-mode=AlwaysDeny`. */
export const alwaysDeny: Authorizer = {
  name: 'AlwaysDeny',
  authorize: () => ({ verdict: 'no opinion', reason: 'Everything is forbidden.' }),
}
