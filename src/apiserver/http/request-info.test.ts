import { describe, expect, it } from 'vitest'
import { requestInfoOf } from './request-info.ts'

describe('a path', () => {
  const resource = { isResource: true, namespace: '', name: '', subresource: '', rest: '', isWatchPath: false }
  it.each([
    ['/api/v1/pods', { group: '', version: 'v1', resource: 'pods' }],
    ['/api/v1/namespaces/ns/pods/p/log', { group: '', version: 'v1', namespace: 'ns', resource: 'pods', name: 'p', subresource: 'log' }],
    ['/apis/apps/v1/namespaces/ns/deployments', { group: 'apps', version: 'v1', namespace: 'ns', resource: 'deployments' }],
    ['/api/v1/namespaces', { group: '', version: 'v1', resource: 'namespaces' }],
    ['/api/v1/namespaces/ns', { group: '', version: 'v1', resource: 'namespaces', name: 'ns' }],
    ['/api/v1/namespaces/ns/finalize', { group: '', version: 'v1', resource: 'namespaces', name: 'ns', subresource: 'finalize' }],
    ['/api/v1/watch/namespaces/ns/pods', { group: '', version: 'v1', namespace: 'ns', resource: 'pods', isWatchPath: true }],
    ['/api/v1/nodes/a%20b', { group: '', version: 'v1', resource: 'nodes', name: 'a b' }],
    [
      '/api/v1/namespaces/ns/configmaps/a%2Fb',
      { group: '', version: 'v1', namespace: 'ns', resource: 'configmaps', name: 'a', subresource: 'b' },
    ],
  ])('%s is about a resource', (path, expected) => {
    expect(requestInfoOf(path)).toMatchObject({ ...resource, ...expected })
  })

  it.each(['/', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/healthz', '/openapi/v3/apis/apps/v1'])(
    '%s is about a document',
    path => {
      expect(requestInfoOf(path)).toEqual({ isResource: false, path })
    },
  )

  it('cannot be taken apart when it is badly escaped', () => {
    expect(requestInfoOf('/api/v1/pods/%zz')).toBeUndefined()
  })
})
