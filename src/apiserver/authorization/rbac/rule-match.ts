import type { Attributes } from '../authorizer.ts'
import type { PolicyRule } from './policy-rule.ts'

/** Whether a rule allows what `attributes` say. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!matches(rule.verbs, attributes.verb)) return false
  if ('path' in attributes) return (rule.nonResourceURLs ?? []).some(pattern => pathMatches(pattern, attributes.path))
  const { group, resource, subresource, name } = attributes
  return (
    matches(rule.apiGroups, group) &&
    resourceMatches(rule.resources ?? [], resource, subresource) &&
    ((rule.resourceNames?.length ?? 0) === 0 || (name !== '' && rule.resourceNames!.includes(name)))
  )
}

/** Whether `holder`, rules somebody has, together allow everything that `wanted` allows. */
export function covers(holder: readonly PolicyRule[], wanted: PolicyRule): boolean {
  return partsOf(wanted).every(part => holder.some(rule => coversPart(rule, part)))
}

const matches = (words: readonly string[] | undefined, word: string) => words?.includes(word) || words?.includes('*') || false

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (resources.includes('*')) return true
  if (subresource === '') return resources.includes(resource)
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1).replace(/\*+$/, '')))
}

/** A rule with one verb, one group, one resource and at most one name; or one verb and one path. */
type Part =
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string | undefined }
  | { readonly verb: string; readonly path: string }

function partsOf(rule: PolicyRule): Part[] {
  const names = rule.resourceNames?.length ? rule.resourceNames : [undefined]
  return rule.verbs.flatMap(verb => [
    ...(rule.apiGroups ?? []).flatMap(group =>
      (rule.resources ?? []).flatMap(resource => names.map(name => ({ verb, group, resource, name }))),
    ),
    ...(rule.nonResourceURLs ?? []).map(path => ({ verb, path })),
  ])
}

function coversPart(rule: PolicyRule, part: Part): boolean {
  if (!matches(rule.verbs, part.verb)) return false
  if ('path' in part) return (rule.nonResourceURLs ?? []).some(pattern => pathMatches(pattern, part.path))
  if (!matches(rule.apiGroups, part.group)) return false
  const [resource, subresource = ''] = part.resource.split('/')
  if (!(rule.resources ?? []).includes(part.resource) && !resourceMatches(rule.resources ?? [], resource!, subresource)) return false
  const held = rule.resourceNames ?? []
  return held.length === 0 || (part.name !== undefined && held.includes(part.name))
}
