import { isIdentifier } from '#base/languages/cel/identifier.ts'
import type { Compilation } from '#base/languages/cel/program.ts'
import { compilationError, EXPECTED, PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { isDNS1035Label, isQualifiedName } from '#machinery/meta/names.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateWord } from '../../meta/v1/rules.ts'
import type { MatchResources } from './match-resources.ts'
import type { MutatingAdmissionPolicy, Mutation } from './mutating-admission-policy.ts'
import type { MutatingAdmissionPolicyBinding } from './mutating-admission-policy-binding.ts'
import type { ParamKind } from './param-kind.ts'
import type { AuditAnnotation, ValidatingAdmissionPolicy } from './validating-admission-policy.ts'
import type { ValidatingAdmissionPolicyBinding } from './validating-admission-policy-binding.ts'
import type { Variable } from './variable.ts'
import { validateMatchConditions, validateMatchResources, validateParamRef } from './webhook.rules.ts'

/** A policy in CEL, and its expressions. */
export function validateValidatingPolicy({ metadata, spec }: ValidatingAdmissionPolicy, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateWord(spec.failurePolicy, ['Fail', 'Ignore'], at.at('failurePolicy'))
  validateParamKind(spec.paramKind, at.at('paramKind'))
  validateMatchConstraints(spec.matchConstraints, at.at('matchConstraints'))
  const compiler = new PolicyCompiler(spec.paramKind !== undefined)
  validateVariables(spec.variables, compiler, at.at('variables'))
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    for (const name of ['validations', 'auditAnnotations']) {
      at.at(name).required('validations or auditAnnotations must contain at least one item')
    }
  }
  validations.forEach(({ expression, message = '', messageExpression = '', reason }, index) => {
    const each = at.at('validations').index(index)
    if (expression.trim() === '') each.at('expression').required('expression is not specified')
    else validateExpression(expression, compiler.compile(expression, EXPECTED.condition), each.at('expression'))
    if (messageExpression !== '' && messageExpression.trim() === '')
      each.at('messageExpression').invalid(messageExpression, 'must be non-empty if specified')
    else if (messageExpression !== '') {
      const compiled = compiler.compile(messageExpression, EXPECTED.message, { authorizer: false })
      validateExpression(messageExpression, compiled, each.at('messageExpression'))
    }
    if (message !== '' && message.trim() === '') each.at('message').invalid(message, 'message must be non-empty if specified')
    else if (message.trim().includes('\n')) each.at('message').invalid(message, 'message must not contain line breaks')
    else if (/\n/.test(expression.trim()) && message === '')
      each.at('message').required('message must be specified if expression contains line breaks')
    if (reason !== undefined && !REASONS.includes(reason)) each.at('reason').notSupported(reason, REASONS)
  })
  validateAudit(metadata.name ?? '', auditAnnotations, compiler, at.at('auditAnnotations'))
  validateMatchConditions(spec.matchConditions, at.at('matchConditions'), spec.paramKind !== undefined)
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']

function validateParamKind(kind: ParamKind | undefined, errors: FieldErrors): void {
  if (!kind) return
  const { apiVersion = '' } = kind
  if (apiVersion === '') errors.at('apiVersion').required()
  else {
    const parts = apiVersion.split('/')
    if (parts.length > 2) errors.at('apiVersion').invalid(apiVersion, `unexpected GroupVersion string: ${apiVersion}`)
    else {
      const { version } = groupVersionOf(apiVersion)
      errors.at('apiVersion').invalidEach(version, isDNS1035Label(version))
    }
  }
  if (!kind.kind) errors.at('kind').required()
  else errors.at('kind').invalidEach(kind.kind, isDNS1035Label(kind.kind.toLowerCase()))
}

/** Whether an expression compiles, and to the type it has to have. */
function validateExpression(expression: string, compiled: Compilation, errors: FieldErrors): void {
  const error = compilationError(compiled)
  if (error !== undefined) errors.invalid(expression, error)
}

function validateVariables(variables: readonly Variable[] | undefined, compiler: PolicyCompiler, errors: FieldErrors): void {
  variables?.forEach(({ name, expression }, index) => {
    const at = errors.index(index)
    if (name === '') at.at('name').required('name is not specified')
    else if (!isIdentifier(name)) at.at('name').invalid(name, 'must be a valid CEL identifier')
    if (expression.trim() === '') at.at('expression').required('expression is not specified')
    else validateExpression(expression, compiler.addVariable(name, expression), at.at('expression'))
  })
}

function validateAudit(policy: string, annotations: readonly AuditAnnotation[], compiler: PolicyCompiler, errors: FieldErrors): void {
  if (annotations.length > 20) errors.tooMany(annotations.length, 20)
  const keys = new Set<string>()
  annotations.forEach(({ key, valueExpression }, index) => {
    const at = errors.index(index)
    if (policy !== '') {
      const full = `${policy}/${key}`
      at.at('key').invalidEach(full, isQualifiedName(full))
    } else at.at('key').invalidEach(key, isQualifiedName(key))
    if (keys.has(key)) at.at('key').duplicate(key)
    keys.add(key)
    if (valueExpression.trim() === '') at.at('valueExpression').required('valueExpression is not specified')
    else if (valueExpression.length > 5120) at.at('valueExpression').tooLong(5120)
    else {
      const compiled = compiler.compile(valueExpression, EXPECTED.auditAnnotation, { authorizer: false })
      validateExpression(valueExpression, compiled, at.at('valueExpression'))
    }
  })
}

const ACTIONS = ['Audit', 'Deny', 'Warn']

export function validateValidatingBinding({ spec }: ValidatingAdmissionPolicyBinding, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateBindingSpec(spec, at)
  const { validationActions: actions = [] } = spec
  if (actions.length === 0) at.at('validationActions').required('at least one validation action is required')
  actions.forEach((action, index) => {
    if (!ACTIONS.includes(action)) at.at('validationActions').index(index).notSupported(action, ACTIONS)
    if (actions.indexOf(action) < index) at.at('validationActions').index(index).duplicate(action)
  })
  if (actions.includes('Deny') && actions.includes('Warn')) {
    at.at('validationActions').invalid(
      actions,
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    )
  }
}

function validateBindingSpec(
  { policyName = '', paramRef, matchResources }: Pick<MutatingAdmissionPolicyBinding['spec'], 'policyName' | 'paramRef' | 'matchResources'>,
  errors: FieldErrors,
): void {
  if (policyName === '') errors.at('policyName').required()
  else errors.at('policyName').invalidEach(policyName, isQualifiedName(policyName))
  validateParamRef(paramRef, errors.at('paramRef'))
  if (matchResources) validateMatchResources(matchResources, errors.at('matchResources'))
}

export function validateMutatingBinding({ spec }: MutatingAdmissionPolicyBinding, errors: FieldErrors): void {
  validateBindingSpec(spec, errors.at('spec'))
}

export function validateMutatingPolicy({ spec }: MutatingAdmissionPolicy, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateWord(spec.failurePolicy, ['Fail', 'Ignore'], at.at('failurePolicy'))
  validateParamKind(spec.paramKind, at.at('paramKind'))
  validateMatchConstraints(spec.matchConstraints, at.at('matchConstraints'))
  const compiler = new PolicyCompiler(spec.paramKind !== undefined)
  validateVariables(spec.variables, compiler, at.at('variables'))
  if ((spec.mutations ?? []).length === 0) at.at('mutations').required('mutations must contain at least one item')
  spec.mutations?.forEach((mutation, index) => {
    validateMutation(mutation, compiler, at.at('mutations').index(index))
  })
  validateWord(spec.reinvocationPolicy, ['IfNeeded', 'Never'], at.at('reinvocationPolicy'))
  validateMatchConditions(spec.matchConditions, at.at('matchConditions'), spec.paramKind !== undefined)
}

/** What a policy is about has to be said. */
function validateMatchConstraints(constraints: MatchResources | undefined, errors: FieldErrors): void {
  if (!constraints) {
    errors.required()
    return
  }
  validateMatchResources(constraints, errors)
  if ((constraints.resourceRules ?? []).length === 0) errors.at('resourceRules').required()
}

function validateMutation({ patchType, applyConfiguration, jsonPatch }: Mutation, compiler: PolicyCompiler, errors: FieldErrors): void {
  const type: string = patchType
  if (type === 'ApplyConfiguration') {
    if (!applyConfiguration) errors.at('applyConfiguration').required(`must be specified when patchType is ${type}`)
    else if (!applyConfiguration.expression?.trim())
      errors.at('applyConfiguration').at('expression').required('expression is not specified')
    else {
      const { expression } = applyConfiguration
      const compiled = compiler.compile(expression, EXPECTED.applyConfiguration, { mutations: true })
      validateExpression(expression, compiled, errors.at('applyConfiguration').at('expression'))
    }
    if (jsonPatch) errors.at('jsonPatch').invalid('{jsonPatch}', `must not be specified when patchType is ${type}`)
  } else if (type === 'JSONPatch') {
    if (!jsonPatch) errors.at('jsonPatch').required(`must be specified when patchType is ${type}`)
    else if (!jsonPatch.expression?.trim()) errors.at('jsonPatch').at('expression').required('expression is not specified')
    else {
      const { expression } = jsonPatch
      const compiled = compiler.compile(expression, EXPECTED.jsonPatch, { mutations: true })
      validateExpression(expression, compiled, errors.at('jsonPatch').at('expression'))
    }
    if (applyConfiguration)
      errors.at('applyConfiguration').invalid('{applyConfiguration}', `must not be specified when patchType is ${type}`)
  } else validateWord(type, ['ApplyConfiguration', 'JSONPatch'], errors.at('patchType'))
}
