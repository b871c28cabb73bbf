export function findCompiler(env?: NodeJS.ProcessEnv): string | undefined
export const compilerAdvice: string
