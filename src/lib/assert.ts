/**
 * States a fact that only a bug can break. Stays on in production: the process ends and its
 * supervisor starts a fresh one, which is safer than going on with a broken state.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionFailure(why);
}

/** For `switch` over a union: the compiler proves that no case is left. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable value ${JSON.stringify(value)}`);
}

export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}
