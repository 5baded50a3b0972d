import { ListMeta } from '../kind/object-meta.ts'
import { boolean, list, message, omitempty, optional, required, string } from '../schema/schema.ts'

/** The types of discovery, which the documents describe beside those of the resources. */
const meta = (name: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`
const typeMeta = { kind: omitempty(undefined, string), apiVersion: omitempty(undefined, string) }

export const ServerAddressByClientCIDR = message(meta('ServerAddressByClientCIDR'), {
  clientCIDR: required(1, string, 'The clients that this address is for.'),
  serverAddress: required(2, string, 'Host and port, or a name.'),
})
export const GroupVersionForDiscovery = message(meta('GroupVersionForDiscovery'), {
  groupVersion: required(1, string, 'Group and version.'),
  version: required(2, string, 'The version alone.'),
})
export const APIGroup = message(meta('APIGroup'), {
  ...typeMeta,
  name: required(1, string, 'The name of the group.'),
  versions: required(2, list(GroupVersionForDiscovery), 'The versions it is served in.'),
  preferredVersion: optional(3, GroupVersionForDiscovery, 'The version to use.'),
  serverAddressByClientCIDRs: omitempty(4, list(ServerAddressByClientCIDR), 'Where the group is served.'),
})
export const APIGroupList = message(meta('APIGroupList'), { ...typeMeta, groups: required(1, list(APIGroup), 'All groups.') })
export const APIResource = message(meta('APIResource'), {
  name: required(1, string, 'The plural name.'),
  singularName: required(6, string, 'The singular name.'),
  namespaced: required(2, boolean, 'Whether its objects are in namespaces.'),
  group: omitempty(8, string, 'The group of the kind, where it is another one.'),
  version: omitempty(9, string, 'The version of the kind, where it is another one.'),
  kind: required(3, string, 'The kind of its objects.'),
  verbs: required(4, list(string), 'What can be done with it.'),
  shortNames: omitempty(5, list(string), 'Short names.'),
  categories: omitempty(7, list(string), 'Groups of resources such as `all`.'),
  storageVersionHash: omitempty(10, string, 'Changes with the version that objects are stored in.'),
})
export const APIResourceList = message(meta('APIResourceList'), {
  ...typeMeta,
  groupVersion: required(1, string, 'The group and version of this list.'),
  resources: required(2, list(APIResource), 'What is served in it.'),
})
export const APIVersions = message(meta('APIVersions'), {
  ...typeMeta,
  versions: required(1, list(string), 'The versions of the core group.'),
  serverAddressByClientCIDRs: required(2, list(ServerAddressByClientCIDR), 'Where they are served.'),
})
export const VersionInfo = message('io.k8s.apimachinery.pkg.version.Info', {
  major: required(undefined, string, 'Major version.'),
  minor: required(undefined, string, 'Minor version.'),
  emulationMajor: omitempty(undefined, string, 'The version that is emulated.'),
  emulationMinor: omitempty(undefined, string, 'The version that is emulated.'),
  minCompatibilityMajor: omitempty(undefined, string, 'The oldest version that others may have.'),
  minCompatibilityMinor: omitempty(undefined, string, 'The oldest version that others may have.'),
  gitVersion: required(undefined, string, 'The whole version.'),
  gitCommit: required(undefined, string, 'The commit.'),
  gitTreeState: required(undefined, string, 'Whether the tree was clean.'),
  buildDate: required(undefined, string, 'When it was built.'),
  goVersion: required(undefined, string, 'The Go version that clients expect to read.'),
  compiler: required(undefined, string, 'The compiler.'),
  platform: required(undefined, string, 'Operating system and architecture.'),
})

/** The metadata of a list as the documents show it: with shards, which are not served yet. */
export const DocumentedListMeta = message(meta('ListMeta'), {
  ...ListMeta.fields,
  shardInfo: optional(undefined, message(meta('ShardInfo'), { selector: required(1, string, 'The shard that the list is of.') })),
})
