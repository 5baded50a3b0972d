import { isLabelValue, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelName } from '../../meta/v1/rules.ts'
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from './node-selector.ts'

/** A choice of nodes must have at least one term. */
export function validateNodeSelector(selector: NodeSelector, errors: FieldErrors): void {
  const terms = errors.at('nodeSelectorTerms')
  if (selector.nodeSelectorTerms.length === 0) terms.required('must have at least one node selector term')
  selector.nodeSelectorTerms.forEach((term, index) => {
    validateNodeSelectorTerm(term, terms.index(index))
  })
}

/** `checksValues` is false for preferences: values no label could have are harmless there. */
export function validateNodeSelectorTerm(term: NodeSelectorTerm, errors: FieldErrors, checksValues = true): void {
  term.matchExpressions?.forEach((requirement, index) => {
    validateExpression(requirement, checksValues, errors.at('matchExpressions').index(index))
  })
  term.matchFields?.forEach((requirement, index) => {
    validateField(requirement, errors.at('matchFields').index(index))
  })
}

function validateExpression({ key, operator, values = [] }: NodeSelectorRequirement, checksValues: boolean, errors: FieldErrors): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) errors.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) errors.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) errors.at('values').required("must be specified single value when `operator` is 'Lt' or 'Gt'")
      break
    default:
      errors.at('operator').invalid(operator, 'not a valid selector operator')
  }
  validateLabelName(key, errors.at('key'))
  if (checksValues)
    values.forEach((value, index) => {
      errors.at('values').index(index).invalidEach(value, isLabelValue(value))
    })
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, errors: FieldErrors): void {
  if (operator !== 'In' && operator !== 'NotIn') errors.at('operator').invalid(operator, 'not a valid selector operator')
  else if (values.length !== 1) {
    errors.at('values').required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector")
  }
  if (key !== 'metadata.name') errors.at('key').invalid(key, 'not a valid field selector key')
  else
    values.forEach((value, index) => {
      errors.at('values').index(index).invalidEach(value, nameIsDNSSubdomain(value, false))
    })
}
