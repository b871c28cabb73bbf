/** Path of etcd: PATH, then the usual places. Undefined when there is none. */
export function findEtcd(env?: NodeJS.ProcessEnv): string | undefined
/** Tries to get it from the system's own packages; look for it again after that. */
export function installEtcd(): void
export const etcdAdvice: string
