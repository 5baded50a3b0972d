import { list, message, omitempty, optional, rawExtension, required, type StoredOf, string } from '#machinery/schema/schema.ts'

const PluginConfiguration = message('io.k8s.apiserver.v1.AdmissionPluginConfiguration', {
  name: required(1, string, 'The name of the plugin.'),
  path: omitempty(2, string, 'The file with what the plugin needs to know; relative: from the directory of this file.'),
  configuration: optional(3, rawExtension, 'What the plugin needs to know, in the place of a file.'),
})

/** What `--admission-control-config-file` reads (apiserver.config.k8s.io/v1): what single admission plugins need to know. */
export const AdmissionConfiguration = message('io.k8s.apiserver.v1.AdmissionConfiguration', {
  plugins: omitempty(1, list(PluginConfiguration), 'One for each plugin that has to be told something.'),
})
export interface AdmissionConfiguration extends StoredOf<typeof AdmissionConfiguration> {}
