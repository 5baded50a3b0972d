import { compilationError, EXPECTED, PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1123Subdomain, isQualifiedName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelSelector, validateWord } from '../../meta/v1/rules.ts'
import type { MatchCondition } from './match-condition.ts'
import type { MatchResources } from './match-resources.ts'
import type { MutatingWebhook } from './mutating-webhook-configuration.ts'
import type { ParamRef } from './param-ref.ts'
import type { RuleWithOperations } from './rule-with-operations.ts'
import type { ValidatingWebhook } from './validating-webhook-configuration.ts'
import type { WebhookClientConfig } from './webhook-client-config.ts'

/** The webhooks of a configuration, each with a name of its own. */
export function validateWebhooks(webhooks: readonly (ValidatingWebhook | MutatingWebhook)[] | undefined, errors: FieldErrors): void {
  const names = new Set<string>()
  webhooks?.forEach((webhook, index) => {
    const at = errors.index(index)
    validateWebhook(webhook, at)
    if (names.has(webhook.name)) at.at('name').duplicate(webhook.name)
    names.add(webhook.name)
  })
}

function validateWebhook(webhook: ValidatingWebhook | MutatingWebhook, errors: FieldErrors): void {
  validateFullName(webhook.name, errors.at('name'))
  validateVersions(webhook.admissionReviewVersions, errors.at('admissionReviewVersions'))
  webhook.rules?.forEach((rule, index) => {
    validateRule(rule, errors.at('rules').index(index))
  })
  validateWord(webhook.failurePolicy, ['Fail', 'Ignore'], errors.at('failurePolicy'))
  validateWord(webhook.matchPolicy, ['Equivalent', 'Exact'], errors.at('matchPolicy'))
  const sideEffects: string | undefined = webhook.sideEffects
  if (sideEffects === undefined) errors.at('sideEffects').required('must specify one of "None", "NoneOnDryRun"')
  else if (sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun')
    errors.at('sideEffects').notSupported(sideEffects, ['None', 'NoneOnDryRun'])
  const { timeoutSeconds } = webhook
  if (timeoutSeconds > 30 || timeoutSeconds < 1) {
    errors.at('timeoutSeconds').invalid(timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')
  }
  validateLabelSelector(webhook.namespaceSelector, errors.at('namespaceSelector'))
  validateLabelSelector(webhook.objectSelector, errors.at('objectSelector'))
  validateClient(webhook.clientConfig, errors.at('clientConfig'))
  validateMatchConditions(webhook.matchConditions, errors.at('matchConditions'))
  if ('reinvocationPolicy' in webhook) validateWord(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], errors.at('reinvocationPolicy'))
}

function validateFullName(name: string, errors: FieldErrors): void {
  if (name === '') {
    errors.required()
    return
  }
  const wrong = isDNS1123Subdomain(name)
  errors.invalidEach(name, wrong)
  if (wrong.length === 0 && name.split('.').length < 3)
    errors.invalid(name, 'should be a domain with at least three segments separated by dots')
}

function validateVersions(versions: readonly string[], errors: FieldErrors): void {
  if (versions.length === 0) {
    errors.required('must specify one of v1, v1beta1')
    return
  }
  versions.forEach((version, index) => {
    if (versions.indexOf(version) < index) {
      errors.index(index).invalid(version, 'duplicate version')
      return
    }
    if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(version)) {
      errors
        .index(index)
        .invalid(
          version,
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
        )
    }
  })
  if (!versions.some(version => version === 'v1' || version === 'v1beta1')) {
    errors.invalid(versions, 'must include at least one of v1, v1beta1')
  }
}

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

/** Which requests are meant. */
export function validateRule(
  { operations = [], apiGroups = [], apiVersions = [], resources = [], scope }: RuleWithOperations,
  errors: FieldErrors,
): void {
  const lists = { apiGroups, apiVersions, resources }
  if (operations.length === 0) errors.at('operations').required()
  if (operations.length > 1 && operations.includes('*')) {
    errors.at('operations').invalid(operations, "if '*' is present, must not specify other operations")
  }
  operations.forEach((operation, index) => {
    if (!OPERATIONS.includes(operation)) errors.at('operations').index(index).notSupported(operation, OPERATIONS)
  })
  for (const [name, list] of Object.entries(lists)) {
    if (list.length === 0) errors.at(name).required()
    if (name !== 'resources' && list.length > 1 && list.includes('*')) {
      const what = name === 'apiGroups' ? 'API groups' : 'API versions'
      errors.at(name).invalid(list, `if '*' is present, must not specify other ${what}`)
    }
    list.forEach((value, index) => {
      if (value === '' && name !== 'apiGroups') errors.at(name).index(index).required()
    })
  }
  validateResources(resources, errors.at('resources'))
  if (scope !== '*' && scope !== 'Cluster' && scope !== 'Namespaced') errors.at('scope').notSupported(scope, ['*', 'Cluster', 'Namespaced'])
}

function validateResources(resources: readonly string[], errors: FieldErrors): void {
  const wholes = new Set(resources.filter(resource => resource.endsWith('/*')).map(resource => resource.split('/')[0]))
  const subresources = new Set(resources.filter(resource => resource.startsWith('*/')).map(resource => resource.split('/')[1]))
  resources.forEach((resource, index) => {
    const [name, subresource] = resource.split('/')
    if (subresource === undefined) return
    if (subresource !== '*' && wholes.has(name)) {
      errors.index(index).invalid(resource, `if '${name}/*' is present, must not specify ${resource}`)
    }
    if (name !== '*' && subresources.has(subresource)) {
      errors.index(index).invalid(resource, `if '*/${subresource}' is present, must not specify ${resource}`)
    }
  })
  if (resources.length > 1 && resources.includes('*/*')) errors.invalid(resources, "if '*/*' is present, must not specify other resources")
  if (resources.includes('*') && resources.some(resource => resource !== '*' && !resource.includes('/'))) {
    errors.invalid(resources, "if '*' is present, must not specify other resources without subresources")
  }
}

/** Where a webhook is: a URL, or a service of the cluster. */
export function validateClient({ url, service }: WebhookClientConfig, errors: FieldErrors): void {
  if ((url === undefined) === (service === undefined)) {
    errors.required('exactly one of url or service is required')
    return
  }
  if (url !== undefined) {
    validateUrl(url, errors.at('url'))
    return
  }
  if (!service) return
  const at = errors.at('service')
  if (service.name === '') at.at('name').required()
  if (service.namespace === '') at.at('namespace').required()
  for (const wrong of isPortNumber(service.port)) at.at('port').invalid(service.port, `port is not valid: ${wrong}`)
  if (service.path !== undefined) validateServicePath(service.path, at.at('path'))
}

const FORM = '; desired format: https://host[/path]'

function validateUrl(text: string, errors: FieldErrors): void {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/(?:([^@/?#]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/.exec(text)
  if (!match) {
    errors.required(`url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI for request${FORM}`)
    return
  }
  const [, scheme = '', user, host = '', query, fragment] = match
  if (scheme !== 'https') errors.invalid(scheme, `'https' is the only allowed URL scheme${FORM}`)
  if (host === '') errors.invalid(host, `host must be specified${FORM}`)
  if (user !== undefined) errors.invalid(user, 'user information is not permitted in the URL')
  if (fragment) errors.invalid(fragment, 'fragments are not permitted in the URL')
  if (query) errors.invalid(query, 'query parameters are not permitted in the URL')
}

function validateServicePath(path: string, errors: FieldErrors): void {
  if (path === '' || path === '/' || path === '//') {
    if (path === '//') errors.invalid(path, 'segment[0] may not be empty')
    return
  }
  if (!path.startsWith('/')) errors.invalid(path, "must start with a '/'")
  const segments = path.slice(1).split('/')
  if (segments.at(-1) === '') segments.pop()
  segments.forEach((segment, index) => {
    if (segment === '') errors.invalid(path, `segment[${index}] may not be empty`)
    else for (const wrong of isDNS1123Subdomain(segment)) errors.invalid(path, `segment[${index}]: ${wrong}`)
  })
}

/** Further conditions in CEL. `hasParams`: of a policy with parameters, which they may look at. */
export function validateMatchConditions(conditions: readonly MatchCondition[] | undefined, errors: FieldErrors, hasParams = false): void {
  if (!conditions || conditions.length === 0) return
  const compiler = new PolicyCompiler(hasParams)
  if (conditions.length > 64) errors.tooMany(conditions.length, 64)
  const names = new Set<string>()
  conditions.forEach(({ name, expression }, index) => {
    const at = errors.index(index)
    if (expression.trim() === '') at.at('expression').required()
    else {
      const error = compilationError(compiler.compile(expression, EXPECTED.condition))
      if (error !== undefined) at.at('expression').invalid(expression, error)
    }
    if (name === '') at.at('name').required()
    else {
      at.at('name').invalidEach(name, isQualifiedName(name))
      if (names.has(name)) at.at('name').duplicate(name)
    }
    names.add(name)
  })
}

/** Which objects a policy is about. */
export function validateMatchResources(resources: MatchResources, errors: FieldErrors): void {
  validateLabelSelector(resources.namespaceSelector, errors.at('namespaceSelector'))
  validateLabelSelector(resources.objectSelector, errors.at('objectSelector'))
  for (const list of ['resourceRules', 'excludeResourceRules'] as const) {
    resources[list]?.forEach((rule, index) => {
      const at = errors.at(list).index(index)
      const { resourceNames = [] } = rule
      resourceNames.forEach((name, position) => {
        if (resourceNames.indexOf(name) < position) at.at('resourceNames').index(position).duplicate(name)
      })
      validateRule(rule, at)
    })
  }
  validateWord(resources.matchPolicy, ['Equivalent', 'Exact'], errors.at('matchPolicy'))
}

/** Which object holds a policy's parameters. */
export function validateParamRef(ref: ParamRef | undefined, errors: FieldErrors): void {
  if (!ref) return
  const { name = '', namespace = '', selector, parameterNotFoundAction: action } = ref
  if (name !== '') {
    errors.at('name').invalidEach(name, isDNS1123Subdomain(name))
    if (selector) errors.at('name').forbidden('name and selector are mutually exclusive')
  }
  if (selector) validateLabelSelector(selector, errors.at('selector'))
  else if (name === '') errors.required('one of name or selector must be specified')
  if (namespace !== '') errors.at('namespace').invalidEach(namespace, isDNS1123Subdomain(namespace))
  if (action === undefined) errors.at('parameterNotFoundAction').required()
  else if (action !== 'Allow' && action !== 'Deny') errors.at('parameterNotFoundAction').notSupported(action, ['Deny', 'Allow'])
}
