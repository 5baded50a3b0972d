import { bindings, podBinding } from './binding.ts'
import { podEviction } from './eviction.ts'
import { scale } from './scale.ts'
import type { SubresourceHandler } from './subresource.ts'

/** Every subresource that is more than a part of its object. */
export const subresources: readonly SubresourceHandler[] = [podBinding, bindings, podEviction, scale]
