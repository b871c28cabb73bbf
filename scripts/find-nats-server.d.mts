/** Path of nats-server: the variable NATS_SERVER, then PATH, then the usual places. Undefined when there is none. */
export function findNatsServer(env?: NodeJS.ProcessEnv): string | undefined
