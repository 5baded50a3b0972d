import { dirname, isAbsolute, resolve } from 'node:path'
import { AdmissionConfiguration } from '#apiserver/admission/admission-configuration.ts'
import { EventRateLimitConfiguration, validateEventRateLimit } from '#apiserver/admission/event-rate-limit.ts'
import { ImagePolicyConfiguration, validateImagePolicy } from '#apiserver/admission/image-policy-webhook.ts'
import type { AdmissionChoice, PluginConfigurations } from '#apiserver/admission/plugins.ts'
import { PodNodeSelectorConfiguration, validatePodNodeSelector } from '#apiserver/admission/pod-node-selector.ts'
import { PodSecurityConfiguration, validatePodSecurity } from '#apiserver/admission/pod-security/configuration.ts'
import { PodTolerationRestrictionConfiguration } from '#apiserver/admission/pod-toleration-restriction.ts'
import { ResourceQuotaConfiguration, validateResourceQuotaConfiguration } from '#apiserver/admission/resource-quota/configuration.ts'
import type { WebhookUsers } from '#apiserver/webhooks/webhook-users.ts'
import type { Clock } from '#base/time/clock.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { SetupError } from '../setup-error.ts'
import { ConfigFileError, type ConfigKind, checkedConfigIn, type PlaceOf, parsed, placeOf, readConfig } from './config-file.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile } from './named-file.ts'
import { reviewTarget } from './review-target.ts'
import { WebhookAdmissionConfiguration, webhookUsers } from './webhook-users.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>
const FLAG = '--admission-control-config-file'

const CONFIGURATION: ConfigKind<AdmissionConfiguration> = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  olderVersions: ['apiserver.k8s.io/v1alpha1'],
  kind: 'AdmissionConfiguration',
  schema: AdmissionConfiguration,
}

/**
 * The admission plugins that flags ask for, and what `--admission-control-config-file` tells them. Throws a ConfigFileError that names the
 * place in a file that cannot be used, a SetupError for a plugin that cannot be without its configuration.
 */
export function admissionByFlags(flags: Flags, clock: Clock): AdmissionChoice {
  const enabled = flags['enable-admission-plugins']
  const disabled = flags['disable-admission-plugins']
  const configured: Gathered = {}
  const file = flags['admission-control-config-file']
  const text = namedFile(FLAG, file)
  for (const source of text === undefined ? [] : sourcesIn(file, text)) {
    const reader = READERS.get(source.plugin)
    // What is not understood must not be taken for a rule in force.
    if (!reader) throw new ConfigFileError(`${source.place('')}: the admission plugin ${source.plugin} takes no configuration`)
    reader(source, configured, clock)
  }
  for (const [plugin, isThere] of [
    ['EventRateLimit', configured.eventRateLimit !== undefined],
    ['ImagePolicyWebhook', configured.imagePolicyWebhook !== undefined],
  ] as const) {
    if (isThere || !enabled.includes(plugin) || disabled.includes(plugin)) continue
    throw new SetupError(`the admission plugin ${plugin} has no configuration`, `give it one in the file that ${FLAG} names`)
  }
  return { enabled, disabled, configured }
}

/** What one plugin is told, and where that stands. */
interface Source {
  readonly plugin: string
  readonly value: unknown
  readonly place: PlaceOf
}

function sourcesIn(file: string, text: string): Source[] {
  const place: PlaceOf = path => placeOf(text, path, file)
  const whole = parsed(text, file)
  const isOld = typeof whole === 'object' && whole !== null && !('kind' in whole)
  // Once the whole file was the configuration of one of these.
  if (isOld && 'imagePolicy' in whole) return [{ plugin: 'ImagePolicyWebhook', value: whole, place }]
  if (isOld && 'podNodeSelectorPluginConfig' in whole) return [{ plugin: 'PodNodeSelector', value: whole, place }]
  const { plugins = [] } = readConfig(CONFIGURATION, file, text)
  return plugins.flatMap(({ name, path, configuration }, index) => {
    const at = `plugins[${index}].configuration`
    if (configuration) return [{ plugin: name, value: configuration, place: below => place(below === '' ? at : `${at}.${below}`) }]
    if (!path) return []
    const named = resolve(dirname(file), path)
    const content = namedFile(place(`plugins[${index}].path`), named) ?? ''
    return [{ plugin: name, value: parsed(content, named), place: below => placeOf(content, below, named) }]
  })
}

type Gathered = { -readonly [Plugin in keyof PluginConfigurations]: PluginConfigurations[Plugin] }
type Reader = (source: Source, configured: Gathered, clock: Clock) => void

function read<T>({ value, place }: Source, kind: ConfigKind<T>, validate: (config: T, errors: FieldErrors) => void): T {
  return checkedConfigIn(kind, value, place, validate)
}

/** How the configuration of each plugin that has one is read. */
const BY_PLUGIN: Readonly<Record<string, Reader>> = {
  EventRateLimit(source, configured) {
    const kind = {
      apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1',
      kind: 'Configuration',
      schema: EventRateLimitConfiguration,
    }
    configured.eventRateLimit = read<EventRateLimitConfiguration>(source, kind, validateEventRateLimit)
  },
  ImagePolicyWebhook(source, configured, clock) {
    const kind = {
      apiVersion: 'imagepolicy.admission.k8s.io/v1alpha1',
      kind: 'ImagePolicyWebhookConfiguration',
      isOftenUnversioned: true,
      schema: ImagePolicyConfiguration,
    }
    const config = read<ImagePolicyConfiguration>(source, kind, validateImagePolicy)
    const at = source.place('imagePolicy.kubeConfigFile')
    const target = reviewTarget(at, config.imagePolicy.kubeConfigFile, clock)
    if (target) configured.imagePolicyWebhook = { config, target }
  },
  MutatingAdmissionWebhook(source, configured, clock) {
    const users = readWebhookUsers(source, clock)
    if (users) configured.mutatingWebhookUsers = users
  },
  ValidatingAdmissionWebhook(source, configured, clock) {
    const users = readWebhookUsers(source, clock)
    if (users) configured.validatingWebhookUsers = users
  },
  PodNodeSelector(source, configured) {
    const kind = { apiVersion: '', kind: 'Configuration', isOftenUnversioned: true, schema: PodNodeSelectorConfiguration }
    configured.podNodeSelector = read<PodNodeSelectorConfiguration>(source, kind, validatePodNodeSelector)
  },
  PodSecurity(source, configured) {
    const kind = {
      apiVersion: 'pod-security.admission.config.k8s.io/v1',
      olderVersions: ['pod-security.admission.config.k8s.io/v1beta1', 'pod-security.admission.config.k8s.io/v1alpha1'],
      kind: 'PodSecurityConfiguration',
      schema: PodSecurityConfiguration,
    }
    configured.podSecurity = read<PodSecurityConfiguration>(source, kind, validatePodSecurity)
  },
  PodTolerationRestriction(source, configured) {
    const kind = {
      apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1',
      kind: 'Configuration',
      schema: PodTolerationRestrictionConfiguration,
    }
    configured.podTolerationRestriction = read<PodTolerationRestrictionConfiguration>(source, kind, () => undefined)
  },
  ResourceQuota(source, configured) {
    const name = (source.value as { readonly kind?: unknown }).kind === 'Configuration' ? 'Configuration' : 'ResourceQuotaConfiguration'
    const kind = {
      apiVersion: 'apiserver.config.k8s.io/v1',
      // Once it was called Configuration, in a group of its own.
      olderVersions: ['resourcequota.admission.k8s.io/v1beta1', 'resourcequota.admission.k8s.io/v1alpha1'],
      kind: name,
      schema: ResourceQuotaConfiguration,
    }
    configured.resourceQuota = read<ResourceQuotaConfiguration>(source, kind, validateResourceQuotaConfiguration)
  },
}
const WEBHOOK_PLUGIN: ConfigKind<WebhookAdmissionConfiguration> = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'WebhookAdmissionConfiguration',
  schema: WebhookAdmissionConfiguration,
}

function readWebhookUsers(source: Source, clock: Clock): WebhookUsers | undefined {
  // Once it was called otherwise.
  const { kind, apiVersion } = source.value as { readonly kind?: unknown; readonly apiVersion?: unknown }
  const isOld = kind === 'WebhookAdmission' && apiVersion === 'apiserver.config.k8s.io/v1alpha1'
  const form = isOld ? { ...WEBHOOK_PLUGIN, apiVersion, kind } : WEBHOOK_PLUGIN
  const { kubeConfigFile } = read<WebhookAdmissionConfiguration>(source, form, validateKubeconfigPath)
  return kubeConfigFile === '' ? undefined : webhookUsers(source.place('kubeConfigFile'), kubeConfigFile, clock)
}

function validateKubeconfigPath({ kubeConfigFile }: WebhookAdmissionConfiguration, errors: FieldErrors): void {
  if (kubeConfigFile !== '' && !isAbsolute(kubeConfigFile)) errors.at('kubeConfigFile').invalid(kubeConfigFile, 'must be an absolute path')
}

const READERS = new Map(Object.entries(BY_PLUGIN))
