import { FlagValueError } from './flag.ts'

/** What a value of `--tls-sni-cert-key` names: files, and for whom; no names: those in the certificate. */
export interface NamedCertificateFiles {
  readonly certificate: string
  readonly key: string
  readonly names: readonly string[]
}

/** Reads `certificate,key[:name,…]`. Throws a {@link FlagValueError}. */
export function namedCertificateFiles(value: string): NamedCertificateFiles {
  const [files = '', names, ...more] = value.split(':')
  const [certificate = '', key = '', ...others] = files.split(',').map(part => part.trim())
  if (certificate === '' || key === '' || others.length > 0 || more.length > 0) {
    throw new FlagValueError('it must be of the form certificate,key or certificate,key:name,name')
  }
  return {
    certificate,
    key,
    names: (names ?? '')
      .split(',')
      .map(name => name.trim())
      .filter(Boolean),
  }
}
