import { podBinding } from './binding.ts'
import type { SubresourceHandler } from './subresource.ts'

/** Every subresource that is more than a part of its object. */
export const subresources: readonly SubresourceHandler[] = [podBinding]
