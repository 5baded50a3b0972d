import { type AnySchema, boolean, list, message, omitempty, required, string } from '#machinery/schema/schema.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const GroupVersionForDiscovery = message(`${META}.GroupVersionForDiscovery`, {
  groupVersion: required(1, string, 'Group and version.'),
  version: required(2, string, 'The version alone.'),
})

const ServerAddressByClientCIDR = message(`${META}.ServerAddressByClientCIDR`, {
  clientCIDR: required(1, string, 'The clients that use this address.'),
  serverAddress: required(2, string, 'Where the server is.'),
})

const APIGroup = message(`${META}.APIGroup`, {
  name: required(1, string, 'Name of the group.'),
  versions: required(2, list(GroupVersionForDiscovery), 'The versions that are served.'),
  preferredVersion: omitempty(3, GroupVersionForDiscovery, 'The version to use.'),
  serverAddressByClientCIDRs: omitempty(4, list(ServerAddressByClientCIDR), 'Where clients find the server.'),
})

const APIResource = message(`${META}.APIResource`, {
  name: required(1, string, 'Plural name.'),
  namespaced: required(2, boolean, 'Whether it lives in namespaces.'),
  kind: required(3, string, 'Kind of its objects.'),
  verbs: required(4, list(string), 'What can be done with it.'),
  shortNames: omitempty(5, list(string), 'Short names.'),
  singularName: required(6, string, 'Singular name.'),
  categories: omitempty(7, list(string), 'Categories it is in.'),
  group: omitempty(8, string, 'Group of its kind, if another one.'),
  version: omitempty(9, string, 'Version of its kind, if another one.'),
  storageVersionHash: omitempty(10, string, 'A hash of the stored version.'),
})

/** The discovery documents that clients may ask for in protobuf. */
export const documentSchemas: Readonly<Record<string, AnySchema>> = {
  APIGroup,
  APIGroupList: message(`${META}.APIGroupList`, { groups: required(1, list(APIGroup), 'The groups.') }),
  APIResourceList: message(`${META}.APIResourceList`, {
    groupVersion: required(1, string, 'Group and version.'),
    resources: required(2, list(APIResource), 'Their resources.'),
  }),
  APIVersions: message(`${META}.APIVersions`, {
    versions: required(1, list(string), 'The versions.'),
    serverAddressByClientCIDRs: required(2, list(ServerAddressByClientCIDR), 'Where clients find the server.'),
  }),
}
