// An authority of a test's own, made anew each time: no private key is ever kept.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  readonly ca: string
  readonly cert: (name: string) => string
  readonly key: (name: string) => string
}

/** Certificates for `names`, good for 127.0.0.1, as PEM files below `directory`. */
export function makeCertificates(directory: string, names: readonly string[]): Certificates {
  const at = (file: string): string => join(directory, file)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const ca = at('ca.pem')
  openssl(
    ...[
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      at('ca.key'),
      '-out',
      ca,
      '-days',
      '1',
      '-subj',
      '/CN=Test authority',
    ],
  )
  writeFileSync(at('san.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
  for (const name of names) {
    openssl('req', ...newKey, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`)
    const signing = ['-CA', ca, '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('san.ext')]
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...signing, '-days', '1', '-out', at(`${name}.crt`))
  }
  return { ca, cert: (name) => at(`${name}.crt`), key: (name) => at(`${name}.key`) }
}
