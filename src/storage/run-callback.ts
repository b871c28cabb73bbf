// Calls a callback of the user.

/** One that throws must not take the others with it; its error surfaces as the uncaught exception it is. */
export function runCallback(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
