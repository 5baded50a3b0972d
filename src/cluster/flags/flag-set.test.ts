import { describe, expect, it } from 'vitest'
import { boolean, duration, type Flag, integer, list, oneOf, pairs, repeated, switches, text, unapplied } from './flag.ts'
import { type FlagSections, type Program, readCommandLine } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { kubeControllerManager } from './kube-controller-manager.ts'
import { kubeProxy } from './kube-proxy.ts'
import { kubeScheduler } from './kube-scheduler.ts'
import { kubelet } from './kubelet.ts'

const program = {
  name: 'kube-thing',
  about: 'Does a thing.',
  sections: {
    Generic: {
      kubeconfig: text('Where the server is.'),
      'leader-elect': boolean('Waits for its turn.', true),
      'secure-port': integer('The port.', 10259, { least: 0, most: 65535 }),
      'retry-period': duration('How often.', '2s'),
      'tls-min-version': oneOf(['VersionTLS12', 'VersionTLS13'], 'The oldest version.', 'VersionTLS12'),
      v: { ...integer('How much.', 2), letter: 'v' },
    },
    Misc: {
      servers: list('Servers.'),
      issuer: repeated('Issuers.'),
      labels: pairs('Labels.'),
      'feature-gates': unapplied(switches('Features.'), 'features are fixed'),
    },
  },
} as const

const read = (...args: string[]) => readCommandLine(program, args, 'v1.36.0')
const run = (...args: string[]) => {
  const line = read(...args)
  if (line.do !== 'run') throw new Error(line.text)
  return line
}

describe('a command line', () => {
  it('gives every flag its default', () => {
    const { values, given, warnings } = run()
    expect(values).toMatchObject({
      kubeconfig: '',
      'leader-elect': true,
      'secure-port': 10259,
      'retry-period': 2000,
      servers: [],
      labels: {},
    })
    expect([given.size, warnings]).toEqual([0, []])
  })

  it('is read as upstream reads it', () => {
    const { values } = run('--kubeconfig', '/a b', '--leader-elect=false', '--secure_port=1', '--retry-period=1m1.5s', '-v=4')
    expect(values).toMatchObject({ kubeconfig: '/a b', 'leader-elect': false, 'secure-port': 1, 'retry-period': 61_500, v: 4 })
    expect(run('--leader-elect', '-v', '5', '--tls-min-version=VersionTLS13').values).toMatchObject({ 'leader-elect': true, v: 5 })
  })

  it('extends lists and maps by commas and by repetition', () => {
    const { values } = run('--servers=a,b', '--servers', 'c,"d,e"', '--issuer=x,y', '--issuer=z', '--labels=a=1,b=2', '--labels=a=3')
    expect(values).toMatchObject({ servers: ['a', 'b', 'c', 'd,e'], issuer: ['x,y', 'z'], labels: { a: '3', b: '2' } })
  })

  it('warns in one line about a known flag that has no effect', () => {
    const { values, warnings } = run('--feature-gates=A=true,B=false', '--feature-gates=B=true')
    expect(values['feature-gates']).toEqual({ A: true, B: true })
    expect(warnings).toEqual(['--feature-gates is accepted, but features are fixed'])
  })

  it.each([
    [['--kubecofnig=x'], 'unknown flag: --kubecofnig; did you mean --kubeconfig?'],
    [['--leader'], 'unknown flag: --leader; did you mean --leader-elect?'],
    [['--something-else-entirely'], 'unknown flag: --something-else-entirely\n'],
    [['--kubeconfig'], 'flag needs an argument: --kubeconfig'],
    [['--secure-port=70000'], 'invalid argument "70000" for "--secure-port" flag: it must be from 0 to 65535'],
    [['--secure-port=x'], 'invalid argument "x" for "--secure-port" flag: "x" is no whole number'],
    [['--leader-elect=maybe'], 'invalid argument "maybe" for "--leader-elect" flag: "maybe" is neither true nor false'],
    [['--retry-period=2'], 'invalid argument "2" for "--retry-period" flag: "2" is no duration'],
    [['--tls-min-version=1'], 'it must be one of VersionTLS12, VersionTLS13'],
    [['--labels=a'], '"a" is not of the form key=value'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['run'], 'unknown argument "run"'],
  ])('refuses %j and says why', (args, message) => {
    const line = read(...args)
    expect(line).toMatchObject({ do: 'refuse', text: expect.stringContaining(`${message}`) })
  })

  it('prints the version', () => {
    expect(read('--version')).toEqual({ do: 'print', text: 'Kubernetes v1.36.0\n' })
  })

  it('prints help under headings', () => {
    const line = read('-h')
    expect(line.do === 'print' && line.text).toContain(
      'Usage:\n  kube-thing [flags]\n\nGeneric flags:\n\n      --kubeconfig string\n                Where the server is.\n',
    )
  })
})

describe('the flags of kube-apiserver', () => {
  it('take what a script for upstream gives', () => {
    const line = readCommandLine(
      kubeApiserver,
      [
        '--advertise-address=10.0.0.1',
        '--allow-privileged=true',
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--etcd-servers=https://127.0.0.1:2379',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        '--service-cluster-ip-range=10.96.0.0/12',
        '--runtime-config=api/all=true,apps/v1',
        '--requestheader-allowed-names=front-proxy-client',
        '--tls-cert-file=/etc/kubernetes/pki/apiserver.crt',
        '--audit-log-maxage=30',
        '--audit-webhook-batch-max-size=5',
      ],
      'v1.36.0',
    )
    expect(line).toMatchObject({
      do: 'run',
      warnings: [],
      values: {
        'authorization-mode': ['Node', 'RBAC'],
        'runtime-config': { 'api/all': true, 'apps/v1': true },
        'secure-port': 6443,
        'audit-webhook-batch-max-size': 5,
      },
    })
  })
})

describe.each([
  [
    kubeControllerManager,
    ['--controllers=*,-job-controller', '--cluster-signing-cert-file=/ca.crt', '--cluster-signing-kubelet-client-key-file=/k'],
  ],
  [kubeScheduler, ['--leader-elect=false', '--authentication-kubeconfig=/k', '--kube-api-qps=5000', '--kube-api-burst=5000']],
  [kubeProxy, ['--config=/var/lib/kube-proxy/config.conf', '--hostname-override=n1', '--proxy-mode=nftables']],
  [kubelet, ['--node-labels=a=b', '--register-with-taints=a=b:NoSchedule', '--eviction-hard=memory.available<100Mi,nodefs.available<10%']],
] as [Program<FlagSections>, string[]][])('the flags of $name', (one, args) => {
  const flags = Object.values<Readonly<Record<string, Flag>>>(one.sections).flatMap(section => Object.keys(section))

  it('take what a script for upstream gives', () => {
    expect(readCommandLine(one, args, 'v1.36.0')).toMatchObject({ do: 'run', warnings: [] })
  })

  it('stand in one section each', () => {
    expect(flags.filter((flag, index) => flags.indexOf(flag) !== index)).toEqual([])
  })

  it('are all in the help', () => {
    const help = readCommandLine(one, ['--help'], 'v1.36.0')
    for (const flag of flags) expect(help.do === 'print' && help.text).toContain(`--${flag}`)
  })
})
